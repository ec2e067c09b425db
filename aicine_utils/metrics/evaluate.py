"""The one evaluator: ranked lists of any library in, one number a user, metric and cut-off out.

Lists are rows of user_id, movie_id, rank (from 1), in any order; relevant movies are rows of user_id, movie_id.
A user with nothing relevant is excluded and counted (``attrs["n_excluded"]``); a user with relevant movies but no list
has 0 everywhere; a list shorter than k ends where it ends. Ties were broken by movie_id when the lists were made.
(user, movie) pairs are compared as single integers, so there is no loop and no join.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.metrics import significance
from aicine_utils.metrics.ranking import METRICS
from aicine_utils.splits import Split

KS = (5, 10, 20)


def evaluate(
    topk: pd.DataFrame, relevant: pd.DataFrame, ks: Sequence[int] = KS, split: Split | None = None
) -> pd.DataFrame:
    """NDCG, Recall, Precision, Hit, MRR and MAP at every cut-off: user_id, metric, k, value; sorted by these.

    With ``split``, also refuse a split whose parts overlap and lists that hold a movie of the user's own history.
    Raises AicineError for those, for a movie twice in a list, and when nobody has anything relevant.
    """
    if split is not None:
        refuse_overlap(split)
        refuse_seen(topk, split)
    ks = _cut_offs(ks)
    user_ids, matrix, n_relevant = hits(topk, relevant, max(ks))
    columns = [(name, k) for name in sorted(METRICS) for k in ks]
    values = np.column_stack([METRICS[name].function(matrix, n_relevant, k) for name, k in columns])
    per_user = tidy(user_ids, columns, values)
    per_user.attrs["n_excluded"] = len(excluded(topk, relevant))
    return per_user


def hits(topk: pd.DataFrame, relevant: pd.DataFrame, k: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the lists found, for every user with something relevant.

    Returns user_ids [n_users], ascending; hits, bool [n_users, k], whether the movie at each rank is relevant; and
    n_relevant, int [n_users]. ``k`` is the longest list unless given.
    """
    if relevant.empty:
        raise AicineError("Nobody has a relevant movie in the test: nothing can be measured. Use more data.")
    k = k or int(topk[c.RANK].to_numpy().max(initial=1))
    refuse_repeats(topk)
    top = topk[topk[c.RANK].to_numpy() <= k]
    listed, wanted = pair_keys(top, relevant)
    wanted, first = np.unique(wanted, return_index=True)
    user_ids, n_relevant = np.unique(relevant[c.USER].to_numpy()[first], return_counts=True)
    found = contains(wanted, listed)
    matrix = np.zeros((len(user_ids), k), bool)
    matrix[np.searchsorted(user_ids, top[c.USER].to_numpy()[found]), top[c.RANK].to_numpy()[found] - 1] = True
    return user_ids, matrix, n_relevant


def excluded(topk: pd.DataFrame, relevant: pd.DataFrame) -> np.ndarray:
    """Users with a list but nothing relevant, ascending: they have no value in any metric."""
    return np.setdiff1d(topk[c.USER].to_numpy(), relevant[c.USER].to_numpy())


def tidy(user_ids: np.ndarray, columns: Sequence[tuple[str, int]], values: np.ndarray) -> pd.DataFrame:
    """``values`` [n_users, len(columns)] as user_id, metric, k, value; ``columns`` are (metric, k); NaN is left out.

    Sorted by user, metric and k if ``user_ids`` and ``columns`` are.
    """
    n, m = values.shape
    names, ks = np.array([name for name, _ in columns], object), np.array([k for _, k in columns], np.int64)
    long = {c.USER: np.repeat(user_ids, m), c.METRIC: np.tile(names, n), c.K: np.tile(ks, n), c.VALUE: values.ravel()}
    frame = pd.DataFrame(long).astype({c.VALUE: np.float64})
    return frame if not np.isnan(values).any() else frame.dropna(subset=[c.VALUE]).reset_index(drop=True)


def label(metric: str, k: int) -> str:
    """``ndcg@10``; a metric without a cut-off (k = 0) has its plain name."""
    return f"{metric}@{k}" if k else metric


def means(per_user: pd.DataFrame) -> pd.Series:
    """Mean over users, indexed by ``ndcg@10`` and the like."""
    mean = per_user.groupby([c.METRIC, c.K])[c.VALUE].mean()
    return pd.Series(mean.to_numpy(), index=[label(*key) for key in mean.index], name="mean")


