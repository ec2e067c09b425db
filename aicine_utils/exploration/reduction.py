"""Whether a few dimensions hold a pattern: of people's stars, and of the genres of films that lie near each other.

Both questions need a chance to compare with. Directions found in noise hold some of what varies, too, more so where
many cells are empty; and films that lie near each other are about equally well known, which goes with their genres.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.exploration.effects import FEWEST, NOTHING, Effect, mean, permutation_p
from aicine_utils.exploration.genres import movie_genres
from aicine_utils.metrics import significance

FACTORS = 20  # directions of the claim
SHUFFLES = 5  # of the stars, to see what noise gives
NEAREST = 10  # neighbours of a film
KNOWN = 20  # ratings below which the place of a film is mostly chance
MOST = 2000  # films set side by side at once: a square of 16 MB
SHELVES = 10  # groups of films that are about equally well known


class Held(NamedTuple):
    """Squares of each person's centred stars, and what directions found in other people hold of them.

    total [n_users]; own, dealt [n_users, k]: held by the first 1, 2, ... k directions of the real stars, and of stars
    that were dealt anew to the films of each person (a mean over several deals).
    """

    total: np.ndarray
    own: np.ndarray
    dealt: np.ndarray


def held(ratings: pd.DataFrame, k: int = FACTORS, shuffles: int = SHUFFLES, seed: int = 0) -> Held | None:
    """Parallel analysis (Horn 1965) on held-out people: each half of them is measured in directions of the other half.

    Stars are taken less the means of person and film within a half, empty cells as zero. Dealing a person's stars
    anew to the same films keeps how many and how varied they are, and loses which film got which. None where a half
    has fewer than ten people, or where nothing varies.
    """
    rng = np.random.default_rng(seed)
    stars = _matrix(ratings)
    order = rng.permutation(stars.shape[0])
    halves = [stars[order[start::2]] for start in (0, 1)]
    if min(half.shape[0] for half in halves) < FEWEST or not all(_varies(centred(half)) for half in halves):
        return None
    k = min(k, min(min(half.shape) for half in halves) - 1)
    parts = [_across(*pair, k, shuffles, rng) for pair in (halves, halves[::-1])]
    return Held(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _matrix(ratings: pd.DataFrame) -> sparse.csr_matrix:
    rows, cols = (np.unique(ratings[name].to_numpy(), return_inverse=True)[1] for name in (c.USER, c.MOVIE))
    return sparse.csr_matrix((ratings[c.RATING].to_numpy(np.float64), (rows, cols)))


def _across(fitted: sparse.csr_matrix, measured: sparse.csr_matrix, k: int, shuffles: int,
            rng: np.random.Generator) -> Held:  # fmt: skip
    people = centred(measured)
    total = np.asarray(people.multiply(people).sum(axis=1)).ravel()
    own = _squares(people, directions(centred(fitted), k))
    deals = (directions(centred(dealt(fitted, rng)), k) for _ in range(shuffles))
    return Held(total, own, sum(_squares(people, found) for found in deals) / shuffles)


def centred(stars: sparse.csr_matrix) -> sparse.csr_matrix:
    """Known stars [n_users, n_movies] less their row's mean, then less their column's.

    Example: rows (4, 2) and (5, 5) become (.5, -.5) and (-.5, .5).
    """
    found = stars.tocoo()
    values = found.data.astype(np.float64)
    for place in (found.row, found.col):
        values = values - (np.bincount(place, values) / np.bincount(place).clip(1))[place]
    return sparse.csr_matrix((values, (found.row, found.col)), stars.shape)


def dealt(stars: sparse.csr_matrix, rng: np.random.Generator) -> sparse.csr_matrix:
    """Each row's known stars in another order over the same columns."""
    rows = np.repeat(np.arange(stars.shape[0]), np.diff(stars.indptr))
    order = np.lexsort((rng.random(stars.nnz), rows))
    return sparse.csr_matrix((stars.data[order], stars.indices, stars.indptr), stars.shape)


def directions(matrix: sparse.csr_matrix, k: int) -> np.ndarray:
    """The first ``k`` right singular vectors [k, n_columns], of the largest singular value first."""
    from scipy.sparse.linalg import svds

    _, sizes, vectors = svds(matrix, k=k, random_state=0, return_singular_vectors="vh")
    return vectors[np.argsort(-sizes)]


def _squares(people: sparse.csr_matrix, found: np.ndarray) -> np.ndarray:
    return np.cumsum((people @ found.T) ** 2, axis=1)


def _varies(matrix: sparse.csr_matrix) -> bool:
    return bool(np.abs(matrix.data).max(initial=0) > significance.SAME)


def variance_curve(found: Held) -> pd.DataFrame:
    """directions, share, kind: what the first 1, 2, ... directions hold, of real stars and of dealt ones."""
    kinds = {"stars as given": found.own, "stars dealt anew": found.dealt}
    parts = [pd.DataFrame({"directions": range(1, values.shape[1] + 1), "share": values.sum(0) / found.total.sum(),
                           "kind": kind}) for kind, values in kinds.items()]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def variance_gain(found: Held | None, resamples: int = 2000, seed: int = 0) -> Effect:
    """Share of what varies that all directions hold, less the share that directions of dealt stars hold; over users."""
    if found is None:
        return NOTHING
    gain = found.own[:, -1] - found.dealt[:, -1]
    low, high = significance.ratio_interval(gain, found.total, resamples, seed)
    return Effect(float(gain.sum() / found.total.sum()), float(low), float(high))


class Grouping(NamedTuple):
    """How like in genre films and their neighbours are (Jaccard, 0 to 1), what chance gives, the gain, and how many."""

    neighbours: float
    chance: float
    gain: Effect
    films: int


