import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from aicine_utils.errors import AicineError
from aicine_utils.metrics import significance as sig


@pytest.fixture(autouse=True)
def _warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def values():
    return np.random.default_rng(3).beta(1, 4, (250, 2))


def test_interval_agrees_with_scipy(values):
    low, high = sig.interval(values, resamples=4000)
    for column in range(2):
        theirs = stats.bootstrap(
            (values[:, column],), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(1)
        ).confidence_interval
        width = theirs.high - theirs.low
        assert [low[column], high[column]] == pytest.approx([theirs.low, theirs.high], abs=0.06 * width)


def test_ratio_interval_agrees_with_scipy(values):
    top, bottom = values[:, 0], np.random.default_rng(4).integers(1, 50, 250)
    theirs = stats.bootstrap(
        (top, bottom), lambda a, b, axis: a.sum(axis) / b.sum(axis), paired=True, vectorized=True,
        method="percentile", n_resamples=4000, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    width = theirs.high - theirs.low
    assert sig.ratio_interval(top, bottom, 4000) == pytest.approx((theirs.low, theirs.high), abs=0.06 * width)


def test_same_seed_same_interval_whatever_the_chunk(values, monkeypatch):
    whole = sig.interval(values, resamples=101)
    monkeypatch.setattr(sig, "CELLS", 10 * len(values))
    np.testing.assert_allclose(sig.interval(values, resamples=101), whole, rtol=1e-12)
    assert not np.allclose(sig.interval(values, resamples=101, seed=1), whole, rtol=1e-12)


def test_each_resample_draws_as_many_users_as_there_are():
    weights = sig._weights(2000, 5, np.random.default_rng(0))
    assert (weights.sum(axis=1) == 5).all()
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.1)
    np.testing.assert_allclose(weights.var(axis=0), 1 - 1 / 5, atol=0.1)  # multinomial: n p (1 - p)


def test_level_and_constants():
    assert sig.interval(np.full(9, 0.25)) == (0.25, 0.25)
    wide, narrow = (sig.interval(np.arange(50.0), level=level) for level in (0.95, 0.5))
    assert wide[0] < narrow[0] < 24.5 < narrow[1] < wide[1]


def test_users_without_a_value_are_left_out():
    values = np.array([[1.0, np.nan], [1.0, np.nan], [np.nan, np.nan], [1.0, np.nan]])
    low, high = sig.interval(values)
    assert (low[0], high[0]) == (1.0, 1.0)
    assert np.isnan([low[1], high[1]]).all()
    with pytest.raises(AicineError, match="at least one"):
        sig.interval(np.empty(0))


def test_paired_agrees_with_scipy(values):
    a, b = values.T
    test, ours = stats.ttest_rel(a, b), sig.paired(a, b)
    assert ours.p == pytest.approx(test.pvalue, rel=1e-9)
    assert (ours.low, ours.high) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert ours.difference == pytest.approx(a.mean() - b.mean())
    assert ours.effect == pytest.approx(test.statistic / np.sqrt(len(a)))


def test_paired_by_hand():
    ours = sig.paired(np.array([1.0, 2, 4, np.nan]), np.array([0.0, 0, 1, 5]))  # differences 1, 2, 3
    assert (ours.difference, ours.effect) == pytest.approx((2, 2))  # sd 1
    assert ours.p == pytest.approx(2 * stats.t.sf(2 * np.sqrt(3), 2))


def test_paired_without_spread(values):
    a = values[:, 0]
    assert sig.paired(a, a) == (0, 0, 0, 1, 0)
    assert sig.paired(a, a + 1e-17) == (0, 0, 0, 1, 0)
    assert sig.paired(np.array([3.0, 4, 5]), np.array([1.0, 2, 3])) == (2, 2, 2, 0, np.inf)
    with pytest.raises(AicineError, match="needs 2 users"):
        sig.paired(np.array([1.0]), np.array([2.0]))


def test_holm_by_hand():
    assert sig.holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])
    assert sig.holm(np.array([0.9, 0.8])) == pytest.approx([1, 1])
    assert sig.holm(np.array([])).shape == (0,)


def test_holm_is_that_of_statsmodels():
    p = np.random.default_rng(0).random(40) ** 4
    p[5] = p[9]
    assert sig.holm(p) == pytest.approx(multipletests(p, method="holm")[1], rel=1e-12)


@pytest.fixture
def models():
    """Two good ones that differ by noise alone, two bad ones that are the same, one worse still."""
    rng = np.random.default_rng(0)
    base = rng.random(400)
    noise = rng.normal(0, 0.1, 400)
    noise -= noise.mean()
    return pd.DataFrame({"bad": base, "good": base + 0.5, "worst": base - 0.5 + noise, "twin": base,
                         "rival": base + 0.499 + noise})  # fmt: skip


