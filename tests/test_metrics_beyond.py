import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics_cases import pairs, split, topk
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.metrics import beyond, groups
from aicine_utils.metrics.evaluate import means

GENRES = {1: ["Action"], 2: ["Action", "Crime"], 3: ["Drama"], 4: ["(no genres listed)"], 5: ["Crime"]}
USERS = pd.DataFrame({c.USER: [1, 2, 3, 4], c.GENDER: ["F", "M", "F", "M"], c.AGE: [18, 25, None, 18]})


@pytest.fixture
def hand():
    """Movie 1 was watched by 4 of 4, 2 by 2, 3 by 1 (in validation), 5 by 1; movie 4 only in the test."""
    train = {1: [1, 2, 5], 2: [1, 2], 3: [1], 4: [1]}
    return split(train, {1: [4], 2: [3], 3: [2]}, valid={4: [3]}, genres=GENRES, users=USERS)


def values(per_user, metric):
    return per_user[per_user[c.METRIC] == metric].set_index(c.USER)[c.VALUE].to_dict()


def test_coverage_and_gini_by_hand():
    assert beyond.coverage(np.array([2, 0, 1, 0])) == 0.5
    assert beyond.gini(np.array([3, 0, 0, 1])) == 5 / 8
    assert beyond.gini(np.array([4, 4, 4])) == 0
    assert beyond.gini(np.array([0, 0, 0, 9])) == 3 / 4  # all on one of n: 1 - 1/n


def test_diversity_by_hand():
    genres = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]], bool)
    table = np.array([[0, 1, 2, -1], [0, 0, -1, -1], [0, -1, -1, -1], [0, 3, 1, -1]])
    expected = [(1 / 2 + 1 + 1) / 3, 0, np.nan, 1 / 2]  # one movie has no pair; a movie without genre has no part
    np.testing.assert_allclose(beyond.diversity(table, genres), expected, atol=1e-7)


def test_calibration_by_hand():
    shares = np.eye(2)
    history = sparse.csr_matrix(np.array([[1, 1], [1, 1], [1, 0], [0, 0]], np.float32))
    table = np.array([[0], [1], [1], [1]])
    one_sided = 0.5 * np.log(0.5 / 0.995) + 0.5 * np.log(0.5 / 0.005)
    expected = [one_sided, one_sided, -np.log(0.01), np.nan]
    np.testing.assert_allclose(beyond.calibration(table, history, shares), expected, atol=1e-12)
    assert beyond.calibration(np.array([[0, 1, -1]]), history[:1], shares) == pytest.approx([0], abs=1e-12)


def test_novelty_by_hand():
    table, popularity = np.array([[0, 1], [1, -1], [2, -1]]), np.array([1 / 2, 1 / 8, 0])
    np.testing.assert_allclose(beyond.novelty(table, popularity), [2, 3, 3])


def test_popularity_by_hand(hand):
    catalogue = beyond.Catalogue.of(hand)
    assert catalogue.candidates.tolist() == [True, True, False, False, True]  # 3 is in validation, 4 in the test only
    assert catalogue.popularity.tolist() == [1, 1 / 2, 1 / 4, 0, 1 / 4]
    assert catalogue.percentile.tolist() == pytest.approx([2.5 / 3, 1.5 / 3, 0.5 / 3, 0, 0.5 / 3])
    per_user = beyond.per_user_beyond(topk({1: [3], 2: [5], 3: [2, 5]}), hand, k=5)
    lift = {1: 0.25 / ((1 + 0.5 + 0.25) / 3) - 1, 2: 0.25 / 0.75 - 1, 3: 0.375 / 1 - 1}
    assert values(per_user, "popularity_lift") == pytest.approx(lift)
    assert values(per_user, "popularity")[3] == pytest.approx(1 / 3)


def test_everything_together(hand):
    lists = topk({1: [3, 4], 2: [5, 3], 3: [2, 5]})
    result = beyond.evaluate_beyond(lists, hand, k=2)
    assert list(result) == list(beyond.METRICS)
    assert result["coverage"] == pytest.approx(2 / 3)  # 2 and 5 of candidates 1, 2, 5
    assert result["gini"] == pytest.approx((0 * -2 + 1 * 0 + 2 * 2) / (3 * 3))
    assert result["diversity"] == pytest.approx((1 + 1 / 2) / 2)  # user 1 has no pair with genres
    per_user = beyond.per_user_beyond(lists, hand, k=2)
    for name, value in means(per_user).items():
        assert result[name.removesuffix("@2")] == pytest.approx(value)
    assert per_user[[c.USER, c.METRIC]].to_numpy().tolist() == sorted(per_user[[c.USER, c.METRIC]].to_numpy().tolist())


