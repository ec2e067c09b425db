"""The data card: what the tables hold, field by field, in numbers that are computed and never typed."""

import statistics
import time

import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data import datasets
from aicine_utils.data.labels import UNKNOWN
from aicine_utils.data.movielens import MovieLens

MEANING = {
    c.USER: "Number of a person; says nothing else",
    c.MOVIE: "Number of a film; may have gaps",
    c.RATING: "Stars that the person gave to the film",
    c.TIMESTAMP: "When the stars were given (UTC), not when the film was seen",
    c.TITLE: "Title without year, article in front",
    c.YEAR: "Year of release, out of the title or a field of its own",
    c.GENRES: "Names of genres, in the order of the source",
    c.GENDER: "As the person said at sign-up",
    c.AGE: "Seven groups of MovieLens 1M; ages in years are put into them",
    c.OCCUPATION: "As the person chose from a list",
    c.ZIP: "As the person typed it",
}
FEW_VALUES = 8  # a field with no more distinct values than this shows them all


def fields(data: MovieLens) -> pd.DataFrame:
    """One row a field: table, field, type, meaning, range, distinct, missing.

    Missing counts empty values, "unknown", and lists without an entry.
    """
    tables = {"ratings": data.ratings, "movies": data.movies, "users": data.users}
    rows = [_field(table, frame[name]) for table, frame in tables.items() if frame is not None for name in frame]
    return pd.DataFrame(rows, columns=["table", "field", "type", "meaning", "range", "distinct", "missing"])


def _field(table: str, values: pd.Series) -> tuple[str, str, str, str, str, int, int]:
    flat = values.explode() if values.name == c.GENRES else values
    known = flat[~_missing(flat)]
    kind = "list of text" if values.name == c.GENRES else "text" if values.dtype == object else str(values.dtype)
    missing = int(_missing(values.map(len).where(lambda n: n > 0) if values.name == c.GENRES else values).sum())
    meaning = MEANING.get(str(values.name), "")
    return table, str(values.name), kind, meaning, _range(known), int(known.nunique()), missing


def _missing(values: pd.Series) -> pd.Series:
    return values.isna() | (values.isin(["", UNKNOWN]) if values.dtype == object else False)


def _range(known: pd.Series) -> str:
    if known.empty:
        return ""
    if known.dtype == object:
        names = known.value_counts().index
        return ", ".join(sorted(names)) if len(names) <= FEW_VALUES else f"{', '.join(names[:3])} …"
    low, high = known.min(), known.max()
    if isinstance(low, pd.Timestamp):
        return f"{low:%Y-%m-%d} to {high:%Y-%m-%d}"
    return f"{low:g} to {high:g}" if isinstance(low, float) or known.dtype.kind == "f" else f"{low} to {high}"


def origin(data: MovieLens) -> pd.DataFrame:
    """Where the data came from and what identifies them, as rows of fact and value (texts)."""
    info = data.info
    files = ", ".join(f"{name} ({rows:,} rows)" for name, rows in info.get("files", {}).items())
    facts = {"Name": data.name, "Source": info["source"], "Licence": info["licence"], "Files": files,
             "Rating scale": " to ".join(f"{end:g}" for end in info["rating_scale"]),
             "Checksum of the ratings file (SHA-256)": info["checksum"],
             "Fingerprint of the content (SHA-256)": info["fingerprint"]}  # fmt: skip
    return pd.DataFrame(facts.items(), columns=["fact", "value"])


def size(data: MovieLens) -> pd.Series:
    """ratings, users, movies (rated), catalogue (all), density, days, and fewest, median, most ratings of each kind."""
    users, movies = (data.ratings.groupby(by).size() for by in (c.USER, c.MOVIE))
    when = data.ratings[c.TIMESTAMP]
    spread = {f"{end}_per_{name}": float(getattr(counts, how)())
              for name, counts in (("user", users), ("movie", movies))
              for end, how in (("fewest", "min"), ("median", "median"), ("most", "max"))}  # fmt: skip
    return pd.Series({"ratings": len(data.ratings), "users": len(users), "movies": len(movies),
                      "catalogue": len(data.movies), "density": len(data.ratings) / (len(users) * len(movies)),
                      "days": (when.max() - when.min()).total_seconds() / 86_400, **spread})  # fmt: skip


def repairs(data: MovieLens) -> pd.DataFrame:
    """What was mended and in how many rows: repair, rows. Empty when nothing was."""
    return pd.DataFrame(data.info["repairs"].items(), columns=["repair", "rows"])


def load_seconds(name_or_dir: str, times: int = 3) -> float:
    """Median seconds to load the data set again, from its Parquet copy where it has one (``mock`` is made anew)."""
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        datasets.load(name_or_dir)
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent)
