"""Who a model serves well and which movies it finds: means by group of users, recall by popularity of the movie."""

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.metrics.evaluate import hits, summary, tidy
from aicine_utils.metrics.ranking import Metric, recall
from aicine_utils.splits import Split

ACTIVITY = ["new", "light", "medium", "heavy"]
SHELVES = ["head", "torso", "tail", "new"]
_SOURCE = "Celma 2010, Music recommendation and discovery in the long tail; thirds of interactions"

_WHICH = [
    "among the most watched, which make up a third of all watching",
    "of middling popularity",
    "among the least watched, which make up a third of all watching",
    "that nobody had watched before",
]

METRICS = {
    f"recall_{shelf}": Metric(f"recall_{shelf}", f"Recall, {shelf}", True, f"Recall over the movies {which}", _SOURCE)
    for shelf, which in zip(SHELVES, _WHICH, strict=True)
}


def groups(split: Split) -> dict[str, pd.Series]:
    """Labels of users by what is known of them: gender and age_group where the data has them, activity always.

    Each is a Series user_id -> label (str). Activity: thirds of users by length of history (light, medium, heavy; equal
    lengths stay together), and new for those without one.
    """
    known = {} if split.users is None else {name: split.users.set_index(c.USER)[name] for name in (c.GENDER, c.AGE)}
    labels = {name: column.dropna().astype(str) for name, column in known.items() if column.notna().any()}
    return {**labels, "activity": _activity(split)}


def _activity(split: Split) -> pd.Series:
    seen = np.concatenate([split.train[c.USER].to_numpy(), split.valid[c.USER].to_numpy()])
    length = np.bincount(np.searchsorted(split.user_ids, seen), minlength=len(split.user_ids))
    ordered = np.sort(length[length > 0])
    below, up_to = (np.searchsorted(ordered, length, side) for side in ("left", "right"))
    third = 1 + (3 * (below + up_to)) // (2 * len(ordered))  # of the middle of those with equal length
    label = np.array(ACTIVITY, object)[np.where(length == 0, 0, third)]
    return pd.Series(label, index=pd.Index(split.user_ids, name=c.USER), name="activity")


def by_group(per_user: pd.DataFrame, labels: pd.Series, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Each metric's mean within each group of users: group, metric (``ndcg@10``), mean, low, high, n.

    labels: user_id -> group; users without a label are left out. Raises AicineError when no user has one.
    """
    label = per_user[c.USER].map(labels)
    if label.isna().all():
        raise AicineError("None of the measured users has a group. Make the groups from the same split.")
    parts = [summary(part, resamples, seed).assign(group=group) for group, part in per_user.groupby(label)]
    table = pd.concat(parts).rename_axis(c.METRIC).reset_index()
    return table[["group", c.METRIC, "mean", "low", "high", "n"]]


def shelves(split: Split) -> pd.Series:
    """movie_id -> head, torso or tail: from the most watched down, the movies of each third of all interactions.

    Movies that nobody watched before the test are new. Equal counts are ordered by movie_id.
    """
    seen = np.concatenate([split.train[c.MOVIE].to_numpy(), split.valid[c.MOVIE].to_numpy()])
    times = np.bincount(np.searchsorted(split.movie_ids, seen), minlength=len(split.movie_ids))
    order = np.argsort(-times, kind="stable")
    before = (np.cumsum(times[order]) - times[order]) / times.sum()
    place = np.where(times[order] == 0, 3, np.floor(before * 3).astype(int).clip(max=2))
    label = pd.Series(np.array(SHELVES, object)[place], index=split.movie_ids[order], name="shelf")
    return label.rename_axis(c.MOVIE).sort_index()


def recall_by_popularity(topk: pd.DataFrame, relevant: pd.DataFrame, split: Split, k: int = 10) -> pd.DataFrame:
    """Recall over the relevant movies of each shelf alone: user_id, metric (``recall_tail`` ...), k, value.

    A user has a value for the shelves on which something relevant stands; shelves that nobody needs are absent. Raises
    AicineError when the split knows none of the relevant movies.
    """
    shelf = relevant[c.MOVIE].map(shelves(split))
    if shelf.isna().all():
        raise AicineError("The split knows none of the relevant movies. Take both from the same split.")
    topk = topk[topk[c.RANK].to_numpy() <= k]
    parts = []
    for name in [name for name in SHELVES if (shelf == name).any()]:
        user_ids, matrix, n_relevant = hits(topk, relevant[shelf == name], k)
        parts.append(tidy(user_ids, [(f"recall_{name}", k)], recall(matrix, n_relevant, k)[:, None]))
    return pd.concat(parts).sort_values([c.USER, c.METRIC], kind="stable", ignore_index=True)
