"""Small cases that the tests of the metrics share."""

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.splits import Split


def topk(lists):
    """{user: [movie, ...]} as rows of user_id, movie_id, rank, score."""
    rows = [(u, m, rank, -float(rank)) for u, movies in lists.items() for rank, m in enumerate(movies, 1)]
    return pd.DataFrame(rows, columns=c.TOPK)


def pairs(wanted):
    """{user: {movie, ...}} as rows of user_id, movie_id."""
    rows = [(u, m) for u, movies in wanted.items() for m in sorted(movies)]
    return pd.DataFrame(rows, columns=[c.USER, c.MOVIE])


def ratings(seen):
    """{user: [movie, ...]} as ratings of 4 stars."""
    frame = pairs(seen).assign(**{c.RATING: np.float32(4)})
    return frame.assign(**{c.TIMESTAMP: np.arange(len(frame)).astype("datetime64[s]")})


def split(train, test, valid=None, genres=None, users=None):
    """A split of hand-made histories; genres: {movie: [genre, ...]}."""
    parts = [ratings(part or {}) for part in (train, valid, test)]
    genres = genres or {}
    movies = pd.DataFrame({c.MOVIE: list(genres), c.GENRES: list(genres.values())})
    info = {"dataset": "hand", "rating_scale": [1, 5]}
    return Split(*parts, protocol="user_temporal", info=info, hash="0", movies=movies, users=users)


def random_lists(seed, n_users=30, n_movies=60, k=20):
    """Lists of ``k`` for every user, and 1 to 30 relevant movies each, as frames."""
    rng = np.random.default_rng(seed)
    lists = {u: rng.permutation(n_movies)[:k].tolist() for u in range(1, n_users + 1)}
    wanted = {u: set(rng.permutation(n_movies)[: rng.integers(1, 31)].tolist()) for u in lists}
    return topk(lists), pairs(wanted)
