"""Rating models of scikit-surprise with neighbours: k-NN with means and k-NN baseline, by movies or by users.

Both are: own level + Σ sim(x, n)·deviation(n, y) / Σ sim(x, n), over the k nearest n with sim > 0 among those that y
is tied to. By movies, x is the movie to score, y the user, n the movies that y rated; by users, x is the user, y the
movie, n the people who rated y. The k nearest are exact: one partition a block gives the k-th largest similarity.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.errors import AicineError, unknown
from aicine_utils.models.surprise_base import Fitted, SurpriseModel, must_fit, spread_square

if TYPE_CHECKING:
    from surprise import AlgoBase

SIMILARITIES = ("cosine", "msd", "pearson", "pearson_baseline")
# Cells of similarity that are partitioned at a time: 256 kB, so that a block stays in the processor's cache.
BLOCK = 32_768


class _SurpriseKNN(SurpriseModel):
    """What the two share. ``sim_`` is [n_x, n_x], ``deviations_`` CSR [n_y, n_x]."""

    defaults: ClassVar[dict[str, Any]] = {
        "k": 40, "min_k": 1, "similarity": "msd", "shrinkage": 100, "min_support": 1, "user_based": True,
    }  # fmt: skip
    aside = (*SurpriseModel.aside, "deviations_")

    def _sim_options(self) -> dict[str, Any]:
        if self.params["similarity"] not in SIMILARITIES:
            raise unknown("similarity", self.params["similarity"], SIMILARITIES)
        names = ("shrinkage", "min_support", "user_based")
        return {"name": self.params["similarity"], **{name: self.params[name] for name in names}}

    def _options(self) -> dict[str, Any]:
        n_x = len(self.user_ids_ if self.params["user_based"] else self.movie_ids_)
        must_fit(f"k-NN by {'users' if self.params['user_based'] else 'movies'}", n_x, arrays=6)
        shared = {"k": self.params["k"], "min_k": self.params["min_k"], "verbose": False}
        return {**shared, "sim_options": self._sim_options()}

    def _take(self, fitted: Fitted) -> None:
        by_user = self.params["user_based"]
        places, size = (fitted.users, len(self.user_ids_)) if by_user else (fitted.movies, len(self.movie_ids_))
        self.sim_ = spread_square(np.nan_to_num(fitted.algo.sim), places, size)
        self._take_levels(fitted)
        train = fitted.split.train
        rows = np.searchsorted(self.user_ids_, train[c.USER].to_numpy())
        cols = np.searchsorted(self.movie_ids_, train[c.MOVIE].to_numpy())
        deviation = train[c.RATING].to_numpy(np.float64) - self._level(rows, cols)
        y, x = (cols, rows) if by_user else (rows, cols)
        n_y = len(self.movie_ids_) if by_user else len(self.user_ids_)
        self.deviations_ = in_order(y, x, deviation, (n_y, size))

    @abstractmethod
    def _take_levels(self, fitted: Fitted) -> None:
        """Keep the means or biases."""

    @abstractmethod
    def _level(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Rating expected of each (row, column) before the neighbours are asked; broadcasts."""

    def _pull(self, sim: np.ndarray, y: int) -> np.ndarray:
        """What the neighbours tied to ``y`` add to the level, for each row of ``sim``."""
        part = slice(self.deviations_.indptr[y], self.deviations_.indptr[y + 1])
        near, deviations = self.deviations_.indices[part], self.deviations_.data[part]
        return neighbour_mean(sim, near, deviations, self.params["k"], self.params["min_k"])

    def _score(self, rows: np.ndarray) -> np.ndarray:
        level = self._level(rows[:, None], np.arange(len(self.movie_ids_)))
        if not self.params["user_based"]:
            return level + np.array([self._pull(self.sim_, row) for row in rows])
        sim = self.sim_[rows]
        return level + np.array([self._pull(sim, col) for col in range(len(self.movie_ids_))]).T

    def _score_pairs(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Scores [len(rows)] of single pairs: the neighbours of one y at a time."""
        y, x = (cols, rows) if self.params["user_based"] else (rows, cols)
        scores = self._level(rows, cols)
        order = np.argsort(y, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(y[order])) + 1):
            scores[group] += self._pull(self.sim_[x[group]], y[group[0]])
        return scores

    def predict(self, pairs: pd.DataFrame) -> np.ndarray:
        """Stars as in the base class, from the pairs alone: whole rows would cost twenty times as much."""
        found = pairs[c.USER].isin(self.user_ids_).to_numpy() & pairs[c.MOVIE].isin(self.movie_ids_).to_numpy()
        stars = np.full(len(pairs), self.mean_, np.float32)
        if found.any():
            rows = np.searchsorted(self.user_ids_, pairs.loc[found, c.USER].to_numpy())
            cols = np.searchsorted(self.movie_ids_, pairs.loc[found, c.MOVIE].to_numpy())
            stars[found] = self._score_pairs(rows, cols)
        return np.clip(stars, *self.scale_)

    def _similarity(self, column: int) -> np.ndarray:
        if self.params["user_based"]:
            raise AicineError(f"{type(self).__name__} compares users. Use user_based: false for similar movies.")
        return self.sim_[column]


class KNNWithMeans(_SurpriseKNN):
    """Level: the mean of x; deviation of a neighbour: its rating minus its own mean (Herlocker et al. 1999)."""

    def algorithm(self) -> AlgoBase:
        """Surprise's KNNWithMeans."""
        import surprise

        return surprise.KNNWithMeans(**self._options())

    def _take_levels(self, fitted: Fitted) -> None:
        spread_means = fitted.by_user if self.params["user_based"] else fitted.by_movie
        self.means_ = spread_means(fitted.algo.means)

    def _level(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        return self.means_[rows if self.params["user_based"] else cols]

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return self._known_or_mean(rows, super()._score(rows))

    def _score_pairs(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        known = self.known_users_[rows] & self.known_[cols]
        return np.where(known, super()._score_pairs(rows, cols), self.mean_)


class KNNBaseline(_SurpriseKNN):
    """Level and deviation by the baseline μ + b_u + b_i (Koren 2010, equation 3)."""

    def algorithm(self) -> AlgoBase:
        """Surprise's KNNBaseline."""
        import surprise

        return surprise.KNNBaseline(**self._options())

    def _take_levels(self, fitted: Fitted) -> None:
        self.bu_, self.bi_ = fitted.by_user(fitted.algo.bu), fitted.by_movie(fitted.algo.bi)

    def _level(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        return self.mean_ + self.bu_[rows] + self.bi_[cols]


def in_order(y: np.ndarray, x: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """CSR whose rows keep the order in which the ratings came, instead of sorting by column.

    Among equally near neighbours Surprise takes the one that comes first in its list, and so must we.
    """
    order = np.argsort(y, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(y, minlength=shape[0]))])
    return sparse.csr_matrix((values[order], x[order], indptr), shape=shape)


def neighbour_mean(sim: np.ndarray, near: np.ndarray, deviations: np.ndarray, k: int, min_k: int) -> np.ndarray:
    """Mean deviation, weighted by similarity, of the ``k`` nearest of ``near`` with sim > 0, for each row of ``sim``.

    sim: float64 [n, n_x]; near: columns, the earlier first among equals; deviations: one each. Returns [n]; 0 where
    fewer than ``min_k`` have a positive similarity.
    """
    if not len(near):
        return np.zeros(len(sim))
    step = max(1, BLOCK // len(near))
    sides = np.stack([deviations, np.ones(len(near))], axis=1)
    sums, counts = np.empty((len(sim), 2)), np.empty(len(sim), np.int64)
    for start in range(0, len(sim), step):
        part = slice(start, start + step)
        weights = nearest(sim[part].take(near, axis=1), k)
        sums[part], counts[part] = weights @ sides, np.count_nonzero(weights, axis=1)
    enough = (counts >= min_k) & (counts > 0)
    return np.divide(sums[:, 0], sums[:, 1], out=np.zeros(len(sim)), where=enough)


def nearest(sim: np.ndarray, k: int) -> np.ndarray:
    """``sim`` [n, m] with all but the ``k`` largest positive values of each row set to 0; ties go to the left."""
    m = sim.shape[1]
    positive = np.maximum(sim, 0)
    if m <= k:
        return positive
    bound = np.partition(sim, m - k, axis=1)[:, m - k, None]
    kept = sim >= bound
    surplus = np.flatnonzero((np.count_nonzero(kept, axis=1) > k) & (bound[:, 0] > 0))
    if len(surplus):
        kept[surplus] = _first_of_equals(sim[surplus], bound[surplus], k)
    return positive * kept


def _first_of_equals(sim: np.ndarray, bound: np.ndarray, k: int) -> np.ndarray:
    """Mask of the values above ``bound`` and, from the left, of as many equal ones as make ``k``."""
    above, equal = sim > bound, sim == bound
    room = k - np.count_nonzero(above, axis=1)
    return above | (equal & (np.cumsum(equal, axis=1, dtype=np.int32) <= room[:, None]))
