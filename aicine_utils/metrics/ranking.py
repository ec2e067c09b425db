"""Metrics of ranked lists, one small function each.

In: ``hits``, bool [n_users, k_max], whether the movie at each rank is relevant (False past the end of a short list);
``n_relevant``, int [n_users], how many relevant movies each user has (at least 1); a cut-off ``k``. Out: float64
[n_users]. Gain is binary. Users with nothing relevant, and the order of ties, are settled before this (evaluate.py).

One example runs through the docstrings: the movies at ranks 1 and 3 of a list are relevant, and the user has three
relevant movies in all; k = 5.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RankingFunction = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class Metric:
    """What a reader needs to know of a number.

    description is one line, the tooltip of a table's header; reference says where the definition comes from;
    function is set for the metrics of this module only.
    """

    name: str
    label: str
    higher_is_better: bool
    description: str
    reference: str
    function: RankingFunction | None = None

    @property
    def arrow(self) -> str:
        """The direction in one sign."""
        return "↑" if self.higher_is_better else "↓"


def ndcg(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Normalised discounted cumulative gain: DCG / IDCG, where DCG sums 1 / log2(rank + 1) over hits.

    IDCG is the DCG of min(k, n_relevant) hits in a row, so a perfect list has 1 whatever k is.
    Example: (1/log2(2) + 1/log2(4)) / (1/log2(2) + 1/log2(3) + 1/log2(4)) = 1.5 / 2.1309 = .7039.
    """
    discount = 1 / np.log2(np.arange(2, k + 2))
    top = hits[:, :k]
    # Added up in order of rank on both sides: a perfect list gives 1 exactly, and none gives more.
    gain = np.cumsum(top * discount[: top.shape[1]], axis=1)[:, -1]
    return gain / np.cumsum(discount)[np.minimum(k, n_relevant) - 1]


def recall(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Hits in the first k / relevant movies. Example: 2 / 3."""
    return hits[:, :k].sum(axis=1) / n_relevant


def precision(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Hits in the first k / k, also where the list is shorter than k. Example: 2 / 5."""
    return hits[:, :k].sum(axis=1) / k


def hit(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """1 if any of the first k is relevant, else 0. Example: 1."""
    return hits[:, :k].any(axis=1).astype(np.float64)


def mrr(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Reciprocal rank: 1 / rank of the first hit within k, 0 if there is none. Example: 1 / 1."""
    top = hits[:, :k]
    return top.any(axis=1) / (top.argmax(axis=1) + 1)


def average_precision(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Average precision: the precision at each hit's rank, summed over hits / min(k, n_relevant).

    This normaliser (RecBole's) lets a perfect list have 1. Others (ranx, trec_eval) divide by n_relevant: multiply by
    min(k, n_relevant) / n_relevant to get theirs. Example: (1/1 + 2/3) / 3 = .5556.
    """
    top = hits[:, :k]
    at_rank = np.cumsum(top, axis=1) / np.arange(1, top.shape[1] + 1)
    return (top * at_rank).sum(axis=1) / np.minimum(k, n_relevant)


METRICS = {
    metric.name: metric
    for metric in (
        Metric("ndcg", "NDCG", True, "Share of the best possible score, where a hit counts less further down the list",
               "Järvelin & Kekäläinen 2002, Cumulated gain-based evaluation of IR techniques", ndcg),
        Metric("recall", "Recall", True, "Share of a user's relevant movies that the list found",
               "Manning, Raghavan & Schütze 2008, ch. 8", recall),
        Metric("precision", "Precision", True, "Share of the list that is relevant",
               "Manning, Raghavan & Schütze 2008, ch. 8", precision),
        Metric("hit", "Hit rate", True, "Share of users whose list holds at least one relevant movie",
               "Deshpande & Karypis 2004, Item-based top-N recommendation algorithms", hit),
        Metric("mrr", "MRR", True, "Mean of 1 / rank of the first relevant movie",
               "Voorhees 1999, The TREC-8 question answering track report", mrr),
        Metric("map", "MAP", True, "Mean of the precision at each hit, over the hits that were possible",
               "Manning, Raghavan & Schütze 2008, ch. 8; normaliser as in RecBole 1.2", average_precision),
    )
}  # fmt: skip
