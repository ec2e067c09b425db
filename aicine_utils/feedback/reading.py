"""Does it matter that a model reads the newest ratings at once? Its weights stay, its reading of a person is cut short.

For each liked rating of the replay a list is made from what its person had rated before it, the last so many ratings
withheld. All that was rated before stays out of the list, read or not.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import histories
from aicine_utils.metrics import evaluate, ranking, significance
from aicine_utils.models.base import Recommender, ranked
from aicine_utils.splits import Split

K = 10
CHUNK = 512  # lists made at a time
NEVER = -1  # nothing that came after the cut is read
NEXT = "ndcg@10 of the next"


def moments(template: Split, before: pd.DataFrame, after: pd.DataFrame, most: int = 20, seed: int = 0) -> pd.DataFrame:
    """Liked ratings ``after`` the cut, at most so many a person by chance: user_id, movie_id, at, cut, start.

    at: how many ratings of the person came before; cut: how many of these before the cut; start: the row of the
    person's first rating in the ratings of both parts, sorted by user and time.
    """
    everything = stream(before, after)
    users, first = np.unique(everything[c.USER].to_numpy(), return_index=True)
    at = everything.groupby(c.USER).cumcount().to_numpy()
    n_before = before.groupby(c.USER).size().reindex(users, fill_value=0).to_numpy()
    person = np.searchsorted(users, everything[c.USER].to_numpy())
    wanted = (at >= n_before[person]) & (everything[c.RATING].to_numpy() >= template.min_relevant) & (at > 0)
    rows = everything.assign(at=at, cut=n_before[person], start=first[person])[wanted]
    order = np.random.default_rng(seed).permutation(len(rows))
    return rows.iloc[order].groupby(c.USER).head(most).sort_index()[[c.USER, c.MOVIE, "at", "cut", "start"]]


def stream(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """All ratings, each person's in order: those before the cut come first already."""
    both = pd.concat([before, after], ignore_index=True)
    return both.sort_values(c.USER, kind="stable", ignore_index=True)


def by_delay(
    models: Mapping[str, Recommender], template: Split, before: pd.DataFrame, after: pd.DataFrame,
    delays: Sequence[int] = (0, 1, 5, 20, NEVER), most: int = 20, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """model, delay, user_id, value: NDCG@10 of the next liked movie, mean over a person's moments; delay in ratings."""
    asked, watched = moments(template, before, after, most, seed), stream(before, after)[c.MOVIE].to_numpy()
    parts = [
        _value(model, asked, watched, delay).assign(model=name, delay=delay)
        for name, model in models.items()
        for delay in delays
    ]
    return pd.concat(parts, ignore_index=True)[["model", "delay", c.USER, c.VALUE]]


def _value(model: Recommender, asked: pd.DataFrame, watched: np.ndarray, delay: int) -> pd.DataFrame:
    n_read = np.where(delay == NEVER, asked["cut"], np.maximum(asked["at"] - delay, 0))
    n_read = n_read.astype(int)
    chunks = [slice(i, i + CHUNK) for i in range(0, len(asked), CHUNK)]
    gains = [_gain(model, asked.iloc[part], watched, n_read[part]) for part in chunks]
    return asked.assign(value=np.concatenate(gains)).groupby(c.USER)[c.VALUE].mean().reset_index()


def _gain(model: Recommender, asked: pd.DataFrame, watched: np.ndarray, n_read: np.ndarray) -> np.ndarray:
    """NDCG@10 of each moment [len(asked)]: 1 / log2(rank + 1) of the one movie that came next, 0 outside the list."""
    start, at = asked["start"].to_numpy(), asked["at"].to_numpy()
    seen = model.histories_matrix([watched[i : i + n] for i, n in zip(start, at, strict=True)]).tocoo()
    # Several moments of a person may read the same, all of them what came before the cut.
    (starts, sizes), which = np.unique([start, n_read], axis=1, return_inverse=True)
    scores = _scores(model, [watched[i : i + n] for i, n in zip(starts, sizes, strict=True)])[which]
    scores[seen.row, seen.col] = -np.inf
    lists = ranked(scores, K, np.arange(len(asked)), model.movie_ids_)
    wanted = pd.DataFrame({c.USER: np.arange(len(asked)), c.MOVIE: asked[c.MOVIE].to_numpy()})
    _, hits, n_wanted = evaluate.hits(lists, wanted, K)
    return ranking.ndcg(hits, n_wanted, K)


def _scores(model: Recommender, read: list[np.ndarray]) -> np.ndarray:
    """Scores [len(read), n_movies] of histories; where the model knows nothing of one, what is watched most."""
    scores = model.score_histories(read)
    if not model.serves_unknown:
        scores[model.histories_matrix(read).getnnz(axis=1) == 0] = histories.for_anyone(model)
    return np.where(model.known_, scores, -np.inf)


def losses(values: pd.DataFrame, resamples: int = 2000) -> pd.DataFrame:
    """model, label, delay, value and ``lost``, both with intervals over people.

    lost: what reading at once (delay 0) has more, paired.
    """
    rows = []
    for (model, label), part in values.groupby(["model", "label"], sort=False):
        wide = part.pivot(index=c.USER, columns="delay", values=c.VALUE)
        lost = -wide.sub(wide[0], axis=0)
        ends = [significance.interval(table.to_numpy(), resamples) for table in (wide, lost)]
        rows.append(pd.DataFrame({
            "model": model, "label": label, "delay": wide.columns.astype(int), "n_users": len(wide),
            "value": wide.mean().to_numpy(), "value_low": ends[0][0], "value_high": ends[0][1],
            "lost": lost.mean().to_numpy(), "lost_low": ends[1][0], "lost_high": ends[1][1],
        }))  # fmt: skip
    return pd.concat(rows, ignore_index=True)
