"""Questions to a fitted model that a leaderboard can't answer: why this movie, where would a new one go, who is a hub?

Everything works through the interface of ``models.base`` and goes over users in chunks.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.metrics import evaluate
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender, lists
from aicine_utils.splits import Split

BECAUSE = "because"


def because(model: Recommender, lists: pd.DataFrame) -> pd.DataFrame:
    """ "Because you watched": for each user_id, movie_id of ``lists``, the watched movie that weighs most in the score.

    Adds ``because`` (a movie_id) and ``share`` (its part of all positive weights, 0 to 1). Rows that no watched movie
    speaks for are left out. For models whose score is a sum of weights over the history: item k-NN and EASE; others
    raise AicineError.
    """
    if not sums_weights(model):
        raise AicineError(f"{type(model).__name__} can't say why it shows a movie. Use item_knn or ease.")
    columns = np.searchsorted(model.movie_ids_, lists[c.MOVIE])
    parts = contributions(model, model.histories_[model.rows_of(lists[c.USER])], columns)
    most = np.asarray(parts.max(axis=1).todense()).ravel()
    reasons = model.movie_ids_[np.asarray(parts.argmax(axis=1)).ravel()]
    total = np.asarray(parts.sum(axis=1)).ravel()
    found = most > 0
    return lists[found].assign(**{BECAUSE: reasons[found], "share": most[found] / total[found]})


def sums_weights(model: Recommender) -> bool:
    """Whether a score is a sum of weights over the history, so that each watched movie has a part of it."""
    return getattr(model, "weights_", None) is not None and getattr(model, "histories_", None) is not None


def contributions(model: Any, histories: sparse.csr_matrix, cols: np.ndarray) -> sparse.csr_matrix:
    """Positive weights [len(cols), n_movies] of each watched movie in the score of the movie in column cols[i].

    histories: CSR [len(cols), n_movies], what was watched before the movie in ``cols[i]`` is listed.
    """
    parts = histories.astype(np.float64)
    towards = np.repeat(cols, np.diff(parts.indptr))
    parts.data *= np.asarray(model.weights_[parts.indices, towards]).ravel().clip(0)
    return parts


def would_enter(model: Recommender, users: Sequence[int], k: int = 10) -> pd.DataFrame:
    """user_id, movie_id: movies without a training rating that would stand in a user's first ``k``, were they allowed.

    Each is held against the candidates alone, not against other new movies.
    """
    new, pairs = np.flatnonzero(~model.known_), []
    for rows, scores in model.iter_scores(users):
        last = model.best_of(rows, scores, k).groupby(c.USER)[c.SCORE].min().reindex(model.user_ids_[rows])
        row, col = np.nonzero(scores[:, new] > last.to_numpy()[:, None])
        pairs.append(pd.DataFrame({c.USER: model.user_ids_[rows[row]], c.MOVIE: model.movie_ids_[new[col]]}))
    return pd.concat(pairs, ignore_index=True)


def with_minimum(model: Recommender, split: Split, minima: Iterable[int], k: int = 10) -> dict[int, pd.DataFrame]:
    """The model's lists when only movies with at least so many training ratings are candidates, by that minimum."""
    views = np.asarray(split.matrix(split.train).sum(axis=0)).ravel()
    parts: dict[int, list[pd.DataFrame]] = {minimum: [] for minimum in minima}
    for rows, scores in model.iter_scores(split.test[c.USER].unique()):
        for minimum, found in parts.items():
            found.append(model.best_of(rows, np.where(views >= minimum, scores, -np.inf), k))
    return {minimum: pd.concat(found, ignore_index=True) for minimum, found in parts.items()}


def ndcg(lists: pd.DataFrame, split: Split) -> pd.DataFrame:
    """user_id, value: NDCG@10 of lists, for the users of the split's test who have something relevant there."""
    values = evaluate.evaluate(lists, split.relevant(split.test), ks=(10,))
    return values.loc[values[c.METRIC] == "ndcg", [c.USER, c.VALUE]]


def mean_ndcg(topk: pd.DataFrame, split: Split) -> float:
    """Mean of :func:`ndcg`."""
    return float(ndcg(topk, split)[c.VALUE].mean())


