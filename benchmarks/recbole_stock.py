"""Ours beside the installed RecBole in one run, on the same data and machine, each in a process of its own.

Both have the same sizes, dropout and window, those of our configuration; RecBole has the batch of its benchmark. A pass
is over the same films to predict, but for BERT4Rec: RecBole hides films anew in every prefix, ours once in a window.

Without ``--until``: seconds for one pass over the training targets, and peak memory. RecBole's own loader and model run
for ``--seconds`` after a first batch, and what they did is scaled to a whole pass; ours makes a whole pass. With
``--until``: seconds of training and validating to a first NDCG@10 on validation of so much, at most ``--seconds``.

    python -m benchmarks.recbole_stock --dataset ml-100k [--models sasrec narm] [--seconds 60] [--until 0.05]
"""

import argparse
import logging
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import psutil
import torch

from aicine_utils import splits
from aicine_utils.data import atomic, datasets
from aicine_utils.errors import unknown
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender
from aicine_utils.models.neural import training
from aicine_utils.models.recbole import compat
from benchmarks import record

# Our name: RecBole's, its protocol, the bar for one pass (None: no bar).
SEQUENTIAL, GENERAL = "recbole_sequential", "recbole_general"
MODELS = {
    "sasrec": ("SASRec", SEQUENTIAL, 40), "bert4rec": ("BERT4Rec", SEQUENTIAL, 40), "narm": ("NARM", SEQUENTIAL, 8),
    "caser": ("Caser", SEQUENTIAL, 20), "srgnn": ("SRGNN", SEQUENTIAL, 4), "bpr": ("BPR", GENERAL, None),
    "lightgcn": ("LightGCN", GENERAL, 4), "simplex": ("SimpleX", GENERAL, 4), "multivae": ("MultiVAE", GENERAL, None),
}  # fmt: skip
SPLITS = {
    SEQUENTIAL: {"split": {"LS": "valid_and_test"}, "group_by": "user", "order": "TO", "mode": "full"},
    GENERAL: {"split": {"RS": [8, 1, 1]}, "group_by": "user", "order": "RO", "mode": "full"},
}  # fmt: skip


def stock_config(name: str, dataset: str, folder: Path) -> Any:
    """RecBole's Config for its own protocol and our settings of the model, read from atomic files in ``folder``."""
    library, protocol, _ = MODELS[name]
    own = {
        **registry.create(name, dataset, protocol=protocol)._settings(), "data_path": str(folder),
        "load_col": {"inter": ["user_id", "item_id", "rating", "timestamp"]},
        "val_interval": {"rating": "[3,inf)"}, "user_inter_num_interval": "[10,inf)",
        "item_inter_num_interval": "[10,inf)", "eval_args": SPLITS[protocol], "use_gpu": False,
        "train_batch_size": 512 if protocol == SEQUENTIAL else 4096, "metrics": ["NDCG"], "topk": [10],
        "valid_metric": "NDCG@10", "show_progress": False, "state": "ERROR",
    }  # fmt: skip
    from recbole.config import Config

    return Config(model=library, dataset=dataset, config_dict=own)


class Stock:
    """RecBole's own dataset, loaders, model and trainer, made inside :func:`compat.stock`."""

    def __init__(self, name: str, dataset: str, folder: Path) -> None:
        from recbole.data import create_dataset, data_preparation
        from recbole.utils import get_model, get_trainer, init_seed

        logging.disable(logging.WARNING)
        atomic.write(datasets.load(dataset), folder / dataset)
        config = stock_config(name, dataset, folder)
        init_seed(config["seed"], config["reproducibility"])
        self.train, self.valid, _ = data_preparation(config, create_dataset(config))
        self.model = get_model(config["model"])(config, self.train.dataset)
        self.trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, self.model)

    def step(self, batch: Any) -> None:
        """One step of RecBole's trainer."""
        self.trainer.optimizer.zero_grad()
        losses = self.model.calculate_loss(batch)
        (sum(losses) if isinstance(losses, tuple) else losses).backward()
        self.trainer.optimizer.step()

    def pass_seconds(self, limit: float) -> float:
        """Seconds of a pass, from the batches that fit into ``limit`` after the first."""
        self.model.train()
        for done, batch in enumerate(self.train):
            if done == 0:
                self.step(batch)
                start = time.perf_counter()
                continue
            self.step(batch)
            if time.perf_counter() - start > limit:
                break
        return (time.perf_counter() - start) / done * len(self.train)

    def seconds_until(self, ndcg: float, limit: float) -> float:
        """Seconds of passes and validations until NDCG@10; infinite when ``limit`` comes first."""
        start = time.perf_counter()
        for epoch in range(10_000):
            self.trainer._train_epoch(self.train, epoch)
            found = self.trainer._valid_epoch(self.valid)[1]["ndcg@10"]
            if found >= ndcg or time.perf_counter() - start > limit:
                return time.perf_counter() - start if found >= ndcg else float("inf")
        return float("inf")


