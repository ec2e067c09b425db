"""Whether models had equal budgets is said as it is."""

from types import SimpleNamespace

import pytest

from aicine_utils import phrases, settings


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ({"bpr": 12, "ract": 12}, "Settings had equal budgets: 12 trials each."),
        ({"bpr": 0, "ract": 1}, "No settings were searched here."),
        ({"bpr": 12, "ract": 0}, "Settings did not have equal budgets: 12 trials for BPR; no trials for RaCT."),
        ({}, "No settings were searched here."),
    ],
)
def test_budgets(monkeypatch, trials, said):
    run = SimpleNamespace(manifest={"dataset": "any", "protocol": "user_temporal"})
    monkeypatch.setattr(settings, "winner", lambda name, *_: {"trials": trials[name]})
    assert phrases.budgets(dict.fromkeys(trials, run)) == said
