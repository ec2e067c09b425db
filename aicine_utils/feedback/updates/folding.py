"""Factorisations after new interactions: the vectors of the touched people are solved, all others stay.

A movie without a vector so far is solved the same way from those who rated it; the movies' other vectors lag until the
next refit. What is solved is the model's own objective with everything else fixed, so nothing new is to be tuned.
"""

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from aicine_utils import columns as c
from aicine_utils.feedback.updates.change import WEIGHT, Change, part_matrix
from aicine_utils.feedback.updates.growing import by_movie, by_user
from aicine_utils.models.factorisation import NMF, SVD, Baseline, SVDpp
from aicine_utils.models.implicit_als import ImplicitALS
from aicine_utils.models.surprise_base import SurpriseModel

STEPS, CLOSE = 50, 1e-4  # of conjugate gradients, at most; residual, relative to the first, that ends them

CELLS = 1 << 16  # ratings whose two vectors are held at a time: some 100 MB


def ials(model: ImplicitALS, old: ImplicitALS, change: Change) -> None:
    """Equation 4 of Hu et al. 2008 for the touched users, and equation 5 for new movies, between two such passes."""
    rows, fresh, liked = change.user_rows, _fresh(model, old, change), model.params["liked"]
    watched = change.matrix(change.users, liked) + _extra_weight(change, liked)[rows]
    with threadpool_limits(1, "blas"):  # see ImplicitALS
        solver = model._solver()
        solver.user_factors = by_user(old.user_factors_, change).copy()
        solver.item_factors = by_movie(old.movie_factors_, change).copy()
        solver.partial_fit_users(rows, watched)
        if len(fresh):
            solver.partial_fit_items(fresh, _of_movies(change, fresh, liked) + _extra_weight(change, liked).T[fresh])
            solver.partial_fit_users(rows, watched)
    model.user_factors_, model.movie_factors_ = np.asarray(solver.user_factors), np.asarray(solver.item_factors)


def _fresh(model: ImplicitALS | SurpriseModel, old: ImplicitALS | SurpriseModel, change: Change) -> np.ndarray:
    """Columns of the movies that have their first training rating."""
    return np.flatnonzero((model.views_ > 0) & ~by_movie(old.known_, change))


def _extra_weight(change: Change, liked: float) -> sparse.csr_matrix:
    """What the weights of the new interactions add to ones, [n_users, n_movies]."""
    rows = change.rows[change.rows[c.RATING] >= change.after.stars_at(liked)]
    return change.after.matrix(rows.assign(**{c.RATING: rows[WEIGHT] - 1}), "ratings")


def _of_movies(change: Change, movies: np.ndarray, liked: float, values: str = "ones") -> sparse.csr_matrix:
    """Training ratings of the movies at these columns, [len(movies), n_users]."""
    train, ids = change.after.train, change.after.movie_ids[movies]
    found = train[np.isin(train[c.MOVIE].to_numpy(), ids)]
    found = found[found[c.RATING] >= change.after.stars_at(liked)]
    return part_matrix(found, c.MOVIE, ids, c.USER, change.after.user_ids, values)


def svd(model: SVD, old: SVD, change: Change) -> None:
    """b_u and p_u that have the least penalised error with the movies fixed; b_i and q_i of new movies likewise."""
    _grow(model, old, change, ("pu_", "qi_", *(("bu_", "bi_") if model._biased else ())))
    _fold(model, change, _fresh(model, old, change))


def svdpp(model: SVDpp, old: SVDpp, change: Change) -> None:
    """As :func:`svd`; what a user watched adds its vectors y_j, which stay (zero for new movies)."""
    _grow(model, old, change, ("pu_", "qi_", "yj_", "bu_", "bi_"))
    model.history_ = change.after.matrix(change.after.train)
    _fold(model, change, _fresh(model, old, change))


def _grow(model: SurpriseModel, old: SurpriseModel, change: Change, names: tuple[str, ...]) -> None:
    """Copies of the arrays of users (pu_, bu_) and movies, with zeros for the new; who has ratings now is known."""
    for name in names:
        spread = by_user if name in ("pu_", "bu_") else by_movie
        setattr(model, name, spread(getattr(old, name), change).copy())
    model.known_users_ = by_user(old.known_users_, change).copy()
    model.known_users_[change.user_rows] = True


