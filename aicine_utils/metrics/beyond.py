"""What a list is like beyond its hits: how many movies get a chance, how popular, how varied, how much the user's own.

In: lists (user_id, movie_id, rank, score), of which the first ``k`` ranks count, and the split they were made for.
What is known before the test (the users' histories) gives popularity and taste. Movies without a genre have no part in
the metrics of genres. A user for whom a metric has no meaning (no history, a list of one movie) has no value.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.metrics.evaluate import tidy
from aicine_utils.metrics.ranking import Metric
from aicine_utils.splits import Split

NO_GENRE = ("(no genres listed)", "unknown")
SMOOTHING = 0.01  # alpha of Steck 2018
CHUNK = 4096  # users whose k x k pairs of movies are held at once

METRICS = {
    metric.name: metric
    for metric in (
        Metric("coverage", "Coverage", True, "Share of all candidate movies that are in anyone's list",
               "Ge, Delgado-Battenfeld & Jannach 2010, Beyond accuracy"),
        Metric("gini", "Gini", False, "How unequally recommendations fall on movies: 0 all alike, 1 all on one movie",
               "Fleder & Hosanagar 2009; Castells, Hurley & Vargas 2015, Recommender systems handbook"),
        Metric("novelty", "Novelty", True, "Mean surprise in bits: a movie seen by half of the users has 1, by 1 % 6.6",
               "Zhou et al. 2010, Solving the apparent diversity-accuracy dilemma"),
        Metric("popularity", "Popularity", False, "Mean popularity percentile of the listed movies: 1 the most popular",
               "Abdollahpouri et al. 2019, Managing popularity bias"),
        Metric("popularity_lift", "Popularity lift", False,
               "How much more popular a user's list is than the user's own history: 0 alike, 1 twice as popular",
               "Abdollahpouri et al. 2020, The connection between popularity bias, calibration, and fairness"),
        Metric("diversity", "Genre diversity", True, "Mean share of genres that two movies of a list don't share",
               "Ziegler et al. 2005, Improving recommendation lists through topic diversification; 1 - Jaccard"),
        Metric("calibration", "Miscalibration", False,
               "Distance (KL, nats) between the genres of a user's history and of the list: 0 the same mix",
               "Steck 2018, Calibrated recommendations"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """What a split knows of movies and tastes before its test; columns follow ``split.movie_ids``.

    history: ones, CSR float32 [n_users, n_movies]; candidates: bool [n_movies], the movies seen in training;
    genres: bool [n_movies, n_genres].
    """

    user_ids: np.ndarray
    movie_ids: np.ndarray
    history: sparse.csr_matrix
    candidates: np.ndarray
    genres: np.ndarray

    @classmethod
    def of(cls, split: Split) -> "Catalogue":
        """Read a split once, to measure many lists."""
        candidates = np.isin(split.movie_ids, split.train[c.MOVIE].to_numpy())
        history = split.matrix(split.train) + split.matrix(split.valid)
        return cls(split.user_ids, split.movie_ids, history, candidates, genre_matrix(split.movies, split.movie_ids))

    @cached_property
    def popularity(self) -> np.ndarray:
        """Share of users with a history who have the movie in it, float64 [n_movies]."""
        n_users = (np.diff(self.history.indptr) > 0).sum()
        return np.asarray(self.history.sum(axis=0, dtype=np.float64)).ravel() / n_users

    @cached_property
    def percentile(self) -> np.ndarray:
        """Share of candidates that are less popular, equals counted half, float64 [n_movies]."""
        ordered = np.sort(self.popularity[self.candidates])
        below, up_to = (np.searchsorted(ordered, self.popularity, side) for side in ("left", "right"))
        return (below + up_to) / 2 / len(ordered)

    @cached_property
    def genre_shares(self) -> np.ndarray:
        """Each movie's genres as shares that sum to 1 (0 without genres), float64 [n_movies, n_genres]."""
        return self.genres / np.maximum(self.genres.sum(axis=1, keepdims=True), 1)


def genre_matrix(movies: pd.DataFrame, movie_ids: np.ndarray) -> np.ndarray:
    """Which movie has which genre, bool [len(movie_ids), n_genres]; genres in alphabetical order."""
    long = movies.loc[movies[c.MOVIE].isin(movie_ids), [c.MOVIE, c.GENRES]].explode(c.GENRES).dropna()
    long = long[~long[c.GENRES].isin(NO_GENRE)]
    names, cols = np.unique(long[c.GENRES].to_numpy(str), return_inverse=True)
    matrix = np.zeros((len(movie_ids), len(names)), bool)
    matrix[np.searchsorted(movie_ids, long[c.MOVIE].to_numpy()), cols] = True
    return matrix


