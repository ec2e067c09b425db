"""iALS: matrix factorisation for implicit feedback, trained by the `implicit` library."""

from typing import Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from aicine_utils.models.base import Recommender
from aicine_utils.splits import Split


class ImplicitALS(Recommender):
    """Weighted least squares over all cells, seen ones weighing ``alpha``, the others 1 (Hu et al. 2008).

    Rendle et al. 2022 show that it keeps up with neural models when its regularisation and size are tuned.
    """

    libraries = ("implicit.cpu.als",)
    defaults: ClassVar[dict[str, Any]] = {
        "factors": 64, "regularisation": 0.05, "alpha": 10.0, "iterations": 15, "liked": 0.0,
    }  # fmt: skip

    def _fit(self, split: Split) -> None:
        seen = split.matrix(split.rated_from(self.params["liked"]))
        with threadpool_limits(1, "blas"):  # implicit runs its own threads; BLAS threads inside them slow it down
            solver = self._solver()  # checks for BLAS threads when made
            solver.fit(seen, show_progress=False)
        self.user_factors_ = np.asarray(solver.user_factors)
        self.movie_factors_ = np.asarray(solver.item_factors)

    def _solver(self) -> Any:
        from implicit.cpu.als import AlternatingLeastSquares

        p = self.params
        return AlternatingLeastSquares(
            factors=p["factors"], regularization=p["regularisation"], alpha=p["alpha"], iterations=p["iterations"],
            use_cg=True, random_state=self.seed,
        )  # fmt: skip

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return self.user_factors_[rows] @ self.movie_factors_.T

    def score_histories(self, histories: list) -> np.ndarray:
        """Solve each new user's vector against the fixed movies (equation 4 of Hu et al.), then score."""
        with threadpool_limits(1, "blas"):
            solver = self._solver()  # checks for BLAS threads when made
            solver.item_factors = self.movie_factors_
            vectors = solver.recalculate_user(np.arange(len(histories)), self.histories_matrix(histories))
        return vectors @ self.movie_factors_.T

    def _similarity(self, column: int) -> np.ndarray:
        unit = self.movie_factors_ / np.linalg.norm(self.movie_factors_, axis=1, keepdims=True).clip(1e-12)
        return unit @ unit[column]
