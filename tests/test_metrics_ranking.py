import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aicine_utils import metrics
from aicine_utils.errors import AicineError
from aicine_utils.metrics.ranking import METRICS

K_MAX = 8
EXAMPLE = np.array([[True, False, True, False, False]])  # that of the docstrings: ranks 1 and 3, three relevant

cases = hnp.arrays(bool, st.tuples(st.integers(1, 6), st.just(K_MAX))).flatmap(
    lambda hits: st.tuples(
        st.just(hits),
        hnp.arrays(np.int64, len(hits), elements=st.integers(0, 12)).map(
            lambda more: np.maximum(hits.sum(axis=1) + more, 1)
        ),
    )
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ndcg", 1.5 / (1 + 1 / np.log2(3) + 0.5)),
        ("recall", 2 / 3),
        ("precision", 2 / 5),
        ("hit", 1),
        ("mrr", 1),
        ("map", (1 + 2 / 3) / 3),
    ],
)
def test_example_of_the_docstrings(name, expected):
    assert METRICS[name].function(EXAMPLE, np.array([3]), 5) == pytest.approx([expected], abs=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ndcg", [1 / np.log2(4) / (1 + 1 / np.log2(3)), 0]),  # two relevant: the ideal has hits at 1 and 2
        ("recall", [1 / 2, 0]),
        ("precision", [1 / 3, 0]),
        ("hit", [1, 0]),
        ("mrr", [1 / 3, 0]),
        ("map", [1 / 3 / 2, 0]),
    ],
)
def test_hit_at_the_cut_off_counts_and_the_next_does_not(name, expected):
    hits = np.array([[0, 0, 1, 0], [0, 0, 0, 1]], bool)
    assert METRICS[name].function(hits, np.array([2, 1]), 3) == pytest.approx(expected, abs=1e-12)


def test_precision_divides_by_k_where_lists_are_shorter():
    assert METRICS["precision"].function(EXAMPLE, np.array([3]), 10) == pytest.approx([0.2])


@given(case=cases, k=st.integers(1, K_MAX + 3))
def test_bounds_and_order_of_users(case, k):
    hits, n_relevant = case
    for metric in METRICS.values():
        values = metric.function(hits, n_relevant, k)
        assert ((values >= 0) & (values <= 1)).all()
        assert (metric.function(hits[::-1], n_relevant[::-1], k) == values[::-1]).all()


@given(case=cases, k=st.integers(1, K_MAX), place=st.integers(0, K_MAX - 1))
def test_one_more_hit_never_lowers_a_metric(case, k, place):
    hits, n_relevant = case
    more, n_relevant = hits.copy(), n_relevant + 1
    more[:, place] = True
    for metric in METRICS.values():
        assert (metric.function(more, n_relevant, k) >= metric.function(hits, n_relevant, k)).all()


@given(case=cases, k=st.integers(2, K_MAX))
def test_a_longer_list_never_lowers_recall_hit_and_mrr(case, k):
    for name in ("recall", "hit", "mrr"):
        assert (METRICS[name].function(*case, k) >= METRICS[name].function(*case, k - 1)).all()


@given(n_relevant=st.integers(1, 12), k=st.integers(1, K_MAX))
def test_a_perfect_list_has_one(n_relevant, k):
    ideal = np.arange(K_MAX)[None] < n_relevant
    for name in ("ndcg", "map", "hit", "mrr"):
        assert METRICS[name].function(ideal, np.array([n_relevant]), k) == [1.0]


@given(case=cases, k=st.integers(2, K_MAX))
def test_a_hit_is_worth_more_higher_up(case, k):
    hits, n_relevant = case
    first, last = np.zeros_like(hits), np.zeros_like(hits)
    first[:, 0], last[:, k - 1] = True, True
    for name in ("ndcg", "mrr", "map"):
        assert (METRICS[name].function(first, n_relevant, k) > METRICS[name].function(last, n_relevant, k)).all()


def test_every_metric_is_described():
    for name, metric in metrics.METRICS.items():
        assert metric.name == name
        assert metric.description
        assert metric.reference
    assert metrics.metric("ndcg@10").higher_is_better
    assert metrics.metric("rmse").arrow == "↓"
    with pytest.raises(AicineError, match="Did you mean 'ndcg'"):
        metrics.metric("ndgc@10")
