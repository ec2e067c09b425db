"""What findings and decisions share: reading the leaderboard, and saying its numbers in two languages."""

import math
from typing import Literal

import numpy as np
import pandas as pd

from aicine_utils.settings import PRIMARY
from aicine_utils.wording import say, seconds_text

STRICT = "global_temporal"
RANKING = "ndcg@10"
STARS = "rmse"
POPULAR = "popularity"
CHANCE = "random"  # never a candidate, whatever shares its place
CHOSEN = ("svd", "ract")  # what the original study shipped
COMPARISON = "10_comparison.html"
MONTH, MONTHS_FROM = 365.25 / 12, 60  # days of a month; and from how many a span is told in months
_PLACES = {RANKING: "place", STARS: "place_rmse"}
_PAGES = {
    "non_personalised": "02_non_personalised.html",
    "content_based": "03_content_based.html",
    "neighbourhood": "04_neighbourhood.html",
    "matrix_factorisation": "05_matrix_factorisation.html",
    "linear": "04_neighbourhood.html",
    "hybrid": "06_hybrid_lightfm.html",
    "neural": "07_neural.html",
    "recbole_general": "08_recbole_general.html",
    "recbole_sequential": "09_recbole_sequential.html",
}


def primary(leaderboard: pd.DataFrame) -> pd.DataFrame:
    """The rows of the primary protocol, or of the first one where that was not run."""
    if "protocol" not in leaderboard or leaderboard.empty:
        return leaderboard.reset_index(drop=True)
    protocols = leaderboard["protocol"]
    chosen = PRIMARY if (protocols == PRIMARY).any() else protocols.iloc[0]
    return leaderboard[protocols == chosen].reset_index(drop=True)


def stricter(leaderboard: pd.DataFrame) -> pd.DataFrame:
    """The rows of one cut in time for everyone; none where that was not run, or is all that was run."""
    if "protocol" not in leaderboard or leaderboard.empty:
        return leaderboard.iloc[:0]
    rows = leaderboard[leaderboard["protocol"] == STRICT]
    return rows.iloc[:0] if len(rows) == len(leaderboard) else rows.reset_index(drop=True)


def cut_text(strict: pd.DataFrame) -> dict[str, str]:
    """One cut in time for everyone, and how long after it the models stay as they are, where the table says that."""
    days = strict["frozen_days"].max() if "frozen_days" in strict else math.nan
    if pd.isna(days):
        return say("cut", "plain")
    unit, n = ("days", days) if days < MONTHS_FROM else ("months", days / MONTH)
    return say("cut", "frozen", span=say("cut", unit, n=f"{n:.0f}"))


def controls(rows: pd.DataFrame) -> np.ndarray:
    """Which rows are measured but never shipped: those marked as ``control``, the random lists where none is marked."""
    return rows["control"].eq(True).to_numpy() if "control" in rows else (rows["model"] == CHANCE).to_numpy()


def beats_chance(rows: pd.DataFrame) -> bool:
    """Whether the first place of a :func:`ranking` excludes the controls, where these were measured."""
    return not rows.loc[controls(rows), "first"].any()


def proven(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The rows of a :func:`ranking` that may be shipped, ranked among themselves: no controls, and surely better than
    each of these where that was tested; else all, if the first place excludes the controls.
    """
    free = ~controls(rows)
    sure = rows["proven"].eq(True).to_numpy() if "proven" in rows else np.full(len(rows), beats_chance(rows))
    return ranking(rows[free & sure], metric)


def ranking(board: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Models that have the metric, best first; ``first`` marks those that can't be told from the best."""
    if metric not in board:
        return board.iloc[:0].assign(first=False)
    ranked = board.dropna(subset=[metric]).sort_values(metric, ascending=metric == STARS, kind="stable")
    first = [not _apart_from_best(ranked.iloc[0], ranked.iloc[i], metric) for i in range(len(ranked))]
    return ranked.assign(first=np.array(first, bool)).reset_index(drop=True)


def _apart_from_best(best: pd.Series, other: pd.Series, metric: str) -> bool:
    place = _PLACES[metric]
    if pd.notna(best.get(place)) and pd.notna(other.get(place)):
        return best[place] != other[place]
    return best["model"] != other["model"] and disjoint(best, other, metric)


def without_places(board: pd.DataFrame) -> pd.DataFrame:
    """``board`` for a :func:`ranking` of a part that lacks its best, against whom places are told."""
    return board.drop(columns=list(_PLACES.values()), errors="ignore")


def disjoint(a: pd.Series, b: pd.Series, metric: str) -> bool:
    """Whether the intervals of two models on a metric do not meet; False where one has none."""
    bounds = [row.get(f"{metric}_{end}") for row in (a, b) for end in ("low", "high")]
    if any(pd.isna(bound) for bound in bounds):
        return False
    return bounds[1] < bounds[2] or bounds[3] < bounds[0]


def value_text(row: pd.Series, metric: str) -> str:
    """``0.312 [0.305, 0.319]``, or the number alone where there is no interval."""
    low, high = row.get(f"{metric}_low"), row.get(f"{metric}_high")
    interval = "" if pd.isna(low) or pd.isna(high) else f" [{low:.3f}, {high:.3f}]"
    return f"{row[metric]:.3f}{interval}"


def page_of(row: pd.Series) -> str:
    """File name of the page of a model's family."""
    return _PAGES.get(str(row.get("family")), COMPARISON)


def cost(row: pd.Series) -> float:
    """Seconds to train and to answer every test user; infinite where not measured."""
    parts = [row.get("fit_seconds"), row.get("recommend_seconds")]
    return math.inf if pd.isna(parts[0]) else float(sum(p for p in parts if pd.notna(p)))


def spent(row: pd.Series) -> dict[str, str]:
    """Seconds to train and answer, as text."""
    return {lang: seconds_text(cost(row), lang) for lang in ("en", "ko")}


def spent_text(row: pd.Series) -> dict[str, str]:
    """Seconds to train and answer, and memory where it was measured: ``2.3 s and 48 MB``."""
    memory = row.get("peak_mb")
    shown = "" if pd.isna(memory) else f"{memory:,.0f} MB"
    times = spent(row)
    return {"en": f"{times['en']} and {shown}", "ko": f"{times['ko']}, {shown}"} if shown else times


def strength(decided: bool) -> Literal["clear", "open"]:
    """Whether the data decide."""
    return "clear" if decided else "open"


def ratio_text(a: pd.Series, b: pd.Series, metric: str) -> str:
    """``2.60 [2.41, 2.80]``: ratio of two means, its interval by the delta method on logarithms.

    The two are treated as independent, which makes the interval wider than a paired one would be.
    """
    numbers = [row.get(name) for row in (a, b) for name in (metric, f"{metric}_low", f"{metric}_high")]
    if not numbers[3]:
        return "∞"
    ratio = numbers[0] / numbers[3]
    if any(pd.isna(n) or n <= 0 for n in numbers):
        return f"{ratio:.2f}"
    half = math.hypot(math.log(numbers[2] / numbers[1]), math.log(numbers[5] / numbers[4])) / 2
    return f"{ratio:.2f} [{ratio * math.exp(-half):.2f}, {ratio * math.exp(half):.2f}]"
