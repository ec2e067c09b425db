"""Neighbours after new interactions: only the rows whose nearest can have changed are looked up again.

A new interaction changes the similarities of the touched movie (or user) with all others, and no other similarity. So
another row stays as it is unless a touched one is among its nearest, or is now near enough to be. Numbers of common
people are whole, and the cosine is computed from them as in a fit: the result equals a refit's to the bit.
"""

from collections.abc import Callable

import numpy as np
from scipy import sparse

from aicine_utils.feedback.updates.change import Change
from aicine_utils.feedback.updates.growing import csr, histories, keep, square, taken
from aicine_utils.models.neighbours import EPSILON, ItemKNN, UserKNN, keep_largest


def item_knn(model: ItemKNN, old: ItemKNN, change: Change) -> None:
    """Item k-NN; numbers of common users are kept beside the model, float32 [n_movies, n_movies]: 55 MB for ml-1m."""
    model.histories_ = histories(old, change)
    common = taken(old, "weights_")
    common = square(counted(old) if common is None else common, change.places[1], len(change.after.movie_ids))
    difference = change.delta(model.params["liked"])
    count(common, difference, model.histories_)
    touched = np.unique(difference.indices)
    near = csr(old.weights_.T.tocsr(), change.places[1], change.places[1], common.shape)
    lengths = np.sqrt(common.diagonal())
    model.weights_ = renewed(near, touched, common.__getitem__, lengths, model.params).T.tocsr()
    keep(model, "weights_", common)


def prepare(model: ItemKNN) -> None:
    """Count common users now, so that the first update need not."""
    common = taken(model, "weights_")
    keep(model, "weights_", counted(model) if common is None else common)


def counted(model: ItemKNN) -> np.ndarray:
    """Numbers of users who watched both of two movies, float32 [n_movies, n_movies]: whole up to 2^24."""
    return (model.histories_.T @ model.histories_).toarray()


def count(common: np.ndarray, difference: sparse.csr_matrix, rows: sparse.csr_matrix) -> None:
    """Change ``common`` in place for histories that became ``rows`` by ``difference``, both [n_users, n_movies]."""
    users = np.flatnonzero(np.diff(difference.indptr))
    d, x = difference[users], rows[users]
    half = d.T @ x
    change = (half + half.T - d.T @ d).tocoo()
    common[change.row, change.col] += change.data


def user_knn(model: UserKNN, old: UserKNN, change: Change) -> None:
    """User k-NN; common movies are counted for the rows that are looked up, nothing is kept."""
    model.histories_ = vectors = histories(old, change)
    others, size = vectors.T.tocsr(), vectors.shape[0]
    touched = np.flatnonzero(np.diff(change.delta(model.params["liked"]).indptr))
    near = csr(old.neighbours_, change.places[0], change.places[0], (size, size))
    lengths = sparse.linalg.norm(vectors, axis=1)
    model.neighbours_ = renewed(near, touched, lambda rows: (vectors[rows] @ others).toarray(), lengths, model.params)


def renewed(
    near: sparse.csr_matrix, touched: np.ndarray, common: Callable[[np.ndarray], np.ndarray], lengths: np.ndarray,
    params: dict,
) -> sparse.csr_matrix:  # fmt: skip
    """The nearest of each row, [n, n], after the similarities of the ``touched`` rows changed.

    near: the nearest before; common: dot products [m, n] of m rows with all; lengths: of all vectors [n].
    """

    def cosines(rows: np.ndarray) -> np.ndarray:
        cosine = common(rows) / (lengths[rows, None] * lengths + params["shrink"] + EPSILON)
        cosine[np.arange(len(rows)), rows] = 0.0
        return cosine

    k = min(params["k"], near.shape[0])
    rows = np.flatnonzero(_unsettled(near, touched, cosines(touched).astype(np.float32), k))
    parts = [near, keep_largest(cosines(rows), k)] if len(rows) else [near]
    source = np.arange(near.shape[0])
    source[rows] = near.shape[0] + np.arange(len(rows))
    return sparse.vstack(parts, "csr", np.float32)[source]


def _unsettled(near: sparse.csr_matrix, touched: np.ndarray, cosines: np.ndarray, k: int) -> np.ndarray:
    """Rows, bool [n], whose nearest hold a touched one, or whose last place a touched one may take now.

    cosines: of the touched with all, [len(touched), n].
    """
    is_touched = np.zeros(near.shape[0], bool)
    is_touched[touched] = True
    held = np.asarray(near @ is_touched.astype(np.float32)).ravel() != 0
    full = np.diff(near.indptr) == k
    last = np.zeros(near.shape[0], np.float32)
    last[full] = np.minimum.reduceat(np.append(near.data, 0), near.indptr[:-1])[full] if full.any() else 0
    enters = ((cosines > 0) & (cosines >= last)).any(axis=0)
    return is_touched | held | enters
