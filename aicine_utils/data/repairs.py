"""What can be mended is mended and counted; nothing is dropped in silence.

Each function takes the counter of repairs and adds a line of plain words with the number of rows.
"""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data.labels import UNKNOWN
from aicine_utils.data.schemas import LATEST, number
from aicine_utils.errors import AicineError

FEW = 5
MILLISECONDS = "timestamps in milliseconds, turned into seconds"
FRACTIONS = "timestamps with a fraction of a second, cut to whole seconds"
DUPLICATES = "earlier ratings of the same movie by the same user, removed (the latest wins)"
TWICE = "second rows of one {kind}, removed (the first stays)"
NO_MOVIE = "movies without a row, added as 'Movie NUMBER'"
NO_USER = "users without a row, added as unknown"
FEW_RATINGS = f"users with fewer than {FEW} ratings, kept"


def seconds(ratings: pd.DataFrame, locate: Callable[[int], str], repairs: Counter[str]) -> pd.DataFrame:
    """Timestamps in whole seconds. A file that is in milliseconds throughout is divided by 1,000.

    Raises AicineError, with the line, for a file that mixes seconds and milliseconds.
    """
    when = ratings[c.TIMESTAMP].to_numpy()
    large = when > LATEST
    if large.any() and not large.all():
        odd = int((large != large[0]).argmax())
        raise AicineError(
            f"{locate(odd)}: timestamp {number(when[odd])} is not in the unit of the rows before it "
            f"({number(when[0])}): seconds and milliseconds are mixed. Use seconds since 1970 in every row."
        )
    repairs[MILLISECONDS] += int(large.sum())
    when = when / 1000 if large.any() else when
    whole = np.floor(when)
    repairs[FRACTIONS] += int((whole != when).sum()) if not large.any() else 0
    return ratings.assign(**{c.TIMESTAMP: whole})


def latest_wins(ratings: pd.DataFrame, repairs: Counter[str]) -> pd.DataFrame:
    """One row a (user, movie): the latest, and of equally late ones the last in the file. Order and index stay."""
    double = ratings.duplicated([c.USER, c.MOVIE], keep=False)
    if not double.any():
        return ratings
    by_time = ratings[double].sort_values(c.TIMESTAMP, kind="stable")
    old = by_time.index[by_time.duplicated([c.USER, c.MOVIE], keep="last")]
    repairs[DUPLICATES] += len(old)
    return ratings.drop(index=old)


def first_wins(frame: pd.DataFrame, key: str, kind: str, repairs: Counter[str]) -> pd.DataFrame:
    """One row a ``key``: the first. Order and index stay."""
    double = frame.duplicated(key)
    repairs[TWICE.format(kind=kind)] += int(double.sum())
    return frame[~double]


def add_movies(movies: pd.DataFrame | None, rated: np.ndarray, repairs: Counter[str]) -> pd.DataFrame:
    """``movies`` with a row "Movie 123", without year or genres, for each of ``rated`` that has none."""
    known = np.empty(0, np.int64) if movies is None else movies[c.MOVIE].to_numpy()
    lost = np.setdiff1d(rated, known)
    repairs[NO_MOVIE] += len(lost)
    added = pd.DataFrame({
        c.MOVIE: lost,
        c.TITLE: pd.Series([f"Movie {movie}" for movie in lost], dtype=object),
        c.YEAR: pd.Series(pd.NA, index=range(len(lost)), dtype="Int16"),
        c.GENRES: pd.Series([[] for _ in lost], dtype=object),
    })  # fmt: skip
    return _joined(movies, added)


def add_users(users: pd.DataFrame | None, raters: np.ndarray, repairs: Counter[str]) -> pd.DataFrame | None:
    """``users`` with an unknown person for each of ``raters`` that has no row; None stays None."""
    if users is None:
        return None
    lost = np.setdiff1d(raters, users[c.USER].to_numpy())
    repairs[NO_USER] += len(lost)
    added = pd.DataFrame({c.USER: lost, c.GENDER: UNKNOWN, c.AGE: UNKNOWN, c.OCCUPATION: UNKNOWN, c.ZIP: ""})
    return _joined(users, added)


def _joined(frame: pd.DataFrame | None, added: pd.DataFrame) -> pd.DataFrame:
    if frame is None:
        return added
    return frame.reset_index(drop=True) if added.empty else pd.concat([frame, added], ignore_index=True)


def count_few(ratings: pd.DataFrame, repairs: Counter[str]) -> None:
    """Count the users whom most protocols can hardly test."""
    repairs[FEW_RATINGS] += int((ratings[c.USER].value_counts() < FEW).sum())
