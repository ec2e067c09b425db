""" "Because you watched X": does a model's list of films similar to X hold what people liked next?

X is the movie that a person liked last before the test, what comes next the movies that they liked in the test. The
list has the movies nearest to X, the person's own history left out: what a service would put under that heading. Three
lists stand beside the models: movies that most often share people with X, and two that do not look at X at all, the
most liked and random ones.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.experiment import Result
from aicine_utils.metrics import evaluate
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender, ranked
from aicine_utils.splits import Split

TOGETHER = "together"
TOGETHER_LABEL = "Watched together"
BLIND = ("popularity", "random")  # lists that do not look at the movie
K = 10
MOST = 1500  # people measured at most: some models work anew for each movie that is asked about
CHUNK = 256  # people ranked at a time
MEASURES = ("ndcg", "hit")


@dataclass(frozen=True)
class Last:
    """Who is asked about which movie: ``users`` ascending, ``columns`` of their movies, ``split`` of the final models.

    Only people who liked something before the test and something in it, that the others' training knows.
    """

    split: Split
    users: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, split: Split, most: int = MOST) -> Self:
        """The people of a split's test; of more than ``most`` an even choice by user_id."""
        final = split.for_test()
        liked = split.history[split.history[c.RATING] >= split.min_relevant]
        last = liked[liked[c.MOVIE].isin(final.train[c.MOVIE])].groupby(c.USER)[c.MOVIE].last()
        last = last[last.index.isin(split.relevant(split.test)[c.USER])]
        last = last.iloc[:: max(-(-len(last) // most), 1)]
        return cls(final, last.index.to_numpy(), np.searchsorted(final.movie_ids, last.to_numpy()))

    def lists(self, near: np.ndarray, known: np.ndarray) -> pd.DataFrame:
        """Everyone's ten nearest: ``near`` [n_asked, n_movies] has a row for each of the movies asked about, ascending.

        As in ``Recommender.similar``, what has nothing in common (0 and less) is not near, so a list may be short.
        """
        rows, seen = np.searchsorted(self.asked, self.columns), self.split.matrix(self.split.history)
        places, parts = np.searchsorted(self.split.user_ids, self.users), []
        for part in np.array_split(np.arange(len(rows)), max(len(rows) // CHUNK, 1)):
            scores = np.where(known & (near[rows[part]] > 0), near[rows[part]], -np.inf).astype(np.float32)
            own = seen[places[part]].tocoo()
            scores[own.row, own.col] = -np.inf
            parts.append(ranked(scores, K, self.users[part], self.split.movie_ids))
        return pd.concat(parts, ignore_index=True)

    @property
    def asked(self) -> np.ndarray:
        """Columns of the different movies asked about, ascending."""
        return np.unique(self.columns)

    def values(self, lists: pd.DataFrame, name: str, seconds: float) -> pd.DataFrame:
        """model, user_id, metric, value, seconds: NDCG@10 and hit rate of these lists."""
        relevant = self.split.relevant(self.split.test)
        found = evaluate.evaluate(lists, relevant[relevant[c.USER].isin(self.users)], ks=(K,))
        found = found.loc[found[c.METRIC].isin(MEASURES), [c.USER, c.METRIC, c.VALUE]]
        return found.assign(model=name, seconds=seconds)


def able(names: Iterable[str]) -> list[str]:
    """Those of the registry's models that know which movies are similar."""
    own = {name: registry.entry(name).model_class._similarity for name in names}
    return [name for name, method in own.items() if method is not Recommender._similarity]


def nearness(model: Recommender, columns: np.ndarray) -> np.ndarray:
    """Nearness float32 [len(columns), n_movies] of every movie to each of those in ``columns``."""
    return np.stack([np.asarray(model._similarity(int(column)), np.float32) for column in columns])


def together(split: Split, columns: np.ndarray) -> np.ndarray:
    """How many people watched both, float32 [len(columns), n_movies]."""
    seen: sparse.csr_matrix = split.matrix(split.train)
    return (seen[:, columns].T @ seen).toarray()


def measure(results: Mapping[str, Result], split: Split) -> pd.DataFrame:
    """NDCG@10 and hit rate of each person's list: model, user_id, metric, value, seconds (to make all the lists).

    Models of ``results`` that know no similar movies are left out. Lists that do not look at it are the runs' own.
    Empty where nobody can be asked about anything.
    """
    last = Last.of(split)
    if not len(last.users):
        return pd.DataFrame(columns=[c.USER, c.METRIC, c.VALUE, "model", "seconds"])
    parts = [_of_model(last, name, results[name].model()) for name in able(results)]
    views = np.asarray(last.split.matrix(last.split.train).sum(axis=0)).ravel()
    parts.append(_timed(last, TOGETHER, views > 0, lambda: together(last.split, last.asked)))
    for name in BLIND:
        top = results[name].topk
        own = top[top[c.USER].isin(last.users) & (top[c.RANK] <= K)]
        parts.append(last.values(own, name, results[name].manifest["recommend_seconds"]))
    return pd.concat(parts, ignore_index=True)


def _of_model(last: Last, name: str, model: Recommender) -> pd.DataFrame:
    return _timed(last, name, model.known_, lambda: nearness(model, last.asked))


def _timed(last: Last, name: str, known: np.ndarray, near: Callable[[], np.ndarray]) -> pd.DataFrame:
    started = time.perf_counter()
    lists = last.lists(near(), known)
    return last.values(lists, name, round(time.perf_counter() - started, 3))
