"""The five protocols on one data set: what each leaves to learn from and to test with, whether it leaks, who is where.

Also the atomic files: what RecBole would read, written and read back.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import splits
from aicine_utils.data import atomic, datasets, readers
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import AicineError
from aicine_utils.metrics.evaluate import refuse_overlap
from aicine_utils.splits import Split

PARTS = ["train", "validation", "test", "left out"]
NO_LEAK = "none"


def make_all(data: MovieLens) -> tuple[dict[str, Split], dict[str, str]]:
    """Every protocol's split by name, and for those that the data are too small for, why not."""
    made: dict[str, Split] = {}
    refused: dict[str, str] = {}
    for name in splits.PROTOCOLS:
        try:
            made[name] = splits.make(data, name)
        except AicineError as error:
            refused[name] = str(error)
    return made, refused


def table(made: dict[str, Split]) -> pd.DataFrame:
    """One row a protocol: counts of its parts, users and movies, users in the test, those of them without a history."""
    return pd.DataFrame([{"protocol": name, **_counts(split)} for name, split in made.items()])


def _counts(split: Split) -> dict[str, int]:
    tested = split.test[c.USER].unique()
    learned = split.for_test().train[c.USER]
    names = {"train": "n_train", "validation": "n_valid", "test": "n_test", "left_out": "n_left_out",
             "users": "n_users", "movies": "n_movies"}  # fmt: skip
    counts = {name: split.info[key] for name, key in names.items()}
    return {**counts, "tested_users": len(tested), "new_users": int((~np.isin(tested, learned)).sum()),
            "relevant": len(split.relevant(split.test))}  # fmt: skip


def leaks(made: dict[str, Split]) -> pd.DataFrame:
    """protocol, overlap ("none", or the evaluator's objection), own_future and others_future.

    own_future: the share of test ratings that come before something that their own user is known for;
    others_future: of what the final model learns from, the share that lies after a test rating, on average.
    """
    return pd.DataFrame(
        [{"protocol": name, "overlap": overlap(split), **_futures(split)} for name, split in made.items()]
    )


def overlap(split: Split) -> str:
    """The evaluator's objection to a split whose parts share a (user, movie) pair, or "none"."""
    try:
        refuse_overlap(split)
    except AicineError as error:
        return str(error)
    return NO_LEAK


def _futures(split: Split) -> dict[str, float]:
    known = split.for_test().train
    last = known.groupby(c.USER)[c.TIMESTAMP].max()
    own = split.test[c.TIMESTAMP] < split.test[c.USER].map(last)
    learned = np.sort(known[c.TIMESTAMP].to_numpy())
    later = len(learned) - np.searchsorted(learned, split.test[c.TIMESTAMP].to_numpy(), side="right")
    return {"own_future": float(own.mean()), "others_future": float(later.mean() / len(learned))}


def timelines(data: MovieLens, made: dict[str, Split], n: int = 6) -> pd.DataFrame:
    """A few users' ratings under each protocol: protocol, user (number of a row), place (in time), part.

    Users with short histories who start at different times, the earliest first; every other one stayed long. ``place``
    counts all ratings of these users by time, so that a sitting does not fall into one point.
    """
    rows = _few(data.ratings, n)
    keys = pd.MultiIndex.from_frame(rows[[c.USER, c.MOVIE]])
    parts = []
    for name, split in made.items():
        known = [pd.Series(part, pd.MultiIndex.from_frame(frame[[c.USER, c.MOVIE]])) for part, frame in
                 zip(PARTS, (split.train, split.valid, split.test), strict=False)]  # fmt: skip
        label = pd.concat([one[one.index.isin(keys)] for one in known]).reindex(keys).fillna(PARTS[-1])
        parts.append(pd.DataFrame({"protocol": name, "user": rows["user"], "place": rows["place"],
                                   "part": label.to_numpy()}))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _few(ratings: pd.DataFrame, n: int) -> pd.DataFrame:
    """All ratings of ``n`` users, by time, with the user's row (1 = began first) and the rating's place."""
    users = ratings.groupby(c.USER)[c.TIMESTAMP].agg(["size", "min", "max"])
    short = users.nsmallest(max(n, len(users) // 3), "size", keep="first").sort_values("min", kind="stable")
    chosen = _spread_over_time((short["max"] - short["min"]).dt.total_seconds(), n)
    rows = ratings[ratings[c.USER].isin(chosen)].sort_values(c.TIMESTAMP, kind="stable")
    number = pd.Series(range(1, len(chosen) + 1), index=chosen)
    return rows.assign(user=rows[c.USER].map(number), place=range(1, len(rows) + 1))


def _spread_over_time(stay: pd.Series, n: int) -> list[int]:
    """A user from each of ``n`` stretches of starts: by turns the one who stayed longest and the typical one."""
    stretches = [part for part in np.array_split(np.arange(len(stay)), n) if len(part)]
    parts = [stay.iloc[part] for part in stretches]
    return [int((part if i % 2 == 0 else -(part - part.median()).abs()).idxmax()) for i, part in enumerate(parts)]


@dataclass(frozen=True)
class RoundTrip:
    """What came of writing the data as atomic files and reading them back.

    files: name, header, rows, megabytes; same: whether the content's fingerprint is the same; seconds to write, and to
    read and validate.
    """

    files: pd.DataFrame
    same: bool
    write_seconds: float
    read_seconds: float


def atomic_round_trip(data: MovieLens, folder: Path) -> RoundTrip:
    """Write RecBole's atomic files of ``data`` to ``folder``, read them as anybody's data, and compare the content."""
    begun = time.perf_counter()
    atomic.write(data, folder)
    written = time.perf_counter()
    form = readers.detect(folder)
    scale = tuple(data.info["rating_scale"])
    back = datasets.validated(readers.read(form), {"name": data.name}, scale)
    done = time.perf_counter()
    return RoundTrip(pd.DataFrame([_file(path) for path in form.paths]),
                     back.info["fingerprint"] == data.info["fingerprint"], written - begun, done - written)  # fmt: skip


def _file(path: Path) -> dict[str, object]:
    with path.open(encoding="utf-8") as lines:
        header = next(lines).rstrip("\n").split("\t")
        rows = sum(1 for _ in lines)
    return {"file": path.name, "header": ", ".join(header), "rows": rows, "megabytes": path.stat().st_size / 1e6}
