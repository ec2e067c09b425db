"""Checks that a careful reader would run on rating data before believing any result, each with count and severity."""

import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data.labels import UNKNOWN
from aicine_utils.data.movielens import MovieLens
from aicine_utils.data.repairs import FEW, FEW_RATINGS
from aicine_utils.exploration import behaviour

FINE, NOTE, WARNING = "✓ fine", "• note", "! warning"
COMMON = 0.05  # a flaw in a larger share than this is a warning


def checks(data: MovieLens) -> pd.DataFrame:
    """One row a check: check, severity, count, of, share, matters (for what). The gravest first.

    A check that finds nothing is fine, one that finds up to 5 % a note, else a warning.
    """
    rows = [_row(*check) for check in (*_of_files(data), *_of_ratings(data), *_of_movies(data), *_of_users(data))]
    table = pd.DataFrame(rows, columns=["check", "severity", "count", "of", "share", "matters"])
    order = table["severity"].map({WARNING: 0, NOTE: 1, FINE: 2})
    return table.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def mended(data: MovieLens) -> int:
    """How many rows were changed, removed or added on reading; users who are only counted are not among them."""
    return sum(rows for repair, rows in data.info["repairs"].items() if repair != FEW_RATINGS)


def _row(check: str, count: int, of: int, matters: str) -> tuple[str, str, int, int, float, str]:
    part = count / of if of else 0.0
    severity = FINE if not count else NOTE if part <= COMMON else WARNING
    return check, severity, int(count), int(of), part, matters


def _of_files(data: MovieLens) -> list[tuple[str, int, int, str]]:
    files = len(data.info.get("files", {})) or 1
    return [
        ("Files that differ from the published ones", len(data.info["warnings"]), files, "comparison with papers"),
        ("Rows mended on reading", mended(data), len(data.ratings), "trust in the source"),
    ]


def _of_ratings(data: MovieLens) -> list[tuple[str, int, int, str]]:
    ratings = data.ratings
    users = ratings.groupby(c.USER)[c.RATING]
    released = ratings[c.MOVIE].map(data.movies.set_index(c.MOVIE)[c.YEAR])
    early = (released > ratings[c.TIMESTAMP].dt.year).fillna(False)
    ties = int((behaviour.gaps(ratings) == 0).sum())
    return [
        ("Ratings in the same second as the user's one before", ties, len(ratings), "the order of events"),
        ("Ratings given before the film's year", int(early.sum()), len(ratings), "release years"),
        (f"Users with fewer than {FEW} ratings", int((users.size() < FEW).sum()), users.ngroups, "what can be tested"),
        ("Users who give everything the same stars", int((users.nunique() == 1).sum()), users.ngroups, "rating models"),
    ]


def _of_movies(data: MovieLens) -> list[tuple[str, int, int, str]]:
    movies, times = data.movies, data.ratings.groupby(c.MOVIE).size()
    named = pd.DataFrame({c.TITLE: movies[c.TITLE], c.YEAR: movies[c.YEAR].astype("Float64")})
    return [
        ("Films of the catalogue that nobody rated", int((~movies[c.MOVIE].isin(times.index)).sum()), len(movies),
         "new films"),
        ("Films with a single rating", int((times == 1).sum()), len(times), "models of co-occurrence"),
        ("Films without a genre", int((movies[c.GENRES].map(len) == 0).sum()), len(movies), "content-based models"),
        ("Films without a year", int(movies[c.YEAR].isna().sum()), len(movies), "content-based models"),
        ("Films that share title and year with an earlier one", int(named.duplicated().sum()), len(movies),
         "films listed twice"),
    ]  # fmt: skip


def _of_users(data: MovieLens) -> list[tuple[str, int, int, str]]:
    raters = data.ratings[c.USER].nunique()
    if data.users is None:
        return [("Users of whom nothing is known", raters, raters, "fairness between groups")]
    named = {c.GENDER: "gender", c.AGE: "age group", c.OCCUPATION: "occupation"}
    silent = data.users[data.users[c.USER].isin(data.ratings[c.USER])]
    return [(f"Users without {name}", int((silent[column] == UNKNOWN).sum()), raters, "fairness between groups")
            for column, name in named.items()]  # fmt: skip
