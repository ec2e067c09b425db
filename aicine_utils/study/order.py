"""Does the order of a history matter, and how much of it? Questions to sequential models, asked without retraining.

Every list is made anew from what a person watched, changed in one respect; the model and everything else stay.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import inspection
from aicine_utils.models.base import Recommender
from aicine_utils.models.neural.histories import ReadsHistories
from aicine_utils.splits import Split
from aicine_utils.study import comparison

CHUNK = 512  # people scored at a time
AS_WATCHED = "As watched"
ORDERS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    AS_WATCHED: lambda places, rng: places,
    "Shuffled": lambda places, rng: rng.random(len(places)),
    "Newest first": lambda places, rng: -places,
}


def known(split: Split) -> pd.DataFrame:
    """user_id, movie_id: what the people of the test watched before it, each person's in order of time."""
    history = split.history
    return history.loc[history[c.USER].isin(split.test[c.USER]), [c.USER, c.MOVIE]].reset_index(drop=True)


def reordered(history: pd.DataFrame, order: str, seed: int = 0) -> pd.DataFrame:
    """``history`` (sorted by user) with each person's movies in another of :data:`ORDERS`."""
    places = history.groupby(c.USER).cumcount().to_numpy()
    new = ORDERS[order](places, np.random.default_rng(seed))
    return history.iloc[np.lexsort((new, history[c.USER]))].reset_index(drop=True)


def ndcg_after(model: Recommender, split: Split, history: pd.DataFrame) -> pd.DataFrame:
    """user_id, value: NDCG@10 of each person's list when ``history`` is all that the model reads.

    All that a person watched before the test stays out of the list, read or not. Raises AicineError for a model that
    scores no bare history.
    """
    parts = np.array_split(history[c.USER].unique(), -(-history[c.USER].nunique() // CHUNK))
    lists = pd.concat([_lists(model, history, users) for users in parts], ignore_index=True)
    return inspection.ndcg(lists, split)


def _lists(model: Recommender, history: pd.DataFrame, users: np.ndarray) -> pd.DataFrame:
    rows = history[history[c.USER].isin(users)]
    histories = np.split(rows[c.MOVIE].to_numpy(), np.searchsorted(rows[c.USER], users[1:]))
    own = {"users": users} if isinstance(model, ReadsHistories) else {}  # Caser knows the person, too
    return model.best_of(model.rows_of(users), model.score_histories(histories, **own), k=10)


def by_order(models: Mapping[str, Recommender], split: Split, seed: int = 0) -> pd.DataFrame:
    """model, order, user_id, value: NDCG@10 for each of :data:`ORDERS`.

    Of a long history only the films that a model reads, the last of its ``window``, change places: others would come
    into its view, and the list would change for their sake.
    """
    history, parts = known(split).groupby(c.USER), []
    for name, model in models.items():
        read = history.tail(model.params.get("window", len(split.history)))
        changed = {order: reordered(read, order, seed) for order in ORDERS}
        parts.append(_measured({name: model}, split, "order", changed))
    return pd.concat(parts, ignore_index=True)


def by_length(models: Mapping[str, Recommender], split: Split, lengths: Iterable[int]) -> pd.DataFrame:
    """model, length, user_id, value: NDCG@10 when only a person's last so many movies are read."""
    history = known(split)
    return _measured(models, split, "length", {n: history.groupby(c.USER).tail(n) for n in lengths})


def _measured(models: Mapping[str, Recommender], split: Split, what: str, cases: Mapping) -> pd.DataFrame:
    parts = [
        ndcg_after(model, split, history).assign(**{"model": name, what: case})
        for name, model in models.items()
        for case, history in cases.items()
    ]
    return pd.concat(parts, ignore_index=True)[["model", what, c.USER, c.VALUE]]


def shifts(values: pd.DataFrame) -> pd.DataFrame:
    """What each changed order does to each model: label, order, and :func:`comparison.differences` to AS_WATCHED.

    values: label, order, user_id, value. Holm's correction is over all rows, models and orders together.
    """
    tables = {}
    for label, rows in values.groupby("label", sort=False):
        wide = rows.pivot(index=c.USER, columns="order", values=c.VALUE)
        for order in wide.columns.drop(AS_WATCHED):
            tables[label, order] = wide[order] - wide[AS_WATCHED]
    found = comparison.differences(pd.DataFrame(tables).assign(**{AS_WATCHED: 0.0}), (AS_WATCHED, ""))
    return found.rename_axis(["label", "order"]).reset_index()
