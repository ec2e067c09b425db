"""Sampled metrics follow from full ranks; full ranks are those of the evaluator's lists."""

from itertools import combinations

import numpy as np
import pytest

from aicine_utils import columns as c
from aicine_utils import experiment, splits
from aicine_utils.models import registry
from aicine_utils.study import sampled


def test_full_ndcg_by_hand():
    assert sampled.full_ndcg(np.array([1, 3, 10, 11, 0])).tolist() == pytest.approx([1, 0.5, 1 / np.log2(11), 0, 0])


def test_sampled_ndcg_by_hand():
    one = sampled.sampled_ndcg(np.array([2]), np.array([3]), negatives=1)
    assert one.tolist() == pytest.approx([(1 + 1 / np.log2(3)) / 2])
    assert sampled.sampled_ndcg(np.array([1, 0]), np.array([500, 500])).tolist() == [1, 0]


@pytest.mark.parametrize(("rank", "size", "negatives", "k"), [(3, 6, 2, 10), (5, 7, 4, 2), (7, 7, 3, 3)])
def test_sampled_ndcg_is_the_mean_over_all_draws(rank, size, negatives, k):
    draws = list(combinations([place for place in range(1, size + 1) if place != rank], negatives))
    ranks = np.array([1 + sum(place < rank for place in draw) for draw in draws])
    expected = sampled.full_ndcg(ranks, k).mean()
    assert sampled.sampled_ndcg(np.array([rank]), np.array([size]), negatives, k) == pytest.approx([expected])


def test_more_negatives_than_films_are_all_films():
    ranks, sizes = np.array([1, 4, 9]), np.array([9, 9, 9])
    assert sampled.sampled_ndcg(ranks, sizes, 100) == pytest.approx(sampled.full_ndcg(ranks))


def test_full_ranks_give_the_evaluator_s_numbers(mock_data):
    split = splits.make(mock_data, "leave_one_out")
    results = {name: experiment.run(name, split) for name in ("popularity", "ease")}
    values = sampled.ndcg(results, split, ks=(5, 10), negatives=20)
    for name, result in results.items():
        for k in (5, 10):
            mine = values[sampled.FULL, k, name]
            np.testing.assert_allclose(mine, result.values("ndcg", k).reindex(mine.index), atol=1e-12)
            assert (values[sampled.SAMPLED, k, name] >= mine - 1e-12).all()


def test_ranks_are_among_what_the_model_may_show(mock_data):
    split = splits.make(mock_data, "global_temporal")
    model = registry.create("popularity", "mock").fit(split.for_test())
    table = sampled.ranks(model, split)
    assert len(table) == len(split.test)
    known = split.history.groupby(c.USER)[c.MOVIE].nunique()
    sizes = model.known_.sum() - table[c.USER].map(known).fillna(0)
    assert (table["candidates"] == sizes).all()
    assert (table[c.RANK] <= table["candidates"]).all()
    unknown = ~split.test[c.MOVIE].isin(split.for_test().train[c.MOVIE])
    assert (table[c.RANK] == 0).sum() == unknown.sum()
