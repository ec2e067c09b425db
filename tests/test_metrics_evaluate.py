import numpy as np
import pandas as pd
import pytest
from metrics_cases import pairs, random_lists, split, topk
from pandas.testing import assert_frame_equal

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.metrics import evaluate as ev


def by_hand(movies, wanted, k):
    """The six metrics of one user, rank by rank."""
    found = [(rank, movie in wanted) for rank, movie in enumerate(movies[:k], 1)]
    ranks = [rank for rank, is_hit in found if is_hit]
    ideal = sum(1 / np.log2(rank + 1) for rank in range(1, min(k, len(wanted)) + 1))
    return {
        "ndcg": sum(1 / np.log2(rank + 1) for rank in ranks) / ideal,
        "recall": len(ranks) / len(wanted),
        "precision": len(ranks) / k,
        "hit": float(bool(ranks)),
        "mrr": 1 / ranks[0] if ranks else 0.0,
        "map": sum(n / rank for n, rank in enumerate(ranks, 1)) / min(k, len(wanted)),
    }


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_metrics_worked_user_by_user(seed):
    lists, relevant = random_lists(seed)
    per_user = ev.evaluate(lists, relevant)
    movies, wanted = lists.groupby(c.USER)[c.MOVIE].agg(list), relevant.groupby(c.USER)[c.MOVIE].agg(set)
    expected = [by_hand(movies[u], wanted[u], k)[name] for u, name, k in per_user[[c.USER, c.METRIC, c.K]].to_numpy()]
    assert len(per_user) == 30 * 6 * 3
    np.testing.assert_allclose(per_user[c.VALUE], expected, rtol=0, atol=1e-12)


def test_frame_is_sorted_and_typed():
    per_user = ev.evaluate(*random_lists(0), ks=(20, 5, 5))
    assert list(per_user.columns) == c.PER_USER
    assert per_user[c.VALUE].dtype == np.float64
    assert_frame_equal(per_user, per_user.sort_values([c.USER, c.METRIC, c.K], ignore_index=True))
    assert per_user[c.K].unique().tolist() == [5, 20]


def test_order_of_rows_changes_nothing():
    lists, relevant = random_lists(1)
    shuffled = ev.evaluate(lists.sample(frac=1, random_state=0), relevant.sample(frac=1, random_state=1))
    assert_frame_equal(shuffled, ev.evaluate(lists, relevant))


def test_hits_of_short_absent_and_pointless_lists():
    lists = topk({1: [10, 11, 12], 2: [10], 9: [10, 11]})
    relevant = pairs({1: {12, 10, 99}, 2: {11}, 3: {10}})
    users, matrix, n_relevant = ev.hits(lists, relevant)
    assert users.tolist() == [1, 2, 3]
    assert matrix.tolist() == [[True, False, True], [False, False, False], [False, False, False]]
    assert n_relevant.tolist() == [3, 1, 1]
    assert ev.excluded(lists, relevant).tolist() == [9]
    per_user = ev.evaluate(lists, relevant, ks=(5,))
    assert per_user.attrs["n_excluded"] == 1
    assert ev.means(per_user)["recall@5"] == pytest.approx((2 / 3 + 0 + 0) / 3)
    assert ev.means(per_user)["precision@5"] == pytest.approx((2 / 5 + 0 + 0) / 3)


def test_no_lists_at_all_are_zeros():
    per_user = ev.evaluate(topk({}).astype({c.USER: int, c.MOVIE: int, c.RANK: int}), pairs({1: {2}, 4: {3}}))
    assert (per_user[c.VALUE] == 0).all()
    assert per_user[c.USER].unique().tolist() == [1, 4]


def test_a_relevant_row_given_twice_counts_once():
    twice = pd.concat([pairs({1: {5, 6}})] * 2)
    assert ev.hits(topk({1: [5]}), twice)[2].tolist() == [2]


def test_ids_too_far_apart_for_one_integer():
    far = 2**32  # far² is 0 in 64 bits: the two users' keys would be equal
    lists, relevant = topk({1: [1, far], far + 1: [far, 1]}), pairs({1: {far}, far + 1: {far}})
    assert ev.hits(lists, relevant)[1].tolist() == [[False, True], [True, False]]


def test_means_wide_and_summary_agree():
    per_user = ev.evaluate(*random_lists(2))
    summary = ev.summary(per_user, resamples=200)
    assert summary.index.equals(ev.wide(per_user).columns)
    np.testing.assert_allclose(summary["mean"], ev.means(per_user)[summary.index])
    assert ((summary["low"] <= summary["mean"]) & (summary["mean"] <= summary["high"])).all()
    assert (summary["n"] == 30).all()
    assert ev.label("mse", 0) == "mse"


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        (({1: [5, 6]}, {1: [7, 6]}, None), "user 1 has movie 6"),
        (({1: [5]}, {2: [8]}, {1: [5]}), "user 1 has movie 5"),
        (({1: [5]}, {2: [8]}, {2: [8]}), "user 2 has movie 8"),
    ],
)
def test_refuses_parts_that_overlap(parts, where):
    train, test, valid = parts
    with pytest.raises(AicineError, match=where):
        ev.refuse_overlap(split(train, test, valid))


def test_sound_split_and_lists_pass():
    case = split({1: [5, 6], 2: [7]}, {1: [7], 2: [5]}, {1: [8]})
    per_user = ev.evaluate(topk({1: [7, 9], 2: [6, 5]}), case.relevant(case.test), ks=(2,), split=case)
    assert ev.means(per_user)["mrr@2"] == pytest.approx((1 + 1 / 2) / 2)


@pytest.mark.parametrize("movie", [6, 8])  # one of train, one of validation
def test_refuses_lists_with_the_users_history(movie):
    case = split({1: [5, 6], 2: [7]}, {1: [7], 2: [5]}, {1: [8]})
    with pytest.raises(AicineError, match=f"user 1 holds movie {movie}"):
        ev.evaluate(topk({1: [7, movie], 2: [6]}), case.relevant(case.test), split=case)


def test_refuses_malformed_lists():
    relevant = pairs({1: {5}})
    with pytest.raises(AicineError, match="user 1 holds movie 5 twice"):
        ev.evaluate(topk({1: [5, 6, 5]}), relevant)
    with pytest.raises(AicineError, match="two movies at rank 2"):
        ev.evaluate(topk({1: [5, 6, 7]}).assign(rank=[1, 2, 2]), relevant)
    with pytest.raises(AicineError, match="rank 0"):
        ev.evaluate(topk({1: [5, 6]}).assign(rank=[0, 1]), relevant)


def test_refuses_to_measure_nothing():
    with pytest.raises(AicineError, match="Nobody has a relevant movie"):
        ev.evaluate(topk({1: [5]}), pairs({}))
    with pytest.raises(AicineError, match="Cut-offs"):
        ev.evaluate(topk({1: [5]}), pairs({1: {5}}), ks=(0, 5))