@pytest.mark.parametrize("sign", [1, -1])
def test_places_are_shared_by_those_that_cannot_be_told_apart(models, sign):
    table = sig.places(sign * models, higher_is_better=sign > 0)
    assert table["place"].to_dict() == {"good": 1, "rival": 1, "bad": 3, "twin": 3, "worst": 5}
    assert table.index[[0, 1, 4]].tolist() == ["good", "rival", "worst"]
    assert table["mean"].to_numpy() == pytest.approx((sign * models).mean()[table.index].to_numpy())
    assert table.loc["good", ["difference_to_best", "p_holm"]].tolist() == [0, 1]
    assert table.loc["bad", "difference_to_best"] == pytest.approx(-0.5 * sign)
    _, low, high, _, effect = sig.paired(sign * models["rival"], sign * models["good"])
    assert table.loc["rival", ["low", "high", "effect"]].tolist() == pytest.approx([low, high, effect])


def test_places_correct_for_the_number_of_comparisons():
    """p = .03 on its own puts a model second; among six pairs, three of them like it, it is six times as much."""
    rng = np.random.default_rng(1)
    spread = rng.normal(0, 1, 200)
    spread = (spread - spread.mean()) / spread.std(ddof=1)
    effect = stats.t.isf(0.015, 199) / np.sqrt(200)
    best = rng.random(200)
    close = best - (spread + effect) * 0.01
    alone = sig.places(pd.DataFrame({"best": best, "close": close}))
    assert alone.loc["close", "p_holm"] == pytest.approx(0.03)
    assert alone["place"].tolist() == [1, 2]
    crowd = sig.places(pd.DataFrame({"best": best, "close": close, "alike": best, "same": best}))
    assert crowd.loc["close", "p_holm"] == pytest.approx(0.18)
    assert crowd["place"].tolist() == [1, 1, 1, 1]


def test_places_of_identical_and_single_models(values):
    same = pd.DataFrame(dict.fromkeys("abc", values[:, 0]))
    assert sig.places(same)["place"].tolist() == [1, 1, 1]
    assert sig.places(same[["a"]])["place"].tolist() == [1]


def test_places_use_common_users_only():
    frame = pd.DataFrame({"a": [1.0, 2, 3, 100], "b": [0.0, 1.5, 2, np.nan]})
    assert sig.places(frame).loc["a", "mean"] == 2
    with pytest.raises(AicineError, match="in common"):
        sig.places(frame.assign(c=np.nan))


def test_equal_models_rarely_get_different_places():
    """The best of 12 equal models is chosen by looking, so correcting its own tests alone would not be enough."""
    rng = np.random.default_rng(0)
    apart = [sig.places(pd.DataFrame(rng.normal(size=(200, 12))))["place"].max() > 1 for _ in range(100)]
    assert sum(apart) <= 10


def test_all_pairs_at_once_are_the_pairs_one_by_one():
    values = np.random.default_rng(0).normal(size=(30, 5)) + np.arange(5) / 2
    values[:, 3] = values[:, 0]  # no difference
    values[:, 4] = values[:, 0] + 1  # the same difference for everyone
    found = sig._p_of_no_difference(values[:, [0]] - values[:, 1:])
    assert found == pytest.approx([sig.paired(values[:, 0], values[:, j]).p for j in range(1, 5)], rel=1e-12)
    assert found.tolist()[2:] == [1.0, 0.0]


def test_a_few_people_tell_nobody_apart():
    """Two people with the same difference have no spread at all; a test would call that certain."""
    values = pd.DataFrame({"a": [0.4, 0.5], "b": [0.3, 0.4]})
    assert sig.places(values)["place"].tolist() == [1, 1]
    many = pd.concat([values] * 5, ignore_index=True)
    assert sig.places(many)["place"].tolist() == [1, 2]
    assert sig.ahead_of_all(many, ["b"])["a"]
    assert not sig.ahead_of_all(values, ["b"])["a"]


def test_who_is_ahead_of_every_control():
    """The highest mean may be too noisy to be told from a control that a lower one surely beats."""
    rng = np.random.default_rng(0)
    chance = rng.normal(0, 0.1, 400)
    values = pd.DataFrame({"noisy": chance + 0.06 + rng.normal(0, 1, 400), "steady": chance + 0.03,
                           "same": chance, "chance": chance, "other": chance - 0.01})  # fmt: skip
    ahead = sig.ahead_of_all(values, ["chance", "other"])
    assert values["noisy"].mean() > values["steady"].mean()
    assert ahead.to_dict() == {"noisy": False, "steady": True, "same": False, "chance": False, "other": False}
    lower = sig.ahead_of_all(-values, ["chance", "other"], higher_is_better=False)
    pd.testing.assert_series_equal(lower, ahead)
    assert sig.ahead_of_all(values, ["nobody"]).all()


def test_many_controls_are_corrected_for():
    """One of twenty pairs at p = .03 is what chance brings."""
    rng = np.random.default_rng(6)
    values = pd.DataFrame(rng.normal(0, 1, (50, 20)), columns=[f"m{i}" for i in range(20)])
    alone = [sig.ahead_of_all(values[[name, "m0"]], ["m0"])[name] for name in values.columns[1:]]
    together = sig.ahead_of_all(values, ["m0"])
    assert sum(alone) > 0
    assert not together.any()
