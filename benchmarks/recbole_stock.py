"""Ours beside the installed RecBole in one run, on the same data and machine, each in a process of its own.

Both have the same sizes, dropout and first learning rate, those of our configuration; RecBole keeps that rate, and ours
falls. RecBole has the batch of its benchmark, and for a pass both read its last 50 films. A pass is over the same films
to predict, but for BERT4Rec: RecBole hides films anew in every prefix, ours once in a window.

Without ``--until``: seconds for one pass over the training targets, and peak memory. RecBole's own loader and model run
for ``--seconds`` after a first batch, and what they did is scaled to a whole pass; ours makes a whole pass. With
``--until``: seconds of training and validating to a first NDCG@10 on validation of so much, at most ``--seconds``. With
``--converged``: NDCG@10 on test, RecBole's after ten passes without a better validation value, ours as the registry has
it; seconds are the processor's here, since RecBole's sequential models take hours and something else may run beside
them. ``--seconds`` ends that, too, and the column ``stopped`` says so.

    python -m benchmarks.recbole_stock --dataset ml-100k [--models sasrec narm] [--until 0.05 | --converged]
"""

import argparse
import copy
import logging
import math
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain, repeat
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
from aicine_utils.metrics import evaluate
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender, lists
from aicine_utils.models.neural import training
from aicine_utils.models.recbole import compat
from benchmarks import record

# Our name: RecBole's, its protocol, the bar for one pass (None: no bar).
SEQUENTIAL, GENERAL = "recbole_sequential", "recbole_general"
MODELS = {
    "sasrec": ("SASRec", SEQUENTIAL, 40), "bert4rec": ("BERT4Rec", SEQUENTIAL, 40), "narm": ("NARM", SEQUENTIAL, 8),
    "caser": ("Caser", SEQUENTIAL, 20), "srgnn": ("SRGNN", SEQUENTIAL, 4), "bpr": ("BPR", GENERAL, None),
    "lightgcn": ("LightGCN", GENERAL, 4), "simplex": ("SimpleX", GENERAL, 4), "multivae": ("MultiVAE", GENERAL, None),
    "ract": ("RaCT", GENERAL, None),
}  # fmt: skip
SPLITS = {
    SEQUENTIAL: {"split": {"LS": "valid_and_test"}, "group_by": "user", "order": "TO", "mode": "full"},
    GENERAL: {"split": {"RS": [8, 1, 1]}, "group_by": "user", "order": "RO", "mode": "full"},
}  # fmt: skip
WINDOW = 50  # films of a history in RecBole's benchmark
PATIENCE = 10  # RecBole's: passes without a better validation value
FEW = 20  # batches to time at least
STAGE_PASSES = 300  # RecBole's own number, which RaCT's first two stages make whatever comes
RACT_STAGES = ("actor_pretrain", "critic_pretrain", "finetune")  # of RaCT, in RecBole's words


@dataclass(frozen=True)
class Goal:
    """What is measured: a pass, the way ``until`` an NDCG@10 on validation, or the NDCG@10 at the end."""

    seconds: float
    until: float | None = None
    converged: bool = False

    def __str__(self) -> str:
        if self.converged:
            return "NDCG@10 on test"
        return f"seconds to NDCG@10 {self.until:g}" if self.until else "seconds a pass"


@dataclass(frozen=True)
class Side:
    """What one side showed: its ``value`` (seconds, or NDCG@10), the seconds that it took, its peak of memory, and
    whether time ended it before it had converged.
    """

    value: float
    seconds: float
    mb: float
    stopped: bool = False


def stock_config(name: str, dataset: str, folder: Path, **more: Any) -> Any:
    """RecBole's Config for its own protocol and our settings of the model, read from atomic files in ``folder``;
    ``more`` are settings of RecBole's.
    """
    library, protocol, _ = MODELS[name]
    own = {
        **registry.create(name, dataset, protocol=protocol, **window(protocol))._settings(), "data_path": str(folder),
        "load_col": {"inter": ["user_id", "item_id", "rating", "timestamp"]},
        "val_interval": {"rating": "[3,inf)"}, "user_inter_num_interval": "[10,inf)",
        "item_inter_num_interval": "[10,inf)", "eval_args": SPLITS[protocol], "use_gpu": False,
        "train_batch_size": 512 if protocol == SEQUENTIAL else 4096, "metrics": ["NDCG"], "topk": [10],
        "valid_metric": "NDCG@10", "show_progress": False, "state": "ERROR", "epochs": STAGE_PASSES,
        **more,
    }  # fmt: skip
    from recbole.config import Config

    return Config(model=library, dataset=dataset, config_dict=own)


