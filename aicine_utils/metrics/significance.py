"""How sure a number is: intervals over users, paired tests, and places that models share.

The unit is the user everywhere: users are drawn again with replacement, and two models are compared on the same users.
A NaN is a user without a value; it is left out of means, and of a comparison for both models.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from aicine_utils.errors import AicineError

CELLS = 2_000_000  # numbers held at once while resampling: 16 MB
SAME = 1e-12  # differences below this are rounding, not a difference
FEW = 10  # people by whom no two models are told apart: of two, equal differences would look certain


class Paired(NamedTuple):
    """a minus b: mean difference, its t interval, two-sided p, and Cohen's d_z (mean / sd of the differences)."""

    difference: float
    low: float
    high: float
    p: float
    effect: float


def interval(
    values: np.ndarray, resamples: int = 2000, seed: int = 0, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile bootstrap interval (low, high) of the mean over users of ``values`` [n_users] or [n_users, m].

    Both ends have shape [] or [m]. Columns share their resamples. Source: Efron & Tibshirani 1993, ch. 13.
    """
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    return ratio_interval(np.where(known, values, 0.0), known, resamples, seed, level)


def ratio_interval(
    numerators: np.ndarray, denominators: np.ndarray, resamples: int = 2000, seed: int = 0, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`interval` for sum(numerators) / sum(denominators), e.g. squared errors over ratings; same shapes."""
    numerators, denominators = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)
    if not len(numerators):
        raise AicineError("No user to resample: an interval needs at least one. Use more data or another protocol.")
    top, bottom = resampled_sums([numerators, denominators], resamples, seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.where(bottom > 0, top / bottom, np.nan)
    tail = (1 - level) / 2
    empty = np.isnan(ratios).all(axis=0)
    low, high = np.nanquantile(np.where(empty, 0.0, ratios), [tail, 1 - tail], axis=0)
    return np.where(empty, np.nan, low)[()], np.where(empty, np.nan, high)[()]


def resampled_sums(arrays: list[np.ndarray], resamples: int, seed: int) -> list[np.ndarray]:
    """Sums over users of each array, float64 [resamples, ...], one for each draw of n users out of n."""
    n, rng = len(arrays[0]), np.random.default_rng(seed)
    chunk = max(1, CELLS // n)
    sums: list[list[np.ndarray]] = [[] for _ in arrays]
    for start in range(0, resamples, chunk):
        weights = _weights(min(chunk, resamples - start), n, rng)
        for kept, array in zip(sums, arrays, strict=True):
            kept.append(weights @ array)
    return [np.concatenate(kept) for kept in sums]


def _weights(rows: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n users is drawn, float64 [rows, n]: multinomial, by counting, which is faster than asking."""
    drawn = rng.integers(0, n, (rows, n)) + np.arange(rows)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def paired(a: np.ndarray, b: np.ndarray, level: float = 0.95) -> Paired:
    """Paired t test of ``a`` against ``b``, both [n_users] in the same order of users.

    No difference at all gives p = 1 and effect 0; the same difference for everyone gives p = 0 and an endless effect.
    """
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    difference = difference[np.isfinite(difference)]
    if len(difference) < 2:
        raise AicineError(f"A paired test needs 2 users with both values; there are {len(difference)}. Use more data.")
    mean, spread = difference.mean(), difference.std(ddof=1)
    if spread <= SAME:
        return _without_spread(float(mean))
    from scipy import stats  # only here: it takes a second to import

    test = stats.ttest_1samp(difference, 0.0)  # what ttest_rel does with a and b
    low, high = test.confidence_interval(level)
    return Paired(float(mean), float(low), float(high), float(test.pvalue), float(mean / spread))


def _without_spread(mean: float) -> Paired:
    if abs(mean) <= SAME:
        return Paired(0.0, 0.0, 0.0, 1.0, 0.0)
    return Paired(mean, mean, mean, 0.0, float(np.copysign(np.inf, mean)))


def holm(p: np.ndarray) -> np.ndarray:
    """p values after Holm's correction (1979) for as many comparisons as there are; same shape [m].

    Equal to statsmodels' multipletests, which empties the garbage of the whole process at every call, a fifth of a
    second each.
    """
    p = np.asarray(p, np.float64)
    order = np.argsort(p)
    corrected = np.empty_like(p)
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(corrected, 1.0)


def places(values: pd.DataFrame, higher_is_better: bool = True, level: float = 0.05) -> pd.DataFrame:
    """Rank models so that those that can't be told apart share a place.

    values: users x models, over users that every model has. All pairs are tested (paired t) and corrected together
    (Holm): the best is chosen by looking, so a correction for the tests against it alone would call equal models
    different in a quarter of all data sets. Models not different from the best share its place. The best of the rest
    is the next reference; its place is one more than the number of models already placed.

    Fewer than :data:`FEW` users tell nobody apart.

    Returns a frame indexed by model, best first: mean, place, and against the best of all difference_to_best, its 95 %
    interval low and high (uncorrected), p_holm, effect (d_z). Raises AicineError when models share fewer than 2 users.
    """
    common = values.dropna()
    if len(common) < 2:
        raise AicineError(f"The models have {len(common)} users in common; a comparison needs 2. Evaluate them alike.")
    means = common.mean().sort_values(ascending=not higher_is_better, kind="stable")
    common = common[means.index]
    p = _pairwise_p(common) if len(common) >= FEW else np.ones((common.shape[1],) * 2)
    against = [paired(common[model].to_numpy(), common.iloc[:, 0].to_numpy()) for model in common]
    columns = ["difference_to_best", "low", "high", "p_holm", "effect"]
    versus_best = pd.DataFrame(against, index=common.columns, columns=columns).assign(p_holm=p[0])
    return pd.DataFrame({"mean": means, "place": _place_numbers(p, level)}).join(versus_best)


def ahead_of_all(values: pd.DataFrame, others: Sequence[str], higher_is_better: bool = True,
                 level: float = 0.05) -> pd.Series:  # fmt: skip
    """Whether a model is surely better than every one of ``others``, bool by model; those themselves are False.

    values: users x models. Paired t tests of all such pairs, corrected together (Holm); without others all are True.
    A mean above theirs is not enough, nor is sharing a place with the best: to be tied does not pass from one to the
    next. False for everyone where models share fewer than :data:`FEW` users.
    """
    common = values.dropna()
    ours, theirs = (common.loc[:, common.columns.isin(others) == one] for one in (False, True))
    gaps = ours.to_numpy()[:, :, None] - theirs.to_numpy()[:, None, :]  # users x models x others
    p = np.ones(gaps.shape[1:])
    if len(common) >= FEW:
        p = holm(_p_of_no_difference(gaps.reshape(len(common), -1))).reshape(p.shape)
    sure = (p < level) & ((gaps.mean(axis=0) > 0) == higher_is_better)
    return pd.Series(sure.all(axis=1), ours.columns).reindex(common.columns, fill_value=False)


def _pairwise_p(ordered: pd.DataFrame) -> np.ndarray:
    """Corrected p of every pair of models, [m, m], ones on the diagonal."""
    values, m = ordered.to_numpy(np.float64), ordered.shape[1]
    after = [_p_of_no_difference(values[:, [a]] - values[:, a + 1 :]) for a in range(m)]
    p = np.ones((m, m))
    i, j = np.triu_indices(m, 1)
    p[i, j] = p[j, i] = holm(np.concatenate(after))
    return p


def _p_of_no_difference(differences: np.ndarray) -> np.ndarray:
    """p [m] of :func:`paired`, for differences [n_users, m] of m pairs at once."""
    from scipy import stats  # only here: it takes a second to import

    n, means, spreads = len(differences), differences.mean(0), differences.std(0, ddof=1)
    varied = spreads > SAME
    t = np.divide(np.abs(means), spreads / np.sqrt(n), out=np.full(len(means), np.inf), where=varied)
    return np.where(~varied & (np.abs(means) <= SAME), 1.0, 2 * stats.t.sf(t, n - 1))


def _place_numbers(p: np.ndarray, level: float) -> np.ndarray:
    """Places of models in the order of their means, from the corrected p of their pairs."""
    place = np.zeros(len(p), int)
    while (place == 0).any():
        reference = np.flatnonzero(place == 0)[0]
        tied = (place == 0) & (p[reference] >= level)
        place[tied] = (place > 0).sum() + 1
    return place
