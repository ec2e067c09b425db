"""The loop that trains every torch module: pass after pass, batches cut from tensors, and when to stop.

The training ratings are tensors once; a batch is a slice of a random permutation of their rows, so nothing in Python
runs for each row. Adam's learning rate falls along half a cosine, which ends with the time there is. The same seed
gives the same weights on the same processor and number of threads, unless time ended it. CUDA is used when present, in
bfloat16 where that is safe (torch.autocast).
"""

import contextlib
import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from aicine_utils.errors import AicineError

Batch = tuple[Tensor, ...]
Curve = list[dict[str, float]]


@dataclass(frozen=True)
class Plan:
    """How to train: the first learning rate, the passes over which it falls to zero, and when to stop early.

    ``patience`` passes without a better validation value end it, and so does ``seconds`` when the next pass would
    likely end after so many by the :func:`clock` (infinite: never). Where the first pass tells that there is no time
    for all, the rate falls to zero over those that there is time for: a training cut off at a high rate is worse than
    a shorter one.
    """

    epochs: int
    learning_rate: float
    patience: int
    seconds: float = math.inf

    def allows_another(self, epoch: int, seconds: float) -> bool:
        """Whether a pass as long as the mean of the first ``epoch``, which took ``seconds``, still fits."""
        return seconds * (epoch + 1) / epoch <= self.seconds

    def affordable(self, first: float) -> int:
        """Passes that there is time for, one at least, when the first took so many seconds."""
        return self.epochs if first * self.epochs <= self.seconds else max(int(self.seconds / first), 1)

    def as_in(self, curve: Curve) -> "Plan":
        """The same without a limit on time, the rate falling over as many passes as it did in that training."""
        return replace(self, epochs=int(curve[-1]["of"]), seconds=math.inf)


def train(
    module: nn.Module, loss_of: Callable[..., Tensor], make_batches: Callable[[], Iterable[Batch]], plan: Plan,
    validation: tuple[str, Callable[[], float]] | None = None, passes: int | None = None,
) -> Curve:  # fmt: skip
    """Train ``module`` in place over what ``make_batches`` gives, ``passes`` times (all of the plan by default).

    ``validation`` is a measure's name and what computes it; with it the module ends with its best pass's weights.
    Returns a row for each pass: epoch, of (passes over which the rate falls), loss (mean of the batches'), the measure,
    seconds since the start by the :func:`clock`.
    """
    optimiser = torch.optim.Adam(module.parameters(), plan.learning_rate, foreach=True)
    curve, best, start, of = [], None, clock(), plan.epochs
    falling = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda epoch: (1 + math.cos(math.pi * epoch / of)) / 2)
    for epoch in range(1, (passes or plan.epochs) + 1):
        row = {"epoch": epoch, "of": of, "loss": _pass(module.train(), loss_of, make_batches(), optimiser)}
        if validation:
            row[validation[0]] = validation[1]()
        curve.append({**row, "seconds": clock() - start})
        if epoch == 1:
            of = curve[0]["of"] = plan.affordable(curve[0]["seconds"])
        falling.step()
        since = epoch - best_epoch(curve, validation[0]) if validation else None
        if since == 0:
            best = copy.deepcopy(module.state_dict())
        if since == plan.patience or epoch == of or not plan.allows_another(epoch, curve[-1]["seconds"]):
            break
    if best:
        module.load_state_dict(best)
    return curve


def _pass(module: nn.Module, loss_of: Callable[..., Tensor], rows: Iterable[Batch], optimiser: Optimizer) -> float:
    """One pass over the examples; mean of the batches' losses."""
    losses = []
    for batch in rows:
        optimiser.zero_grad()
        with bfloat16():
            loss = loss_of(module, *batch)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    if not losses:
        raise AicineError("There is nothing to learn from: no training rating is as high as `liked` asks. Lower it.")
    return float(torch.stack(losses).mean())


def batches(data: Batch, size: int) -> Iterator[Batch]:
    """All rows once, in random order, ``size`` at a time; of no rows no batch."""
    if not len(data[0]):
        return
    for index in torch.randperm(len(data[0])).to(data[0].device).split(size):
        yield tuple(tensor[index] for tensor in data)


def best_epoch(curve: Curve, measure: str) -> int:
    """The first pass with the best validation value; the last pass where there was no validation."""
    if measure not in curve[0]:
        return len(curve)
    values = [row[measure] for row in curve]
    return 1 + values.index(min(values) if measure == "rmse" else max(values))


def clock() -> float:
    """Seconds by which training is limited: the processor's for this thread, so that what runs beside it takes none of
    them and the same budget trains about as far; on CUDA, where this thread only waits, those of the wall.
    """
    return time.perf_counter() if device().type == "cuda" else time.thread_time()


def device() -> torch.device:
    """The CUDA device when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def bfloat16() -> torch.autocast:
    """Matrix products in bfloat16 on CUDA; on the CPU nothing changes."""
    return torch.autocast(device().type, torch.bfloat16, enabled=device().type == "cuda")


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """torch's generators start at ``seed`` inside and are as before afterwards."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield
