"""Arrays of a fitted model, spread over more users and more movies, and what is kept beside a model between updates."""

import copy
from typing import Any

import numpy as np
from scipy import sparse

from aicine_utils.feedback.updates.change import EVERYTHING, Change
from aicine_utils.models.base import Recommender


def grown(model: Recommender, change: Change) -> Recommender:
    """A copy that knows the users and movies of after, what is watched now, and how often.

    Its learned arrays are still those of ``model``; candidates are still the movies that ``model`` could recommend.
    """
    new, (_, movies) = copy.copy(model), change.places
    new.user_ids_, new.movie_ids_ = change.after.user_ids, change.after.movie_ids
    seen = matrix(model.seen_, change)
    new.seen_ = plus(seen, _not_yet(seen, change.after.matrix(change.rows)))
    came = np.asarray(change.delta(EVERYTHING).sum(axis=0), np.float32).ravel()
    new.views_ = spread(model.views_, movies, len(new.movie_ids_)) + came
    new.known_ = spread(model.known_, movies, len(new.movie_ids_))
    return new


def spread(values: np.ndarray, places: np.ndarray, size: int, empty: float = 0) -> np.ndarray:
    """``values[i]`` at row ``places[i]`` of ``size`` rows, ``empty`` elsewhere; ``values`` itself if nothing grew."""
    if len(values) == size:
        return values
    out = np.full((size, *values.shape[1:]), empty, values.dtype)
    out[places] = values
    return out


def by_user(values: np.ndarray, change: Change) -> np.ndarray:
    """:func:`spread` over the users of after; zeros for new ones."""
    return spread(values, change.places[0], len(change.after.user_ids))


def by_movie(values: np.ndarray, change: Change) -> np.ndarray:
    """:func:`spread` over the movies of after; zeros for new ones."""
    return spread(values, change.places[1], len(change.after.movie_ids))


def square(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    """``values`` [n, n] spread over both axes [size, size], zeros elsewhere."""
    if len(values) == size:
        return values
    out = np.zeros((size, size), values.dtype)
    out[np.ix_(places, places)] = values
    return out


def csr(values: sparse.csr_matrix, rows: np.ndarray, cols: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """``values`` with its rows and columns at other places (both ascending) of a larger matrix of this shape."""
    if values.shape == shape:
        return values
    counts = np.zeros(shape[0], values.indptr.dtype)
    counts[rows] = np.diff(values.indptr)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_matrix((values.data, cols[values.indices], indptr), shape=shape)


def matrix(values: sparse.csr_matrix, change: Change) -> sparse.csr_matrix:
    """A matrix [users, movies] of before, at the places of after."""
    return csr(values, *change.places, (len(change.after.user_ids), len(change.after.movie_ids)))


def histories(model: Recommender, change: Change) -> sparse.csr_matrix:
    """``histories_`` of a model that reads ratings from its ``liked`` up, after the change."""
    return plus(matrix(model.histories_, change), change.delta(model.params["liked"]))


def plus(ones: sparse.csr_matrix, delta: sparse.csr_matrix) -> sparse.csr_matrix:
    """A matrix of ones and a few more (1 where there was nothing) or fewer (-1 where there was one).

    Equal to their sum without zeros; only the rows that change are looked at, the others are copied in one piece.
    """
    rows = np.flatnonzero(np.diff(delta.indptr))
    sub, cells = ones[rows], delta[rows]
    of_row = np.repeat(np.arange(len(rows)), np.diff(cells.indptr))
    at = np.searchsorted(_keys(sub), _keys(cells)) + (ones.indptr[rows] - sub.indptr[:-1])[of_row]
    came = cells.data > 0
    indices = np.insert(ones.indices, at[came], cells.indices[came])
    if not came.all():
        indices = np.delete(indices, at[~came] + np.searchsorted(at[came], at[~came], "right"))
    gained = np.concatenate([[0], np.cumsum(np.asarray(delta.sum(axis=1)).ravel())]).astype(ones.indptr.dtype)
    return sparse.csr_matrix((np.ones(len(indices), np.float32), indices, ones.indptr + gained), shape=ones.shape)


def _keys(part: sparse.csr_matrix) -> np.ndarray:
    """One ascending number for each cell."""
    rows = np.repeat(np.arange(part.shape[0], dtype=np.int64), np.diff(part.indptr))
    return rows * part.shape[1] + part.indices


def _not_yet(ones: sparse.csr_matrix, cells: sparse.csr_matrix) -> sparse.csr_matrix:
    """Those of ``cells`` where ``ones`` has nothing."""
    missing = cells - ones.multiply(cells)
    missing.eliminate_zeros()
    return missing.tocsr()


def keep(model: Recommender, learned: str, what: Any) -> None:
    """Hold ``what`` beside the model for its next update; it is not saved, and goes with this ``learned`` array."""
    vars(model)["_kept"] = (getattr(model, learned), what)


def taken(model: Recommender, learned: str) -> Any:
    """What :func:`keep` held, handed over: the model has it no longer. None if there is nothing, or if it is stale."""
    owner, what = vars(model).pop("_kept", (None, None))
    return what if owner is getattr(model, learned) else None
