"""EASE without inverting again: a low-rank update of its inverse by the matrix inversion lemma.

With P = (XᵀX + λI)⁻¹ and the rows x of m users becoming x + d, XᵀX grows by DᵀX' + X'ᵀD - DᵀD, where D [m, n] holds the
differences and X' the new rows. With V = [D; X'] and K = [[-I, I], [I, 0]] that is VᵀKV, so (Woodbury 1950; Hager 1989,
equation 2)

    P' = P - PVᵀ (K⁻¹ + VPVᵀ)⁻¹ VP,    K⁻¹ = [[0, I], [I, I]],

which costs 2m n² where the inverse costs n³. P is kept in float64, 8 n² bytes beside the model (110 MB for ml-1m), so
that thousands of updates in a row stay within rounding of a refit. It is not saved: after loading, the first update
inverts once.
"""

import numpy as np
from scipy import linalg, sparse

from aicine_utils.feedback.updates.change import Change
from aicine_utils.feedback.updates.growing import histories, keep, square, taken
from aicine_utils.models.linear import EASE

WORTHWHILE = 0.25  # rank over movies above which inverting anew is no slower
MANY = 16  # histories above which one product with all zeros is faster than sums of rows


def low_rank(model: EASE, old: EASE, change: Change) -> None:
    """The weights of a refit; a new movie is a row of its own in the inverse, 1/λ on the diagonal."""
    model.histories_ = histories(old, change)
    difference = change.delta(model.params["liked"])
    users = np.flatnonzero(np.diff(difference.indptr))
    inverse = taken(old, "weights_")
    if 2 * len(users) > WORTHWHILE * len(model.movie_ids_):
        inverse = inverted(model)
    else:
        inverse = inverted(old) if inverse is None else inverse
        inverse = _with_movies(inverse, change, model.params["regularisation"])
        add_rows(inverse, difference[users], model.histories_[users])
    model.weights_ = weights(inverse)
    keep(model, "weights_", inverse)


def prepare(model: EASE) -> None:
    """Invert now, so that the first update need not, and lay the weights out in rows.

    A fit leaves them in columns, and then every history that is scored copies all of them first.
    """
    inverse = taken(model, "weights_")
    model.weights_ = np.ascontiguousarray(model.weights_)
    keep(model, "weights_", inverted(model) if inverse is None else inverse)


def inverted(model: EASE) -> np.ndarray:
    """(XᵀX + λI)⁻¹, float64 [n_movies, n_movies], rows contiguous."""
    gram = (model.histories_.T @ model.histories_).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += model.params["regularisation"]
    return np.ascontiguousarray(linalg.inv(gram, overwrite_a=True, check_finite=False, assume_a="pos").T)


def _with_movies(inverse: np.ndarray, change: Change, regularisation: float) -> np.ndarray:
    """The inverse for all movies of after; those that nobody watched yet have nothing but λ."""
    places, size = change.places[1], len(change.after.movie_ids)
    larger = square(inverse, places, size)
    fresh = np.setdiff1d(np.arange(size), places)
    larger[fresh, fresh] = 1 / regularisation
    return larger


def add_rows(inverse: np.ndarray, difference: sparse.csr_matrix, rows: sparse.csr_matrix) -> None:
    """Change ``inverse`` in place for histories that became ``rows`` [m, n] by ``difference`` [m, n]."""
    m = rows.shape[0]
    if not m:
        return
    difference, rows = difference.astype(np.float64), rows.astype(np.float64)
    reach = np.concatenate([difference @ inverse, (rows if m < MANY else rows.toarray()) @ inverse])
    core = sparse.vstack([difference, rows]).toarray() @ reach.T
    at = np.arange(m)
    core[at, at + m] += 1
    core[at + m, at] += 1
    core[at + m, at + m] += 1
    pull = linalg.inv(core, check_finite=False) @ reach
    # The transpose of rows is what BLAS calls columns, so it works in place; the product is symmetric.
    linalg.blas.dgemm(-1.0, pull.T, reach.T, 1.0, inverse.T, trans_b=True, overwrite_c=True)


def weights(inverse: np.ndarray) -> np.ndarray:
    """B = I - P · diag(1 / diag P), float32 with a zero diagonal."""
    out = inverse.astype(np.float32)
    out *= (-1 / inverse.diagonal()).astype(np.float32)  # twice as fast as rounding the product
    np.fill_diagonal(out, 0.0)
    return out