def _fold(model: SVD | SVDpp, change: Change, fresh: np.ndarray) -> None:
    """Users, then new movies, then the users again, who may have watched these."""
    _fold_users(model, change)
    if len(fresh):
        _fold_movies(model, change, fresh)
        _fold_users(model, change)


def _fold_users(model: SVD | SVDpp, change: Change) -> None:
    rows, penalty = change.user_rows, model.params["reg_all"]
    ratings = change.matrix(change.users, values="ratings")
    model.pu_[rows] = 0  # so that _vectors gives what SVD++ adds for the movies watched, and nothing for SVD
    given = _pair_products(ratings, model._vectors(rows), model.qi_)
    bias, vectors = _ridge(ratings, given, model, model.qi_, model.bi_ if model._biased else None, penalty)
    model.pu_[rows] = vectors
    if model._biased:
        model.bu_[rows] = bias


def _fold_movies(model: SVD | SVDpp, change: Change, fresh: np.ndarray) -> None:
    ratings = _of_movies(change, fresh, 0.0, "ratings")
    vectors = np.zeros((len(model.user_ids_), model.pu_.shape[1]))
    raters = np.unique(ratings.indices)
    vectors[raters] = model._vectors(raters)
    bias = model.bu_ if model._biased else None
    found = _ridge(ratings, np.zeros(ratings.nnz), model, vectors, bias, model.params["reg_all"])
    model.qi_[fresh] = found[1]
    if model._biased:
        model.bi_[fresh] = found[0]


def _ridge(
    ratings: sparse.csr_matrix, given: np.ndarray, model: SurpriseModel, others: np.ndarray, bias: np.ndarray | None,
    penalty: float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Biases [m] and vectors [m, factors] that minimise Σ (r - given - μ - b - b_j - v·q_j)² + n·penalty·(b² + |v|²).

    ratings: [m, n], n of them in a row; given: [nnz]; others: q_j [n, factors]; bias: b_j [n]. Without ``bias`` there
    is no b and no μ. The sum is over ratings, as the penalty of Surprise is: each visit of a rating shrinks once.
    """
    target = ratings.data.astype(np.float64) - given
    design = others
    if bias is not None:
        target -= model.mean_ + bias[ratings.indices]
        design = np.column_stack([np.ones(len(others)), others])
    found = conjugate_gradients(ratings, target, design, penalty * np.diff(ratings.indptr))
    return (found[:, 0], found[:, 1:]) if bias is not None else (np.zeros(len(found)), found)


def conjugate_gradients(
    pattern: sparse.csr_matrix, target: np.ndarray, design: np.ndarray, penalty: np.ndarray
) -> np.ndarray:
    """W [m, d] of the least Σ (target - w·z)² + penalty·|w|² for each row, all rows at once (Hestenes & Stiefel 1952).

    pattern: CSR [m, n], which rows z of ``design`` [n, d] a row has; target: [nnz], one a cell; penalty: [m].
    """

    def times(w: np.ndarray) -> np.ndarray:
        return _weighted(pattern, _pair_products(pattern, w, design)) @ design + penalty[:, None] * w

    w = np.zeros((pattern.shape[0], design.shape[1]))
    residual = _weighted(pattern, target) @ design
    direction, size = residual, (residual**2).sum(axis=1)
    enough = CLOSE**2 * size.sum()
    for _ in range(min(STEPS, design.shape[1])):
        moved = times(direction)
        step = _ratio(size, (direction * moved).sum(axis=1))
        w, residual = w + step * direction, residual - step * moved
        before, size = size, (residual**2).sum(axis=1)
        if size.sum() <= enough:
            break
        direction = residual + _ratio(size, before) * direction
    return w


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)[:, None]


def _weighted(pattern: sparse.csr_matrix, values: np.ndarray) -> sparse.csr_matrix:
    return sparse.csr_matrix((values, pattern.indices, pattern.indptr), shape=pattern.shape)


def _pair_products(pattern: sparse.csr_matrix, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left[row]·right[column] of each cell, [nnz]."""
    rows, out = np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr)), np.empty(pattern.nnz)
    for start in range(0, pattern.nnz, CELLS):
        part = slice(start, start + CELLS)
        out[part] = np.einsum("ij,ij->i", left[rows[part]], right[pattern.indices[part]])
    return out