def lists(topk: pd.DataFrame, movie_ids: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Lists as user_ids [n_users] and columns of ``movie_ids``, int [n_users, k], -1 past the end of a list."""
    top = topk[topk[c.RANK].to_numpy() <= k]
    if top.empty:
        raise AicineError("There are no lists to measure. Recommend for the users of the test first.")
    movies = top[c.MOVIE].to_numpy()
    unknown = ~np.isin(movies, movie_ids)
    if unknown.any():
        raise AicineError(f"A list holds movie {movies[unknown][0]}, which the split does not know. Use its own split.")
    user_ids, row = np.unique(top[c.USER].to_numpy(), return_inverse=True)
    table = np.full((len(user_ids), k), -1)
    table[row, top[c.RANK].to_numpy() - 1] = np.searchsorted(movie_ids, movies)
    return user_ids, table


def evaluate_beyond(
    topk: pd.DataFrame, split: Split, k: int = 10, catalogue: Catalogue | None = None
) -> dict[str, float]:
    """Every metric of this module over the first ``k`` ranks, by name; those per user as the mean over users."""
    catalogue = catalogue or Catalogue.of(split)
    _, table = lists(topk, catalogue.movie_ids, k)
    times = np.bincount(table[table >= 0], minlength=len(catalogue.movie_ids))[catalogue.candidates]
    per_user = per_user_beyond(topk, split, k, catalogue).groupby(c.METRIC)[c.VALUE].mean()
    known = {"coverage": coverage(times), "gini": gini(times), **per_user}
    return {name: float(known.get(name, np.nan)) for name in METRICS}


def per_user_beyond(topk: pd.DataFrame, split: Split, k: int = 10, catalogue: Catalogue | None = None) -> pd.DataFrame:
    """Novelty, popularity, popularity lift, diversity, calibration of each list: user_id, metric, k, value."""
    catalogue = catalogue or Catalogue.of(split)
    user_ids, table = lists(topk, catalogue.movie_ids, k)
    history = catalogue.history[np.searchsorted(catalogue.user_ids, user_ids)]
    values = {
        "calibration": calibration(table, history, catalogue.genre_shares),
        "diversity": diversity(table, catalogue.genres),
        "novelty": novelty(table, catalogue.popularity),
        "popularity": list_mean(catalogue.percentile, table),
        "popularity_lift": popularity_lift(table, history, catalogue.popularity),
    }
    return tidy(user_ids, [(name, k) for name in values], np.column_stack(list(values.values())))


def coverage(times: np.ndarray) -> float:
    """Share of movies recommended at all; ``times`` is how often each candidate was. Example: [2, 0, 1, 0] is 1/2."""
    return float((times > 0).mean())


def gini(times: np.ndarray) -> float:
    """Gini coefficient: sum((2i - n - 1) t_i) / (n sum(t)), t ascending, i from 1. Example: [0, 0, 1, 3] is 5/8..."""
    n = len(times)
    return float(((2 * np.arange(1, n + 1) - n - 1) * np.sort(times)).sum() / (n * times.sum()))


def list_mean(values: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Mean of ``values`` [n_movies] over each list of ``table`` [n_users, k], float64 [n_users]."""
    listed = table >= 0
    return np.where(listed, values[table], 0.0).sum(axis=1) / listed.sum(axis=1)


def novelty(table: np.ndarray, popularity: np.ndarray) -> np.ndarray:
    """Mean of -log2(popularity) over each list, in bits. Example: seen by 1/2 and 1/8 of the users: (1 + 3) / 2 = 2.

    A movie that nobody has seen counts as one seen by the fewest.
    """
    fewest = popularity[popularity > 0].min()
    return list_mean(-np.log2(np.maximum(popularity, fewest)), table)


def popularity_lift(table: np.ndarray, history: sparse.csr_matrix, popularity: np.ndarray) -> np.ndarray:
    """Mean popularity of the list / that of the user's history - 1. Example: .6 against .4 is .5; NaN without history.

    The paper divides means of a group; here each user's are divided, so that a table's value is a mean over users.
    """
    n_seen = np.diff(history.indptr)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = (history @ popularity) / n_seen
        return list_mean(popularity, table) / own - 1


def diversity(table: np.ndarray, genres: np.ndarray) -> np.ndarray:
    """Mean of 1 - |A ∩ B| / |A ∪ B| over the pairs of a list's genre sets. Example: {a}, {a, b}, {c}: (1/2+1+1)/3.

    Pairs of movies that both have genres count; NaN where there is none.
    """
    return np.concatenate([_diversity(table[i : i + CHUNK], genres) for i in range(0, len(table), CHUNK)])


def _diversity(table: np.ndarray, genres: np.ndarray) -> np.ndarray:
    sets = np.where((table >= 0)[..., None], genres[table], False).astype(np.float32)
    size = sets.sum(axis=2)
    common = sets @ sets.transpose(0, 2, 1)
    union = size[:, :, None] + size[:, None, :] - common
    pair = np.triu(np.ones(common.shape[1:], bool), 1) & (size[:, :, None] > 0) & (size[:, None, :] > 0)
    distance = np.where(pair, 1 - common / np.maximum(union, 1), 0)
    with np.errstate(invalid="ignore"):
        return distance.sum(axis=(1, 2), dtype=np.float64) / pair.sum(axis=(1, 2))


def calibration(
    table: np.ndarray, history: sparse.csr_matrix, genre_shares: np.ndarray, smoothing: float = SMOOTHING
) -> np.ndarray:
    """Steck's C_KL: sum over genres of p log(p / q'), with q' = (1 - smoothing) q + smoothing p, in nats.

    p is the mix of genres of the user's history, q that of the list; each movie spreads 1 over its genres. Between 0
    and -log(smoothing), 4.6. Example: history half a, half b, list all a: .5 log(.5 / .995) + .5 log(.5 / .005) = 1.96.
    NaN for a user whose history has no genre.
    """
    p = _as_shares(history @ genre_shares)
    listed = np.zeros((len(table), genre_shares.shape[1]))
    for column in table.T:  # k steps, each over all users
        listed += np.where((column >= 0)[:, None], genre_shares[column], 0)
    q = (1 - smoothing) * _as_shares(listed) + smoothing * p
    ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0)
    return np.where(p.any(axis=1), (p * np.log(ratio)).sum(axis=1), np.nan)


def _as_shares(mass: np.ndarray) -> np.ndarray:
    """Rows that sum to 1; a row of zeros stays."""
    total = mass.sum(axis=1, keepdims=True)
    return np.divide(mass, total, out=np.zeros_like(mass, np.float64), where=total > 0)
