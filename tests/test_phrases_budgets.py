"""Whether models had equal budgets is said as it is."""

from types import SimpleNamespace

import pytest

from aicine_utils import phrases, settings
from aicine_utils.models import registry


def test_a_budget_spent_elsewhere_is_said(monkeypatch):
    found = {"bpr": {"trials": 12, "lent_by": "ml-100k"}, "gru": {"trials": 12}}
    monkeypatch.setattr(settings, "winner", lambda name, *_: found[name])
    run = SimpleNamespace(manifest={"dataset": "any", "protocol": "user_temporal"})
    said = phrases.budgets(dict.fromkeys(found, run))
    assert said == "Settings did not have equal budgets: 12 trials on ml-100k for BPR; 12 trials for GRU."


def test_a_setting_that_was_found_elsewhere_is_said(monkeypatch):
    params = registry.create("ease", "mock").params
    run = SimpleNamespace(name="ease", manifest={"dataset": "mock", "protocol": "user_temporal", "params": params})
    for found, said in (({}, ""), ({"found_on": "ml-100k"}, "; won by what was found on ml-100k")):
        won = {"params": params, "trials": 12} | found
        monkeypatch.setattr(settings, "winner", lambda *_, won=won: won)
        assert phrases.settings_source(run) == f"search, 12 trials on validation{said}"


def test_a_search_that_time_ended_had_the_same_budget(monkeypatch):
    """Three trials that took all the minutes and twelve that took few of them: the rule was one."""
    quick, slow = {"trials": 12, "minutes": 3.1, "limit": 12.0}, {"trials": 3, "minutes": 12.4, "limit": 12.0}
    found = {"bpr": quick, "gru": slow, "narm": slow | {"trials": 1}}
    monkeypatch.setattr(settings, "winner", lambda name, *_: found[name])
    run = SimpleNamespace(manifest={"dataset": "any", "protocol": "user_temporal"})
    said = phrases.budgets(dict.fromkeys(found, run))
    assert said == (
        "Settings had equal budgets: 12 trials or 12 minutes each. The minutes ended first for GRU and NARM, after 1 to"
        " 3 trials."
    )
    found["svd"] = {"trials": 12}  # whatever the limit, it made all of them
    assert phrases.budgets(dict.fromkeys(found, run)) == said
    found |= {"gru": slow | {"limit": 10.0}, "ease": quick | {"limit": 10.0}}
    said = phrases.budgets(dict.fromkeys(found, run))
    assert said.startswith("Settings did not have equal budgets: 12 trials or 10 to 12 minutes for BPR, GRU, NARM and")
    found |= {"gru": slow, "ract": {"trials": 25}}
    said = phrases.budgets(dict.fromkeys(found, run))
    assert said.startswith(
        "Settings did not have equal budgets: 25 trials for RaCT; 12 trials or 12 minutes for BPR, GRU, NARM and 2"
    )


def test_a_limit_that_ended_no_search_is_not_told(monkeypatch):
    found = {"bpr": {"trials": 12, "minutes": 3.1, "limit": 12.0}, "gru": {"trials": 12, "minutes": 50.0}}
    monkeypatch.setattr(settings, "winner", lambda name, *_: found[name])
    run = SimpleNamespace(manifest={"dataset": "any", "protocol": "user_temporal"})
    assert phrases.budgets(dict.fromkeys(found, run)) == "Settings had equal budgets: 12 trials each."


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ({"bpr": 12, "ract": 12}, "Settings had equal budgets: 12 trials each."),
        ({"bpr": 0, "ract": 1}, "No settings were searched here."),
        ({"bpr": 12, "ract": 0}, "Settings did not have equal budgets: 12 trials for BPR; no trials for RaCT."),
        ({"bpr": 12, "random": 0}, "Settings had equal budgets: 12 trials each."),  # random has nothing to search
        ({}, "No settings were searched here."),
    ],
)
def test_budgets(monkeypatch, trials, said):
    run = SimpleNamespace(manifest={"dataset": "any", "protocol": "user_temporal"})
    monkeypatch.setattr(settings, "winner", lambda name, *_: {"trials": trials[name]})
    assert phrases.budgets(dict.fromkeys(trials, run)) == said
