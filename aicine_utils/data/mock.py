"""A small synthetic data set with the structure that models look for; the same seed gives the same data.

Four circles of taste like different genres; circles lean to a gender and an age; few movies have most ratings;
people come in sittings, where ratings share a second and movies often share a theme. No real person or movie is in it.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data.catalogue import MOCK
from aicine_utils.data.labels import AGE_GROUPS, OCCUPATIONS
from aicine_utils.data.movielens import MovieLens

SCALE = (1.0, 5.0)
LICENCE = "Made by this project: free to use."
FIRST_DAY, DAYS = np.datetime64("2019-01-01", "s"), 3 * 365
TASTES = [["Action", "Adventure", "Sci-Fi", "Thriller"], ["Drama", "Romance", "Musical", "Film-Noir"],
          ["Comedy", "Animation", "Children's", "Fantasy"], ["Crime", "Mystery", "Horror", "War"]]  # fmt: skip
MEN = [0.85, 0.35, 0.55, 0.75]  # share of men in each circle
OLDEST = [3, 6, 2, 5]  # index of the age group around which each circle gathers
QUALITIES = ["Silent", "Golden", "Broken", "Hidden", "Last", "Distant", "Crimson", "Paper", "Midnight", "Restless",
             "Borrowed", "Frozen", "Burning", "Quiet", "Stolen", "Velvet", "Hollow", "Wandering", "Electric",
             "Ninth"]  # fmt: skip
THINGS = ["Harbor", "Garden", "Machine", "Letter", "Orchard", "Signal", "River", "Station", "Mirror", "Lantern",
          "Island", "Promise", "Highway", "Winter", "Theatre", "Compass", "Shadow", "Kingdom", "Summer",
          "Voyage"]  # fmt: skip
FEWEST, MOST = 34, 70  # ratings a user


def make(n_users: int = 60, n_movies: int = 150, seed: int = 0) -> MovieLens:
    """Users 1..n_users, ``n_movies`` movies with gaps in their ids, at least 20 ratings of 1 to 5 a user.

    Large enough by default that each protocol of ``splits`` leaves something to train on and to test with. Needs at
    least 100 movies; the same arguments give the same content.
    """
    rng = np.random.default_rng(seed)
    circle = rng.integers(len(TASTES), size=n_users)
    theme = rng.integers(len(TASTES), size=n_movies)
    users, movies = _users(rng, circle), _movies(rng, theme)
    ratings = _ratings(rng, circle, theme, movies[c.MOVIE].to_numpy())
    return MovieLens(ratings, movies, users, _info(ratings, movies, users, seed))


def _info(ratings: pd.DataFrame, movies: pd.DataFrame, users: pd.DataFrame, seed: int) -> dict:
    from aicine_utils.data.datasets import fingerprint  # here: datasets imports this module

    digest = fingerprint(ratings, movies, users, SCALE)
    return {"name": MOCK, "source": f"synthetic, seed {seed}", "licence": LICENCE, "rating_scale": list(SCALE),
            "repairs": {}, "checksum": digest, "fingerprint": digest,
            "files": {"ratings": len(ratings), "movies": len(movies), "users": len(users)}, "warnings": []}  # fmt: skip


def _users(rng: np.random.Generator, circle: np.ndarray) -> pd.DataFrame:
    n = len(circle)
    age = np.clip(np.take(OLDEST, circle) + rng.integers(-2, 3, n), 0, len(AGE_GROUPS) - 1)
    men = rng.random(n) < np.take(MEN, circle)
    return pd.DataFrame({
        c.USER: np.arange(1, n + 1),
        c.GENDER: np.where(men, "M", "F").astype(object),
        c.AGE: np.take(np.array(AGE_GROUPS, object), age),
        c.OCCUPATION: np.take(np.array(OCCUPATIONS, object), rng.integers(len(OCCUPATIONS), size=n)),
        c.ZIP: pd.Series(rng.integers(10_000, 99_999, n)).astype(str).astype(object),
    })  # fmt: skip


def _movies(rng: np.random.Generator, theme: np.ndarray) -> pd.DataFrame:
    n = len(theme)
    ids = np.sort(rng.choice(np.arange(1, 2 * n + 1), n, replace=False))  # gaps, as in MovieLens
    return pd.DataFrame({
        c.MOVIE: ids,
        c.TITLE: pd.Series(_titles(rng, n), dtype=object),
        c.YEAR: pd.Series((2018 - rng.exponential(15, n)).clip(1930).astype(int), dtype="Int16"),
        c.GENRES: pd.Series([_genres(rng, kind) for kind in theme], dtype=object),
    })  # fmt: skip


def _titles(rng: np.random.Generator, n: int) -> list[str]:
    names = [f"The {quality} {thing}" for quality in QUALITIES for thing in THINGS]
    order = rng.permutation(len(names))
    return [names[order[i % len(names)]] + (f" {i // len(names) + 1}" if i >= len(names) else "") for i in range(n)]


def _genres(rng: np.random.Generator, theme: int) -> list[str]:
    """One or two genres of the theme, now and then one of another."""
    own = list(rng.choice(TASTES[theme], rng.integers(1, 3), replace=False))
    other = [rng.choice(TASTES[rng.integers(len(TASTES))])] if rng.random() < 0.25 else []
    return [str(name) for name in dict.fromkeys([*own, *other])]


def _ratings(rng: np.random.Generator, circle: np.ndarray, theme: np.ndarray, ids: np.ndarray) -> pd.DataFrame:
    likes = np.where(circle[:, None] == theme, 1.0, -0.25) + rng.normal(0, 0.3, (len(circle), len(theme)))
    quality = rng.normal(0, 0.45, len(theme))
    rows, cols = _in_order(rng, *_watched(rng, likes, quality), theme)
    level = 3.35 + 0.8 * likes + quality + rng.normal(0, 0.35, (len(circle), 1))
    stars = np.clip(np.rint(level[rows, cols] + rng.normal(0, 0.5, len(rows))), *SCALE)
    when = _times(rng, rows)
    frame = pd.DataFrame({c.USER: rows + 1, c.MOVIE: ids[cols], c.RATING: stars.astype("float32"), c.TIMESTAMP: when})
    return frame.astype({c.USER: "int64", c.MOVIE: "int64"})


def _watched(rng: np.random.Generator, likes: np.ndarray, quality: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (ascending) and columns of what each user saw, drawn without repeats by Gumbel's trick."""
    n_users, n_movies = likes.shape
    fame = -0.8 * np.log(rng.permutation(n_movies) + 8.0) + 0.5 * quality
    draw = np.argsort(-(fame + 1.2 * likes + rng.gumbel(size=likes.shape)), axis=1)
    count = rng.integers(FEWEST, MOST, n_users, endpoint=True).clip(max=n_movies)
    rows = np.repeat(np.arange(n_users), count)
    return rows, draw[np.arange(n_movies) < count[:, None]]


def _in_order(
    rng: np.random.Generator, rows: np.ndarray, cols: np.ndarray, theme: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The same pairs in the order of seeing: each user has phases in which one theme comes more often."""
    phase = rng.random((rows.max() + 1, len(TASTES)))
    order = np.lexsort((rng.random(len(rows)) + 0.4 * phase[rows, theme[cols]], rows))
    return rows[order], cols[order]


def _times(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    """Seconds over three years: each user comes for sittings of about eight ratings, about three in one second."""
    _, first, count = np.unique(rows, return_index=True, return_counts=True)
    place = np.arange(len(rows)) - np.repeat(first, count)
    start = rng.uniform(0, 0.65 * DAYS, len(first))
    gaps = np.where(place % 8 == 0, rng.exponential(60, len(rows)), 0)
    days = np.minimum(start[rows] + _sums(gaps, first, count), DAYS - 1)
    return FIRST_DAY + (days.astype(int) * 86_400 + 68_400 + place // 3 * 45).astype("timedelta64[s]")


def _sums(values: np.ndarray, first: Sequence[int], count: np.ndarray) -> np.ndarray:
    """Running sums that begin anew with each user."""
    total = np.cumsum(values)
    return total - np.repeat(total[first] - values[first], count)
