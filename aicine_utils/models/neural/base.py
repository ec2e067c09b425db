"""What all torch models share: fitting with early stopping, scoring, and weights that are saved without pickle.

Validation ratings, when the split has them of people in training, are measured after every pass: training ends when
``patience`` passes in a row were no better, and the best pass's weights are kept. The final model of a protocol that
refits has no validation ratings left. There the model is trained for as many ``passes`` as were best on validation in
the search; where none counted them, the last tenth of each user's training ratings is held out to count them, and the
model is then trained on everything, from the start. The test is never looked at.
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.metrics import evaluate
from aicine_utils.models.base import Recommender
from aicine_utils.models.neural.training import Batch, Curve, Plan, batches, best_epoch, bfloat16, device, seeded, train
from aicine_utils.protocols import time_order
from aicine_utils.splits import Split

HELD_OUT = 0.1  # share of each user's training ratings, the last ones, that finds the number of passes


class TorchModel(Recommender):
    """A model whose scores come from a torch module.

    A subclass builds the module (``_build``), names the tensors with one row an example (``_examples``), the loss of a
    batch of such rows (``_loss``), and how the module scores users (``_grid``). ``stops_on`` names what ``_validate``
    measures. ``minutes`` of training at most by the clock of :mod:`.training`, 0 for no limit. After a fit, ``curve``
    has a row for each pass: epoch, of, loss, the measure where there was validation, seconds since the start;
    ``stopped_by_budget`` says whether time ended the training.
    """

    counts_passes = True
    stops_on: ClassVar[str] = "ndcg@10"
    defaults: ClassVar[dict[str, Any]] = {
        "epochs": 30,
        "passes": 0,
        "patience": 3,
        "batch": 4096,
        "learning_rate": 0.005,
        "minutes": 0.0,
    }

    def __init__(self, seed: int = 0, **params: Any) -> None:
        super().__init__(seed, **params)
        self._module: nn.Module | None = None

    @abstractmethod
    def _build(self) -> nn.Module:
        """The module with its first weights."""

    @abstractmethod
    def _examples(self, split: Split) -> Batch:
        """Tensors of equal length, one row an example, from ``split.train``."""

    @abstractmethod
    def _loss(self, module: nn.Module, *batch: Tensor) -> Tensor:
        """Mean loss of some rows of the examples."""

    @abstractmethod
    def _grid(self, module: nn.Module, rows: Tensor) -> Tensor:
        """Scores [len(rows), n_movies] of the users at these rows."""

    def _remember(self, split: Split, history: pd.DataFrame) -> None:
        """What is known of each user when scores are asked for: only ``history``."""
        self.seen_ = split.matrix(history)
        self.views_ = np.asarray(split.matrix(split.train).sum(axis=0), np.float32).ravel()
        self.known_ = self.views_ > 0

    def _fit(self, split: Split) -> None:
        known = 0 if tells(split) else self.params.get("passes", 0)
        if known > self.params["epochs"]:
            raise AicineError(f"{type(self).__name__}: {known} passes are more than its epochs. Raise epochs.")
        held = split if known or tells(split) else hold_out(split)
        again = len(held.train) < len(split.train)
        with seeded(self.seed):
            self.curve = self._train(held, self._plan(trainings=1 + again), known or None)
            self.stopped_by_budget = self._stopped(known)
            if again:
                passes = best_epoch(self.curve, self.stops_on)
                self._train(split, self._plan(trainings=1).as_in(self.curve), passes)
        self._remember(split, split.history)
        for name, tensor in self._module.state_dict().items():
            setattr(self, _attribute(name), tensor.cpu().numpy())

    def _stopped(self, known: int) -> bool:
        if known:
            return len(self.curve) < known
        return stopped_by_budget(self.curve, self.stops_on, self._plan(trainings=1))

    def search_outcome(self) -> tuple[float, dict[str, Any]]:
        """The best validation value of a fit with validation ratings; the passes that gave it, and all values."""
        passes, values = best_epoch(self.curve, self.stops_on), [row[self.stops_on] for row in self.curve]
        params = {"epochs": self.params["epochs"], "passes": passes}
        return values[passes - 1], {"params": params, "curve": [round(value, 4) for value in values]}

    def _plan(self, trainings: int) -> Plan:
        """The plan of each of so many trainings, which share ``minutes``."""
        p = self.params
        return Plan(p["epochs"], p["learning_rate"], p["patience"], 60 * p["minutes"] / trainings or math.inf)

    def _train(self, split: Split, plan: Plan, passes: int | None = None) -> Curve:
        """One training from the start on ``split.train``, measured on ``split.valid`` where that has anything."""
        torch.manual_seed(self.seed)
        self.mean_ = float(split.train[c.RATING].mean())
        self._remember(split, split.train)
        self._module = self._build().to(device())
        data = tuple(tensor.to(device()) for tensor in self._examples(split))
        return train(self._module, self._loss, lambda: self._batches(data), plan, self._validation(split), passes)

    def _validation(self, split: Split) -> tuple[str, Callable[[], float]] | None:
        """What is measured after each pass, and by what; None where validation has nothing of people in training."""
        measurable = tells(split) and len(split.relevant(split.valid)) > 0
        return (self.stops_on, lambda: self._validate(split)) if measurable else None

    def _batches(self, data: Batch) -> Iterable[Batch]:
        """The batches of one pass over the examples."""
        return batches(data, self.params["batch"])

    def _validate(self, split: Split) -> float:
        """NDCG@10 of the lists for the users of ``split.valid``."""
        lists = self.recommend(split.valid[c.USER].unique(), 10)
        return float(evaluate.means(evaluate.evaluate(lists, split.relevant(split.valid), ks=(10,)))["ndcg@10"])

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return self._answer(lambda module: self._grid(module, torch.from_numpy(rows).to(device())))

    def _answer(self, ask: Callable[[nn.Module], Tensor]) -> np.ndarray:
        """What ``ask`` gets from the module, with dropout off and no gradients."""
        module = self._loaded().eval()
        with torch.inference_mode(), bfloat16():
            return ask(module).float().cpu().numpy()

    def _loaded(self) -> nn.Module:
        """The module; after :meth:`load`, built again and filled with the saved arrays."""
        if self._module is None:
            with seeded(self.seed):
                module = self._build()
            module.load_state_dict({n: torch.from_numpy(getattr(self, _attribute(n))) for n in module.state_dict()})
            self._module = module.to(device())
        return self._module

    @property
    def n_parameters(self) -> int:
        """Weights of the module."""
        return sum(weights.numel() for weights in self._loaded().parameters())


def tells(split: Split) -> bool:
    """Whether the validation ratings can say when to stop: they are those of people whom training knows."""
    return bool(split.valid[c.USER].isin(split.train[c.USER]).any())


def hold_out(split: Split) -> Split:
    """The last tenth of each user's training ratings, one at least, becomes validation; fewer than three stay whole."""
    rows = split.train.iloc[time_order(split.train)]
    users = rows.groupby(c.USER)[c.USER]
    sizes = users.transform("size")
    late = users.cumcount(ascending=False) < (sizes * HELD_OUT).astype(int).clip(lower=1).where(sizes > 2, 0)
    return split.divided(rows[~late].reset_index(drop=True), rows[late].reset_index(drop=True))


def stopped_by_budget(curve: Curve, measure: str, plan: Plan) -> bool:
    """Whether a training ended before its plan and before its patience: only time can be the cause."""
    return len(curve) < plan.epochs and len(curve) - best_epoch(curve, measure) < plan.patience


def places(split: Split, ratings: pd.DataFrame) -> tuple[Tensor, Tensor]:
    """Rows of the users and columns of the movies of some ratings, as tensors."""
    users = np.searchsorted(split.user_ids, ratings[c.USER].to_numpy())
    return torch.from_numpy(users), torch.from_numpy(np.searchsorted(split.movie_ids, ratings[c.MOVIE].to_numpy()))


def _attribute(name: str) -> str:
    """Where a weight is kept between fits: dots would be read as parts of a sparse matrix."""
    return name.replace(".", "__") + "_"
