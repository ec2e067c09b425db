"""EASE: a linear autoencoder with a closed form, the baseline that most neural models do not beat."""

from typing import Any, ClassVar

import numpy as np
from scipy import linalg

from aicine_utils.models.base import Recommender
from aicine_utils.parameters import POSITIVE
from aicine_utils.splits import Split


class EASE(Recommender):
    """Item-item weights B that reconstruct histories, with a zero diagonal (Steck 2019, equation 8).

    P = (XᵀX + λI)⁻¹,  B = I − P · diag(1 / diag P),  scores = X B, where X holds a one for each movie watched.
    ``liked`` leaves out of X the training ratings below this place on the rating scale.
    """

    defaults: ClassVar[dict[str, Any]] = {"regularisation": 500.0, "liked": 0.0}
    ranges: ClassVar[dict[str, Any]] = {"regularisation": POSITIVE}  # a movie that nobody watched has no inverse at 0

    def _fit(self, split: Split) -> None:
        self.histories_ = split.matrix(split.rated_from(self.params["liked"]))
        gram = (self.histories_.T @ self.histories_).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += self.params["regularisation"]
        inverse = linalg.inv(gram, overwrite_a=True, check_finite=False, assume_a="pos")
        weights = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        self.weights_ = weights.astype(np.float32)

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return self.histories_[rows] @ self.weights_

    def score_histories(self, histories: list) -> np.ndarray:
        """X B for histories that were not in training."""
        return self.histories_matrix(histories) @ self.weights_

    def _similarity(self, column: int) -> np.ndarray:
        return self.weights_[column]
