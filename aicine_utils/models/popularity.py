"""Lists that are the same for everyone, or for everyone of a group. The controls of every comparison."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.models.base import Recommender
from aicine_utils.protocols import LIKED
from aicine_utils.splits import Split

SECONDS_A_DAY = 86_400.0


class NonPersonalised(Recommender):
    """One score a movie: a subclass fills ``movie_scores_`` [n_movies]."""

    serves_unknown = True

    def _fit(self, split: Split) -> None:
        columns = np.searchsorted(self.movie_ids_, split.train[c.MOVIE].to_numpy())
        self.movie_scores_ = self._movie_scores(split, columns).astype(np.float32)

    def _movie_scores(self, split: Split, columns: np.ndarray) -> np.ndarray:
        """Scores [n_movies]; ``columns`` are the movies of ``split.train``'s rows."""
        raise NotImplementedError

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.movie_scores_, (len(rows), len(self.movie_ids_)))

    def score_histories(self, histories: list) -> np.ndarray:
        """The same scores for everyone."""
        return np.array(self._score(np.arange(len(histories))))

    def _count(self, columns: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(columns, weights, minlength=len(self.movie_ids_))


class Random(Recommender):
    """A random order for each user, fixed by the seed: what a list is worth with no knowledge at all."""

    serves_unknown = True

    def _fit(self, split: Split) -> None:
        self.n_movies_ = len(self.movie_ids_)

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return np.stack([np.random.default_rng((self.seed, int(row))).random(self.n_movies_) for row in rows])

    def score_histories(self, histories: list) -> np.ndarray:
        """A random order for each history, by its place in the list."""
        return self._score(np.arange(len(histories))).astype(np.float32)


class Popularity(NonPersonalised):
    """Movies by the number of ratings from ``liked`` up, a place on the rating scale."""

    defaults: ClassVar[dict[str, Any]] = {"liked": LIKED}

    def _movie_scores(self, split: Split, columns: np.ndarray) -> np.ndarray:
        return self._count(columns[split.train[c.RATING].to_numpy() >= split.stars_at(self.params["liked"])])


class Views(NonPersonalised):
    """Movies by the number of ratings of any value: MovieLens' nearest thing to views."""

    def _movie_scores(self, split: Split, columns: np.ndarray) -> np.ndarray:
        return self._count(columns)


class MeanRating(NonPersonalised):
    """Movies by their mean rating, pulled to the mean of all by ``prior`` imagined ratings (Bayesian average).

    score_i = (prior · μ + Σ ratings of i) / (prior + number of ratings of i). Also predicts stars.
    """

    rates = True
    defaults: ClassVar[dict[str, Any]] = {"prior": 20.0}

    def _movie_scores(self, split: Split, columns: np.ndarray) -> np.ndarray:
        stars = split.train[c.RATING].to_numpy(np.float64)
        self.mean_ = float(stars.mean())
        prior = self.params["prior"]
        return (prior * self.mean_ + self._count(columns, stars)) / (prior + self._count(columns))


class RecentPopularity(NonPersonalised):
    """Movies by ratings of any value, each halved for every ``half_life_days`` before the last training rating."""

    defaults: ClassVar[dict[str, Any]] = {"half_life_days": 30.0}

    def _movie_scores(self, split: Split, columns: np.ndarray) -> np.ndarray:
        when = split.train[c.TIMESTAMP]
        age_days = (when.max() - when).dt.total_seconds().to_numpy() / SECONDS_A_DAY
        return self._count(columns, 0.5 ** (age_days / self.params["half_life_days"]))


class GroupPopularity(Recommender):
    """Movies by views within the user's gender and age group, topped up by the views of everyone.

    score = views in the group + ``prior`` · share of all views; people of whom nothing is said are a
    group of their own.
    """

    serves_unknown = True
    defaults: ClassVar[dict[str, Any]] = {"prior": 50.0}

    def _fit(self, split: Split) -> None:
        labels = demographic_groups(split.users, self.user_ids_)
        self.groups_, self.user_group_ = np.unique(labels.to_numpy(str), return_inverse=True)
        rows = np.searchsorted(self.user_ids_, split.train[c.USER].to_numpy())
        columns = np.searchsorted(self.movie_ids_, split.train[c.MOVIE].to_numpy())
        cells = self.user_group_[rows] * len(self.movie_ids_) + columns
        shape = (len(self.groups_), len(self.movie_ids_))
        views = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
        share = views.sum(axis=0) / max(views.sum(), 1)
        self.group_scores_ = (views + self.params["prior"] * share).astype(np.float32)

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return self.group_scores_[self.user_group_[rows]]

    def score_histories(self, histories: list) -> np.ndarray:
        """Everyone's list: a bare history names no group."""
        return np.repeat(self.group_scores_.sum(axis=0, keepdims=True), len(histories), axis=0)

    def score_people(self, histories: list, people: pd.DataFrame | None) -> np.ndarray:
        """The list of each new person's group; ``people`` has a row for each history, with gender and age_group.

        Everyone's list for a group that training does not know.
        """
        labels = demographic_groups(people, np.arange(len(histories)) if people is None else people[c.USER].to_numpy())
        place = np.searchsorted(self.groups_, labels.to_numpy(str)).clip(max=len(self.groups_) - 1)
        known = self.groups_[place] == labels.to_numpy(str)
        return np.where(known[:, None], self.group_scores_[place], self.score_histories(histories))


def demographic_groups(users: pd.DataFrame | None, user_ids: np.ndarray) -> pd.Series:
    """ "gender age_group" for each of ``user_ids``; "unknown" where the data set says nothing."""
    if users is None:
        return pd.Series("unknown", index=user_ids)
    labels = users[c.GENDER].astype(str) + " " + users[c.AGE].astype(str)
    return labels.set_axis(users[c.USER]).reindex(user_ids, fill_value="unknown")
