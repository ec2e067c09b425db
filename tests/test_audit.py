"""The study's number rewards knowing nothing; its loop gives the lists that one product gives."""

import pandas as pd
import pytest

from aicine_utils.models import original_study
from aicine_utils.study import audit

GRID = pd.DataFrame(
    {"n_epochs": [5, 20, 10], "lr_all": [0.001, 0.01, 0.005], "rmse": [1.1, 0.9, 1.0], "rank": [3, 1, 2]}
)


def test_winner_is_rank_one():
    assert audit.winner(GRID) == {"n_epochs": 20, "lr_all": 0.01}


def test_numbers_run_from_the_best_rank_to_the_worst(mock_data):
    table = audit.anti_test(mock_data, GRID, points=2)
    assert table["rmse"].tolist()[:2] == [0.9, 1.1]
    assert table["label"].tolist() == ["20 epochs, rate 0.01", "5 epochs, rate 0.001", "Always the mean"]
    again = original_study.refit_on_all(mock_data, 0, n_epochs=5, lr_all=0.001)
    assert table["anti_test"].iloc[1] == original_study.anti_test_rmse(again)
    assert len(audit.anti_test(mock_data, GRID, points=9)) == 4


def test_always_the_mean_has_the_best_number(mock_data):
    table = audit.anti_test(mock_data, GRID, points=1).set_index("label")
    assert table.loc["Always the mean", "anti_test"] == pytest.approx(0, abs=1e-6)
    assert table["anti_test"].idxmin() == table["rmse"].idxmax() == "Always the mean"


def test_loop_and_product_give_the_same_lists(mock_split):
    made = audit.listing(mock_split, users=3)
    assert made.equal == 1
    assert min(made) > 0


def test_words_follow_the_numbers():
    assert "worse of the two" in audit.judgement(reported=0.6, of_mean=0, honest=0.9, honest_of_mean=1.1)
    assert "luck" in audit.judgement(reported=0.6, of_mean=0, honest=1.2, honest_of_mean=1.1)
    assert [audit.standing(place, 2) for place in (1, 2, 3)] == [
        "a better place than",
        "the same place as",
        "a worse place than",
    ]
