"""EASE without inverting again: a low-rank update of its inverse by the matrix inversion lemma.

With P = (XᵀX + λI)⁻¹ and the rows x of m users becoming x + d, XᵀX grows by DᵀX' + X'ᵀD - DᵀD, where D [m, n] holds the
differences and X' the new rows. With V = [D; X'] and K = [[-I, I], [I, 0]] that is VᵀKV, so (Woodbury 1950; Hager 1989,
equation 2)

    P' = P - PVᵀ (K⁻¹ + VPVᵀ)⁻¹ VP,    K⁻¹ = [[0, I], [I, I]],

which costs m n² multiplications, as what is taken away is symmetric, where the inverse costs n³ / 2. P is kept in
float64, 8 n² bytes beside the model (110 MB for ml-1m), so that thousands of updates in a row stay within rounding of a
refit. For many people at once what is taken away is reckoned in float32, as it is small beside P; what that may have
lost is counted, and P inverted anew before it shows. P is not saved: after loading, the first update inverts once.
"""

import numpy as np
from scipy import linalg, sparse

from aicine_utils.feedback.updates.blocks import blas_alone, in_blocks
from aicine_utils.feedback.updates.change import Change
from aicine_utils.feedback.updates.growing import histories, keep, square, taken
from aicine_utils.models.linear import EASE

MANY = 16  # histories above which symmetry pays
LOST = 3e-7  # share of an element of P that float32 may have lost at most; scores are to be within 1e-6 of a refit's
WORTHWHILE = 0.25  # rank over movies above which inverting anew is no slower


def low_rank(model: EASE, old: EASE, change: Change) -> None:
    """The weights of a refit; a new movie is a row of its own in the inverse, 1/λ on the diagonal."""
    model.histories_ = histories(old, change)
    difference = change.delta(model.params["liked"])
    users = np.flatnonzero(np.diff(difference.indptr))
    inverse, lost = taken(old, "weights_") or (None, 0.0)
    if 2 * len(users) > WORTHWHILE * len(model.movie_ids_):
        inverse, lost = inverted(model), 0.0
    else:
        inverse = inverted(old) if inverse is None else inverse
        inverse = _with_movies(inverse, change, model.params["regularisation"])
        lost += add_rows(inverse, difference[users], model.histories_[users])
    if lost > LOST:
        inverse, lost = inverted(model), 0.0
    model.weights_ = weights(inverse)
    keep(model, "weights_", (inverse, lost))


def prepare(model: EASE) -> None:
    """Invert now, so that the first update need not, and lay the weights out in rows.

    A fit leaves them in columns, and then every history that is scored copies all of them first.
    """
    known = taken(model, "weights_")
    model.weights_ = np.ascontiguousarray(model.weights_)
    keep(model, "weights_", known or (inverted(model), 0.0))


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


def add_rows(inverse: np.ndarray, difference: sparse.csr_matrix, rows: sparse.csr_matrix) -> float:
    """Change ``inverse`` in place for histories that became ``rows`` [m, n] by ``difference`` [m, n].

    Returns what rounding may have taken from an element, as a share of it.
    """
    m = rows.shape[0]
    if not m:
        return 0.0
    both = sparse.vstack([difference, rows], format="csr").astype(np.float64)
    reach = np.empty((2 * m, len(inverse)))

    def fill(part: slice) -> None:
        reach[part] = both[part] @ inverse

    in_blocks(fill, 2 * m)
    core, at = both @ reach.T, np.arange(m)
    core[at, at + m] += 1
    core[at + m, at] += 1
    core[at + m, at + m] += 1
    with blas_alone():
        core = linalg.inv(core, overwrite_a=True, check_finite=False)
    return _subtract(inverse, core, reach)


def _subtract(inverse: np.ndarray, core: np.ndarray, reach: np.ndarray) -> float:
    """Take ``reachᵀ core reach`` from ``inverse`` in place: both are symmetric, so what is above the diagonal will do.

    Of few rows all is taken at once, by BLAS: then writing is dearer than multiplying. Returns what was lost.
    """
    if len(core) < 2 * MANY:
        linalg.blas.dgemm(-1.0, (core @ reach).T, reach.T, 1.0, inverse.T, trans_b=True, overwrite_c=True)
        return 0.0
    before = inverse.diagonal().copy()
    core, reach = core.astype(np.float32), reach.astype(np.float32)

    def work(rows: slice) -> None:
        inverse[rows, rows.start :] -= (core @ reach[:, rows]).T @ reach[:, rows.start :]
        inverse[rows.stop :, rows] = inverse[rows, rows.stop :].T

    in_blocks(work, len(inverse))
    after = inverse.diagonal()
    return float(np.finfo(np.float32).eps * np.abs(before / after - 1).max())


def weights(inverse: np.ndarray) -> np.ndarray:
    """B = I - P · diag(1 / diag P), float32 with a zero diagonal."""
    out, scale = np.empty(inverse.shape, np.float32), (-1 / inverse.diagonal()).astype(np.float32)

    def work(rows: slice) -> None:
        out[rows] = inverse[rows]
        out[rows] *= scale  # twice as fast as rounding the product

    in_blocks(work, len(inverse))
    np.fill_diagonal(out, 0.0)
    return out
