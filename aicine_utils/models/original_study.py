"""The original study's SVD procedure, step by step, so that it can be shown and measured.

It chose epochs and learning rate by cross-validation, fitted once more on all ratings, took the RMSE of that model on
Surprise's anti-test set, and made a user's list by predicting every unseen movie one by one. The anti-test set holds
the pairs that nobody rated, with the global mean as their "true" rating: its RMSE tells how far predictions lie from
the mean, and is smallest for a model that has learned nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data.movielens import MovieLens
from aicine_utils.models.base import Recommender
from aicine_utils.models.factorisation import SVD
from aicine_utils.protocols import time_order
from aicine_utils.splits import Split

if TYPE_CHECKING:
    from surprise import AlgoBase, Trainset

GRID = {"n_epochs": [5, 10, 15, 20], "lr_all": [0.001, 0.002, 0.005, 0.01]}


def grid_search(
    ratings: pd.DataFrame,
    folds: int = 5,
    seed: int = 0,
    n_jobs: int = 1,
    rating_scale: tuple[float, float] = (1, 5),
    grid: dict[str, list] = GRID,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Surprise's GridSearchCV of SVD by RMSE over ``grid``.

    Returns one row a setting (its values, ``rmse``, ``rmse_std`` over the folds, ``rank`` from 1, ``fit_seconds`` a
    fold) and the best setting.
    """
    import surprise
    from surprise.model_selection import GridSearchCV, KFold

    reader = surprise.Reader(rating_scale=rating_scale)
    data = surprise.Dataset.load_from_df(ratings[[c.USER, c.MOVIE, c.RATING]], reader)
    cv = KFold(folds, random_state=seed)
    search = GridSearchCV(surprise.SVD, {**grid, "random_state": [seed]}, ["rmse"], cv, n_jobs=n_jobs)
    search.fit(data)
    best = {name: value for name, value in search.best_params["rmse"].items() if name in grid}
    return _tidy(search.cv_results, list(grid)), best


def _tidy(results: dict[str, Any], names: list[str]) -> pd.DataFrame:
    columns = {
        "rmse": "mean_test_rmse",
        "rmse_std": "std_test_rmse",
        "rank": "rank_test_rmse",
        "fit_seconds": "mean_fit_time",
    }
    table = pd.DataFrame({name: results[f"param_{name}"] for name in names})
    return table.assign(**{name: np.asarray(results[source]) for name, source in columns.items()})


def everything(data: MovieLens) -> Split:
    """A "split" whose training part is all of the data; nothing is left to measure with."""
    ratings = data.ratings.iloc[time_order(data.ratings)].reset_index(drop=True)
    nothing = ratings.iloc[:0]
    info = {"dataset": data.name, "rating_scale": data.info["rating_scale"], "n_train": len(ratings)}
    return Split(ratings, nothing, nothing, "everything", info, "everything", data.movies, data.users, refits=False)


def refit_on_all(data: MovieLens, seed: int = 0, **params: Any) -> SVD:
    """SVD on every rating, as the study did before it measured."""
    return SVD(seed=seed, **params).fit(everything(data))


def anti_test_rmse(model: Recommender) -> float:
    """RMSE of a rating model over all pairs without a training rating, against the global mean.

    Equal to ``accuracy.rmse(algo.test(trainset.build_anti_testset()))`` for a model fitted with :func:`everything`,
    without building the pairs: ml-1m has 21 million. Raises AicineError if the model does not rate.
    """
    model._must_rate()
    squares, pairs = 0.0, 0
    for rows, scores in model.iter_scores(model.user_ids_):
        unrated = model.seen_[rows].toarray() == 0
        errors = np.clip(scores.astype(np.float64), *model.scale_)[unrated] - model.mean_
        squares, pairs = squares + float(errors @ errors), pairs + len(errors)
    return float(np.sqrt(squares / pairs))


def top_n_loop(algo: AlgoBase, trainset: Trainset, user: int, n: int = 10) -> list[tuple[int, float]]:
    """The study's list for one user: ``predict`` for each unseen movie in turn, sorted. [(movie_id, stars), ...]."""
    rated = {movie for movie, _ in trainset.ur[trainset.to_inner_uid(user)]}
    unseen = [trainset.to_raw_iid(movie) for movie in trainset.all_items() if movie not in rated]
    stars = [(movie, algo.predict(user, movie).est) for movie in unseen]
    return sorted(stars, key=lambda pair: pair[1], reverse=True)[:n]