def without_rare(models: Mapping[str, Recommender], split: Split, shares: Iterable[float]) -> pd.DataFrame:
    """Mean NDCG@10 when only the most rated movies are candidates: label, share (of all candidates), minimum, ndcg@10.

    models: label -> fitted model. ``minimum`` is the largest number of training ratings that at least this share of the
    candidates has.
    """
    views = split.train[c.MOVIE].value_counts().to_numpy()
    minima = {share: int(views[max(int(np.ceil(share * len(views))) - 1, 0)]) for share in shares}
    rows = []
    for label, model in models.items():
        found = with_minimum(model, split, set(minima.values()))
        rows += [(label, share, minimum, mean_ndcg(found[minimum], split)) for share, minimum in minima.items()]
    return pd.DataFrame(rows, columns=["label", "share", "minimum", "ndcg@10"])


def views_of(lists: Mapping[str, pd.DataFrame], split: Split) -> pd.DataFrame:
    """label, views: how many training ratings each movie of these tables has, one row a row of the tables."""
    views = split.train[c.MOVIE].value_counts()
    parts = [pd.DataFrame({"label": k, "views": t[c.MOVIE].map(views).fillna(0)}) for k, t in lists.items()]
    return pd.concat(parts, ignore_index=True)


def overlap(split: Split, enough: int = 10) -> pd.DataFrame:
    """How much two people, and two movies, of training have in common: kind, pairs, some, enough.

    ``some`` and ``enough`` are the shares of all pairs with one or more, and with ``enough`` or more, in common.
    """
    seen, rows = split.matrix(split.train), []
    for kind, matrix in (("people", seen), ("films", seen.T.tocsr())):
        common = (matrix @ matrix.T).tocsr()
        common.setdiag(0)
        n_pairs = common.shape[0] * (common.shape[0] - 1)
        rows.append((kind, n_pairs // 2, (common.data > 0).sum() / n_pairs, (common.data >= enough).sum() / n_pairs))
    return pd.DataFrame(rows, columns=["kind", "pairs", "some", "enough"])


def most_listed(topk: pd.DataFrame, k: int = 10) -> float:
    """Share of all users whose first ``k`` hold the movie that is listed most: near 1 for a hub."""
    top = topk[topk[c.RANK] <= k]
    return float(top[c.MOVIE].value_counts().iloc[0] / topk[c.USER].nunique())


def on_validation(names: Iterable[str], split: Split, seed: int = 0, **grid: Sequence[Any]) -> pd.DataFrame:
    """Fit every combination of these settings without the validation ratings and measure it on them.

    One row each: model, label, the settings, ``ndcg@10``, ``most_listed`` (see :func:`most_listed`). The test is not
    read.
    """
    held_out, rows = split.for_validation(), []
    for name, *values in product(names, *grid.values()):
        setting = dict(zip(grid, values, strict=True))
        model = registry.create(name, split.info["dataset"], seed, **setting).fit(held_out)
        topk, _ = lists(model, held_out, k=10)
        measured = {"ndcg@10": mean_ndcg(topk, held_out), "most_listed": most_listed(topk)}
        rows.append({"model": name, "label": registry.entry(name).label, **setting, **measured})
    return pd.DataFrame(rows)


def while_training(names: Iterable[str], split: Split, seed: int = 0, points: int = 10) -> pd.DataFrame:
    """label, epoch, ``ndcg@10`` on validation after each tenth of the epochs of models that can be watched (LightFM).

    One training each, without the validation ratings; the test is not read.
    """
    held_out, rows = split.for_validation(), []
    for name in names:
        model, label = registry.create(name, split.info["dataset"], seed), registry.entry(name).label
        every = max(model.params["epochs"] // points, 1)
        model.watch = partial(_look, model, held_out, every, label, rows)
        model.fit(held_out)
    return pd.DataFrame(rows, columns=["label", "epoch", "ndcg@10"])


def _look(model: Recommender, split: Split, every: int, label: str, rows: list[tuple], epoch: int) -> None:
    if epoch % every == 0:
        topk, _ = lists(model, split, k=10)
        rows.append((label, epoch, mean_ndcg(topk, split)))
