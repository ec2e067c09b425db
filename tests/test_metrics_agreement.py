"""The same lists through other libraries: equal to 1e-9, or different by a stated factor."""

import numpy as np
import pytest
from metrics_cases import random_lists

from aicine_utils import columns as c
from aicine_utils.metrics import beyond
from aicine_utils.metrics import evaluate as ev

KS = (5, 10, 20)


@pytest.fixture(scope="module")
def case():
    return random_lists(7)


def test_ranx(case, monkeypatch):
    from numba.core import config

    monkeypatch.setattr(config, "DISABLE_JIT", 1)  # for so few lists its plain Python is quicker than to compile it
    from ranx import Qrels, Run, evaluate

    lists, relevant = (frame.astype({c.USER: str, c.MOVIE: str}) for frame in case)
    qrels = Qrels.from_df(relevant.assign(score=1), q_id_col=c.USER, doc_id_col=c.MOVIE)
    run = Run.from_df(lists, q_id_col=c.USER, doc_id_col=c.MOVIE)
    theirs = {"ndcg": "ndcg", "recall": "recall", "precision": "precision", "hit": "hit_rate", "mrr": "mrr"}
    names = [f"{name}@{k}" for name in [*theirs.values(), "map"] for k in KS]
    evaluate(qrels, run, names, return_mean=False)
    ours = ev.wide(ev.evaluate(*case, KS))
    n_relevant = case[1].groupby(c.USER).size()
    for k in KS:
        for name, their_name in theirs.items():
            assert_same(ours[f"{name}@{k}"], run.scores[f"{their_name}@{k}"])
        # ranx divides average precision by all relevant movies, not by those that k places can hold.
        assert_same(ours[f"map@{k}"] * n_relevant.clip(upper=k) / n_relevant, run.scores[f"map@{k}"])
    assert (n_relevant > 5).any()


def assert_same(ours, theirs):
    np.testing.assert_allclose(ours, [theirs[str(user)] for user in ours.index], rtol=0, atol=1e-9)


@pytest.fixture
def recbole_metrics(monkeypatch):
    """RecBole's metric module, with the numpy names that it expects."""
    for name in ("float", "int", "bool"):
        monkeypatch.setattr(np, name, np.dtype(name).type, raising=False)
    return pytest.importorskip("recbole.evaluator.metrics")


def test_recbole(case, recbole_metrics):
    _, matrix, n_relevant = ev.hits(*case, k=max(KS))
    config = {"topk": list(KS), "metric_decimal_place": 10}
    ours = ev.wide(ev.evaluate(*case, KS))
    for name, cls in {"ndcg": "NDCG", "recall": "Recall", "map": "MAP"}.items():
        assert_columns(ours, name, getattr(recbole_metrics, cls)(config).metric_info(matrix, n_relevant))
    for name, cls in {"precision": "Precision", "hit": "Hit", "mrr": "MRR"}.items():
        assert_columns(ours, name, getattr(recbole_metrics, cls)(config).metric_info(matrix))


def assert_columns(ours, name, theirs):
    for k in KS:
        np.testing.assert_allclose(ours[f"{name}@{k}"], theirs[:, k - 1], rtol=0, atol=1e-9)


def test_recbole_gini(case, recbole_metrics):
    _, table = beyond.lists(case[0], np.arange(60), 10)
    theirs = recbole_metrics.GiniIndex({"topk": [10], "metric_decimal_place": 10}).get_gini(table, 60)
    assert beyond.gini(np.bincount(table.ravel(), minlength=60)) == pytest.approx(theirs, abs=1e-12)