def wide(per_user: pd.DataFrame) -> pd.DataFrame:
    """One row a user, one column for each of ``ndcg@10`` and the like; NaN where a user has no value."""
    table = per_user.pivot(index=c.USER, columns=[c.METRIC, c.K], values=c.VALUE).sort_index(axis=1)
    return table.set_axis([label(*key) for key in table.columns], axis=1)


def summary(per_user: pd.DataFrame, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Mean with its 95 % bootstrap interval over users: mean, low, high, n; indexed by ``ndcg@10`` and the like."""
    table = wide(per_user)
    low, high = significance.interval(table.to_numpy(), resamples, seed)
    return pd.DataFrame({"mean": table.mean(), "low": low, "high": high, "n": table.notna().sum()})


def refuse_overlap(split: Split) -> None:
    """Raise AicineError when a (user, movie) pair stands twice in train, validation and test taken together."""
    parts = [split.train, split.valid, split.test]
    keys = np.concatenate(pair_keys(*parts))
    if _first_repeat(keys) is not None:
        user, movie = _pair_at(parts, _first_repeat(keys))
        raise AicineError(
            f"Split {split.protocol}: user {user} has movie {movie} in two parts, so the test would repeat what was "
            "trained on. Make the split again."
        )


def refuse_seen(topk: pd.DataFrame, split: Split) -> None:
    """Raise AicineError when a list holds a movie of its user's own history (train and validation)."""
    listed, *history = pair_keys(topk, split.train, split.valid)
    seen = contains(np.sort(np.concatenate(history)), listed)
    if seen.any():
        user, movie = _pair_at([topk], int(seen.argmax()))
        raise AicineError(
            f"The list of user {user} holds movie {movie}, which is in that user's history. "
            "Recommend with exclude_seen=True."
        )


def refuse_repeats(topk: pd.DataFrame) -> None:
    """Raise AicineError for a movie twice in a list, two movies at one rank, or a rank below 1."""
    lowest = topk[c.RANK].to_numpy().min(initial=1)
    if lowest < 1:
        raise AicineError(f"A list has rank {lowest}; ranks run from 1. Mend the model that made it.")
    for name, what in ((c.MOVIE, "movie {} twice"), (c.RANK, "two movies at rank {}")):
        row = _first_repeat(pair_keys(topk, second=name)[0])
        if row is not None:
            user, value = topk[c.USER].iloc[row], topk[name].iloc[row]
            raise AicineError(f"The list of user {user} holds {what.format(value)}. Mend the model that made it.")


def pair_keys(*frames: pd.DataFrame, second: str = c.MOVIE) -> list[np.ndarray]:
    """One int64 for each (user, movie) row of each frame; equal pairs have equal keys across the frames."""
    users, _ = _compact([frame[c.USER].to_numpy() for frame in frames])
    others, size = _compact([frame[second].to_numpy() for frame in frames])
    return [user * size + other for user, other in zip(users, others, strict=True)]


def contains(ordered: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Which of ``keys`` stand in ``ordered`` (ascending), bool [len(keys)]."""
    if not len(ordered):
        return np.zeros(len(keys), bool)
    return ordered[np.searchsorted(ordered, keys).clip(max=len(ordered) - 1)] == keys


def _compact(arrays: list[np.ndarray]) -> tuple[list[np.ndarray], int]:
    """Ids moved to start at 0, and how many values they can take; renumbered where two of them overflow 64 bits."""
    filled = [array for array in arrays if len(array)]
    low = min((int(array.min()) for array in filled), default=0)
    size = max((int(array.max()) for array in filled), default=0) - low + 1
    if size < 2**31:
        return [array.astype(np.int64) - low for array in arrays], size
    known = np.unique(np.concatenate(filled))
    return [np.searchsorted(known, array) for array in arrays], len(known)


def _first_repeat(keys: np.ndarray) -> int | None:
    """Row of a key that stands there twice, or None."""
    ordered = np.sort(keys)
    twice = ordered[1:] == ordered[:-1]
    return int(np.flatnonzero(keys == ordered[1:][twice][0])[-1]) if twice.any() else None


def _pair_at(parts: list[pd.DataFrame], row: int) -> tuple[int, int]:
    """user and movie of a row of the parts stacked."""
    return tuple(int(np.concatenate([part[name] for part in parts])[row]) for name in (c.USER, c.MOVIE))


def _cut_offs(ks: Iterable[int]) -> list[int]:
    ks = sorted(set(ks))
    if not ks or ks[0] < 1:
        raise AicineError(f"Cut-offs {ks} are not whole numbers from 1. Use for example 5, 10, 20.")
    return ks