def nmf(model: NMF, old: NMF, change: Change) -> None:
    """Multiplicative steps of Luo et al. 2014 (equation 8), as many as epochs, for the touched users and new movies."""
    _grow(model, old, change, ("pu_", "qi_", *(("bu_", "bi_") if model._biased else ())))
    rows, fresh = change.user_rows, _fresh(model, old, change)
    new_users = rows[~model.pu_[rows].any(axis=1)]
    model.pu_[new_users], model.qi_[fresh] = _middle(old.pu_), _middle(old.qi_)
    own = model.mean_ + model.bu_ if model._biased else np.zeros(len(model.pu_))
    theirs = model.bi_ if model._biased else np.zeros(len(model.qi_))
    if len(fresh):
        ratings = _levelled(_of_movies(change, fresh, 0.0, "ratings"), own, theirs[fresh])
        model.qi_[fresh] = _multiply(model.qi_[fresh], *ratings, model.pu_, model.params, "reg_qi")
    ratings = _levelled(change.matrix(change.users, values="ratings"), theirs, own[rows])
    model.pu_[rows] = _multiply(model.pu_[rows], *ratings, model.qi_, model.params, "reg_pu")


def _levelled(ratings: sparse.csr_matrix, theirs: np.ndarray, own: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """The ratings, and the level of each [nnz] from the biases of its column and its row."""
    return ratings, theirs[ratings.indices] + np.repeat(own, np.diff(ratings.indptr))


def _middle(vectors: np.ndarray) -> np.ndarray:
    """The mean of the vectors that are not zero: where a new one starts."""
    return vectors[vectors.any(axis=1)].mean(axis=0)


def _multiply(
    w: np.ndarray, ratings: sparse.csr_matrix, level: np.ndarray, others: np.ndarray, params: dict, penalty: str
) -> np.ndarray:
    """w ← w · Σ r q / (Σ estimate q + n·penalty·w), once an epoch; never negative."""
    counts, pull = np.diff(ratings.indptr)[:, None], ratings @ others
    for _ in range(params["n_epochs"]):
        estimate = _weighted(ratings, level + _pair_products(ratings, w, others))
        push = estimate @ others + counts * params[penalty] * w
        w = w * np.divide(pull, push, out=np.zeros_like(push), where=push > 0)
    return w


def baseline(model: Baseline, old: Baseline, change: Change) -> None:
    """The two steps of alternating least squares for the touched movies, then for the touched users."""
    _grow(model, old, change, ("bu_", "bi_"))
    least_squares(model, change, model.params["reg_u"], model.params["reg_i"])


def least_squares(model: SurpriseModel, change: Change, reg_u: float, reg_i: float) -> None:
    """b_i of the touched movies, then b_u of the touched users, in place (Koren 2010, section 2.1)."""
    movies = np.searchsorted(change.after.movie_ids, np.unique(change.rows[c.MOVIE].to_numpy()))
    model.bi_[movies] = _shrunk(_of_movies(change, movies, 0.0, "ratings"), model.mean_ + model.bu_, reg_i)
    of_users = change.matrix(change.users, values="ratings")
    model.bu_[change.user_rows] = _shrunk(of_users, model.mean_ + model.bi_, reg_u)


def _shrunk(ratings: sparse.csr_matrix, level: np.ndarray, penalty: float) -> np.ndarray:
    """Σ (r - level) / (penalty + n) of each row of ``ratings``; ``level`` is one a column."""
    above = _weighted(ratings, ratings.data - level[ratings.indices])
    return np.asarray(above.sum(axis=1)).ravel() / (penalty + np.diff(ratings.indptr))