def measure_stock(name: str, dataset: str, limit: float, until: float | None) -> tuple[float, float]:
    """Seconds, and the peak of this process in megabytes."""
    torch.set_num_threads(psutil.cpu_count())
    with tempfile.TemporaryDirectory() as folder, compat.stock(Path(folder)):
        stock = Stock(name, dataset, Path(folder))
        seconds = stock.seconds_until(until, limit) if until else stock.pass_seconds(limit)
    return seconds, peak_mb()


def measure_ours(name: str, dataset: str, limit: float, until: float | None) -> tuple[float, float]:
    """The same of our loop; the registry's settings for the protocol."""
    torch.set_num_threads(psutil.cpu_count())
    protocol = MODELS[name][1]
    split = splits.make(datasets.load(dataset), protocol)
    if until:
        model = registry.create(name, dataset, protocol=protocol, minutes=limit / 60).fit(split)
        reached = [row["seconds"] for row in model.curve if row["ndcg@10"] >= until]
        seconds = reached[0] if reached else float("inf")
    else:
        seconds = one_pass(registry.create(name, dataset, protocol=protocol, epochs=1), split)
    return seconds, peak_mb()


def one_pass(model: Recommender, split: splits.Split) -> float:
    """Seconds of the first pass, batches made and steps taken, without validation."""
    taken, own = [], training._pass

    def timed(*args: Any) -> float:
        start = time.perf_counter()
        loss = own(*args)
        taken.append(time.perf_counter() - start)
        return loss

    with mock.patch.object(training, "_pass", timed):
        model.fit(split)
    return taken[0]


def peak_mb() -> float:
    """Megabytes that this process has held at most (Linux counts kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def compare(name: str, dataset: str, limit: float, until: float | None) -> dict[str, object]:
    """One row: both sides, and how many times as fast ours is."""
    sides = {}
    for side, measure in (("stock", measure_stock), ("ours", measure_ours)):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            sides[side] = alone.submit(measure, name, dataset, limit, until).result()
    (stock, stock_mb), (ours, ours_mb) = sides["stock"], sides["ours"]
    what = f"seconds to NDCG@10 {until:g}" if until else "seconds a pass"
    return {"dataset": dataset, "model": name, "what": what, "stock": stock, "ours": ours,
            "times_as_fast": stock / ours, "stock_mb": stock_mb, "ours_mb": ours_mb}  # fmt: skip


def main() -> int:
    """Measure, print and write the table; 1 when a pass misses its bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--until", type=float)
    args = parser.parse_args()
    for name in args.models:
        if name not in MODELS:
            raise unknown("model", name, MODELS)
    table = pd.DataFrame([compare(name, args.dataset, args.seconds, args.until) for name in args.models])
    print(table.to_string(index=False, float_format="{:,.4g}".format))
    record.keep(table, "recbole_stock", by=["dataset", "model", "what"])
    bars = table["model"].map(lambda name: MODELS[name][2])
    below = table.loc[table["times_as_fast"] < bars, "model"] if args.until is None else []
    print(f"Below their bars: {', '.join(below)}." if len(below) else "All at their bars.")
    return int(len(below) > 0)


if __name__ == "__main__":
    record.run(main)
