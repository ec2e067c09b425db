"""One row a model: numbers that equal the runs' own, places by paired tests, costs."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from aicine_utils import experiment, leaderboard
from aicine_utils.metrics import beyond, evaluate, rating

NAMES = ["random", "views", "baseline", "svd", "ease"]


@pytest.fixture
def results(mock_split):
    return experiment.run_all(NAMES, mock_split, watch=lambda _: None)


@pytest.fixture
def board(results, mock_split):
    return leaderboard.leaderboard(results.values(), mock_split, resamples=50)


def test_columns_of_the_contract(board):
    measured = [f"{name}@{k}" for name in ("ndcg", "recall", "precision", "hit", "mrr", "map") for k in (5, 10, 20)]
    spread = [name + end for name in (*measured, "rmse", "mae") for end in ("", "_low", "_high")]
    plain = ["protocol", "model", "label", "family", "seeds", "n_users", *beyond.METRICS, *leaderboard.COSTS]
    assert sorted(board.columns) == sorted(
        [
            *plain,
            *spread,
            "place",
            "place_rmse",
            "frozen_days",
            "at_once",
            "trials",
            "search_minutes",
            "lent_by",
            "found_on",
            "stopped_by_budget",
            "run",
        ]
    )


def test_best_list_comes_first(board):
    assert set(board["model"]) == set(NAMES)
    assert board["ndcg@10"].is_monotonic_decreasing
    assert board["model"].iloc[-1] == "random"
    assert board["place"].iloc[0] == 1


def test_numbers_are_those_of_the_runs(board, results, mock_split):
    rows = board.set_index("model")
    for name, result in results.items():
        own, lists = rows.loc[name], evaluate.means(result.per_user)
        assert own["ndcg@10"] == pytest.approx(result.values().mean())
        assert own["recall@5"] == pytest.approx(lists["recall@5"])
        assert own["coverage"] == beyond.evaluate_beyond(result.topk, mock_split.for_test())["coverage"]
        assert own["fit_seconds"] == result.manifest["fit_seconds"]
        assert own["peak_mb"] == result.manifest["peak_mb"]
        assert own["run"] == result.folder.name
        assert own["n_users"] == mock_split.relevant(mock_split.test)["user_id"].nunique()
    assert rows.loc["svd", "rmse"] == pytest.approx(rating.rmse(results["svd"].predictions))


def test_only_models_that_rate_have_errors_and_a_place_for_them(board):
    rates = board["model"].isin(["baseline", "svd"])
    assert (board["rmse"].notna() == rates).all()
    assert (board["place_rmse"].notna() == rates).all()


def test_intervals_hold_the_number(board):
    for name in ("ndcg@10", "rmse", "hit@20"):
        rows = board.dropna(subset=[name])
        assert (rows[f"{name}_low"] < rows[name]).all()
        assert (rows[name] < rows[f"{name}_high"]).all()


def test_lists_alone_make_a_leaderboard(results, mock_split):
    board = leaderboard.leaderboard([results["views"], results["ease"]], mock_split, resamples=20)
    assert "rmse" not in board
    assert board["place_rmse"].isna().all()


def of(name, values):
    """A run with these values of one metric, users 0 to n."""
    return SimpleNamespace(name=name, values=lambda metric, k: pd.Series(values))


def test_models_that_can_not_be_told_apart_share_a_place():
    rng = np.random.default_rng(0)
    good = rng.random(50)
    like, worse = good + rng.normal(0, 0.05, 50), good - 0.5 + rng.normal(0, 0.01, 50)
    table = leaderboard.places([of("worse", worse), of("good", good), of("like", like)])
    assert table["place"].to_dict() == {"good": 1, "like": 1, "worse": 3}
    assert table["difference_to_best"]["worse"] == pytest.approx(worse.mean() - table["mean"].max())


def test_low_errors_are_good():
    values = {"a": [1.0, 1.1, 1.2, 1.3] * 3, "b": [2.0, 2.2, 2.1, 2.4] * 3}
    results = [of(name, numbers) for name, numbers in values.items()]
    assert leaderboard.places(results, "mse", 0)["place"].to_dict() == {"a": 1, "b": 2}
    assert leaderboard.places(results, "ndcg", 10)["place"].to_dict() == {"b": 1, "a": 2}


def test_settings_of_one_model_side_by_side(mock_split):
    made = {str(n): experiment.run("svd", mock_split, n_epochs=n, lr_all=0.01) for n in (1, 2)}
    table = leaderboard.compare(made, "mse", 0, resamples=20).set_index("label")
    assert list(table.index) == ["1", "2"]
    assert table.loc["2", "rmse"] == pytest.approx(rating.rmse(made["2"].predictions))
    assert table["place"].min() == 1
    assert "n_epochs = 2, biased = True, lr_all = 0.01" in table.loc["2", "settings"]
