"""Metrics of predicted stars: RMSE and MAE over all test ratings, with intervals over users.

In: user_id, movie_id, rating, predicted. A user with more ratings weighs more, as in the literature; an interval
therefore resamples users and divides sums by sums. Paired tests take each user's :func:`contributions` to the error.
"""

import math

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.metrics.evaluate import tidy
from aicine_utils.metrics.ranking import Metric
from aicine_utils.metrics.significance import SAME, ratio_interval

METRICS = {
    metric.name: metric
    for metric in (
        Metric("rmse", "RMSE", False, "Typical error of a predicted rating in stars; large errors weigh more",
               "Herlocker et al. 2004, Evaluating collaborative filtering recommender systems"),
        Metric("mae", "MAE", False, "Mean distance between predicted and given rating, in stars",
               "Herlocker et al. 2004, Evaluating collaborative filtering recommender systems"),
        Metric("mse", "MSE", False, "Mean squared error of a user's predicted ratings, for tests between models",
               "Herlocker et al. 2004, Evaluating collaborative filtering recommender systems"),
    )
}  # fmt: skip


def error_sums(predictions: pd.DataFrame) -> pd.DataFrame:
    """Sums of each user's errors, indexed by user_id: n (ratings), squared (stars²), absolute (stars).

    Raises AicineError for no predictions, or one that is not a number.
    """
    error = predictions[c.PREDICTED].to_numpy(np.float64) - predictions[c.RATING].to_numpy(np.float64)
    if not len(error):
        raise AicineError("There are no predictions to measure. Predict the test ratings of the split first.")
    if not np.isfinite(error).all():
        row = predictions.iloc[int(np.argmin(np.isfinite(error)))]
        raise AicineError(
            f"The prediction for user {row[c.USER]:.0f} and movie {row[c.MOVIE]:.0f} is not a number. "
            "Check the model's settings (learning rate too high?)."
        )
    user_ids, row = np.unique(predictions[c.USER].to_numpy(), return_inverse=True)
    sums = {"n": np.bincount(row), "squared": np.bincount(row, error**2), "absolute": np.bincount(row, abs(error))}
    return pd.DataFrame(sums, index=pd.Index(user_ids, name=c.USER))


def rmse(predictions: pd.DataFrame) -> float:
    """Root of the mean squared error over all rows, in stars. Example: errors 1, -1, 2 give √(6/3) = 1.4142."""
    sums = error_sums(predictions)
    return float(np.sqrt(sums["squared"].sum() / sums["n"].sum()))


def mae(predictions: pd.DataFrame) -> float:
    """Mean absolute error over all rows, in stars. Example: errors 1, -1, 2 give 4/3 = 1.3333."""
    sums = error_sums(predictions)
    return float(sums["absolute"].sum() / sums["n"].sum())


def evaluate_ratings(predictions: pd.DataFrame, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """RMSE and MAE with 95 % intervals: mean (the estimate), low, high, n (users); indexed by rmse, mae."""
    sums = error_sums(predictions)
    errors, counts = sums[["squared", "absolute"]].to_numpy(), sums[["n", "n"]].to_numpy()
    low, high = ratio_interval(errors, counts, resamples, seed)
    table = np.column_stack([errors.sum(0) / counts.sum(0), low, high])
    table[0] = np.sqrt(table[0])
    return pd.DataFrame(table, index=["rmse", "mae"], columns=["mean", "low", "high"]).assign(n=len(sums))


def contributions(predictions: pd.DataFrame) -> pd.Series:
    """Each user's part in the pooled MSE, by user_id: mean over users and differences of means are those of MSE itself.

    (squared_u - MSE n_u) / mean(n) + MSE, the linearised ratio of sums, so that a paired test judges the number shown.
    """
    sums = error_sums(predictions)
    mse = sums["squared"].sum() / sums["n"].sum()
    return (sums["squared"] - mse * sums["n"]) / sums["n"].mean() + mse


def rmse_parts(predictions: pd.DataFrame) -> pd.Series:
    """Each user's part in the pooled RMSE, by user_id: their mean is the RMSE, and differences are those of RMSEs.

    :func:`contributions` of the mean squared error, through the square root by the delta method.
    """
    parts = contributions(predictions)
    error = math.sqrt(parts.mean())
    return error + (parts - error**2) / (2 * max(error, SAME))


def per_user_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Each user's own MAE and MSE as user_id, metric, k (0), value."""
    sums = error_sums(predictions)
    values = sums[["absolute", "squared"]].to_numpy() / sums[["n"]].to_numpy()
    return tidy(sums.index.to_numpy(), [("mae", 0), ("mse", 0)], values)
