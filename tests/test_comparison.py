"""Orders that agree or don't, and lists counted against each other."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from aicine_utils.metrics import significance
from aicine_utils.study import comparison


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


def test_first_at_both_jobs():
    board = pd.DataFrame({"label": list("abc"), "place": [1, 1, 3], "place_rmse": [np.nan, 1, 1]})
    assert comparison.both_first(board) == ["b"]


def test_differences_by_hand():
    values = pd.DataFrame({"a": [0.1, 0.2, 0.3, None], "b": [0.3, 0.3, 0.6, 0.1], "c": [0.1, 0.2, 0.3, 0.9]})
    table = comparison.differences(values, "a")
    # b minus a: .2, .1, .3; mean .2, standard error .1 / √3, t quantile with 2 degrees 4.302653; c is a.
    assert table.loc["b", "difference"] == pytest.approx(0.2)
    assert table.loc["b", "low"] == pytest.approx(0.2 - 4.302653 * 0.1 / 3**0.5, abs=1e-6)
    assert table.loc["c", ["difference", "low", "high", "p_holm"]].tolist() == [0, 0, 0, 1]
    pair = significance.paired(values["b"][:3].to_numpy(), values["a"][:3].to_numpy())
    assert table.loc["b", "p_holm"] == pytest.approx(2 * pair.p)


def test_seeds_are_averaged_by_user():
    def run(*values):
        return {"ease": SimpleNamespace(values=lambda *_: pd.Series(values, index=[7, 9]))}

    table = comparison.over_seeds([run(0.2, 0.4), run(0.4, 0.4)])
    assert table["EASE"].tolist() == pytest.approx([0.3, 0.4])
    assert table.index.tolist() == [7, 9]