class Stock:
    """RecBole's own dataset, loaders, model and trainer, made inside :func:`compat.stock`."""

    def __init__(self, name: str, dataset: str, folder: Path, **more: Any) -> None:
        from recbole.data import create_dataset, data_preparation
        from recbole.utils import get_model, get_trainer, init_seed

        logging.disable(logging.WARNING)
        atomic.write(datasets.load(dataset), folder / dataset)
        config = stock_config(name, dataset, folder, **more)
        init_seed(config["seed"], config["reproducibility"])
        self.train, self.valid, self.test = data_preparation(config, create_dataset(config))
        self.model = get_model(config["model"])(config, self.train.dataset)
        self.trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, self.model)

    def step(self, batch: Any) -> None:
        """One step of RecBole's trainer."""
        self.trainer.optimizer.zero_grad()
        losses = self.model.calculate_loss(batch)
        (sum(losses) if isinstance(losses, tuple) else losses).backward()
        self.trainer.optimizer.step()

    def pass_seconds(self, limit: float) -> float:
        """Seconds of a pass after a first step, whole passes or the batches that fit into ``limit``.

        Where a pass is a few batches, of unlike size, only whole passes tell.
        """
        self.model.train()
        self.step(next(iter(self.train)))
        start, of = time.perf_counter(), len(self.train)
        for done, batch in enumerate(chain.from_iterable(repeat(self.train)), start=1):
            self.step(batch)
            spent = time.perf_counter() - start
            if done >= FEW and (done % of == 0 or (of > FEW and spent > limit)):
                return spent / done * of

    def passes(self, clock: Callable[[], float]) -> Iterator[tuple[float, float]]:
        """Train on and on; after each pass NDCG@10 on validation and the seconds so far, by ``clock``."""
        start = clock()
        for epoch in range(10_000):
            self.trainer._train_epoch(self.train, epoch)
            found, seconds = self.trainer._valid_epoch(self.valid)[1]["ndcg@10"], clock() - start
            print(f"RecBole's pass {epoch + 1}: NDCG@10 {found:.4f} on validation, {seconds:,.0f} s", flush=True)
            yield found, seconds

    def seconds_until(self, goal: Goal) -> float:
        """Seconds of passes and validations until NDCG@10; infinite when the goal's limit comes first."""
        for found, seconds in self.passes(training.clock):
            if found >= goal.until or seconds > goal.seconds:
                return seconds if found >= goal.until else math.inf
        return math.inf

    def converged(self, goal: Goal) -> tuple[float, float, bool]:
        """NDCG@10 on test of the pass best on validation, the seconds of processor, and whether these ended it."""
        best, weights, since = -math.inf, {}, 0
        for found, seconds in self.passes(time.process_time):
            since = 0 if found > best else since + 1
            if since == 0:
                best, weights = found, copy.deepcopy(self.model.state_dict())
            if since == PATIENCE or seconds > goal.seconds:
                break
        self.model.load_state_dict(weights)
        return self.trainer.evaluate(self.test, load_best_model=False)["ndcg@10"], seconds, since < PATIENCE


def pretrained(dataset: str, folder: Path) -> tuple[Stock, float]:
    """RaCT before its last stage, and its seconds of processor: each stage begins from the file that the last left."""
    start, left = time.process_time(), ""
    for stage in RACT_STAGES:
        stock = Stock("ract", dataset, folder, train_stage=stage, pre_model_path=left)
        if stage != RACT_STAGES[-1]:
            stock.trainer.fit(stock.train, verbose=False)
            left = stock.trainer.saved_model_file
    return stock, time.process_time() - start


def measure_stock(name: str, dataset: str, goal: Goal) -> Side:
    """RecBole's side, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder, compat.stock(Path(folder)):
        if goal.converged:
            began = pretrained(dataset, Path(folder)) if name == "ract" else None
            stock, before = began or (Stock(name, dataset, Path(folder)), 0.0)
            quality, seconds, stopped = stock.converged(goal)
            return Side(quality, before + seconds, peak_mb(), stopped)
        stock = Stock(name, dataset, Path(folder))
        seconds = stock.seconds_until(goal) if goal.until else stock.pass_seconds(goal.seconds)
        return Side(seconds, seconds, peak_mb())


def measure_ours(name: str, dataset: str, goal: Goal) -> Side:
    """Ours, with the registry's settings for the protocol."""
    split = splits.make(datasets.load(dataset), MODELS[name][1])
    if goal.converged:
        return Side(*our_quality(name, split), peak_mb())
    seconds = our_seconds_until(name, split, goal) if goal.until else one_pass(name, split)
    return Side(seconds, seconds, peak_mb())


