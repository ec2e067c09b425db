"""A fitted model and new interactions in, the model as it is with them out, by the cheapest way that is honest.

    done = update(model, new, history)          # history: the split that the model was fitted on
    done = update(done.model, newer, done.history)

A person's own list needs no update to change: ``histories.recommend`` scores their longer history with the weights as
they are. The update is what all others gain from the event, and may come later.

The model that is given stays as it is, lists and all. ``done.exact`` says whether the lists are those of a refit on
``done.history``; where they are not, :func:`distance_to_refit` measures how far off they are. :func:`table` has the
rule of every model of the registry; the rules are functions below ``feedback.updates``, a row each in
``updates/rules.py``, and no part of the models' own modules: that is the contract, see there.
"""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.feedback.updates import change as changes
from aicine_utils.feedback.updates import rules
from aicine_utils.metrics import evaluate, significance
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender
from aicine_utils.splits import Split

APART = 100  # places for an id, above which movies are not counted by id


@dataclass(frozen=True)
class Updated:
    """What :func:`update` made.

    model: it knows the new interactions; how: in words; exact: its lists are those of a refit on ``history``;
    seconds: what it took; waiting_movies: movie_ids among the new interactions that can't be recommended before the
    next refit; history: the split with the new interactions in its training part, for the next update or a refit.
    """

    model: Recommender
    how: str
    exact: bool
    seconds: float
    waiting_movies: list[int]
    history: Split


def update(model: Recommender, new: pd.DataFrame, history: Split) -> Updated:
    """Let a fitted model learn new interactions.

    new: user_id, movie_id, rating (stars on the data set's scale), timestamp, and if you like weight (above 0, 1 where
    there is none: how much a row counts in iALS and LightFM; to all others a row is a row). Users and movies may be
    new. Of several ratings of the same pair the latest by time holds, also against the history; at equal times the new.
    history: the split that the model was fitted on, or the ``history`` of its last update; its test is not looked at.

    Raises AicineError for rows that can't be read, for a history that is not the model's, and for a model without an
    update. The first update of a model may do some work once (EASE inverts): see :func:`prepare`.
    """
    start = time.perf_counter()
    rule = rules.of(model)
    _refuse_other(model, history)
    change = changes.read(new, history)
    if change.rows.empty:
        return Updated(model, "nothing new", not _is_off(model), time.perf_counter() - start, [], history)
    learned = rules.learned(model, change)
    movies = np.unique(change.rows[c.MOVIE].to_numpy())
    waiting = movies[~learned.known_[np.searchsorted(learned.movie_ids_, movies)]].tolist()
    learned._off = _is_off(model) or not rule.exact or bool(waiting)
    seconds = time.perf_counter() - start
    return Updated(learned, rule.how, not learned._off, seconds, waiting, change.after)


def _is_off(model: Recommender) -> bool:
    """Whether an earlier update left the model other than a refit: no later one mends that."""
    return getattr(model, "_off", False)


def _refuse_other(model: Recommender, history: Split) -> None:
    for ours, theirs in ((model.user_ids_, history.user_ids), (model.movie_ids_, history.movie_ids)):
        if not np.array_equal(ours, theirs):
            raise AicineError(
                f"{type(model).__name__} was not fitted on this history: it knows {len(ours):,} ids where the history "
                f"has {len(theirs):,}. Pass the split of its fit, or the history of its last update."
            )
    views = _views(history)
    if not np.array_equal(model.views_, views):
        raise AicineError(
            f"{type(model).__name__} was fitted on {model.views_.sum():,.0f} ratings, not on these {views.sum():,}. "
            "Pass the split of its fit (for a kept run: split.for_test()), or the history of its last update."
        )


def _views(history: Split) -> np.ndarray:
    """Training ratings of each movie. Where ids are not far apart they are counted by id, sixty times as fast."""
    ids, watched = history.movie_ids, history.train[c.MOVIE].to_numpy()
    if len(ids) and ids[0] >= 0 and ids[-1] < APART * len(ids):
        return np.bincount(watched, minlength=ids[-1] + 1)[ids]
    return np.bincount(np.searchsorted(ids, watched), minlength=len(ids))


def prepare(model: Recommender) -> Recommender:
    """Do now what the first update would do once: EASE inverts, item k-NN counts pairs. Returns the model."""
    rules.prepare(model)
    return model


def refit(model: Recommender, history: Split) -> Recommender:
    """A model of the same settings and seed, fitted on ``history`` from the start."""
    return type(model)(seed=model.seed, **model.params).fit(history)


def distance_to_refit(updated: Recommender, refitted: Recommender, history: Split, k: int = 10) -> dict[str, float]:
    """How far the lists of an updated model are from a refit's, over all users with a training rating.

    overlap: mean share of the first ``k`` that both lists hold, with its 95 % bootstrap interval low and high;
    same: share of users whose lists are equal, order and all. If ``history.test`` has relevant movies, also NDCG@k on
    them, updated minus refitted: ndcg, ndcg_low, ndcg_high (95 % t interval of the mean over users).
    """
    users = np.unique(history.train[c.USER].to_numpy())
    lists = [model.recommend(users, k) for model in (updated, refitted)]
    shared = _shared(*lists, users)
    low, high = significance.interval(shared)
    same = _equal(*lists, users)
    found = {"overlap": float(shared.mean()), "low": float(low), "high": float(high), "same": float(same.mean())}
    return found | _ndcg_difference(*lists, history.relevant(history.test), k)


def _shared(a: pd.DataFrame, b: pd.DataFrame, users: np.ndarray) -> np.ndarray:
    """Share [n_users] of the longer list of each user that both hold; 1 where both are empty."""
    sizes = np.stack([_per_user(frame[c.USER], users) for frame in (a, b)]).max(axis=0)
    both = _per_user(a.merge(b, on=[c.USER, c.MOVIE])[c.USER], users)
    return np.where(sizes > 0, both / np.maximum(sizes, 1), 1.0)


def _equal(a: pd.DataFrame, b: pd.DataFrame, users: np.ndarray) -> np.ndarray:
    """Whether each user's two lists are equal, bool [n_users]."""
    both = _per_user(a.merge(b, on=[c.USER, c.MOVIE, c.RANK])[c.USER], users)
    return (both == _per_user(a[c.USER], users)) & (both == _per_user(b[c.USER], users))


def _per_user(column: pd.Series, users: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(users, column.to_numpy()), minlength=len(users))


def _ndcg_difference(a: pd.DataFrame, b: pd.DataFrame, relevant: pd.DataFrame, k: int) -> dict[str, float]:
    if relevant[c.USER].nunique() < 2:
        return {}
    values = [evaluate.wide(evaluate.evaluate(lists, relevant, ks=(k,)))[f"ndcg@{k}"] for lists in (a, b)]
    test = significance.paired(*(part.to_numpy() for part in values))
    return {"ndcg": test.difference, "ndcg_low": test.low, "ndcg_high": test.high}


def table() -> pd.DataFrame:
    """The rule of every model of the registry: model, label, update (in words), exact, new_movies (can be listed)."""
    rows = []
    for entry in registry.ENTRIES:
        rule = rules.for_target(entry.target)
        how, exact, grows = (rule.how, rule.exact, rule.grows) if rule else ("none: refit", False, False)
        rows.append((entry.name, entry.label, how, exact, grows))
    return pd.DataFrame(rows, columns=["model", "label", "update", "exact", "new_movies"])
