"""LightFM after new interactions: ``fit_partial`` from where the fit ended.

WARP and BPR draw movies that a person does not have in the matrix they are given, so whoever is read is read whole:
those with new ratings, and a sample of the others, so that the rest is not forgotten. AdaGrad's sums of gradients are
not saved with a model; they begin anew.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.feedback.updates.change import WEIGHT, Change, rows_of
from aicine_utils.models import features
from aicine_utils.models.hybrid import LightFM
from aicine_utils.splits import Split

PASSES = 5  # over the sample; a fit makes 30 over everything by default
REPLAYED = 4  # other people read for each with new ratings


def fit_partial(model: LightFM, old: LightFM, change: Change) -> None:
    """Vectors and biases of all features of the sample move; new people, movies and features begin small and random."""
    model._describe(change.after)
    users, movies = np.flatnonzero(model.trained_), np.flatnonzero(model.known_)
    library = _continued(model, old, change)
    part = change.after.divided(sample(change, model.seed), change.after.valid)
    seen = model._interactions(part)[users][:, movies].tocoo()
    parts = {"user_features": model.user_design_[users], "item_features": model.movie_design_[movies]}
    library.fit_partial(seen, **parts, sample_weight=_weights(seen, change, users, movies), epochs=PASSES)
    model.user_embeddings_, model.user_feature_biases_ = library.user_embeddings, library.user_biases
    model.movie_embeddings_, model.movie_feature_biases_ = library.item_embeddings, library.item_biases


def sample(change: Change, seed: int) -> pd.DataFrame:
    """All training ratings of those with new ones, and of others drawn at random."""
    train = change.after.train
    others = np.setdiff1d(train[c.USER].unique(), change.users)
    count = min(REPLAYED * len(change.users), len(others))
    drawn = np.random.default_rng(seed).choice(others, count, replace=False)
    return train.iloc[rows_of(train, np.union1d(change.users, drawn))].reset_index(drop=True)


def _weights(seen: sparse.coo_matrix, change: Change, users: np.ndarray, movies: np.ndarray) -> sparse.coo_matrix:
    """The weights of the new interactions, 1 for all others, in the order of ``seen``."""
    extra = change.after.matrix(change.rows.assign(**{c.RATING: change.rows[WEIGHT] - 1}), "ratings")[users][:, movies]
    data = 1 + np.asarray(extra[seen.row, seen.col], np.float32).ravel()
    return sparse.coo_matrix((data, (seen.row, seen.col)), shape=seen.shape)


def _continued(model: LightFM, old: LightFM, change: Change) -> Any:
    """The library's model with the vectors of ``old``, and first ones for what is new."""
    library, (user_places, movie_places) = model._library(), _places(model, old, change)
    library._initialize(model.params["factors"], model.movie_design_.shape[1], model.user_design_.shape[1])
    library.user_embeddings[user_places] = old.user_embeddings_
    library.user_biases[user_places] = old.user_feature_biases_
    library.item_embeddings[movie_places] = old.movie_embeddings_
    library.item_biases[movie_places] = old.movie_feature_biases_
    return library


def _places(model: LightFM, old: LightFM, change: Change) -> tuple[np.ndarray, np.ndarray]:
    """Where the features of users and of movies of ``old`` stand in ``model``: identities first, then names."""
    users, movies = change.places
    names = [_movie_names(m, split) for m, split in ((old, change.before), (model, change.after))]
    return (
        _moved(users, old.trained_, model.trained_, old.user_names_, model.user_names_),
        _moved(movies, old.known_, model.known_, *names),
    )


def _moved(
    places: np.ndarray, was: np.ndarray, now: np.ndarray, old_names: np.ndarray, new_names: np.ndarray
) -> np.ndarray:
    identities = np.searchsorted(np.flatnonzero(now), places[was])
    return np.concatenate([identities, now.sum() + np.searchsorted(new_names, old_names)])


def _movie_names(model: LightFM, split: Split) -> np.ndarray:
    """Names of the features that the movies of a model have, as its fit found them."""
    films = split.movies if model.params["features"] in ("movies", "both") else split.movies.iloc[:0]
    labels = features.movie_labels(films)
    return features.described(model.movie_ids_, model.known_, labels, model.params["feature_weight"]).names
