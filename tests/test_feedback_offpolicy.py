"""Estimates from another policy's log, against values worked by hand and against the truth of a made-up world."""

import numpy as np
import pandas as pd
import pytest

from aicine_utils.errors import AicineError
from aicine_utils.feedback import offpolicy, simulator
from aicine_utils.feedback.offpolicy import Logged, Mixture
from aicine_utils.feedback.simulator import World

# Two people, three movies, lists of two. θ = (1, .5).
THETA = np.array([1.0, 0.5])
LOGGED = Logged(np.array([0, 1]), np.array([[0, 1], [2, 0]]), np.array([[True, False], [False, True]]))
OLD = np.array([[0.85, 0.5, 0.15], [0.5, 0.15, 0.85]])
NEW = np.array([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0]])


def test_exposure_by_hand():
    exposure = Mixture(np.array([[0, 1]]), 0.3, 3).exposure(THETA)
    assert exposure == pytest.approx(np.array([[0.85, 0.5, 0.15]]))
    assert exposure.sum() == pytest.approx(THETA.sum())


def test_exposure_is_how_often_the_policy_is_looked_at():
    policy = Mixture(np.tile([0, 1], (30_000, 1)), 0.3, 3)
    lists = policy.draw(np.random.default_rng(0))
    looked = np.bincount(lists.ravel(), np.broadcast_to(THETA, lists.shape).ravel()) / len(lists)
    assert looked == pytest.approx(policy.exposure(THETA)[0], abs=0.01)


def test_weights_and_ips_of_a_tiny_log_by_hand():
    w = offpolicy.weights(LOGGED, OLD, NEW)
    assert w == pytest.approx(np.array([[0.5 / 0.85, 0.0], [0.0, 1.0 / 0.5]]))
    assert offpolicy.ips(LOGGED.clicks, w) == pytest.approx([0.5 / 0.85, 2.0])
    found = offpolicy.estimate(LOGGED.users, offpolicy.ips(LOGGED.clicks, w), resamples=50)
    assert found.value == pytest.approx((0.5 / 0.85 + 2.0) / 2)


def test_self_normalised_by_hand():
    w = offpolicy.weights(LOGGED, OLD, NEW)
    top, bottom = offpolicy.self_normalised(LOGGED.clicks, w, THETA)
    assert bottom == pytest.approx([0.5 / 0.85 / 1.5, 2.0 * 0.5 / 1.5])
    assert offpolicy.estimate(LOGGED.users, top, bottom, 50).value == pytest.approx(top.sum() / bottom.sum())


def test_doubly_robust_is_ips_without_a_guess_and_the_truth_with_a_perfect_one():
    w = offpolicy.weights(LOGGED, OLD, NEW)
    plain = offpolicy.doubly_robust(LOGGED.clicks, w, THETA, np.zeros((2, 2)), np.zeros(2))
    assert plain == pytest.approx(offpolicy.ips(LOGGED.clicks, w))
    sure = np.array([[1.0, 0.0], [0.0, 1.0]])  # appeal that came true; θ = 1 leaves no noise
    assert offpolicy.doubly_robust(sure, w, np.ones(2), sure, np.array([0.7, 0.9])) == pytest.approx([0.7, 0.9])


def test_the_same_policy_needs_no_weights():
    w = offpolicy.weights(LOGGED, OLD, OLD)
    assert w == pytest.approx(np.ones((2, 2)))
    assert offpolicy.ips(LOGGED.clicks, w).mean() == LOGGED.clicks.sum() / 2


def test_what_was_never_shown_can_not_be_judged():
    old = Mixture(np.array([[0, 1], [2, 0]]), 0.0, 3).exposure(THETA)
    with pytest.raises(AicineError, match="never could"):
        offpolicy.weights(LOGGED, old, NEW)


def test_people_are_resampled_and_not_their_lists():
    """Two people with a hundred equal lists each: three means are possible, however many lists there are."""
    users = np.repeat([7, 9], 100)
    found = offpolicy.estimate(users, np.repeat([0.0, 1.0], 100), resamples=500)
    assert found == (0.5, 0.0, 1.0)


def test_estimates_meet_the_truth_where_counting_does_not():
    """Means over 60 logs: unbiased methods lie within four standard errors of the truth, counted clicks far below."""
    rng = np.random.default_rng(0)
    made = World(rng.uniform(0, 0.8, (60, 20)).astype(np.float32), simulator.examination(4))
    old = Mixture(np.tile([0, 1, 2, 3], (60, 1)), 0.3, 20)
    new = np.argsort(-made.appeal, axis=1)[:, :4]
    truth = simulator.expected_clicks(made, new).mean()
    guess = np.full((60, 20), 0.4)
    tables = [
        offpolicy.all_estimates(offpolicy.record(made, old, 20, seed), old, new, made.examination, guess, 2)
        for seed in range(60)
    ]
    by_method = pd.concat(tables).groupby("method")["value"]
    error = (by_method.mean() - truth) / (by_method.std() / np.sqrt(60)).clip(lower=1e-9)
    assert error[["IPS", "Self-normalised IPS", "Doubly robust"]].abs().max() < 4
    assert error["Clicks counted"] < -20
    assert abs(by_method.mean()[offpolicy.GUESS] - 0.4 * made.examination.sum()) < 1e-9


def test_the_experiment_knows_the_truth_and_repeats():
    made = World(np.random.default_rng(0).uniform(0.1, 0.8, (60, 30)).astype(np.float32), simulator.examination(5))
    one, again = (offpolicy.experiment(made, 40, epsilon=0.2, times=5, resamples=50) for _ in range(2))
    people, shown, new, guess = one.setting
    assert one.truth == pytest.approx(simulator.expected_clicks(people, new).mean())
    assert one.truth_old == pytest.approx(simulator.expected_clicks(people, shown).mean())
    assert guess.shape == people.appeal.shape
    pd.testing.assert_frame_equal(one.estimates, again.estimates)
    checked = offpolicy.repeated(*one.setting, epsilons=(0.2, 0.6), times=5, logs=3, resamples=50)
    assert len(checked) == 2 * 4
    assert (checked["truth"] == one.truth).all()
    assert (checked["truth_old"] == one.truth_old).all()
    certain = offpolicy.repeated(*one.setting, epsilons=(1.0,), times=40, logs=20, resamples=50).set_index("method")
    assert certain.loc["IPS", "holds"] >= 0.8  # of 20 intervals of 95 %
    assert certain.loc["Clicks counted", "holds"] <= 0.2
    swapped = (one.setting[0], one.setting[2], one.setting[1], one.setting[3])  # now the better lists are the old
    many = {"epsilons": (1.0,), "times": 40, "logs": 20, "resamples": 50}
    ways = [offpolicy.repeated(*way, **many) for way in (one.setting, swapped)]
    for table, sign in zip(ways, (1, -1), strict=True):
        assert ((table["truth"] - table["truth_old"]) * sign).iloc[0] == pytest.approx(one.truth - one.truth_old)
        assert table.set_index("method").loc["IPS", "tells"] > 0.25