def test_only_the_first_k_count(hand):
    long, short = topk({1: [3, 4, 2], 2: [5, 3, 1]}), topk({1: [3, 4], 2: [5, 3]})
    assert beyond.evaluate_beyond(long, hand, k=2) == pytest.approx(beyond.evaluate_beyond(short, hand, k=2))


def test_a_user_without_history_has_no_lift_and_no_calibration():
    new = split({1: [1]}, {2: [2]}, genres=GENRES)
    measured = set(beyond.per_user_beyond(topk({2: [1, 2]}), new)[c.METRIC])
    assert measured == {"diversity", "novelty", "popularity"}


def test_refuses_lists_of_another_split(hand):
    with pytest.raises(AicineError, match="movie 77"):
        beyond.evaluate_beyond(topk({1: [77]}), hand)
    with pytest.raises(AicineError, match="no lists"):
        beyond.evaluate_beyond(topk({1: [3]}).iloc[:0], hand)


@given(seed=st.integers(0, 10_000))
def test_bounds(seed):
    rng = np.random.default_rng(seed)
    genres = rng.random((12, 4)) < 0.4
    table = np.array([rng.permutation(12)[:5] for _ in range(6)])
    history = sparse.csr_matrix((rng.random((6, 12)) < 0.4).astype(np.float32))
    shares = genres / np.maximum(genres.sum(axis=1, keepdims=True), 1)
    distance, times = beyond.calibration(table, history, shares), np.bincount(table.ravel(), minlength=12)
    assert (np.isnan(distance) | ((distance >= -1e-12) & (distance <= -np.log(0.01) + 1e-12))).all()
    varied = beyond.diversity(table, genres)
    assert (np.isnan(varied) | ((varied >= 0) & (varied <= 1))).all()
    assert 0 <= beyond.gini(times) <= 1 - 1 / 12 + 1e-12
    assert beyond.gini(times) == pytest.approx(beyond.gini(times[::-1] * 3))
    assert (beyond.novelty(table, rng.random(12)) >= 0).all()


def test_chunks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    table, genres = rng.integers(0, 20, (23, 6)), rng.random((20, 5)) < 0.5
    whole = beyond.diversity(table, genres)
    monkeypatch.setattr(beyond, "CHUNK", 4)
    np.testing.assert_array_equal(beyond.diversity(table, genres), whole)


def test_groups(hand):
    labels = groups.groups(hand)
    assert labels[c.GENDER].to_dict() == {1: "F", 2: "M", 3: "F", 4: "M"}
    assert set(labels[c.AGE].index) == {1, 2, 4}
    assert labels["activity"].to_dict() == {1: "heavy", 2: "medium", 3: "light", 4: "medium"}
    assert list(groups.groups(split({1: [1]}, {2: [2]}))) == ["activity"]
    assert groups.groups(split({1: [1]}, {2: [2]}))["activity"].to_dict() == {1: "medium", 2: "new"}


def test_by_group_by_hand():
    per_user = pd.DataFrame({c.USER: [1, 2, 3, 4], c.METRIC: "ndcg", c.K: 10, c.VALUE: [0.2, 0.4, 0.6, 0.9]})
    table = groups.by_group(per_user, pd.Series({1: "F", 2: "M", 3: "F"}), resamples=50)
    assert table[["group", "metric", "mean", "n"]].to_numpy().tolist() == [
        ["F", "ndcg@10", pytest.approx(0.4), 2],
        ["M", "ndcg@10", pytest.approx(0.4), 1],
    ]
    assert table.loc[0, ["low", "high"]].tolist() == pytest.approx([0.2, 0.6])
    with pytest.raises(AicineError, match="None of the measured users"):
        groups.by_group(per_user, pd.Series({9: "F"}))


def test_shelves_and_recall_by_popularity(hand):
    assert groups.shelves(hand).to_dict() == {1: "head", 2: "torso", 3: "tail", 5: "tail", 4: "new"}
    relevant = pairs({1: {3, 4, 5}, 2: {2}})
    table = groups.recall_by_popularity(topk({1: [3, 4], 2: [1]}), relevant, hand, k=2)
    assert table.to_numpy().tolist() == [
        [1, "recall_new", 2, 1.0],
        [1, "recall_tail", 2, 0.5],
        [2, "recall_torso", 2, 0.0],
    ]
    with pytest.raises(AicineError, match="none of the relevant movies"):
        groups.recall_by_popularity(topk({1: [3]}), pairs({1: {77}}), hand)
