"""Small data sets built from lists, for the tests of exploration."""

import pandas as pd

from aicine_utils import columns as c


def table(rows):
    """Ratings from (user, movie, stars, seconds)."""
    frame = pd.DataFrame(rows, columns=c.RATINGS).astype({c.USER: "int64", c.MOVIE: "int64", c.RATING: "float32"})
    return frame.assign(**{c.TIMESTAMP: pd.to_datetime(frame[c.TIMESTAMP], unit="s").astype("datetime64[s]")})


def movies(genre_lists, years=None):
    n = len(genre_lists)
    return pd.DataFrame({
        c.MOVIE: range(1, n + 1), c.TITLE: [f"Film {i}" for i in range(n)],
        c.YEAR: pd.Series(years or [2000] * n, dtype="Int16"), c.GENRES: pd.Series(genre_lists, dtype=object),
    })  # fmt: skip


def users(genders, ages=None):
    n = len(genders)
    return pd.DataFrame({
        c.USER: range(1, n + 1), c.GENDER: genders, c.AGE: ages or ["25-34"] * n, c.OCCUPATION: "other", c.ZIP: "",
    })  # fmt: skip


def verdicts(claims):
    """key -> verdict."""
    return {claim.key: claim.verdict for claim in claims}
