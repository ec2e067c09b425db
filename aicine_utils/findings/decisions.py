"""One decision a job: whom to ship, the runner-up, how sure, and whether it survives a stricter split."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from aicine_utils.findings.reading import (
    CHANCE,
    COMPARISON,
    RANKING,
    STARS,
    beats_chance,
    cost,
    primary,
    ranking,
    say,
    seconds_text,
    stricter,
    value_text,
)

CLOSE, CHEAPER = 0.05, 2  # share of the mean that a model of half the cost may give up
WORTH_SAVING = 10.0  # seconds; less is nothing to a service, and noise on a shared machine
NONE = {"en": "none", "ko": "없음"}


@dataclass(frozen=True)
class Decision:
    """What to ship for one job.

    model: None where no model beats chance. margin: how far the runner-up is behind in the job's metric (negative when
    the chosen one is only cheaper); settled: whether the chosen model is alone in first place; survives: whether it
    keeps a first place under one cut in time for everyone, None where that was not measured.
    """

    job: Literal["stars", "home"]
    model: str | None
    label: str
    runner_up: str | None
    margin: float | None
    settled: bool
    text: dict[str, str]
    link: str
    survives: bool | None = None


def decision(leaderboard: pd.DataFrame) -> list[Decision]:
    """One decision a job: the home row by NDCG@10, the stars shown by RMSE; see :func:`choice`."""
    board, strict = primary(leaderboard), stricter(leaderboard)
    jobs = (("home", RANKING), ("stars", STARS))
    return [made for job, metric in jobs if (made := _decide(board, strict, job, metric)) is not None]


def shipped(board: pd.DataFrame) -> pd.Series | None:
    """The row of the model that the home row gets; None where nothing was measured or no model beats chance."""
    rows = ranking(board, RANKING)
    candidates = rows[rows["first"] & (rows["model"] != CHANCE)]
    return choice(candidates, RANKING)[0] if len(candidates) and beats_chance(rows) else None


def choice(first: pd.DataFrame, metric: str) -> tuple[pd.Series, bool]:
    """Whom to ship of those in first place, and whether for its cost.

    The best by its mean, unless another costs less than half, ten seconds less at least, and gives up less than a
    twentieth: not being told apart is not being equal, and a cheap model may hide behind a wide interval.
    """
    best = first.iloc[0]
    near = first[(first[metric] - best[metric]).abs() <= CLOSE * abs(best[metric])]
    cheap = min((row for _, row in near.iterrows()), key=cost)
    thrifty = cost(cheap) * CHEAPER <= cost(best) and cost(best) - cost(cheap) >= WORTH_SAVING
    return (cheap, True) if thrifty else (best, False)


def _decide(board: pd.DataFrame, strict: pd.DataFrame, job: Literal["stars", "home"], metric: str) -> Decision | None:
    everyone = ranking(board, metric)
    rows = everyone[everyone["model"] != CHANCE].reset_index(drop=True)
    if rows.empty:
        return None
    first = rows[rows["first"]]
    if not beats_chance(everyone):
        return Decision(job, None, NONE["en"], None, None, False, say(job, "chance", n=len(first)), COMPARISON)
    best, thrifty = choice(first, metric)
    second = _runner_up(rows, first, best)
    margin = None if second is None else float(best[metric] - second[metric]) * (-1 if metric == STARS else 1)
    case = "only" if margin is None else ("cheap" if thrifty else "tied") if len(first) > 1 else "alone"
    shown = "" if margin is None else f"{margin:+.3f}" if case in ("tied", "cheap") else f"{margin:.3f}"
    text = say(job, case, best=best["label"], value=value_text(best, metric), n=len(first), margin=shown,
               second="" if second is None else second["label"], cost=spent_text(best),
               dear=first.iloc[0]["label"], dear_cost=spent_text(first.iloc[0]))  # fmt: skip
    survives = survival(best, strict) if metric == RANKING else None
    return Decision(job, best["model"], best["label"], None if second is None else str(second["label"]), margin,
                    len(first) == 1, text, COMPARISON, survives)  # fmt: skip


def _runner_up(rows: pd.DataFrame, first: pd.DataFrame, best: pd.Series) -> pd.Series | None:
    """The next of the first place where that is shared, else the next of all."""
    rivals = first if len(first) > 1 else rows
    others = rivals[rivals["model"] != best["model"]]
    return others.iloc[0] if len(others) else None


def spent_text(row: pd.Series) -> dict[str, str]:
    """Seconds to train and answer, and memory where it was measured: ``2.3 s and 48 MB``."""
    memory = row.get("peak_mb")
    shown = "" if pd.isna(memory) else f"{memory:,.0f} MB"
    times = {lang: seconds_text(cost(row), lang) for lang in ("en", "ko")}
    return {"en": f"{times['en']} and {shown}", "ko": f"{times['ko']}, {shown}"} if shown else times


def survival(row: pd.Series, strict: pd.DataFrame) -> bool | None:
    """Whether a model keeps a first place in the stricter table; None where it is not in it."""
    rows = ranking(strict, RANKING)
    own = rows.loc[rows["model"] == row["model"], "first"]
    return bool(own.iloc[0]) if len(own) else None
