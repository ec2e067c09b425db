"""Content-based k-NN after new interactions: a person's mean is taken again, descriptions stay as they are."""

import numpy as np

from aicine_utils.feedback.updates.change import Change
from aicine_utils.feedback.updates.growing import by_movie, by_user
from aicine_utils.models.content import ContentTfidf, VectorKNN


def profiles(model: VectorKNN, old: VectorKNN, change: Change) -> None:
    """The mean vectors of those with new ratings; a movie that has no vector waits."""
    model.vectors_ = by_movie(old.vectors_, change)
    model.profiles_ = by_user(old.profiles_, change).copy()
    model.profiles_[change.user_rows] = model._profiles(change.matrix(change.users, model.params["liked"]))


def described(model: VectorKNN, old: VectorKNN, change: Change) -> None:
    """As :func:`profiles`; a movie without a rating so far is listed if it was described at the fit."""
    profiles(model, old, change)
    model.known_ &= np.asarray(abs(model.vectors_).sum(axis=1)).ravel() > 0


def tfidf(model: ContentTfidf, old: ContentTfidf, change: Change) -> None:
    """As :func:`profiles`; for movies that are new to the vocabulary all words are weighed again."""
    if len(model.movie_ids_) > len(old.movie_ids_):
        model._fit(change.after)
    else:
        profiles(model, old, change)
