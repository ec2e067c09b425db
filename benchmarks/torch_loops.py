"""Seconds an epoch of the torch models, against the same model fed by a DataLoader of rows.

Both loops start from the same weights and see the same examples in the same batches, so their losses must agree: to
1 %, after every epoch. A row is one rating for the MF and the MLP and, for the GRU, one prefix of a window with the
movie that follows (what its whole window gives in one pass). The loader runs in the training process, as a tutorial
would write it. The GRU runs without dropout here, whose masks could not be the same. The bar is 5 times as fast.

    python -m benchmarks.torch_loops [--dataset ml-100k] [--epochs 3] [--models torch_mf mlp gru]
"""

import argparse
import itertools
from collections.abc import Callable, Iterable, Iterator

import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

from aicine_utils import splits
from aicine_utils.data import datasets
from aicine_utils.errors import unknown
from aicine_utils.models import registry
from aicine_utils.models.neural import training
from aicine_utils.models.neural.base import TorchModel
from aicine_utils.models.neural.losses import catalogue_cross_entropy
from aicine_utils.models.neural.recurrent import NO_LOSS, Recurrent
from aicine_utils.models.neural.training import Batch
from benchmarks import record

BAR, SAME = 5, 0.01
MODELS = {"torch_mf": {}, "mlp": {}, "gru": {"dropout": 0.0}}


class Prefixes(Dataset):
    """One row for each movie to predict: the inputs of its window up to there, padded; how many; the movie."""

    def __init__(self, inputs: Tensor, targets: Tensor) -> None:
        self.inputs, self.targets = inputs, targets
        self.windows, self.places = (targets != NO_LOSS).nonzero(as_tuple=True)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, row: int) -> Batch:
        window, place = self.windows[row], int(self.places[row])
        sequence = torch.zeros_like(self.inputs[window])  # a later input changes no earlier state
        sequence[: place + 1] = self.inputs[window, : place + 1]
        return sequence, self.places[row], self.targets[window, place]


class Groups:
    """Row numbers of each batch: those whose example (a rating, or a window) is in the loop's own next batch."""

    def __init__(self, examples: Tensor, size: int) -> None:
        self.starts = torch.searchsorted(examples, torch.arange(int(examples.max()) + 2)).tolist()
        self.size = size

    def __iter__(self) -> Iterator[list[int]]:
        for chosen in torch.randperm(len(self.starts) - 1).split(self.size):
            ranges = (range(self.starts[i], self.starts[i + 1]) for i in chosen.tolist())
            yield list(itertools.chain.from_iterable(ranges))


def of_prefixes(module: Recurrent, sequences: Tensor, places: Tensor, targets: Tensor) -> Tensor:
    """The GRU's loss of one movie a row."""
    states = module(sequences)[torch.arange(len(places)), places]
    return catalogue_cross_entropy(*module.tied(states), targets)


def loader(rows: Dataset, examples: Tensor, size: int) -> DataLoader:
    """Rows one by one, collated into the batches that the tensor loop makes; it draws no number of its own."""
    return DataLoader(rows, batch_sampler=Groups(examples, size), generator=torch.Generator().manual_seed(0))


def curve(
    model: TorchModel, loss: Callable[..., Tensor], make: Callable[[], Iterable[Batch]], epochs: int
) -> training.Curve:
    """Train from the seed's weights."""
    with training.seeded(0):
        plan = training.Plan(epochs, model.params["learning_rate"], patience=epochs)
        return training.train(model._build(), loss, make, plan)


def compare(name: str, dataset: str, epochs: int) -> list[dict[str, object]]:
    """Two rows: seconds an epoch and the last loss of either loop."""
    split = splits.make(datasets.load(dataset))
    model = registry.create(name, dataset, **MODELS[name], epochs=1).fit(split)
    data, size = model._examples(split), model.params["batch"]
    rows = Prefixes(*data) if name == "gru" else TensorDataset(*data)
    examples = rows.windows if name == "gru" else torch.arange(len(rows))
    by_tensors = curve(model, model._loss, lambda: training.batches(data, size), epochs)
    by_rows = curve(model, of_prefixes if name == "gru" else model._loss, lambda: loader(rows, examples, size), epochs)
    apart = max(abs(a["loss"] / b["loss"] - 1) for a, b in zip(by_tensors, by_rows, strict=True))
    seconds = [run[-1]["seconds"] / epochs for run in (by_rows, by_tensors)]
    return [
        {"dataset": dataset, "model": name, "loop": loop, "rows": len(rows), "seconds_per_epoch": taken,
         "times_as_fast": seconds[0] / taken, "last_loss": run[-1]["loss"], "losses_apart": apart}
        for loop, taken, run in zip(("DataLoader of rows", "tensors"), seconds, (by_rows, by_tensors), strict=True)
    ]  # fmt: skip


def main() -> int:
    """Measure, print and write the table; 1 when a loop is slower than the bar or the losses differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    args = parser.parse_args()
    for name in args.models:
        if name not in MODELS:
            raise unknown("model", name, MODELS)
    table = pd.DataFrame([row for name in args.models for row in compare(name, args.dataset, args.epochs)])
    table = table.assign(epochs=args.epochs, threads=torch.get_num_threads())
    print(table.to_string(index=False, float_format="{:,.4g}".format))
    ours = table[table["loop"] == "tensors"]
    print(f"Bars: {BAR} times as fast, losses within {SAME:.0%} after every epoch.")
    record.keep(table, "torch_loops", by=["dataset", "model"])
    return int(bool((ours["times_as_fast"] < BAR).any() or (table["losses_apart"] > SAME).any()))


if __name__ == "__main__":
    record.run(main)