def window(protocol: str) -> dict[str, int]:
    """The setting that makes a sequential model read as much as in RecBole's benchmark."""
    return {"window": WINDOW} if protocol == SEQUENTIAL else {}


def made(name: str, split: splits.Split, **settings: Any) -> Recommender:
    """Our model of that name for that split."""
    return registry.create(name, split.info["dataset"], protocol=split.protocol, **settings)


def our_quality(name: str, split: splits.Split) -> tuple[float, float]:
    """NDCG@10 on test, and the processor's seconds of training."""
    start = time.process_time()
    model = made(name, split).fit(split)
    seconds, topk = time.process_time() - start, lists(model, split, k=10)[0]
    return evaluate.means(evaluate.evaluate(topk, split.relevant(split.test), ks=(10,)))["ndcg@10"], seconds


def our_seconds_until(name: str, split: splits.Split, goal: Goal) -> float:
    """Seconds of passes and validations until NDCG@10; infinite when the goal's limit comes first."""
    model = made(name, split, minutes=goal.seconds / 60).fit(split)
    return min((row["seconds"] for row in model.curve if row["ndcg@10"] >= goal.until), default=math.inf)


def one_pass(name: str, split: splits.Split) -> float:
    """Seconds of the first pass, batches made and steps taken, without validation."""
    taken, own = [], training._pass

    def timed(*args: Any) -> float:
        start = time.perf_counter()
        loss = own(*args)
        taken.append(time.perf_counter() - start)
        return loss

    with mock.patch.object(training, "_pass", timed):
        made(name, split, epochs=1, **window(split.protocol)).fit(split)
    return taken[0]


def peak_mb() -> float:
    """Megabytes that this process has held at most (Linux counts kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def compare(name: str, dataset: str, goal: Goal, threads: int) -> dict[str, object]:
    """One row: both sides, and how many times as fast ours is."""
    sides = {}
    for side, measure in (("stock", measure_stock), ("ours", measure_ours)):
        with ProcessPoolExecutor(1, get_context("spawn"), torch.set_num_threads, (threads,)) as alone:
            sides[side] = alone.submit(measure, name, dataset, goal).result()
    stock, ours = sides["stock"], sides["ours"]
    row = {"dataset": dataset, "model": name, "what": str(goal), "stock": stock.value, "ours": ours.value,
           "times_as_fast": stock.seconds / ours.seconds, "stock_mb": stock.mb, "ours_mb": ours.mb,
           "threads": threads, "stopped": stock.stopped}  # fmt: skip
    print(row, flush=True)
    record.keep(pd.DataFrame([row]), "recbole_stock", by=["dataset", "model", "what"])
    return row


def below(table: pd.DataFrame, goal: Goal) -> list[str]:
    """Models whose pass misses its bar, or whose lists are worse than RecBole's."""
    if goal.until:
        return []
    bars = table["model"].map(lambda name: MODELS[name][2]).astype(float)
    missed = table["ours"] < table["stock"] if goal.converged else table["times_as_fast"] < bars
    return table.loc[missed, "model"].tolist()


def main() -> int:
    """Measure, print and write the table; 1 when a pass misses its bar or lists are worse than RecBole's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--seconds", type=float, help="60; without limit with --converged")
    parser.add_argument("--threads", type=int, default=psutil.cpu_count(), help="of torch, on both sides")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--until", type=float)
    kind.add_argument("--converged", action="store_true")
    args = parser.parse_args()
    for name in args.models:
        if name not in MODELS:
            raise unknown("model", name, MODELS)
    goal = Goal(args.seconds or (math.inf if args.converged else 60), args.until, args.converged)
    table = pd.DataFrame([compare(name, args.dataset, goal, args.threads) for name in args.models])
    print(table.to_string(index=False, float_format="{:,.4g}".format))
    print(f"Below their bars: {', '.join(short)}." if (short := below(table, goal)) else "All at their bars.")
    return int(bool(short))


if __name__ == "__main__":
    record.run(main)
