"""EASE without inverting again: a low-rank update of its inverse by the matrix inversion lemma.

With P = (XᵀX + λI)⁻¹ and the rows x of m users becoming x + d, XᵀX grows by DᵀX' + X'ᵀD - DᵀD, where D [m, n] holds the
differences and X' the new rows. With V = [D; X'] and K = [[-I, I], [I, 0]] that is VᵀKV, so (Woodbury 1950; Hager 1989,
equation 2)

    P' = P - PVᵀ (K⁻¹ + VPVᵀ)⁻¹ VP,    K⁻¹ = [[0, I], [I, I]].

The product on the right is not subtracted at once, which would write all n² numbers: its two factors [2m, n] are kept,
those of the next update below them, and scores take them into account (:class:`LowRank`). Where they have grown tall
they are folded in. P is kept in float64, 8 n² bytes beside the model (110 MB for ml-1m), so that thousands of updates
in a row stay within rounding of a refit. It is not saved: after loading, the first update inverts once.
"""

import copy
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from scipy import linalg, sparse

from aicine_utils.feedback.updates.change import Change
from aicine_utils.feedback.updates.growing import by_movie, histories, keep, square, taken
from aicine_utils.models.linear import EASE
from aicine_utils.splits import Split

WORTHWHILE = 0.25  # rank of a change over movies above which inverting anew is no slower
TALL = 0.125  # the same of what is kept apart, above which it is folded in: it makes each score dearer
MANY = 16  # histories above which one product with all zeros is faster than sums of rows


class Inverse(NamedTuple):
    """P = whole - leftᵀ · right: whole float64 [n, n], the factors float64 [rank, n]. None of them is ever changed."""

    whole: np.ndarray
    left: np.ndarray
    right: np.ndarray

    @classmethod
    def of(cls, whole: np.ndarray) -> Self:
        """With nothing apart."""
        nothing = np.empty((0, len(whole)))
        return cls(whole, nothing, nothing)

    @property
    def diagonal(self) -> np.ndarray:
        """Of P, [n]."""
        return self.whole.diagonal() - np.einsum("rn,rn->n", self.left, self.right)

    def times(self, rows: sparse.csr_matrix) -> np.ndarray:
        """``rows`` [m, n] times P."""
        return _product(rows, self.whole) - (rows @ self.left.T) @ self.right

    def with_rows(self, difference: sparse.csr_matrix, rows: sparse.csr_matrix) -> "Inverse":
        """After histories became ``rows`` [m, n] by ``difference`` [m, n]."""
        m = rows.shape[0]
        if not m:
            return self
        difference, rows = difference.astype(np.float64), rows.astype(np.float64)
        reach = np.concatenate([self.times(difference), self.times(rows)])
        core = sparse.vstack([difference, rows], "csr") @ reach.T
        at = np.arange(m)
        core[at, at + m] += 1
        core[at + m, at] += 1
        core[at + m, at + m] += 1
        pull = linalg.inv(core, check_finite=False) @ reach
        return Inverse(self.whole, np.concatenate([self.left, reach]), np.concatenate([self.right, pull]))

    def with_movies(self, change: Change, regularisation: float) -> "Inverse":
        """For all movies of after; those that nobody watched yet have nothing but λ, and so 1/λ on the diagonal."""
        places, size = change.places[1], len(change.after.movie_ids)
        whole = square(self.whole, places, size)
        fresh = np.setdiff1d(np.arange(size), places)
        whole[fresh, fresh] = 1 / regularisation
        return Inverse(whole, *(by_movie(factor.T, change).T for factor in (self.left, self.right)))

    def folded(self) -> "Inverse":
        """The same with nothing apart."""
        whole = self.whole.copy()
        # The transpose of rows is what BLAS calls columns, so it works in place; the product is symmetric.
        linalg.blas.dgemm(-1.0, self.right.T, self.left.T, 1.0, whole.T, trans_b=True, overwrite_c=True)
        return Inverse.of(whole)


