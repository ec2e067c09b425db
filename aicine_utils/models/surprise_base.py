"""Scikit-surprise behind the interface: it fits, its learned arrays are put in our order, scores are matrix algebra.

Surprise numbers users and movies by first appearance (inner ids) and predicts one pair at a time. Here the arrays of a
fitted algorithm are spread over the rows and columns of the split once, so that a chunk of users is one matrix product.
Scores equal ``algo.predict(user, movie, clip=False)`` for every pair, those with users or movies that have no training
rating included: what Surprise knows nothing of has zeros here, and where it gives up it predicts the global mean.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
import psutil
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.models.base import Recommender
from aicine_utils.splits import Split

if TYPE_CHECKING:
    from surprise import AlgoBase, Trainset

FACTORS_TO_WHOLE = (1, 2, 4, 5, 10, 100)


@dataclass(frozen=True)
class Fitted:
    """A fitted algorithm, and where its inner ids lie in the split.

    Inner user i is row ``users[i]``, inner movie j column ``movies[j]``; a rating of 1 in the trainset stands for
    ``unit`` stars (see :func:`to_whole`).
    """

    algo: AlgoBase
    split: Split
    users: np.ndarray
    movies: np.ndarray
    unit: float

    def by_user(self, values: np.ndarray) -> np.ndarray:
        """``values`` of inner users in the order of ``user_ids``; zeros for users without a training rating."""
        return spread(values, self.users, len(self.split.user_ids))

    def by_movie(self, values: np.ndarray) -> np.ndarray:
        """``values`` of inner movies in the order of ``movie_ids``; zeros for movies without a training rating."""
        return spread(values, self.movies, len(self.split.movie_ids))


class SurpriseModel(Recommender):
    """A rating model that scikit-surprise fits.

    A subclass names the algorithm (``algorithm``) and keeps its arrays (``_take``). ``whole_stars`` marks algorithms
    whose Cython code reads ratings into C integers: half stars would be cut off without a word, so these are fitted
    on multiples of the stars, and what they learned is divided again. ``aside``: state that is no learned number.
    """

    rates = True
    libraries = ("surprise",)
    whole_stars: ClassVar[bool] = False
    aside: ClassVar[tuple[str, ...]] = ("known_users_", "scale_", "mean_")

    @abstractmethod
    def algorithm(self) -> AlgoBase:
        """Surprise's algorithm with these parameters, not fitted."""

    @abstractmethod
    def _take(self, fitted: Fitted) -> None:
        """Keep what the algorithm learned, in the order of the split."""

    def _fit(self, split: Split) -> None:
        train = split.train
        self.known_users_ = np.isin(split.user_ids, train[c.USER].unique())
        self.mean_ = float(train[c.RATING].to_numpy(np.float64).mean())
        factor = to_whole(train[c.RATING].to_numpy()) if self.whole_stars else 1
        trainset = build_trainset(train, tuple(self.scale_.tolist()), factor)
        users, movies = inner_order(trainset)
        rows, cols = np.searchsorted(split.user_ids, users), np.searchsorted(split.movie_ids, movies)
        self._take(Fitted(self.algorithm().fit(trainset), split, rows, cols, 1 / factor))

    def _known_or_mean(self, rows: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """``scores`` where user and movie have training ratings, elsewhere the mean: Surprise's default."""
        return np.where(self.known_users_[rows, None] & self.known_, scores, self.mean_)

    @property
    def n_parameters(self) -> int:
        """Numbers learned in training; what only says who rated what is not counted."""
        return super().n_parameters - sum(_size(getattr(self, name)) for name in self.aside)


def build_trainset(ratings: pd.DataFrame, scale: tuple[float, float], factor: int = 1) -> Trainset:
    """The Trainset that Surprise would build row by row, from whole columns.

    Inner ids count first appearances and each list keeps the order of the rows, as in
    ``Dataset.construct_trainset``: results are equal to the bit. With a ``factor`` above 1, ratings are
    multiplied by it and rounded (4.7 in float32 lies below 4.7, and ten times that would be cut to 46).
    """
    from surprise import Trainset

    user_codes, users = pd.factorize(ratings[c.USER].to_numpy())
    movie_codes, movies = pd.factorize(ratings[c.MOVIE].to_numpy())
    stars = ratings[c.RATING].to_numpy(np.float64)
    stars = np.round(stars * factor) if factor > 1 else stars
    by_user, by_movie = _grouped(user_codes, movie_codes, stars), _grouped(movie_codes, user_codes, stars)
    raw_to_inner = [dict(zip(ids.tolist(), range(len(ids)), strict=True)) for ids in (users, movies)]
    low, high = scale[0] * factor, scale[1] * factor
    trainset = Trainset(by_user, by_movie, len(users), len(movies), len(stars), (low, high), *raw_to_inner)
    # Surprise's own mean, over the same order, without its slow Python generator.
    trainset._global_mean = stars[np.argsort(user_codes, kind="stable")].mean()
    return trainset


def _grouped(groups: np.ndarray, others: np.ndarray, stars: np.ndarray) -> dict[int, list[tuple[int, float]]]:
    """{group: [(other, stars), ...]}, in the order of the rows."""
    order = np.argsort(groups, kind="stable")
    pairs = list(zip(others[order].tolist(), stars[order].tolist(), strict=True))
    ends = np.cumsum(np.bincount(groups)).tolist()
    return {g: pairs[start:end] for g, (start, end) in enumerate(zip([0, *ends], ends, strict=False))}


def inner_order(trainset: Trainset) -> tuple[np.ndarray, np.ndarray]:
    """user_ids and movie_ids in the order of Surprise's inner ids."""
    users = [trainset.to_raw_uid(inner) for inner in trainset.all_users()]
    return np.array(users), np.array([trainset.to_raw_iid(inner) for inner in trainset.all_items()])


def spread(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    """An array of ``size`` rows with ``values[i]`` at row ``places[i]`` and zeros elsewhere."""
    values = np.asarray(values)
    out = np.zeros((size, *values.shape[1:]), values.dtype)
    out[places] = values
    return out


def spread_square(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    """The same for both axes of a square matrix."""
    out = np.zeros((size, size), np.asarray(values).dtype)
    out[np.ix_(places, places)] = values
    return out


def to_whole(stars: np.ndarray) -> int:
    """The smallest factor that makes every rating a whole number (2 for half stars), 100 when none does."""
    whole = (f for f in FACTORS_TO_WHOLE if np.allclose(stars * f, np.round(stars * f), atol=1e-4))
    return next(whole, FACTORS_TO_WHOLE[-1])


def must_fit(model: str, n: int, arrays: int) -> None:
    """Raise AicineError when ``arrays`` matrices [n, n] of 8 bytes a cell exceed the free memory."""
    needed, free = arrays * n * n * 8, psutil.virtual_memory().available
    if needed > free:
        raise AicineError(
            f"{model}: {arrays} matrices of {n:,} x {n:,} need {needed / 2**30:,.1f} GiB, {free / 2**30:,.1f} GiB "
            "are free. Use a smaller data set, more memory, or leave this model out."
        )


def _size(value: object) -> int:
    return value.nnz if sparse.issparse(value) else int(np.size(value))
