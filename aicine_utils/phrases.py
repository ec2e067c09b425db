"""Results as parts of sentences: numbers with their intervals, who is ahead of whom, where settings came from."""

import html
from collections.abc import Mapping

import pandas as pd

from aicine_utils import settings
from aicine_utils.experiment import Result
from aicine_utils.findings.reading import names_text
from aicine_utils.metrics import significance
from aicine_utils.models import registry


def number(value: float, low: float | None = None, high: float | None = None, digits: int = 3) -> str:
    """``0.312`` or ``0.312 [0.305, 0.319]``, for sentences."""
    interval = f" [{low:z.{digits}f}, {high:z.{digits}f}]" if low is not None and high is not None else ""
    return f"{value:z.{digits}f}{interval}"


def measured(row: pd.Series, measure: str, digits: int = 3) -> str:
    """A leaderboard row's measure with its interval, for sentences."""
    return number(row[measure], row.get(f"{measure}_low"), row.get(f"{measure}_high"), digits)


def gap(first: Result, second: Result, metric: str = "ndcg", k: int = 10) -> significance.Paired:
    """``first`` minus ``second`` on the users that both have: difference, its interval, p (paired t test), effect."""
    pair = pd.DataFrame({"first": first.values(metric, k), "second": second.values(metric, k)}).dropna()
    return significance.paired(pair["first"].to_numpy(), pair["second"].to_numpy())


def versus(first: Result, second: Result, metric: str = "ndcg", k: int = 10) -> str:
    """``A is ahead of B by 0.012 [0.004, 0.020]``, or that they can't be told apart; more must be better."""
    names, found = [registry.entry(result.name).label for result in (first, second)], gap(first, second, metric, k)
    low, high, size = found.low, found.high, abs(found.difference)
    if low <= 0 <= high:
        return f"{names[0]} can't be told apart from {names[1]} (difference {number(found.difference, low, high)})"
    ahead = found.difference > 0
    ends = (low, high) if ahead else (-high, -low)
    return f"{names[0]} is {'ahead of' if ahead else 'behind'} {names[1]} by {number(size, *ends)}"


def tied(board: pd.DataFrame, place: str = "place") -> str:
    """The labels that share the first place, as a phrase that names three at most."""
    return _joined([html.escape(label) for label in board.loc[board[place] == 1, "label"]])


def _joined(labels: list[str]) -> str:
    return names_text(labels)["en"] if len(labels) > 1 else labels[0]


def budgets(results: Mapping[str, Result]) -> str:
    """How much was searched for each of these models, as a sentence: equal budgets, or whose are not."""
    searched: dict[int, list[str]] = {}
    for name, result in results.items():
        found = settings.winner(name, result.manifest["dataset"], result.manifest["protocol"])
        trials = found.get("trials", 0)
        searched.setdefault(trials if trials > 1 else 0, []).append(registry.entry(name).label)  # one is the defaults
    if len(searched) < 2:
        (n,) = searched or (0,)
        return f"Settings had equal budgets: {n} trials each." if n else "No settings were searched here."
    parts = [f"{n or 'no'} trials for {_joined(searched[n])}" for n in sorted(searched, reverse=True)]
    return f"Settings did not have equal budgets: {'; '.join(parts)}."


def settings_source(result: Result) -> str:
    """Where a run's settings came from: a search with its number of trials, the defaults, or this notebook."""
    made = result.manifest
    found = settings.winner(result.name, made["dataset"], made["protocol"])
    if made["params"] != registry.create(result.name, made["dataset"], protocol=made["protocol"]).params:
        return "set here"
    if found.get("trials", 0) > 1:
        return f"search, {found['trials']} trials on validation"
    return "defaults, passes counted on validation" if found else "defaults"