class LowRank(EASE):
    """EASE whose weights are those of an earlier inverse, with what they lack beside them.

    inverse: P = P₀ - leftᵀ · right; earlier: the weights B₀ of P₀, float32 [n, n]. As X P₀ = (X - X B₀) diag P₀,

        X B = X - X P / diag P = X + ((X B₀ - X) diag P₀ + (X leftᵀ) right) / diag P.
    """

    earlier: np.ndarray
    inverse: Inverse

    def lack(self, earlier: np.ndarray, inverse: Inverse) -> None:
        """Score by these from now on."""
        self.earlier, self.inverse = earlier, inverse
        parts = inverse.left, inverse.right, inverse.whole.diagonal(), inverse.diagonal
        self._apart = [part.astype(np.float32) for part in parts]

    def fit(self, split: Split) -> EASE:
        """A plain EASE of the same settings: a fit lacks nothing."""
        return EASE(seed=self.seed, **self.params).fit(split)

    def save(self, folder: Path) -> None:
        """As a plain EASE."""
        plain = copy.copy(self)
        _take(plain, self.inverse.folded())
        plain.save(folder)

    @property
    def weights_(self) -> np.ndarray:
        """All of B, float32 [n, n], made anew: no score needs it."""
        return weights(self.inverse.folded().whole)

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return self._through(self.histories_[rows])

    def score_histories(self, histories: list) -> np.ndarray:
        """X B for histories that were not in training."""
        return self._through(self.histories_matrix(histories))

    def _similarity(self, column: int) -> np.ndarray:
        n = len(self.movie_ids_)
        return self._through(sparse.csr_matrix(([np.float32(1)], ([0], [column])), (1, n)))[0]

    def _through(self, rows: sparse.csr_matrix) -> np.ndarray:
        own, (left, right, before, after) = rows.toarray(), self._apart
        return own + ((rows @ self.earlier - own) * before + (rows @ left.T) @ right) / after


def low_rank(model: EASE, old: EASE, change: Change) -> None:
    """The scores of a refit; a new movie is a row of its own in the inverse."""
    model.histories_ = histories(old, change)
    difference = change.delta(model.params["liked"])
    users = np.flatnonzero(np.diff(difference.indptr))
    if 2 * len(users) > WORTHWHILE * len(model.movie_ids_):
        _take(model, inverted(model))
        return
    inverse = kept(old).with_movies(change, model.params["regularisation"])
    inverse = inverse.with_rows(difference[users], model.histories_[users])
    if len(inverse.left) > TALL * len(model.movie_ids_):
        _take(model, inverse.folded())
        return
    earlier = old.earlier if isinstance(old, LowRank) else old.weights_
    vars(model).pop("weights_", None)
    model.__class__ = LowRank  # a copy of the old model, which from now on scores in another way
    model.lack(square(earlier, change.places[1], len(model.movie_ids_)), inverse)


def kept(model: EASE) -> Inverse:
    """The inverse of a model's histories, made where it is not at hand."""
    if isinstance(model, LowRank):
        return model.inverse
    prepare(model)
    inverse = taken(model, "weights_")
    keep(model, "weights_", inverse)
    return inverse


def prepare(model: EASE) -> None:
    """Invert now, so that the first update need not, and lay the weights out in rows.

    A fit leaves them in columns, and then every history that is scored copies all of them first.
    """
    if isinstance(model, LowRank):
        return
    inverse = taken(model, "weights_")
    model.weights_ = np.ascontiguousarray(model.weights_)
    keep(model, "weights_", inverted(model) if inverse is None else inverse)


def _take(model: EASE, inverse: Inverse) -> None:
    """Make ``model`` a plain EASE with the weights of an inverse that has nothing apart."""
    for name in ("earlier", "inverse", "_apart"):
        vars(model).pop(name, None)
    model.__class__ = EASE
    model.weights_ = weights(inverse.whole)
    keep(model, "weights_", inverse)


def inverted(model: EASE) -> Inverse:
    """(XᵀX + λI)⁻¹, float64 [n_movies, n_movies], rows contiguous."""
    gram = (model.histories_.T @ model.histories_).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += model.params["regularisation"]
    whole = linalg.inv(gram, overwrite_a=True, check_finite=False, assume_a="pos").T
    return Inverse.of(np.ascontiguousarray(whole))


def _product(rows: sparse.csr_matrix, matrix: np.ndarray) -> np.ndarray:
    """``rows`` [m, n] times a dense matrix; long rows by one product with all their zeros."""
    few = rows.shape[0] < MANY or rows.nnz < MANY * rows.shape[0]
    return (rows if few else rows.toarray()) @ matrix


def weights(inverse: np.ndarray) -> np.ndarray:
    """B = I - P · diag(1 / diag P), float32 with a zero diagonal."""
    out = inverse.astype(np.float32)
    out *= (-1 / inverse.diagonal()).astype(np.float32)  # twice as fast as rounding the product
    np.fill_diagonal(out, 0.0)
    return out
