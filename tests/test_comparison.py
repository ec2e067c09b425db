"""Orders that agree or don't, and lists counted against each other."""

import numpy as np
import pandas as pd
import pytest

from aicine_utils import comparison


def lists(*movies, users=(7, 9)):
    """One list of ``movies`` a user, ranks from 1."""
    rows = [(user, movie, rank) for user, own in zip(users, movies, strict=True) for rank, movie in enumerate(own, 1)]
    return pd.DataFrame(rows, columns=["user_id", "movie_id", "rank"])


def test_shared_by_hand():
    made = {"a": lists([1, 2, 3], [1, 2, 3]), "b": lists([3, 2, 9], [8, 1, 9]), "c": lists([5], [1, 6, 7])}
    table = comparison.shared(made, k=3)
    assert table.loc["a", "b"] == table.loc["b", "a"] == (2 + 1) / 2
    assert table.loc["a", "c"] == (0 + 1) / 2
    assert np.diag(table).tolist() == [3, 3, 2]
    assert comparison.shared(made, k=1).loc["a", "b"] == 0


def test_shared_needs_the_same_user():
    assert comparison.shared({"a": lists([1], [2]), "b": lists([2], [1])}).loc["a", "b"] == 0


def test_most_alike_ignores_the_diagonal():
    table = pd.DataFrame([[10, 2, 4], [2, 10, 1], [4, 1, 10]], index=list("abc"), columns=list("abc"))
    assert comparison.most_alike(table) == ("a", "c", 4.0)


def test_like_models_stand_side_by_side():
    values = [[10, 1, 8, 1], [1, 10, 1, 8], [8, 1, 10, 1], [1, 8, 1, 10]]
    table = comparison.neighbours_first(pd.DataFrame(values, index=list("abcd"), columns=list("abcd"), dtype=float))
    assert {"".join(sorted(table.index[:2])), "".join(sorted(table.index[2:]))} == {"ac", "bd"}
    assert list(table.index) == list(table.columns)
    assert table.loc["a", "c"] == 8


@pytest.mark.parametrize(
    ("ndcg", "tau", "verdict"),
    [([9, 8, 7, 6, 5], 1, "agree"), ([5, 6, 7, 8, 9], -1, "oppose"), ([8, 9, 5, 6, 7], 0.2, "unrelated")],
)
def test_low_errors_and_high_ndcg_agree(ndcg, tau, verdict):
    found = comparison.agreement(pd.Series([1, 2, 3, 4, 5, np.nan]), pd.Series([*ndcg, 99]))
    assert found.tau == pytest.approx(tau)
    assert found.n == 5
    assert found.verdict == verdict


def test_too_few_models_are_unrelated():
    assert comparison.agreement(pd.Series([1.0]), pd.Series([1.0])).verdict == "unrelated"


def test_leaders_of_each_kind():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.01, 10)
    good, bad = np.r_[np.ones(5), np.zeros(5), 1] + np.r_[noise, 0], np.r_[np.zeros(5), np.ones(5), 0]
    values = pd.DataFrame({"A": good, "A again": good + np.r_[-noise, 0] / 50, "B": bad}, index=range(1, 12))
    kinds = pd.Series(["old"] * 5 + ["new"] * 5 + ["lonely"], index=values.index)
    found = comparison.leaders(values, kinds)
    assert set(found) == {"old", "new"}
    assert found["new"] == "B"
    assert set(found["old"].split(" or ")) == {"A", "A again"}


def test_first_at_both_jobs():
    board = pd.DataFrame({"label": list("abc"), "place": [1, 1, 3], "place_rmse": [np.nan, 1, 1]})
    assert comparison.both_first(board) == ["b"]
