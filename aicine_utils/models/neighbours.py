"""User and item k-NN for lists: cosine between histories, the nearest ``k`` kept.

``liked`` leaves out of the histories the training ratings below this place on the rating scale.
"""

from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from aicine_utils.models.base import Recommender, top_columns
from aicine_utils.splits import Split

EPSILON = 1e-6
BLOCK = 1024


def nearest(
    vectors: sparse.csr_matrix, others: sparse.csr_matrix, k: int, shrink: float, themselves: bool = False
) -> sparse.csr_matrix:
    """The ``k`` largest shrunk cosines between each row of ``vectors`` and the rows of ``others``, sparse.

    cos(a, b) = a·b / (|a| |b| + shrink + 1e-6), RecBole's formula. ``themselves``: the two are the same rows, and no
    row is its own neighbour.
    """
    norms, lengths = sparse.linalg.norm(others, axis=1), sparse.linalg.norm(vectors, axis=1)
    blocks = []
    for start in range(0, vectors.shape[0], BLOCK):
        rows = slice(start, start + BLOCK)
        cosine = (vectors[rows] @ others.T).toarray() / (lengths[rows, None] * norms + shrink + EPSILON)
        if themselves:
            cosine[np.arange(len(cosine)), start + np.arange(len(cosine))] = 0.0
        blocks.append(keep_largest(cosine, k))
    return sparse.vstack(blocks, format="csr", dtype=np.float32)


def keep_largest(scores: np.ndarray, k: int) -> sparse.csr_matrix:
    """Each row's ``k`` largest values, the others zero; at equal values the smaller column stays."""
    top = top_columns(scores, min(k, scores.shape[1]))
    values = np.take_along_axis(scores, top, 1)
    rows = np.repeat(np.arange(len(scores)), top.shape[1])
    kept = sparse.csr_matrix((values.ravel(), (rows, top.ravel())), shape=scores.shape)
    kept.eliminate_zeros()
    return kept


class ItemKNN(Recommender):
    """score(u, i) = Σ over the watched movies j among the ``k`` nearest to i of cos(i, j)."""

    defaults: ClassVar[dict[str, Any]] = {"k": 100, "shrink": 10.0, "liked": 0.0}

    def _fit(self, split: Split) -> None:
        self.histories_ = split.matrix(split.rated_from(self.params["liked"]))
        by_movie = self.histories_.T.tocsr()
        self.weights_ = nearest(by_movie, by_movie, self.params["k"], self.params["shrink"], themselves=True).T.tocsr()

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return (self.histories_[rows] @ self.weights_).toarray()

    def score_histories(self, histories: list) -> np.ndarray:
        """The same sum for histories that were not in training."""
        return (self.histories_matrix(histories) @ self.weights_).toarray()

    def _similarity(self, column: int) -> np.ndarray:
        return self.weights_[:, column].toarray().ravel()


class UserKNN(Recommender):
    """score(u, i) = Σ over the ``k`` users v nearest to u who watched i of cos(u, v)."""

    defaults: ClassVar[dict[str, Any]] = {"k": 100, "shrink": 10.0, "liked": 0.0}

    def _fit(self, split: Split) -> None:
        self.histories_ = split.matrix(split.rated_from(self.params["liked"]))
        self.neighbours_ = nearest(
            self.histories_, self.histories_, self.params["k"], self.params["shrink"], themselves=True
        )

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return (self.neighbours_[rows] @ self.histories_).toarray()

    def score_histories(self, histories: list) -> np.ndarray:
        """Neighbours are looked up among the users of training."""
        new = self.histories_matrix(histories)
        return (nearest(new, self.histories_, self.params["k"], self.params["shrink"]) @ self.histories_).toarray()
