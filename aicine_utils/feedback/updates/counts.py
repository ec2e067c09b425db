"""Updates of lists that are counts: the new are added, the replaced taken away."""

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.feedback.updates.change import Change
from aicine_utils.feedback.updates.growing import by_movie, keep, taken
from aicine_utils.models.base import Recommender
from aicine_utils.models.popularity import (
    SECONDS_A_DAY,
    MeanRating,
    NonPersonalised,
    Popularity,
    Random,
    RecentPopularity,
)
from aicine_utils.splits import Split


def nothing(model: Random, old: Random, change: Change) -> None:
    """A random order needs to know only how many movies there are."""
    model.n_movies_ = len(model.movie_ids_)


def views(model: NonPersonalised, old: NonPersonalised, change: Change) -> None:
    """Every rating counts one."""
    model.movie_scores_ = model.views_


def likes(model: Popularity, old: Popularity, change: Change) -> None:
    """Ratings from ``liked`` up count one; a rating that fell below counts no longer."""
    came = np.asarray(change.delta(model.params["liked"]).sum(axis=0), np.float32).ravel()
    model.movie_scores_ = by_movie(old.movie_scores_, change) + came


def mean_rating(model: MeanRating, old: MeanRating, change: Change) -> None:
    """Sums of stars and numbers of ratings, float64 [2, n_movies], from which all means follow."""
    held = taken(old, "movie_scores_")
    sums = star_sums(change.before, change.before.train) if held is None else held
    sums = by_movie(sums.T, change).T + star_sums(change.after, change.rows) - star_sums(change.after, change.replaced)
    (stars, counts), prior = sums, model.params["prior"]
    model.mean_ = float(stars.sum() / counts.sum())
    model.movie_scores_ = ((prior * model.mean_ + stars) / (prior + counts)).astype(np.float32)
    keep(model, "movie_scores_", sums)


def star_sums(split: Split, ratings: pd.DataFrame) -> np.ndarray:
    """Sum of stars and number of ratings of each movie, float64 [2, n_movies]."""
    return np.stack([_summed(split, ratings, ratings[c.RATING].to_numpy(np.float64)), _summed(split, ratings)])


def _summed(split: Split, ratings: pd.DataFrame, weights: np.ndarray | None = None) -> np.ndarray:
    columns = np.searchsorted(split.movie_ids, ratings[c.MOVIE].to_numpy())
    return np.bincount(columns, weights, minlength=len(split.movie_ids)).astype(np.float64)


def fading(model: RecentPopularity, old: RecentPopularity, change: Change) -> None:
    """All counts fade by the days since the last update; the new ones are added at their age."""
    half, latest = model.params["half_life_days"], change.after.train[c.TIMESTAMP].max()
    held = taken(old, "movie_scores_")
    scores, as_of = held or (faded(change.before, change.before.train, latest, half), latest)
    scores = by_movie(scores, change) * 0.5 ** ((latest - as_of).total_seconds() / SECONDS_A_DAY / half)
    scores += faded(change.after, change.rows, latest, half) - faded(change.after, change.replaced, latest, half)
    model.movie_scores_ = np.maximum(scores, 0).astype(np.float32)
    keep(model, "movie_scores_", (scores, latest))


def faded(split: Split, ratings: pd.DataFrame, now: pd.Timestamp, half_life_days: float) -> np.ndarray:
    """Ratings of each movie, each halved for every ``half_life_days`` before ``now``, float64 [n_movies]."""
    age_days = (now - ratings[c.TIMESTAMP]).dt.total_seconds().to_numpy() / SECONDS_A_DAY
    return _summed(split, ratings, 0.5 ** (age_days / half_life_days))


def again(model: Recommender, old: Recommender, change: Change) -> None:
    """The whole fit again, where that is the cheapest exact way."""
    model._fit(change.after)
