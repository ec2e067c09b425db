"""Sampled metrics beside full ranking: what NDCG would be if each test film met a few films drawn by lot.

Nothing is drawn here. When a film has rank r among N candidates and m of the others are drawn without replacement, the
number of those above it is hypergeometric, so the expected metric follows from the rank alone (Krichene & Rendle 2020,
On sampled metrics for item recommendation).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.experiment import Result
from aicine_utils.metrics import evaluate
from aicine_utils.models.base import Recommender
from aicine_utils.splits import Split
from aicine_utils.study.finalists import MODEL

NEGATIVES = 100
FULL, SAMPLED = "All films", "Sampled films"


def ranks(model: Recommender, split: Split) -> pd.DataFrame:
    """user_id, rank (from 1, by the evaluator's own order) and candidates, for each test rating.

    The rank is 0 for a film that training does not know: no list can hold it.
    """
    parts = [_ranks(model, split, rows, scores) for rows, scores in model.iter_scores(split.test[c.USER].unique())]
    return pd.concat(parts, ignore_index=True)


def _ranks(model: Recommender, split: Split, rows: np.ndarray, scores: np.ndarray) -> pd.DataFrame:
    ranked = model.best_of(rows, scores, scores.shape[1])
    test = split.test.loc[split.test[c.USER].isin(model.user_ids_[rows]), [c.USER, c.MOVIE]]
    everything, wanted = evaluate.pair_keys(ranked, test)
    found = ranked.loc[np.isin(everything, wanted), [c.USER, c.MOVIE, c.RANK]]
    size = test[c.USER].map(ranked[c.USER].value_counts())
    table = test.assign(candidates=size).merge(found, on=[c.USER, c.MOVIE], how="left")
    return table.fillna({c.RANK: 0}).astype({c.RANK: int})[[c.USER, c.RANK, "candidates"]]


def full_ndcg(rank: np.ndarray, k: int = 10) -> np.ndarray:
    """NDCG of a list for one relevant film: 1 / log2(rank + 1) within k. Example: rank 3 gives 1 / 2."""
    inside = (rank > 0) & (rank <= k)
    return np.where(inside, 1 / np.log2(np.maximum(rank, 1) + 1), 0.0)


def sampled_ndcg(rank: np.ndarray, candidates: np.ndarray, negatives: int = NEGATIVES, k: int = 10) -> np.ndarray:
    """Expected :func:`full_ndcg` when only ``negatives`` of the other candidates are ranked with the film.

    All of them where there are fewer. Example: rank 2 of 3 with one negative: above it by an even chance, so
    (1 / log2(2) + 1 / log2(3)) / 2 = .8155.
    """
    from scipy import stats  # only here: it takes a second to import

    others = candidates - 1
    above = np.clip(rank - 1, 0, others)[:, None]
    places = np.arange(k)[None, :]
    chance = stats.hypergeom.pmf(places, others[:, None], above, np.minimum(negatives, others)[:, None])
    return np.where(rank > 0, (chance / np.log2(places + 2)).sum(axis=1), 0.0)


def ndcg(
    results: Mapping[str, Result], split: Split, ks: tuple[int, ...] = evaluate.KS, negatives: int = NEGATIVES
) -> pd.DataFrame:
    """Both, users x (candidates, k, model): "All films" and "Sampled films" for the same scores of the same models.

    Every test film is looked for alone, as with one held-out film a user; where a user has several, their mean counts.
    """
    found = {name: ranks(result.model(), split) for name, result in results.items()}
    columns = {}
    for which in (FULL, SAMPLED):
        for k in ks:
            for name, table in found.items():
                rank, size = table[c.RANK].to_numpy(), table["candidates"].to_numpy()
                ndcg = full_ndcg(rank, k) if which == FULL else sampled_ndcg(rank, size, negatives, k)
                columns[which, k, name] = pd.Series(ndcg).groupby(table[c.USER]).mean()
    return pd.DataFrame(columns).rename_axis(columns=["candidates", "k", MODEL])
