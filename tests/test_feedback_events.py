"""Every rule that an event can break, each alone, with its reason; and what is taken."""

import fractions

import numpy as np
import pytest

from aicine_utils.feedback.events import KINDS, REASONS, Event, Rules, judge

NOW = 1_000_000
RULES = Rules(frozenset({1, 2}), (0.5, 5.0), lambda: NOW)
GOOD = {"user": "me", "kind": "rate", "movie": 1, "value": 4.5, "time": NOW, "event_id": "a"}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"value": 5},
        {"value": np.float32(0.5), "movie": np.int64(2), "time": np.int32(5)},
        {"time": NOW + 60},
        {"list_id": "x", "model_version": "ease-s0-1234"},
        {"user": "김민수"},
        {"kind": "stop", "value": 0},
        {"kind": "stop", "value": 1.0},
        {"kind": "comment", "value": None, "text": "é" * 10_000},
        {"kind": "search", "value": None, "text": "heat", "movie": None},
        {"kind": "impression", "value": 1},
        {"kind": "click", "value": None},
        *({"kind": kind, "value": None} for kind in ("play", "finish", "dismiss")),
    ],
)
def test_what_is_taken_is_taken_as_it_was_sent(change):
    event, reason = judge(GOOD | change, RULES)
    assert reason is None
    assert event == Event(**GOOD | change)
    assert judge(event, RULES) == (event, None)


WRONG = [
    ("unknown kind", {"kind": "like"}),
    ("unknown kind", {"kind": None}),
    ("unknown kind", {"kind": ["rate"]}),
    ("event_id", {"event_id": ""}),
    ("event_id", {"event_id": "a" * 201}),
    ("event_id", {"event_id": 7}),
    ("user", {"user": 1}),
    ("user", {"user": " me"}),
    ("user", {"user": "m\0e"}),
    ("user", {"user": "\ud800"}),
    ("list_id", {"list_id": 3}),
    ("model_version", {"model_version": ""}),
    ("movie", {"movie": "1"}),
    ("movie", {"movie": True}),
    ("movie", {"movie": 1.0}),
    ("movie", {"movie": -1}),
    ("movie", {"movie": 2**70}),
    ("movie missing", {"movie": None}),
    ("unknown movie", {"movie": 3}),
    ("value", {"value": "5"}),
    ("value", {"value": True}),
    ("value", {"value": float("nan")}),
    ("value", {"value": float("inf")}),
    ("value", {"value": 10**400}),
    ("value", {"value": fractions.Fraction(10**400)}),
    ("stars", {"value": 5.5}),
    ("stars", {"value": None}),
    ("share", {"kind": "stop", "value": 1.01}),
    ("share", {"kind": "stop", "value": -0.01}),
    ("share", {"kind": "stop", "value": None}),
    ("place", {"kind": "impression", "value": 0}),
    ("place", {"kind": "click", "value": 1.5}),
    ("value not wanted", {"kind": "finish", "value": 1}),
    ("text not wanted", {"text": "x"}),
    ("text too long", {"kind": "comment", "value": None, "text": "x" * 10_000_000}),
    ("text too long", {"kind": "search", "value": None, "text": "x" * 501}),
    ("text", {"kind": "comment", "value": None, "text": 5}),
    ("text", {"kind": "comment", "value": None}),
    ("text", {"kind": "comment", "value": None, "text": " \n"}),
    ("text", {"kind": "comment", "value": None, "text": "é\ud800"}),
    ("text", {"kind": "comment", "value": None, "text": "a\0b"}),
    ("time", {"time": NOW + 0.5}),
    ("time", {"time": "now"}),
    ("time", {"time": -1}),
    ("future time", {"time": NOW + 61}),
    ("future time", {"time": 10**400}),
    ("fields", {"stars": 5}),
]


@pytest.mark.parametrize(("reason", "change"), WRONG)
def test_what_breaks_a_rule_is_refused_by_its_name(reason, change):
    assert judge(GOOD | change, RULES) == (None, reason)
    assert REASONS[reason].endswith(".")


@pytest.mark.parametrize("raw", [None, 5, "rate", [], {}, {"user": "me"}, {1: 2}])
def test_what_is_no_event_at_all_is_refused(raw):
    assert judge(raw, RULES) == (None, "fields")


def test_every_reason_can_be_had():
    assert set(REASONS) == {reason for reason, _ in WRONG}


def test_without_a_catalogue_any_movie_is_taken():
    assert judge(GOOD | {"movie": 99}, Rules(now=lambda: NOW))[1] is None


def test_each_event_made_here_has_its_own_id_and_the_time_of_now():
    one, other = Event("me", KINDS[0], 1, 4), Event("me", KINDS[0], 1, 4)
    assert one.event_id != other.event_id
    assert judge(one, Rules())[1] is None
