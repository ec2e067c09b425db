"""Slope One and Surprise's k-NN after new interactions."""

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.feedback.updates.change import Change
from aicine_utils.feedback.updates.folding import least_squares
from aicine_utils.feedback.updates.growing import by_movie, by_user, keep, square, taken
from aicine_utils.models.factorisation import SlopeOne
from aicine_utils.models.surprise_base import SurpriseModel
from aicine_utils.models.surprise_knn import KNNBaseline, KNNWithMeans, in_order

REG_U, REG_I = 15, 10  # what Surprise's k-NN baseline has where nothing else is said


def slope_one(model: SlopeOne, old: SlopeOne, change: Change) -> None:
    """Sums of differences and numbers of common users, from which all deviations follow.

    Kept beside the model: float64 and float32 [n_movies, n_movies], 165 MB for ml-1m.
    """
    held = taken(old, "dev_") or pairs(change.before.matrix(change.before.train, "ratings"))
    sums, common = (square(part, change.places[1], len(change.after.movie_ids)) for part in held)
    touched = change.before.train[np.isin(change.before.train[c.USER].to_numpy(), change.users)]
    _add_pairs(sums, common, change.after.matrix(touched, "ratings"), -1)
    _add_pairs(sums, common, change.matrix(change.users, values="ratings"), 1)
    model.dev_ = np.divide(sums, common, out=np.zeros_like(sums), where=common > 0).astype(np.float32)
    model.common_ = common > 0
    model.history_ = change.after.matrix(change.after.train)
    means, ratings = by_user(old.user_mean_, change), change.ratings_of(change.users)
    model.user_mean_ = _means(means, change.user_rows, ratings, c.USER)
    _know(model, old, change)
    keep(model, "dev_", (sums, common))


def pairs(ratings: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Σ (r_i - r_j) over the users of both movies, float64, and how many there are, float32; [n_movies, n_movies]."""
    n = ratings.shape[1]
    sums, common = np.zeros((n, n)), np.zeros((n, n), np.float32)
    _add_pairs(sums, common, ratings, 1)
    return sums, common


def _add_pairs(sums: np.ndarray, common: np.ndarray, ratings: sparse.csr_matrix, sign: int) -> None:
    ones = ratings.copy()
    ones.data = np.ones_like(ones.data)
    stars = (ratings.astype(np.float64).T @ ones).tocoo()
    sums[stars.row, stars.col] += sign * stars.data
    sums[stars.col, stars.row] -= sign * stars.data
    both = (ones.T @ ones).tocoo()
    common[both.row, both.col] += sign * both.data


def _know(model: SurpriseModel, old: SurpriseModel, change: Change) -> None:
    """Who has ratings now is known; the mean of all ratings is taken again."""
    model.known_users_ = by_user(old.known_users_, change).copy()
    model.known_users_[change.user_rows] = True
    model.mean_ = float(change.after.train[c.RATING].to_numpy(np.float64).mean())


def _means(values: np.ndarray, rows: np.ndarray, ratings: pd.DataFrame, by: str) -> np.ndarray:
    """``values`` with the mean stars of each id of ``ratings``, by ascending id, at these rows."""
    values = values.astype(np.float64, copy=True)
    values[rows] = ratings.astype({c.RATING: np.float64}).groupby(by)[c.RATING].mean().to_numpy()
    return values


def knn_means(model: KNNWithMeans, old: KNNWithMeans, change: Change) -> None:
    """New ratings and the means they make are read; similarities lag until the next refit."""
    of_users = model.params["user_based"]
    _know(model, old, change)
    spread, by = (by_user, c.USER) if of_users else (by_movie, c.MOVIE)
    ids = model.user_ids_ if of_users else model.movie_ids_
    train, touched = change.after.train, np.unique(change.rows[by].to_numpy())
    ratings = train[np.isin(train[by].to_numpy(), touched)]
    model.means_ = _means(spread(old.means_, change), np.searchsorted(ids, touched), ratings, by)
    _read(model, old, change)


def knn_baseline(model: KNNBaseline, old: KNNBaseline, change: Change) -> None:
    """New ratings and the biases they make are read; similarities lag until the next refit."""
    _know(model, old, change)
    model.bu_, model.bi_ = by_user(old.bu_, change).copy(), by_movie(old.bi_, change).copy()
    least_squares(model, change, REG_U, REG_I)
    _read(model, old, change)


def _read(model: KNNWithMeans | KNNBaseline, old: KNNWithMeans | KNNBaseline, change: Change) -> None:
    """Deviations of all training ratings from their levels; the similarities of before, zero for whoever is new."""
    of_users, train = model.params["user_based"], change.after.train
    rows = np.searchsorted(model.user_ids_, train[c.USER].to_numpy())
    cols = np.searchsorted(model.movie_ids_, train[c.MOVIE].to_numpy())
    deviation = train[c.RATING].to_numpy(np.float64) - model._level(rows, cols)
    y, x = (cols, rows) if of_users else (rows, cols)
    shape = (len(model.movie_ids_), len(model.user_ids_)) if of_users else (len(model.user_ids_), len(model.movie_ids_))
    model.deviations_ = in_order(y, x, deviation, shape)
    model.sim_ = square(old.sim_, change.places[0 if of_users else 1], shape[1])
