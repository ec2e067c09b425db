"""Signals by hand: what each kind says, who speaks for a pair, decay; and ratings told as events."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from models_cases import ratings, split_of

from aicine_utils import columns as c
from aicine_utils import settings
from aicine_utils.errors import AicineError
from aicine_utils.feedback import comparing, signals
from aicine_utils.feedback.events import KINDS, Rules, judge

SCALE = (1.0, 5.0)
DAY = 86_400
NO_DECAY = signals.rules("ageless")


def events(*rows):
    """Rows of (user, kind, movie, value, day) as the store gives them."""
    frame = pd.DataFrame(rows, columns=["user", "kind", "movie", "value", "time"])
    return frame.assign(time=(frame["time"] * DAY).astype("int64").astype("datetime64[s]")).astype(
        {"movie": "Int64", "value": float}
    )


def said(*rows, by=NO_DECAY):
    """(user_id, movie_id, stars, weight) of each signal."""
    found = signals.from_events(events(*rows), by, SCALE)
    assert list(found) == signals.SIGNALS
    return [tuple(row) for row in found[signals.SIGNALS[:4]].round(4).astype(object).to_numpy()]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("rate", 5, (5, 1)),
        ("rate", 2, (2, 1)),
        ("comment", None, (3, 0.2)),
        ("click", 3, (3.6, 0.2)),
        ("play", None, (3.6, 0.3)),
        ("stop", 0, (2, 0.6)),
        ("stop", 1, (4.6, 0.6)),
        ("stop", 0.5, (3.3, 0.6)),  # p = -.5 + .5 · 1.3 = .15
        ("finish", None, (5, 0.8)),
        ("search", None, (3.4, 0.1)),
        ("dismiss", None, (1, 0.6)),
    ],
)
def test_what_each_kind_says(kind, value, expected):
    assert said(("7", kind, 3, value, 0)) == [(7, 3, pytest.approx(expected[0]), pytest.approx(expected[1]))]


def test_an_impression_and_a_search_without_a_movie_say_nothing():
    assert said(("7", "impression", 3, 1, 0), ("7", "search", None, None, 0)) == []
    assert signals.from_events(events(), NO_DECAY, SCALE).dtypes[c.TIMESTAMP] == "datetime64[s]"


def test_the_latest_rating_rules_over_everything_else():
    rows = [("7", "rate", 3, 2, 1), ("7", "rate", 3, 4, 2), ("7", "finish", 3, None, 3), ("7", "dismiss", 3, None, 4)]
    assert said(*rows) == [(7, 3, 4, 1)]


def test_without_a_rating_what_weighs_most_speaks_and_the_latest_of_equals():
    assert said(("7", "finish", 3, None, 1), ("7", "play", 3, None, 2)) == [(7, 3, 5, pytest.approx(0.8))]
    same = [("7", "stop", 3, 1, 1), ("7", "dismiss", 3, None, 1), ("7", "play", 3, None, 9)]
    assert said(*same) == [(7, 3, 1, pytest.approx(0.6))]
    assert said(same[1], same[0])[0][2] == pytest.approx(4.6)


def test_a_dismissal_unsays_what_came_before_it_but_a_rating():
    finished, dismissed = ("7", "finish", 3, None, 1), ("7", "dismiss", 3, None, 2)
    assert said(finished, dismissed) == [(7, 3, 1, pytest.approx(0.6))]
    assert said(finished, dismissed, ("7", "finish", 3, None, 3)) == [(7, 3, 5, pytest.approx(0.8))]
    assert said(finished, dismissed, ("7", "play", 3, None, 3)) == [(7, 3, 1, pytest.approx(0.6))]
    others = [("7", "finish", 4, None, 1), ("8", "finish", 3, None, 1)]
    assert [row[2] for row in said(finished, *others, dismissed)] == [5, 1, 5]


def test_weights_halve_with_each_half_life_and_stars_stay():
    by = signals.SignalRules("own", {"rate": (-1, 1), "finish": (1, 1)}, {"rate": 1, "finish": 0.8}, 10)
    rows = [("7", "rate", 1, 2, 0), ("7", "rate", 2, 2, 10), ("7", "finish", 3, None, 20)]
    expected = [(7, 1, 2, 0.25), (7, 2, 2, 0.5), (7, 3, 5, pytest.approx(0.8))]
    assert said(*rows, by=by) == expected
    later = signals.from_events(events(*rows), by, SCALE, now=pd.Timestamp(30 * DAY, unit="s"))
    assert later["weight"].tolist() == pytest.approx([0.125, 0.25, 0.4])
    much_later = signals.from_events(events(*rows), by, SCALE, now=pd.Timestamp(20_000 * DAY, unit="s"))
    assert much_later.empty


def test_signals_of_one_second_stay_in_order_of_arrival():
    rows = [("7", "rate", 3, 2, 1), ("7", "rate", 1, 4, 1), ("6", "rate", 9, 4, 2), ("7", "rate", 2, 4, 0)]
    assert [row[:2] for row in said(*rows)] == [(6, 9), (7, 2), (7, 3), (7, 1)]


def test_a_fresh_stop_outweighs_an_old_finish():
    by = signals.SignalRules("own", {"stop": (-0.5, 0.8), "finish": (1, 1)}, {"stop": 0.6, "finish": 0.8}, 10)
    assert said(("7", "finish", 1, None, 0), ("7", "stop", 1, 0, 10), by=by) == [(7, 1, 2, pytest.approx(0.6))]


def test_users_by_number_and_by_name():
    assert signals.user_id("7") == 7
    names = ["me", "007", "١", "-1", str(2**52)]
    ids = [signals.user_id(name) for name in names]
    assert len(set(ids)) == len(names)
    assert all(2**52 <= one < 2**53 for one in ids)
    assert signals.user_id("me") == signals.user_ids(pd.Series(["you", "me"]))[1]
    assert signals.user_id("me") == 8_566_596_822_816_547  # stays: signals are joined by it


def test_stars_and_preferences_are_each_others_inverse():
    p = np.array([-1, -0.5, 0, 1])
    assert signals.stars(p, (1, 10)).tolist() == [1, 3.25, 5.5, 10]
    assert signals.preference(signals.stars(p, (1, 10)), (1, 10)).tolist() == p.tolist()


def test_every_set_of_the_file_is_whole():
    for name in signals.rule_sets():
        by = signals.rules(name)
        assert set(by.weight) == set(by.preference) <= set(KINDS)
        assert by.weight
    assert set(signals.rules("explicit").weight) == {"rate"}
    assert "rate" not in signals.rules("implicit").weight
    assert signals.rules("watched").preference["rate"] == (1, 1)
    with pytest.raises(AicineError, match="Did you mean 'explicit'"):
        signals.rules("explicitt")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"weight": {"finish": 2}}, "own, weight of finish: 2 is not a number from 0 to 1"),
        ({"preference": {"stop": [0, 1, 1]}}, "preference of stop"),
        ({"preference": {"finish": "much"}}, "preference of finish: much"),
        ({"kinds": ["finnish"]}, "Did you mean 'finish'"),
    ],
)
def test_a_mistake_in_the_file_is_named(change, expected, tmp_path, monkeypatch):
    config = yaml.safe_load((settings.CONFIGS / "signals.yaml").read_text())
    (tmp_path / "signals.yaml").write_text(yaml.safe_dump({**config, "sets": {"own": change}}))
    monkeypatch.setattr(settings, "CONFIGS", tmp_path)
    with pytest.raises(AicineError, match=expected):
        signals.rules("own")


@pytest.fixture(scope="module")
def many():
    """Half of the ratings lowest, half highest."""
    rows = [(user, movie, 1 if movie % 2 else 5, 100 + user) for user in range(60) for movie in range(40)]
    return ratings(rows)


def test_ratings_told_as_events_follow_the_rule_and_can_be_stored(many):
    told = signals.events_of(many, SCALE, seed=1)
    taken = Rules(frozenset(range(40)), SCALE)
    assert all(judge(event, taken)[1] is None for event in signals.as_events(told))
    kinds = told["kind"].value_counts()
    assert kinds["play"] == len(many)
    assert kinds["finish"] + kinds["stop"] == len(many)
    assert kinds["rate"] / len(many) == pytest.approx(0.3, abs=0.04)
    low = told[told["movie"] % 2 == 1]
    finished = low["kind"].eq("finish").sum() / (len(many) / 2)
    assert finished == pytest.approx(0.2, abs=0.04)
    shares = told[told["kind"] == "stop"].groupby(told["movie"] % 2)["value"].mean()
    assert shares[0] == pytest.approx(0.8, abs=0.06)
    assert shares[1] == pytest.approx(0.1, abs=0.02)
    assert set(told.loc[told["kind"] == "dismiss", "movie"] % 2) == {1}
    rated = told[told["kind"] == "rate"]
    assert (rated["value"] == np.where(rated["movie"] % 2, 1, 5)).all()


def test_ratings_told_again_are_the_same_events_in_order(many):
    told = signals.events_of(many, SCALE, seed=1)
    pd.testing.assert_frame_equal(told, signals.events_of(many, SCALE, seed=1))
    assert not told["value"].equals(signals.events_of(many, SCALE, seed=2)["value"])
    assert told["time"].is_monotonic_increasing
    assert told["event_id"].is_unique
    one = told[(told["user"] == "3") & (told["movie"] == 4)]
    assert one["kind"].iloc[0] == "play"
    assert (one["time"].iloc[1] - one["time"].iloc[0]).total_seconds() == 7200


def test_the_loop_of_explicit_events_gives_the_ratings_back(many, monkeypatch):
    every = {**signals._config(), "replay": {**signals._config()["replay"], "rated": 1}}
    monkeypatch.setattr(signals, "_config", lambda: every)
    back = signals.from_events(signals.events_of(many, SCALE), signals.rules("explicit"), SCALE)
    expected = many.sort_values([c.USER, c.TIMESTAMP, c.MOVIE], ignore_index=True)
    pd.testing.assert_frame_equal(back[c.RATINGS], expected)


def test_spearman_by_hand():
    pairs = pd.DataFrame(
        [(1, 5, 0.9), (1, 3, 0.1), (1, 3, 0.2), (2, 1, 0.5), (2, 5, 0.1), (3, 4, 0.1), (3, 4, 0.2), (4, 5, 0.3)],
        columns=[c.USER, c.RATING, c.SCORE],
    )
    found = comparing.spearman(pairs).set_index(c.USER)[c.VALUE]
    assert found.to_dict() == {1: pytest.approx(0.8660254), 2: pytest.approx(-1)}  # 3 and 4 have nothing to compare


def test_a_model_learns_weights_times_preferences():
    split = split_of([(1, 1, 5), (1, 2, 5), (2, 2, 1), (2, 3, 4)])
    found = pd.DataFrame({
        c.USER: [1, 2, 9], c.MOVIE: [1, 2, 1], c.RATING: [5.0, 1.0, 5.0], "weight": [1.0, 0.5, 1.0],
        c.TIMESTAMP: pd.to_datetime([0, 0, 0]).astype("datetime64[s]"),
    })  # fmt: skip
    own = comparing.learning_from(split, found)
    size = np.sqrt((1 + 0.25) / 2)
    assert own.matrix(own.train).toarray() == pytest.approx(np.array([[1, 0, 0], [0, -0.5, 0]]) / size)
    assert own.matrix(split.train).toarray().tolist() == [[1, 1, 0], [0, 1, 1]]


def test_rules_are_compared_on_validation_for_the_same_people(mock_split):
    names = ["explicit", "watched", "default"]
    found = comparing.compare_rules(mock_split, names, seed=3)
    assert list(found) == ["rule", "model", "metric", c.USER, c.VALUE]
    people = found.groupby(["metric", "rule", "model"])[c.USER].agg(lambda users: tuple(sorted(users)))
    assert people["ndcg"].nunique() == 1
    later = mock_split.for_validation()
    assert set(people["ndcg"].iloc[0]) == set(later.relevant(later.test)[c.USER])
    other = replace(mock_split, test=mock_split.test.assign(**{c.RATING: np.float32(1)}))  # the test has no say
    pd.testing.assert_frame_equal(found, comparing.compare_rules(other, names, seed=3))
    assert found.groupby("rule")[c.VALUE].mean().nunique() == 3


def test_rules_that_read_nothing_fall_back_to_the_most_watched(mock_split, monkeypatch):
    nothing = signals._empty()
    monkeypatch.setattr(signals, "from_events", lambda *_: nothing)
    found = comparing.compare_rules(mock_split, ["explicit"], ["ease"])
    from aicine_utils.models import registry

    later = mock_split.for_validation()
    views = registry.create("views", "mock").fit(later).recommend(later.test[c.USER].unique(), 10)
    expected = comparing.inspection.ndcg(views, later)[c.VALUE].tolist()
    assert found.loc[found["metric"] == "ndcg", c.VALUE].tolist() == pytest.approx(expected)
