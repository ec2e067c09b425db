"""What valid data is, as pandera schemas, and their failures as errors that name file, line, rule and remedy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data.labels import AGE_GROUPS, GENDERS, UNKNOWN
from aicine_utils.errors import AicineError

if TYPE_CHECKING:
    import pandera.pandas as pa

VERSION = 1  # part of the cache's key: raise it when what is read or repaired changes
LATEST = 100_000_000_000  # seconds, year 5138: anything above is not in seconds
Locate = Callable[[int], str]


def ratings_schema(low: float, high: float) -> pa.DataFrameSchema:
    """user_id, movie_id, rating within the scale, timestamp in seconds since 1970; nothing missing.

    Columns are checked before they are narrowed to float32 and datetime64, so that a message shows the file's value.
    """
    import pandera.pandas as pa  # here: only needed when data is read anew

    id_column = pa.Column("int64", pa.Check.ge(0, error="id"))
    return pa.DataFrameSchema({
        c.USER: id_column,
        c.MOVIE: id_column,
        c.RATING: pa.Column("float64", pa.Check.in_range(low, high, error="scale")),
        c.TIMESTAMP: pa.Column("float64", pa.Check.in_range(0, LATEST, error="time")),
    })  # fmt: skip


def movies_schema() -> pa.DataFrameSchema:
    """movie_id (one row each), title (not empty), year (may be missing), genres (a list)."""
    import pandera.pandas as pa

    titled = pa.Check(lambda titles: titles.str.strip() != "", error="title")
    listed = pa.Check(lambda genres: genres.map(type).eq(list), error="genres")
    return pa.DataFrameSchema({
        c.MOVIE: pa.Column("int64", pa.Check.ge(0, error="id"), unique=True),
        c.TITLE: pa.Column(object, titled),
        c.YEAR: pa.Column("Int16", nullable=True),
        c.GENRES: pa.Column(object, listed),
    })  # fmt: skip


def users_schema() -> pa.DataFrameSchema:
    """user_id (one row each), gender and age_group from their lists or unknown, occupation, zip_code."""
    import pandera.pandas as pa

    return pa.DataFrameSchema({
        c.USER: pa.Column("int64", pa.Check.ge(0, error="id"), unique=True),
        c.GENDER: pa.Column(object, pa.Check.isin([*set(GENDERS.values()), UNKNOWN], error="gender")),
        c.AGE: pa.Column(object, pa.Check.isin([*AGE_GROUPS, UNKNOWN], error="age group")),
        c.OCCUPATION: pa.Column(object),
        c.ZIP: pa.Column(object),
    })  # fmt: skip


def check(frame: pd.DataFrame, schema: pa.DataFrameSchema, locate: Locate, scale: tuple[float, float]) -> None:
    """Raise AicineError for the first row that breaks the schema; ``locate`` turns a row number into file and line."""
    from pandera.errors import SchemaErrors

    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        raise _explain(error.failure_cases, locate, frame, scale) from None


def _explain(cases: pd.DataFrame, locate: Locate, frame: pd.DataFrame, scale: tuple[float, float]) -> AicineError:
    rows = cases[cases["index"].notna()]
    if rows.empty:  # a failure of the whole table: our own reader is at fault, not a line of the file
        first = cases.iloc[0]
        return AicineError(f"{locate(0)}: column {first['column']} fails {first['check']}. Please report this.")
    first = rows.loc[rows["index"].astype(int).idxmin()]
    row, column = int(first["index"]), first["column"]
    rule = _rule(str(first["check"]), column, first["failure_case"], frame, scale)
    return AicineError(f"{locate(row)}: {rule}")


def _rule(name: str, column: str, value: Any, frame: pd.DataFrame, scale: tuple[float, float]) -> str:
    if name == "scale":
        wider = f" or pass --rating-scale {_wider(frame[c.RATING], scale)}" if math.isfinite(value) else ""
        return f"rating {number(value)} is outside {span(scale)}. Fix the row{wider}."
    if name == "time":
        return f"timestamp {number(value)} is not in seconds since 1970. Fix or remove the row."
    if name == "not_nullable":
        return f"{column} is missing. Fill it in or remove the row."
    if name == "title":
        return "the title is empty. Fill it in or remove the row."
    return f"{column} {value} is not allowed ({name}). Fix or remove the row."


def number(value: object) -> str:
    """A number as a person writes it: 7 for 7.0, 881250949 for 881250949.0."""
    return f"{value:.15g}" if isinstance(value, int | float) else str(value)


def span(scale: tuple[float, float]) -> str:
    """ "1-5"."""
    return f"{number(float(scale[0]))}-{number(float(scale[1]))}"


def _wider(stars: pd.Series, scale: tuple[float, float]) -> str:
    """The usual scale that would hold every rating of the file; 0 1 for thumbs up and down."""
    if stars.isin((0, 1)).all():
        return "0 1"
    finite = [*scale, *stars[stars.abs() < math.inf]]
    highest, lowest = max(finite), min(finite)
    top = next((end for end in (5, 10, 100) if highest <= end), math.ceil(highest))
    bottom = next((start for start in (1, 0.5, 0) if lowest >= start), math.floor(lowest))
    return f"{number(float(bottom))} {number(float(top))}"
