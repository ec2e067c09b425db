"""The simulator: what it assumes is what it does."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from aicine_utils.errors import AicineError
from aicine_utils.feedback import policies, simulator
from aicine_utils.feedback.simulator import Log, Policy, World


def world(appeal, k=2, eta=1.0):
    return World(np.asarray(appeal, np.float32), simulator.examination(k, eta))


def test_ranks_are_looked_at_by_the_stated_formulas():
    assert simulator.examination(3, eta=1) == pytest.approx([1, 1 / 2, 1 / 3])
    assert simulator.examination(3) == pytest.approx([1, 1 / np.log2(3), 1 / 2])


def test_appeal_is_the_normal_chance_of_stars_above_the_threshold():
    assert simulator.appeal_of_stars(np.array([3.5, 4.5]), 3.5, 1.0) == pytest.approx([0.5, 0.8413], abs=1e-4)
    with pytest.raises(AicineError, match="must be above 0"):
        simulator.appeal_of_stars(np.array([3.5]), 3.5, 0.0)


def test_expected_clicks_by_hand():
    made = world([[0.2, 0.4, 0.8]])
    assert simulator.expected_clicks(made, np.array([[2, 0]])) == pytest.approx([0.8 + 0.2 / 2])


def test_clicks_come_as_often_as_expected():
    made = world(np.tile([0.2, 0.4, 0.8], (20_000, 1)))
    lists = np.tile([2, 0], (20_000, 1))
    clicked = simulator.click(made, lists, np.random.default_rng(0))
    assert clicked.mean(axis=0) == pytest.approx([0.8, 0.1], abs=0.01)


def test_without_exploration_the_best_unwatched_are_shown_in_order():
    watched = np.array([[False, True, False, False]])
    lists = simulator.fill(np.array([1.0, 9.0, 3.0, 2.0]), watched, 2, 0.0, np.random.default_rng(0))
    assert lists.tolist() == [[2, 3]]


def test_full_exploration_is_uniform_whatever_the_scores():
    watched = np.zeros((6000, 5), bool)
    watched[:, 4] = True
    lists = simulator.fill(np.array([100.0, 1, 1, 1, 500]), watched, 2, 1.0, np.random.default_rng(0))
    assert (lists[:, 0] != lists[:, 1]).all()
    pairs = pd.Series(list(map(tuple, lists.tolist()))).value_counts()
    assert len(pairs) == 4 * 3  # ordered pairs of the four movies left
    assert pairs.to_numpy() == pytest.approx(6000 / 12, rel=0.2)


def test_exploration_takes_its_share_of_slots():
    scores, watched = np.arange(1000.0), np.zeros((2000, 1000), bool)
    lists = simulator.fill(scores, watched, 3, 0.25, np.random.default_rng(0))
    assert (lists >= 997).mean() == pytest.approx(0.75, abs=0.02)


def test_a_list_needs_movies_that_are_left():
    with pytest.raises(AicineError, match="fewer than 2 movies left"):
        simulator.fill(np.zeros(3), np.array([[True, True, False]]), 2, 0.0, np.random.default_rng(0))


def test_the_log_counts_clicks_and_probable_looks():
    made = world(np.zeros((2, 3)))
    log = Log.empty(made)
    log.add(made, np.array([[0, 1], [1, 2]]), np.array([[True, False], [True, True]]))
    assert log.clicked.tolist() == [[True, False, False], [False, True, True]]
    assert log.clicks.tolist() == [1, 1, 1]
    assert log.looks.tolist() == [1.0, 1.5, 0.5]


def test_clicks_per_look_forgives_a_bad_place_and_popularity_does_not():
    log = Log(np.zeros((1, 2), bool), clicks=np.array([50.0, 30.0]), looks=np.array([100.0, 40.0]))
    rng = np.random.default_rng(0)
    assert policies.popular(log, rng).argmax() == 0
    assert policies.clicks_per_look(log, rng) == pytest.approx([51 / 102, 31 / 42], abs=1e-5)


def test_thompson_draws_round_the_clicks_per_look():
    log = Log(np.zeros((5000, 2), bool), clicks=np.array([50.0, 0.0]), looks=np.array([100.0, 0.0]))
    drawn = policies.thompson(log, np.random.default_rng(0))
    assert drawn.mean(axis=0) == pytest.approx([51 / 102, 1 / 2], abs=0.02)
    assert drawn[:, 1].std() > 4 * drawn[:, 0].std()  # what was never shown is what it is least sure of


def test_ease_of_clicks_is_the_model_of_the_report(mock_split):
    from aicine_utils.models.linear import EASE

    clicked = mock_split.matrix(mock_split.train).toarray() > 0
    log = Log(clicked, clicked.sum(0).astype(float), clicked.sum(0).astype(float))
    expected = EASE(regularisation=20.0).fit(mock_split).score(mock_split.user_ids)
    assert policies.ease(20.0)(log, np.random.default_rng(0)) == pytest.approx(expected, abs=1e-4)


def test_a_round_by_hand_and_the_best_that_was_possible():
    made = world([[1.0, 1.0, 0.0, 0.0, 0.0, 0.0]] * 4)  # whoever is shown 0 or 1 at the top clicks it
    table = simulator.run(made, Policy(lambda log, rng: np.array([1.0, 0, 0, 0, 0, 9])), rounds=1)
    assert list(table["round"]) == [0, 1]
    assert (table["share_of_best"] <= 1).all()
    assert table["coverage_of_best"].iloc[0] == pytest.approx(2 / 6)


def test_the_first_round_is_chance_for_all_and_people_differ_between_runs():
    rng = np.random.default_rng(0)
    made = world(rng.random((50, 30)))
    two = {"a": Policy(policies.popular), "b": Policy(policies.thompson)}
    results = simulator.simulate(made, two, rounds=2, runs=2, n_users=40)
    first = results[results["round"] == 0].set_index(["policy", "run"])["clicks"]
    assert first["a"].tolist() == first["b"].tolist()
    assert first["a", 0] != first["a", 1]
    again = simulator.simulate(made, two, rounds=2, runs=2, n_users=40)
    pd.testing.assert_frame_equal(results, again)


def test_a_policy_that_learns_apart_is_not_fed_its_own_lists():
    """Popularity shows two movies to all; apart, its log still meets every movie."""
    met = []

    def watcher(log, rng):
        met.append(int((log.looks > 0).sum()))
        return np.arange(40.0)

    made = world(np.full((30, 40), 1e-6))
    simulator.run(made, Policy(watcher), rounds=6, seed=1)
    simulator.run(made, Policy(watcher, apart=True), rounds=6, seed=1)
    inside, apart = met[:6], met[6:]
    assert inside[0] == apart[0]
    assert max(inside) <= inside[0] + 2
    assert apart[-1] == 40


@pytest.mark.parametrize("apart", [False, True])
def test_what_a_policy_shows_is_used_up_whatever_it_learns_from(apart):
    """Everyone clicks all: a policy that asks for the same order each round shows the next two movies each time."""
    order = Policy(lambda log, rng: -np.arange(40.0), apart=apart)
    sure = replace(world(np.ones((5, 40))), examination=np.ones(2))
    shown = []
    real = simulator._measured
    with pytest.MonkeyPatch.context() as here:
        here.setattr(simulator, "_measured", lambda w, log, lists: shown.append(lists) or real(w, log, lists))
        simulator.run(sure, order, rounds=3, seed=1)
    first = [np.setdiff1d(np.arange(40), shown[0][0])]
    assert [made[0].tolist() for made in shown[1:]] == [first[0][n : n + 2].tolist() for n in (0, 2, 4)]


def test_intervals_over_runs_and_against_a_reference():
    values = pd.DataFrame({"policy": list("aabb"), "run": [0, 1, 0, 1], "clicks": [1.0, 2.0, 1.5, 2.5]})
    means = simulator.interval_over_runs(values)
    assert means.loc["a", "clicks"] == 1.5
    assert means.loc["a", "clicks_low"] < 1
    assert means.loc["a", "clicks_high"] > 2
    gaps = simulator.interval_over_runs(values, "a")
    assert gaps.loc["b", ["clicks", "clicks_low", "clicks_high"]].tolist() == [0.5, 0.5, 0.5]
    assert gaps.loc["a", "clicks"] == 0
