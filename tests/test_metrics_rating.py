import numpy as np
import pandas as pd
import pytest

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.metrics import rating


def predictions(rows):
    return pd.DataFrame(rows, columns=c.PREDICTIONS).astype({c.RATING: np.float32, c.PREDICTED: np.float32})


HAND = predictions([(7, 1, 3, 4), (2, 1, 4, 3), (7, 3, 5, 3)])  # errors 1, -1, -2


def test_by_hand():
    assert rating.rmse(HAND) == pytest.approx(np.sqrt(2))
    assert rating.mae(HAND) == pytest.approx(4 / 3)
    sums = rating.error_sums(HAND)
    assert sums.index.tolist() == [2, 7]
    assert sums.to_numpy().tolist() == [[1, 1, 1], [2, 5, 3]]


def test_per_user_by_hand():
    rows = rating.per_user_errors(HAND).to_numpy().tolist()
    assert rows == [[2, "mae", 0, 1.0], [2, "mse", 0, 1.0], [7, "mae", 0, 1.5], [7, "mse", 0, 2.5]]


def test_agrees_with_scikit_learn_and_holds_the_estimate_in_its_interval():
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({c.USER: rng.integers(0, 40, 500), c.MOVIE: np.arange(500), c.RATING: rng.integers(1, 6, 500)})
    frame[c.PREDICTED] = rng.uniform(1, 5, 500)
    table = rating.evaluate_ratings(frame, resamples=300)
    true, guess = frame[c.RATING], frame[c.PREDICTED]
    assert table.loc["rmse", "mean"] == pytest.approx(root_mean_squared_error(true, guess), abs=1e-12)
    assert table.loc["mae", "mean"] == pytest.approx(mean_absolute_error(true, guess), abs=1e-12)
    assert ((table["low"] < table["mean"]) & (table["mean"] < table["high"])).all()
    assert (table["n"] == frame[c.USER].nunique()).all()


def test_interval_is_of_users_not_of_ratings():
    """One user's thousand equal errors beside another's: only two things can be drawn."""
    frame = predictions([(1, m, 3, 3) for m in range(1000)] + [(2, m, 3, 4) for m in range(1000)])
    table = rating.evaluate_ratings(frame, resamples=200)
    assert table.loc["rmse", ["mean", "low", "high"]].tolist() == pytest.approx([np.sqrt(0.5), 0, 1])


def test_refuses_what_is_no_number():
    with pytest.raises(AicineError, match="user 2 and movie 1 is not a number"):
        rating.rmse(HAND.assign(**{c.PREDICTED: [1, np.nan, 2]}))
    with pytest.raises(AicineError, match="no predictions"):
        rating.evaluate_ratings(HAND.iloc[:0])


def test_contributions_have_the_pooled_error_as_mean_and_its_differences():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"user_id": rng.integers(0, 9, 80), "movie_id": range(80), "rating": rng.integers(1, 6, 80)})
    one, two = (rows.assign(predicted=rng.uniform(1, 5, 80)) for _ in range(2))
    mse = [rating.rmse(predictions) ** 2 for predictions in (one, two)]
    parts = [rating.contributions(predictions) for predictions in (one, two)]
    assert [part.mean() for part in parts] == pytest.approx(mse)
    assert (parts[0] - parts[1]).mean() == pytest.approx(mse[0] - mse[1])
