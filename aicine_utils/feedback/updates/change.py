"""What new interactions change in a split: which training ratings come, which they replace, who and what is new."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.metrics.evaluate import contains, pair_keys
from aicine_utils.protocols import time_order
from aicine_utils.splits import Split, stars_at

WEIGHT = "weight"
EVERYTHING = -np.inf  # a place on the scale that every rating reaches
IN_ORDER = "_in_order"  # set on splits that need not be looked at again


@dataclass(frozen=True)
class Change:
    """A split before and after some interactions, both in order of user and time.

    rows: user_id, movie_id, rating, timestamp, weight, each (user, movie) once: the latest of it, and only if the
    training ratings hold no later one. replaced: the training ratings of the same pairs, which they displace.
    """

    before: Split
    after: Split
    rows: pd.DataFrame
    replaced: pd.DataFrame

    @cached_property
    def users(self) -> np.ndarray:
        """user_ids of those with a new interaction, ascending."""
        return np.unique(self.rows[c.USER].to_numpy())

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Where users [n_before] and movies [n_before] of before stand now."""
        ids = ((self.before.user_ids, self.after.user_ids), (self.before.movie_ids, self.after.movie_ids))
        return tuple(np.searchsorted(new, old) for old, new in ids)

    @property
    def user_rows(self) -> np.ndarray:
        """Rows of ``users`` in the matrices of after."""
        return np.searchsorted(self.after.user_ids, self.users)

    def delta(self, liked: float) -> sparse.csr_matrix:
        """What the matrix of training ratings from ``liked`` up, a place on the scale, gains (1) and loses (-1)."""
        least = stars_at(self.after.info["rating_scale"], liked) if np.isfinite(liked) else liked
        parts = [part[part[c.RATING] >= least] for part in (self.rows, self.replaced)]
        difference = self.after.matrix(parts[0]) - self.after.matrix(parts[1])
        difference.eliminate_zeros()
        return difference

    def ratings_of(self, users: np.ndarray, liked: float = EVERYTHING) -> pd.DataFrame:
        """Training ratings after the change of these users, those from ``liked`` up, a place on the scale."""
        found = self.after.train.iloc[rows_of(self.after.train, users)]
        return found[found[c.RATING] >= self.after.stars_at(liked)] if np.isfinite(liked) else found

    def matrix(self, users: np.ndarray, liked: float = EVERYTHING, values: str = "ones") -> sparse.csr_matrix:
        """:meth:`ratings_of` as float32 [len(users), n_movies]; ``users`` ascend; see ``Split.matrix``."""
        found = self.ratings_of(users, liked)
        return part_matrix(found, c.USER, users, c.MOVIE, self.after.movie_ids, values)


def part_matrix(
    ratings: pd.DataFrame, by: str, rows: np.ndarray, of: str, cols: np.ndarray, values: str = "ones"
) -> sparse.csr_matrix:
    """Ratings as float32 [len(rows), len(cols)]; both are ascending ids, of the columns ``by`` and ``of``."""
    at = np.searchsorted(rows, ratings[by].to_numpy()), np.searchsorted(cols, ratings[of].to_numpy())
    cells = ratings[c.RATING].to_numpy(np.float32) if values == "ratings" else np.ones(len(ratings), np.float32)
    return sparse.csr_matrix((cells, at), shape=(len(rows), len(cols)))


def read(new: pd.DataFrame, history: Split) -> Change:
    """The change that ``new`` makes to ``history``. AicineError names what is wrong with ``new``."""
    before = in_order(history)
    rows = _latest(_checked(new, before))
    prior = before.train.iloc[rows_of(before.train, np.unique(rows[c.USER].to_numpy()))]
    now, was = pair_keys(rows, prior)
    order = np.argsort(was)
    same = contains(np.sort(now), was)
    late = _times_of(now, was[order], prior[c.TIMESTAMP].to_numpy()[order]) > rows[c.TIMESTAMP].to_numpy()
    rows, replaced = rows[~late], prior[same & ~contains(np.sort(now[late]), was)]
    return Change(before, _after(before, rows), rows.reset_index(drop=True), replaced.reset_index(drop=True))


