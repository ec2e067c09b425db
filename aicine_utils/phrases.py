"""Results as parts of sentences: numbers with their intervals, who is ahead of whom, where settings came from."""

import html
import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from aicine_utils import settings
from aicine_utils.experiment import Result
from aicine_utils.metrics import significance
from aicine_utils.models import registry
from aicine_utils.wording import names_text

NOTHING_SEARCHED = "No settings were searched here."


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
    return names_text(labels)["en"]


def budgets(results: Mapping[str, Result]) -> str:
    """How much was searched for each of these models that has a search, as a sentence: equal, or whose is not."""
    found = {name: _found(name, run) for name, run in results.items() if settings.model_config(name)["search"]}
    allowed = {name: _allowed(winner, found.values()) for name, winner in found.items()}
    if not any(allowed.values()):
        return NOTHING_SEARCHED
    groups: dict[tuple[int, str], list[str]] = {}
    for name in sorted(found, key=lambda name: -allowed[name]):
        groups.setdefault((allowed[name], _where(found[name])), []).append(name)
    cut = {name: _trials(one) for name, one in found.items() if _trials(one) < allowed[name]}
    limits = {key: sorted({_limit(found[name]) for name in names if name in cut}) for key, names in groups.items()}
    if len(groups) == 1 and len(limits[(key := next(iter(groups)))]) < 2:
        return f"Settings had equal budgets: {_budget(key, limits[key])} each.{_cut_short(cut)}"
    parts = [f"{_budget(key, limits[key])} for {_labels(names)}" for key, names in groups.items()]
    return f"Settings did not have equal budgets: {'; '.join(parts)}.{_cut_short(cut)}"


def _found(name: str, result: Result) -> dict[str, Any]:
    return settings.winner(name, result.manifest["dataset"], result.manifest["protocol"])


def _trials(found: dict[str, Any]) -> int:
    trials = found.get("trials", 0)
    return trials if trials > 1 else 0  # one is the defaults


def _timed_out(found: dict[str, Any]) -> bool:
    """Whether the search ended because no other trial might begin."""
    return found.get("minutes", 0) >= _limit(found)


def _allowed(found: dict[str, Any], everyone: Iterable[dict[str, Any]]) -> int:
    """Trials that the search might have made; where time ended it, as many as any other of that limit made."""
    others = [one for one in everyone if _limit(one) == _limit(found)] if _timed_out(found) else []
    return max(_trials(one) for one in [found, *others])


def _limit(found: dict[str, Any]) -> float:
    return found.get("limit", math.inf)


def _budget(key: tuple[int, str], limits: list[float]) -> str:
    """``12 trials``; where time ended some of these searches ``12 trials or 12 minutes``, whichever they took."""
    trials, where = key
    within = f" or {limits[0]:g}{'' if len(limits) == 1 else f' to {limits[-1]:g}'} minutes" if limits else ""
    return f"{trials or 'no'} trials{within}{where}"


def _cut_short(cut: dict[str, int]) -> str:
    """Whose search the minutes ended, and after how many trials: equal minutes are unequal trials."""
    if not cut:
        return ""
    span = sorted({min(cut.values()), max(cut.values())})
    return f" The minutes ended first for {_labels(cut)}, after {' to '.join(str(max(n, 1)) for n in span)} trials."


def _labels(names: Iterable[str]) -> str:
    return _joined([registry.entry(name).label for name in names])


def _where(found: dict[str, Any]) -> str:
    return f" on {found['lent_by']}" if "lent_by" in found else ""


def settings_source(result: Result) -> str:
    """Where a run's settings came from: a search with its number of trials, the defaults, or this notebook."""
    made, found = result.manifest, _found(result.name, result)
    if made["params"] != registry.create(result.name, made["dataset"], protocol=made["protocol"]).params:
        return "set here"
    if _trials(found):
        won = f"; won by what was found on {found['found_on']}" if "found_on" in found else ""
        return f"search, {_trials(found)} trials{_where(found) or ' on validation'}{won}"
    return "defaults, passes counted on validation" if found else "defaults"