def genre_grouping(
    vectors: pd.DataFrame, movies: pd.DataFrame, views: pd.Series, permutations: int = 500, seed: int = 0
) -> Grouping:
    """Whether neighbours share genres more than other films that are as well known do.

    vectors: movie_id x dimensions; views: movie_id -> ratings. Likeness of two films is the share of their genres that
    both have (Jaccard 1912). Chance for a film and a neighbour is its mean likeness to all films of the neighbour's
    shelf of popularity. The interval is over films; p deals genres anew within each shelf.
    """
    genres = _genre_table(vectors, movies, views)
    if len(genres) < 2 * NEAREST:
        return Grouping(np.nan, np.nan, NOTHING, len(genres))
    like, near = likeness(genres.to_numpy(bool)), nearest(vectors.loc[genres.index].to_numpy(), NEAREST)
    shelf = pd.qcut(views[genres.index].rank(method="first"), min(SHELVES, len(genres) // NEAREST), labels=False)
    own, chance = _pairs(like, _by_shelf(like, shelf.to_numpy()), near, shelf.to_numpy(), np.arange(len(genres)))
    null = _null(like, near, shelf.to_numpy(), permutations, seed)
    found = mean(own - chance)
    gain = Effect(found.value, found.low, found.high, permutation_p(found.value, null))
    return Grouping(float(own.mean()), float(chance.mean()), gain, len(genres))


def _genre_table(vectors: pd.DataFrame, movies: pd.DataFrame, views: pd.Series) -> pd.DataFrame:
    """movie_id x genre, true or false, of the best known films that have a vector and a genre."""
    genres = movie_genres(movies) > 0
    known = views[views >= KNOWN].sort_values(ascending=False, kind="stable").index
    kept = known[known.isin(vectors.index) & known.isin(genres.index)][:MOST]
    return genres.loc[kept]


def likeness(genres: np.ndarray) -> np.ndarray:
    """Jaccard's likeness of each two rows of true and false, float32 [n, n]. Example: {A, B} and {B, C} have 1/3."""
    table = genres.astype(np.float32)
    both, size = table @ table.T, table.sum(axis=1)
    return both / (size[:, None] + size - both)


def nearest(vectors: np.ndarray, n: int) -> np.ndarray:
    """Rows of the ``n`` vectors at the least angle to each, in no order, int [n_films, n].

    Two dimensions are a picture: there, it is the least distance.
    """
    if vectors.shape[1] > 2:
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)
    squares = (vectors**2).sum(axis=1)
    distance = squares[:, None] + squares - 2 * vectors @ vectors.T
    np.fill_diagonal(distance, np.inf)
    return np.argpartition(distance, n, axis=1)[:, :n]


def _by_shelf(like: np.ndarray, shelf: np.ndarray) -> np.ndarray:
    """Mean likeness of each film to the films of each shelf but itself, [n_films, n_shelves]."""
    member = np.eye(shelf.max() + 1, dtype=np.float32)[shelf]
    return (like @ member - member * np.diag(like)[:, None]) / (member.sum(axis=0) - member)


def _pairs(like: np.ndarray, by_shelf: np.ndarray, near: np.ndarray, shelf: np.ndarray,
           dealt_to: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Likeness to the neighbours and its chance, film by film, where film i bears the genres of ``dealt_to[i]``."""
    own = like[dealt_to[:, None], dealt_to[near]].mean(axis=1)
    return own, by_shelf[dealt_to[:, None], shelf[near]].mean(axis=1)


def _null(like: np.ndarray, near: np.ndarray, shelf: np.ndarray, permutations: int, seed: int) -> np.ndarray:
    """The gain under genres dealt anew within shelves, one for each deal."""
    rng, by_shelf, order = np.random.default_rng(seed), _by_shelf(like, shelf), np.argsort(shelf, kind="stable")
    gains = np.empty(permutations)
    for deal in range(permutations):
        dealt_to = np.empty_like(order)
        dealt_to[order] = np.lexsort((rng.random(len(shelf)), shelf))
        own, chance = _pairs(like, by_shelf, near, shelf, dealt_to)
        gains[deal] = (own - chance).mean()
    return gains


def projected(vectors: pd.DataFrame, dimensions: int = 2) -> pd.DataFrame:
    """The vectors seen from their directions of largest spread (principal components), [n_films, dimensions]."""
    if vectors.empty:
        return vectors
    table = vectors.to_numpy(np.float64)
    table = table - table.mean(axis=0)
    _, _, axes = np.linalg.svd(table, full_matrices=False)
    return pd.DataFrame(table @ axes[:dimensions].T, vectors.index)


def picture(plane: pd.DataFrame, movies: pd.DataFrame, views: pd.Series, n: int = 3) -> pd.DataFrame:
    """x, y and genre of films in a plane that have one of the ``n`` commonest genres and no other of them."""
    genres = _genre_table(plane, movies, views)
    common = genres[genres.sum().nlargest(n).index]
    one = common[common.sum(axis=1) == 1]
    points = plane.loc[one.index].set_axis(["x", "y"][: plane.shape[1]], axis=1)
    return points.assign(genre=one.idxmax(axis=1) if len(one) else []).reset_index()


def film_vectors(ratings: pd.DataFrame, k: int = FACTORS) -> pd.DataFrame:
    """movie_id x k: the films of a plain SVD of centred stars, each direction as long as its singular value."""
    matrix = centred(_matrix(ratings))
    if not _varies(matrix):
        return pd.DataFrame(index=pd.Index([], name=c.MOVIE))
    axes = directions(matrix, min(k, min(matrix.shape) - 1))
    lengths = np.linalg.norm(matrix @ axes.T, axis=0)
    return pd.DataFrame(axes.T * lengths, pd.Index(np.unique(ratings[c.MOVIE]), name=c.MOVIE))