def _times_of(now: np.ndarray, was: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The time [len(now)] of each pair in ``was`` (ascending); the distant past where it is not there."""
    found = np.full(len(now), np.datetime64(-(2**62), "s"))
    known = contains(was, now)
    found[known] = times[np.searchsorted(was, now[known])]
    return found


def _checked(new: pd.DataFrame, history: Split) -> pd.DataFrame:
    """``new`` with the columns and types of a split, and weights."""
    missing = [name for name in c.RATINGS if name not in new]
    if missing:
        raise AicineError(f"New interactions lack {', '.join(missing)}. They need {', '.join(c.RATINGS)}.")
    rows = new if WEIGHT in new else new.assign(**{WEIGHT: 1.0})
    rows = rows[[*c.RATINGS, WEIGHT]]
    if rows.isna().to_numpy().any():
        raise AicineError(
            f"New interactions lack a value in {rows.columns[rows.isna().any()][0]}. Leave such rows out."
        )
    low, high = history.info["rating_scale"]
    wrong = ~rows[c.RATING].between(low, high)
    if wrong.any():
        raise AicineError(f"New rating {rows.loc[wrong, c.RATING].iloc[0]} is outside {low}-{high}. Bring it to scale.")
    if (rows[WEIGHT] <= 0).any():
        raise AicineError("New interactions have a weight of 0 or less. Leave out rows that should not count.")
    return rows.astype({**history.train.dtypes[c.RATINGS], WEIGHT: np.float32})  # no column of the train is copied


def _latest(rows: pd.DataFrame) -> pd.DataFrame:
    """In order of user and time, the last of each (user, movie)."""
    ordered = rows.iloc[time_order(rows)]
    return ordered.drop_duplicates([c.USER, c.MOVIE], keep="last", ignore_index=True)


def in_order(split: Split) -> Split:
    """The same split with all its parts in order of user and time, as ``splits.make`` leaves them."""
    if IN_ORDER in vars(split):
        return split
    parts = {name: _ordered(getattr(split, name)) for name in ("train", "valid", "test")}
    same = replace(split, **parts)
    vars(same).update({"user_ids": split.user_ids, "movie_ids": split.movie_ids, IN_ORDER: True})
    return same


def _ordered(part: pd.DataFrame) -> pd.DataFrame:
    users, times = part[c.USER].to_numpy(), part[c.TIMESTAMP].to_numpy()
    if np.all((users[1:] > users[:-1]) | ((users[1:] == users[:-1]) & (times[1:] >= times[:-1]))):
        return part
    return part.iloc[time_order(part)].reset_index(drop=True)


def rows_of(ratings: pd.DataFrame, users: Sequence[int]) -> np.ndarray:
    """Row numbers of the ratings of ``users`` (ascending), in ratings that are in order of user."""
    column = ratings[c.USER].to_numpy()
    starts, ends = (np.searchsorted(column, users, side) for side in ("left", "right"))
    counts = ends - starts
    return np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())


def _after(before: Split, rows: pd.DataFrame) -> Split:
    """``before`` with these training ratings, which no other part and no other row holds any more."""
    train, test = _without(before.train, rows), _without(before.test, rows)
    valid = _without(before.valid, rows)
    digest = hashlib.sha256(before.hash.encode() + pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes())
    after = replace(before, train=_with(train, rows[c.RATINGS]), valid=valid, test=test, hash=digest.hexdigest()[:12])
    vocabulary = {"user_ids": np.union1d(before.user_ids, rows[c.USER].to_numpy()),
                  "movie_ids": np.union1d(before.movie_ids, rows[c.MOVIE].to_numpy()), IN_ORDER: True}  # fmt: skip
    vars(after).update(vocabulary)  # nobody leaves when a part loses rows
    return after


def _without(part: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """``part`` without the (user, movie) pairs of ``rows``."""
    about = rows_of(part, np.unique(rows[c.USER].to_numpy()))
    gone, held = pair_keys(rows, part.iloc[about])
    at = about[contains(np.sort(gone), held)]
    return _frame({name: np.delete(part[name].to_numpy(), at) for name in part}) if len(at) else part


def _frame(columns: dict[str, np.ndarray]) -> pd.DataFrame:
    """A table that holds these very arrays: pandas would copy a million rows to put columns of a type together."""
    return pd.DataFrame(columns, copy=False)


def _with(train: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """``train`` and ``rows``, both in order of user and time, merged in that order; at equal times the new come last.

    Only the ratings of the same people are compared; all others are copied in one piece.
    """
    users = np.unique(rows[c.USER].to_numpy())
    at = rows_of(train, users)
    both = pd.concat([train.iloc[at], rows], ignore_index=True)
    order = time_order(both)
    fresh = order >= len(at)
    older = np.cumsum(~fresh)[fresh]  # ratings of the same people that come before each new one
    starts, ends = (np.searchsorted(train[c.USER].to_numpy(), users, side) for side in ("left", "right"))
    skipped = starts - np.concatenate([[0], np.cumsum(ends - starts)[:-1]]) if len(users) else starts
    where = older + skipped[np.searchsorted(users, both[c.USER].to_numpy()[order[fresh]])]
    new = rows.iloc[order[fresh] - len(at)]
    return _frame({name: np.insert(train[name].to_numpy(), where, new[name].to_numpy()) for name in train})
