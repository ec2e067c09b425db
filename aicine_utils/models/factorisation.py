"""Rating models of scikit-surprise that need no neighbours: Baseline, SVD, SVD++, NMF, Slope One, Co-clustering.

Notation: μ mean of the training ratings, b_u and b_i biases, p_u and q_i vectors, I_u the movies that user u rated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from aicine_utils.models.base import cosine
from aicine_utils.models.surprise_base import Fitted, SurpriseModel, must_fit, spread_square
from aicine_utils.parameters import NOT_NEGATIVE

if TYPE_CHECKING:
    from surprise import AlgoBase


class Baseline(SurpriseModel):
    """μ + b_u + b_i, by alternating least squares (Koren 2010, section 2.1)."""

    defaults: ClassVar[dict[str, Any]] = {"n_epochs": 10, "reg_u": 15.0, "reg_i": 10.0}
    ranges: ClassVar[dict[str, Any]] = {"n_epochs": NOT_NEGATIVE}  # without a pass it always answers the mean

    def algorithm(self) -> AlgoBase:
        """Surprise's BaselineOnly."""
        import surprise

        return surprise.BaselineOnly(bsl_options={"method": "als", **self.params}, verbose=False)

    def _take(self, fitted: Fitted) -> None:
        self.bu_, self.bi_ = fitted.by_user(fitted.algo.bu), fitted.by_movie(fitted.algo.bi)

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return self.mean_ + self.bu_[rows, None] + self.bi_


class _Factors(SurpriseModel):
    """What SVD, SVD++ and NMF share: a vector a user and a vector a movie, with biases or without."""

    @property
    def _biased(self) -> bool:
        return bool(self.params.get("biased", True))

    def _take(self, fitted: Fitted) -> None:
        self.pu_, self.qi_ = fitted.by_user(fitted.algo.pu), fitted.by_movie(fitted.algo.qi)
        if self._biased:
            self.bu_, self.bi_ = fitted.by_user(fitted.algo.bu), fitted.by_movie(fitted.algo.bi)

    def _vectors(self, rows: np.ndarray) -> np.ndarray:
        return self.pu_[rows]

    def _score(self, rows: np.ndarray) -> np.ndarray:
        scores = self._vectors(rows) @ self.qi_.T
        if self._biased:
            return self.mean_ + self.bu_[rows, None] + self.bi_ + scores
        return self._known_or_mean(rows, scores)

    def _similarity(self, column: int) -> np.ndarray:
        return cosine(self.qi_, column)


class SVD(_Factors):
    """μ + b_u + b_i + q_i·p_u, by stochastic gradient descent (Koren et al. 2009, equation 4; Funk 2006)."""

    defaults: ClassVar[dict[str, Any]] = {
        "n_factors": 100,
        "n_epochs": 20,
        "biased": True,
        "lr_all": 0.005,
        "reg_all": 0.02,
    }
    ranges: ClassVar[dict[str, Any]] = {"n_factors": NOT_NEGATIVE}  # without factors it is its biases

    def algorithm(self) -> AlgoBase:
        """Surprise's SVD."""
        import surprise

        return surprise.SVD(**self.params, random_state=self.seed)


class SVDpp(_Factors):
    """μ + b_u + b_i + q_i·(p_u + |I_u|^(-1/2) Σ_{j in I_u} y_j) (Koren 2008, section 4)."""

    defaults: ClassVar[dict[str, Any]] = {"n_factors": 20, "n_epochs": 20, "lr_all": 0.007, "reg_all": 0.02}
    aside = (*SurpriseModel.aside, "history_")

    def algorithm(self) -> AlgoBase:
        """Surprise's SVDpp; its cache of each user's movies changes the speed only."""
        import surprise

        return surprise.SVDpp(**self.params, cache_ratings=True, random_state=self.seed)

    def _take(self, fitted: Fitted) -> None:
        super()._take(fitted)
        self.yj_ = fitted.by_movie(fitted.algo.yj)
        self.history_ = fitted.split.matrix(fitted.split.train)

    def _vectors(self, rows: np.ndarray) -> np.ndarray:
        history = self.history_[rows]
        counts = np.maximum(np.diff(history.indptr), 1)
        return self.pu_[rows] + (history @ self.yj_) / np.sqrt(counts)[:, None]


class NMF(_Factors):
    """q_i·p_u with non-negative vectors (Luo et al. 2014); ``biased`` adds μ + b_u + b_i."""

    defaults: ClassVar[dict[str, Any]] = {
        "n_factors": 15,
        "n_epochs": 50,
        "biased": False,
        "reg_pu": 0.06,
        "reg_qi": 0.06,
    }

    def algorithm(self) -> AlgoBase:
        """Surprise's NMF."""
        import surprise

        return surprise.NMF(**self.params, random_state=self.seed)


class SlopeOne(SurpriseModel):
    """μ_u + mean of dev(i, j) over the movies j that u and someone who also rated i have rated.

    dev(i, j) is the mean difference of their ratings (Lemire & Maclachlan 2005; unweighted, as in Surprise).
    """

    whole_stars = True
    aside = (*SurpriseModel.aside, "history_", "common_")

    def algorithm(self) -> AlgoBase:
        """Surprise's SlopeOne."""
        import surprise

        must_fit("Slope One", len(self.movie_ids_), arrays=3)
        return surprise.SlopeOne()

    def _take(self, fitted: Fitted) -> None:
        algo, size = fitted.algo, len(self.movie_ids_)
        dev = np.where(algo.freq > 0, algo.dev * fitted.unit, 0).astype(np.float32)
        self.dev_ = spread_square(dev, fitted.movies, size)
        self.common_ = spread_square(algo.freq > 0, fitted.movies, size)
        self.user_mean_ = fitted.by_user(algo.user_mean) * fitted.unit
        self.history_ = fitted.split.matrix(fitted.split.train)

    def _score(self, rows: np.ndarray) -> np.ndarray:
        history = self.history_[rows]
        total = history @ self.dev_.T
        count = history @ self.common_.astype(np.float32)  # symmetric
        scores = self.user_mean_[rows, None] + total / np.maximum(count, 1)
        return self._known_or_mean(rows, scores)


class CoClustering(SurpriseModel):
    """Mean of the co-cluster, plus what user and movie lie above the means of their clusters (George & Merugu 2005)."""

    whole_stars = True
    defaults: ClassVar[dict[str, Any]] = {"n_cltr_u": 3, "n_cltr_i": 3, "n_epochs": 20}

    def algorithm(self) -> AlgoBase:
        """Surprise's CoClustering."""
        import surprise

        return surprise.CoClustering(**self.params, random_state=self.seed)

    def _take(self, fitted: Fitted) -> None:
        algo = fitted.algo
        self.user_cluster_, self.movie_cluster_ = fitted.by_user(algo.cltr_u), fitted.by_movie(algo.cltr_i)
        self.cocluster_mean_ = algo.avg_cocltr * fitted.unit
        self.user_offset_ = fitted.by_user(algo.user_mean - algo.avg_cltr_u[algo.cltr_u]) * fitted.unit
        self.movie_offset_ = fitted.by_movie(algo.item_mean - algo.avg_cltr_i[algo.cltr_i]) * fitted.unit

    def _score(self, rows: np.ndarray) -> np.ndarray:
        means = self.cocluster_mean_[self.user_cluster_[rows][:, None], self.movie_cluster_]
        return self._known_or_mean(rows, means + self.user_offset_[rows, None] + self.movie_offset_)
