"""A blend: the weighted sum of a few models' scores, with weights that were best on the validation ratings.

The members are models of the registry with their own committed settings. They are fitted twice: on the training ratings
alone, to choose the weights on the validation ratings, and on all that the final model of the protocol may learn from.
The test is never looked at. Where the split has no validation ratings of people whom training knows, the last tenth of
each person's training ratings takes their place.
"""

from itertools import product
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from aicine_utils import columns as c
from aicine_utils import protocols
from aicine_utils.errors import AicineError, unknown
from aicine_utils.metrics import ranking
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender, top_columns
from aicine_utils.parameters import Range
from aicine_utils.splits import Split

NORMALISE = ("z", "rank")
HELD_OUT = 0.1  # share of each person's training ratings that stands in for validation
K = 10  # weights are chosen by NDCG@10, the measure that lists are compared by


class Blend(Recommender):
    """score(u, i) = Σ over members m of w_m · n_m(u, i), with Σ w_m = 1 and w_m ≥ 0 (Fox & Shaw 1994, CombSUM).

    n_m is the member's score of this user after ``normalise``: "z", less the mean and over the deviation of the user's
    scores of all known movies; "rank", the place among them, 1 for the best and 0 for the last. ``members`` are joined
    by +. The weights are those of a grid in steps of 1 / ``steps`` with the best NDCG@10 on validation; at equal values
    the most even. ``weights_`` [n_members] is in the order of ``members``.
    """

    refits_itself = True  # the weights are chosen on validation ratings
    libraries = ("implicit.cpu.als",)
    defaults: ClassVar[dict[str, Any]] = {
        "members": "ials+ease+item_knn", "normalise": "z", "steps": 10, "settings_of": "",
    }  # fmt: skip
    ranges: ClassVar[dict[str, Any]] = {"steps": Range(1, 100)}

    def __init__(self, seed: int = 0, **params: Any) -> None:
        super().__init__(seed, **params)
        if self.params["normalise"] not in NORMALISE:
            raise unknown("normalise", self.params["normalise"], NORMALISE)
        if self.params["settings_of"] not in ("", *protocols.PROTOCOLS):
            raise unknown("settings_of", self.params["settings_of"], protocols.PROTOCOLS)
        for name in self.names:
            if issubclass(registry.entry(name).model_class, Blend):
                raise AicineError(f"Blend: {name} is a blend itself. Name its members instead.")
        self._members: list[Recommender] = []

    @property
    def names(self) -> list[str]:
        """The members' names in the registry."""
        return [name.strip() for name in self.params["members"].split("+")]

    def members(self, split: Split) -> list[Recommender]:
        """The members, unfitted, with the settings of ``settings_of``, else the split's, else the primary protocol."""
        known, own = protocols.PROTOCOLS, self.params["settings_of"] or split.protocol
        protocol = own if own in known else next(iter(known))
        return [registry.create(name, split.info["dataset"], self.seed, protocol) for name in self.names]

    def fit(self, split: Split) -> Self:
        """Choose the weights on validation ratings, then fit on all that the final model may learn from."""
        self.weights_ = self._choose(split if _tells(split) else _held_out(split))
        return super().fit(split.for_test())

    @property
    def fitted(self) -> list[Recommender]:
        """The fitted members, in the order of :attr:`names`."""
        return self._members

    def _fit(self, split: Split) -> None:
        self._members = [member.fit(split) for member in self.members(split)]

    def _choose(self, split: Split) -> np.ndarray:
        """The grid's weights [n_members] with the best mean NDCG@10 for people who like something in validation."""
        held = split.divided(split.train, split.valid.iloc[:0])
        self._fit(held)
        grid, liked = simplex(len(self.names), self.params["steps"]), split.relevant(split.valid)
        people = np.intersect1d(liked[c.USER], split.train[c.USER])
        wanted, total = split.matrix(liked), np.zeros(len(grid))
        for rows in np.array_split(np.searchsorted(split.user_ids, people), max(len(people) // 128, 1)):
            total += self._gains(rows, grid, wanted[rows].toarray() > 0)
        return grid[int(np.isclose(total, total.max(), rtol=1e-9).argmax())]  # a sum's rounding is no difference

    def _gains(self, rows: np.ndarray, grid: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Sum of NDCG@10 over some people for each weights of the grid, [len(grid)]."""
        parts, first = self._parts(rows), self._members[0]
        shut = ~first.known_ | (first.seen_[rows].toarray() > 0)
        gains = np.zeros(len(grid))
        for place, weights in enumerate(grid):
            scores = np.where(shut, -np.inf, np.tensordot(weights, parts, 1)).astype(np.float32)
            hits = np.take_along_axis(wanted, top_columns(scores, min(K, scores.shape[1])), 1)
            gains[place] = ranking.ndcg(hits, wanted.sum(axis=1), K).sum()
        return gains

    def _parts(self, rows: np.ndarray) -> np.ndarray:
        """Normalised scores of every member, float32 [n_members, len(rows), n_movies]."""
        return self._normal([np.asarray(member._score(rows), np.float32) for member in self._members])

    def _normal(self, scores: list[np.ndarray]) -> np.ndarray:
        known, way = self._members[0].known_, ranks if self.params["normalise"] == "rank" else standard
        return np.stack([way(own, known) for own in scores])

    def mixed(self, scores: list[np.ndarray]) -> np.ndarray:
        """The weighted sum, [n_users, n_movies], of one such array of scores a member."""
        return np.tensordot(self.weights_.astype(np.float32), self._normal(scores), 1)

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return np.tensordot(self.weights_.astype(np.float32), self._parts(rows), 1)

    def score_histories(self, histories: list) -> np.ndarray:
        """The weighted sum of the members' scores; AicineError where a member can't score a history."""
        return self.mixed([np.asarray(member.score_histories(histories), np.float32) for member in self._members])

    def _similarity(self, column: int) -> np.ndarray:
        """The weighted sum of the members' nearness, each over its largest: nothing in common stays 0."""
        near = np.stack([np.asarray(member._similarity(column), np.float32) for member in self._members]).clip(0)
        largest = np.delete(near, column, axis=1).max(axis=1, initial=1e-9)
        return (self.weights_ / largest).astype(np.float32) @ near

    @property
    def n_parameters(self) -> int:
        """Those of the members, and a weight each."""
        return len(self.weights_) + sum(member.n_parameters for member in self._members)

    def save(self, folder: Path) -> None:
        """As every model, with each member in a folder of its own."""
        super().save(folder)
        for name, member in zip(self.names, self._members, strict=True):
            member.save(folder / name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote; scores are equal to the saved model's to the bit."""
        model = super().load(folder)
        model._members = [registry.entry(name).model_class.load(folder / name) for name in model.names]
        return model


def simplex(n: int, steps: int) -> np.ndarray:
    """All weights [m, n] of a grid in steps of 1 / ``steps`` that sum to 1, the most even first.

    Example: 2 members and 2 steps give (½, ½), (0, 1), (1, 0).
    """
    grid = np.array([point for point in product(range(steps + 1), repeat=n) if sum(point) == steps]) / steps
    return grid[np.argsort(np.square(grid).sum(axis=1), kind="stable")]


def standard(scores: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Each row less its mean and over its deviation, both of the known movies; a row without spread is zeros."""
    inside = scores[:, known]
    return (scores - inside.mean(axis=1, keepdims=True)) / inside.std(axis=1, keepdims=True).clip(1e-9)


def ranks(scores: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Each row's places among the known movies, 1 for the best and 0 for the last; equal scores share the mean."""
    from scipy.stats import rankdata  # only here: it takes a second to import

    places = np.zeros_like(scores)
    places[:, known] = (rankdata(scores[:, known], axis=1) - 1) / max(int(known.sum()) - 1, 1)
    return places


def _tells(split: Split) -> bool:
    """Whether validation has ratings of people whom training knows."""
    return bool(split.valid[c.USER].isin(split.train[c.USER]).any())


def _held_out(split: Split) -> Split:
    """The last tenth of each person's training ratings becomes validation."""
    labels = protocols.user_temporal(split.train, test=0.0, valid=HELD_OUT)
    parts = (split.train[labels == label].reset_index(drop=True) for label in (protocols.TRAIN, protocols.VALID))
    return split.divided(*parts)
