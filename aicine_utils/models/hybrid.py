"""LightFM: factorisation in which people and movies are sums of the vectors of their features (Kula 2015).

A movie's vector is its own plus those of its genres and decade, a person's is their own plus those of gender, age
group and occupation. Whoever has no ratings yet, person or movie, still has the part that comes from the features.
"""

import os
import time
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.errors import AicineError, unknown
from aicine_utils.models import features
from aicine_utils.models.base import Recommender, top_columns
from aicine_utils.splits import Split

LOSSES = ("warp", "bpr", "logistic")
FEATURES = ("ids", "movies", "users", "both")
CURVE_POINTS, CURVE_USERS = 10, 300
# Watched movies at which a new person's history counts half: best of 3, 10, 20 and 40 in benchmarks/doubt.py, over
# ml-100k and ml-1m, on people on whom nothing is measured.
DOUBT = 20


class LightFM(Recommender):
    """score(u, i) = p_u·q_i + b_u + b_i, each of the four a sum over features, trained by the lightfm library.

    ``loss``: warp (Weston et al. 2011) and bpr (Rendle et al. 2009) put movies rated ``liked``, a place on the scale,
    and more above sampled others; logistic tells them from those rated lower. ``features``: ids, or ids with those of
    movies, users or both. With one of ``threads`` (0: one a core) the seed decides everything; with several they race.
    ``watch`` is called with the number of each finished epoch, when scores are already those of that epoch.
    """

    serves_unknown = True
    libraries = ("lightfm",)
    defaults: ClassVar[dict[str, Any]] = {
        "loss": "warp", "features": "ids", "factors": 32, "epochs": 30, "learning_rate": 0.04, "penalty": 1e-5,
        "feature_weight": 1.0, "liked": 0.0, "threads": 1,
    }  # fmt: skip

    def __init__(self, seed: int = 0, **params: Any) -> None:
        super().__init__(seed, **params)
        for name, known in (("loss", LOSSES), ("features", FEATURES)):
            if self.params[name] not in known:
                raise unknown(name, self.params[name], known)
        self.watch: Callable[[int], None] = lambda epoch: None

    def _fit(self, split: Split) -> None:
        self._describe(split)
        users, movies = np.flatnonzero(self.trained_), np.flatnonzero(self.known_)
        # Only what has ratings takes part: as a sampled "other", a movie without any would be pushed down for it.
        seen = self._interactions(split)[users][:, movies].tocoo()
        parts = {"user_features": self.user_design_[users], "item_features": self.movie_design_[movies]}
        self._train(self._library(), seen, parts)
        self.slope_ = self._slope(seen.tocsr() > 0, users, movies)

    def _describe(self, split: Split) -> None:
        """Feature matrices of all users and movies; a feature that training does not know is left out."""
        people = split.users if self.params["features"] in ("users", "both") else None
        films = split.movies if self.params["features"] in ("movies", "both") else split.movies.iloc[:0]
        weight, self.trained_ = self.params["feature_weight"], np.isin(self.user_ids_, split.train[c.USER])
        users = features.described(self.user_ids_, self.trained_, features.user_labels(people), weight)
        self.user_names_, self.user_design_ = users
        self.movie_design_ = features.described(self.movie_ids_, self.known_, features.movie_labels(films), weight)[1]

    def _interactions(self, split: Split) -> sparse.csr_matrix:
        liked = split.train[c.RATING] >= split.stars_at(self.params["liked"])
        seen = split.matrix(split.train[liked])
        return seen - split.matrix(split.train[~liked]) if self.params["loss"] == "logistic" else seen

    def _library(self) -> Any:
        from lightfm import LightFM as Library

        p, seed = self.params, self.seed
        penalties = {"item_alpha": p["penalty"], "user_alpha": p["penalty"]}
        return Library(p["factors"], loss=p["loss"], learning_rate=p["learning_rate"], random_state=seed, **penalties)

    def _train(self, library: Any, seen: sparse.coo_matrix, parts: dict[str, sparse.csr_matrix]) -> None:
        epochs, threads = self.params["epochs"], self.params["threads"] or os.cpu_count()
        every, start, self.curve = max(epochs // CURVE_POINTS, 1), time.perf_counter(), []
        for epoch in range(1, epochs + 1):
            try:
                library.fit_partial(seen, **parts, num_threads=threads)
            except ValueError as error:  # its message when a parameter is no number any more
                raise AicineError(f"LightFM, epoch {epoch}: {error} Lower learning_rate or feature_weight.") from error
            self.user_embeddings_, self.user_feature_biases_ = library.user_embeddings, library.user_biases
            self.movie_embeddings_, self.movie_feature_biases_ = library.item_embeddings, library.item_biases
            self.watch(epoch)
            if epoch % every == 0:
                seconds = round(time.perf_counter() - start, 3)
                self.curve.append({"epoch": epoch, "seconds": seconds, "train_precision@10": self._repeated(seen)})

    def _repeated(self, seen: sparse.coo_matrix) -> float:
        """Share of the first ten of some users, evenly spaced, that they were trained to like."""
        users = np.flatnonzero(self.trained_)
        some = np.arange(0, len(users), -(-len(users) // CURVE_USERS))
        scores = self._score(users[some])[:, self.known_]
        first = top_columns(scores, min(10, scores.shape[1]))
        return float((np.take_along_axis(seen.tocsr()[some].toarray(), first, 1) > 0).mean())

    def _slope(self, liked: sparse.csr_matrix, users: np.ndarray, movies: np.ndarray) -> float:
        """s in "own vector = s · mean vector of the movies liked", by least squares over the users of training."""
        own, means = self.user_embeddings_[: len(users)], _means(liked, self._movies()[0][movies])
        return float((own * means).sum() / max((means * means).sum(), 1e-12))

    def _movies(self) -> tuple[np.ndarray, np.ndarray]:
        """Vectors [n_movies, factors] and biases [n_movies] of all movies."""
        return self.movie_design_ @ self.movie_embeddings_, self.movie_design_ @ self.movie_feature_biases_

    def _score(self, rows: np.ndarray) -> np.ndarray:
        (vectors, biases), design = self._movies(), self.user_design_[rows]
        return (design @ self.user_embeddings_) @ vectors.T + biases + (design @ self.user_feature_biases_)[:, None]

    def score_histories(self, histories: list) -> np.ndarray:
        """Scores of new people of whom nothing is known but what they watched; see :meth:`score_people`."""
        return self.score_people(histories, None)

    def score_people(self, histories: list, people: pd.DataFrame | None) -> np.ndarray:
        """Scores of new people from what they watched and who they are.

        people: a row for each history, in the same order, with gender, age_group and occupation. A vector is that of
        these features plus ``slope_`` · n / (n + 20) · the mean vector of the n movies of the history.
        """
        (vectors, biases), seen = self._movies(), self.histories_matrix(histories)
        n = np.asarray(seen.sum(axis=1))
        own = self.slope_ * n / (n + DOUBT) * _means(seen, vectors)
        places, first = np.arange(len(histories)), self.trained_.sum()
        labels = features.user_labels(None if people is None else people.assign(**{c.USER: places}))
        design = features.design(places, labels, self.user_names_, self.params["feature_weight"])
        own += design @ self.user_embeddings_[first:]
        return (own @ vectors.T + biases + (design @ self.user_feature_biases_[first:])[:, None]).astype(np.float32)

    def _similarity(self, column: int) -> np.ndarray:
        vectors = self._movies()[0]
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)
        return unit @ unit[column]

    @property
    def n_parameters(self) -> int:
        """Vectors and biases of all features."""
        kinds = (self.user_embeddings_, self.movie_embeddings_, self.user_feature_biases_, self.movie_feature_biases_)
        return sum(map(np.size, kinds))


def _means(seen: sparse.csr_matrix, vectors: np.ndarray) -> np.ndarray:
    """Mean of the rows of ``vectors`` that each row of ``seen`` holds, [n_rows, factors]; zeros for none."""
    return (seen @ vectors) / np.maximum(np.asarray(seen.sum(axis=1)), 1)
