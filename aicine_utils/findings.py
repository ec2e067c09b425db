"""Sentences, verdicts and decisions, computed from the leaderboard in English and Korean.

Nothing here is typed by hand: other data say other things, the opposite included. Two models count as different from
the best when paired tests gave them another place (``place``, ``place_rmse``), and any other two when their intervals
do not meet. Where that fails the sentence says that it can't be told. The sentences are in ``configs/sentences.yaml``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from aicine_utils import settings

PRIMARY = "user_temporal"
RANKING = "ndcg@10"
STARS = "rmse"
POPULAR = "popularity"
CHANCE = "random"  # never a candidate, whatever shares its place
CLOSE, CHEAPER = 0.05, 2  # share of the mean that a model of half the cost may give up
COMPARISON = "10_comparison.html"
MISSING = "–"
_PLACES = {RANKING: "place", STARS: "place_rmse"}
_PAGES = {
    "non_personalised": "02_non_personalised.html",
    "content_based": "03_content_based.html",
    "neighbourhood": "04_neighbourhood.html",
    "matrix_factorisation": "05_matrix_factorisation.html",
    "linear": "05_matrix_factorisation.html",
    "hybrid": "06_hybrid_lightfm.html",
    "neural": "07_neural.html",
    "recbole_general": "08_recbole_general.html",
    "recbole_sequential": "09_recbole_sequential.html",
}


@dataclass(frozen=True)
class Finding:
    """One sentence with its evidence.

    key: its kind; text: by language; link: file name of the page that supports it; strength: whether the data decide.
    """

    key: str
    text: dict[str, str]
    link: str
    strength: Literal["clear", "open"]


@dataclass(frozen=True)
class Decision:
    """What to ship for one job.

    margin: how far the runner-up is behind in the job's metric (negative when the chosen one is only cheaper);
    settled: whether the chosen model is alone in first place.
    """

    job: Literal["stars", "home"]
    model: str
    label: str
    runner_up: str | None
    margin: float | None
    settled: bool
    text: dict[str, str]
    link: str


def findings(leaderboard: pd.DataFrame) -> list[Finding]:
    """All findings that the table supports, in the order of the page; those without data are left out."""
    board = primary(leaderboard)
    makers = (_best_ranker, _best_rater, _rater_as_ranker, _personalisation, _cheapest, _coverage)
    return [found for maker in makers if (found := maker(board)) is not None]


def decision(leaderboard: pd.DataFrame) -> list[Decision]:
    """One decision a job: the home row by NDCG@10, the stars shown by RMSE; see :func:`_choice`."""
    board = primary(leaderboard)
    return [made for job, metric in (("home", RANKING), ("stars", STARS)) if (made := _decide(board, job, metric))]


def primary(leaderboard: pd.DataFrame) -> pd.DataFrame:
    """The rows of the primary protocol, or of the first one where that was not run."""
    if "protocol" not in leaderboard or leaderboard.empty:
        return leaderboard.reset_index(drop=True)
    protocols = leaderboard["protocol"]
    chosen = PRIMARY if (protocols == PRIMARY).any() else protocols.iloc[0]
    return leaderboard[protocols == chosen].reset_index(drop=True)


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
    return best["model"] != other["model"] and _disjoint(best, other, metric)


def _disjoint(a: pd.Series, b: pd.Series, metric: str) -> bool:
    bounds = [row.get(f"{metric}_{end}") for row in (a, b) for end in ("low", "high")]
    if any(pd.isna(bound) for bound in bounds):
        return False
    return bounds[1] < bounds[2] or bounds[3] < bounds[0]


def value_text(row: pd.Series, metric: str) -> str:
    """``0.312 [0.305, 0.319]``, or the number alone where there is no interval."""
    low, high = row.get(f"{metric}_low"), row.get(f"{metric}_high")
    interval = "" if pd.isna(low) or pd.isna(high) else f" [{low:.3f}, {high:.3f}]"
    return f"{row[metric]:.3f}{interval}"


def seconds_text(seconds: float, lang: str = "en") -> str:
    """A duration as people say it: 0.4 s, 12 s, 3 min, 2.1 h."""
    units = {"en": (" s", " min", " h"), "ko": ("초", "분", "시간")}[lang]
    if seconds < 99.5:
        return (f"{seconds:.2g}" if seconds < 10 else f"{seconds:.0f}") + units[0]
    return f"{seconds / 60:.0f}{units[1]}" if seconds < 5400 else f"{seconds / 3600:.1f}{units[2]}"


def _say(key: str, case: str, **values: Any) -> dict[str, str]:
    """The sentence in every language; a value that is a dict holds one text a language."""
    templates = settings.read_yaml(settings.CONFIGS / "sentences.yaml")[key][case]
    pick = {lang: {k: v[lang] if isinstance(v, dict) else v for k, v in values.items()} for lang in templates}
    return {lang: template.format(**pick[lang]) for lang, template in templates.items()}


def _names(labels: Sequence[str], most: int = 3) -> dict[str, str]:
    shown, rest = ", ".join(labels[:most]), len(labels) - most
    if rest > 0:
        return {"en": f"{shown} and {rest} more", "ko": f"{shown} 외 {rest}개"}
    return {"en": " and ".join([", ".join(labels[:-1]), labels[-1]]), "ko": shown}


def _ordinal(n: int) -> str:
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def _page(row: pd.Series) -> str:
    return _PAGES.get(str(row.get("family")), COMPARISON)


def _cost(row: pd.Series) -> float:
    parts = [row.get("fit_seconds"), row.get("recommend_seconds")]
    return math.inf if pd.isna(parts[0]) else float(sum(p for p in parts if pd.notna(p)))


def _spent(row: pd.Series) -> dict[str, str]:
    return {lang: seconds_text(_cost(row), lang) for lang in ("en", "ko")}


def _strength(decided: bool) -> Literal["clear", "open"]:
    return "clear" if decided else "open"


def _best_ranker(board: pd.DataFrame) -> Finding | None:
    return _best("best_ranker", ranking(board, RANKING), RANKING)


def _best_rater(board: pd.DataFrame) -> Finding | None:
    return _best("best_rater", ranking(board, STARS), STARS)


def _best(key: str, rows: pd.DataFrame, metric: str) -> Finding | None:
    if rows.empty:
        return None
    best, second, tied = rows.iloc[0], rows.iloc[min(1, len(rows) - 1)], list(rows.loc[rows["first"], "label"])
    case = "only" if len(rows) == 1 else "tied" if len(tied) > 1 else "alone"
    text = _say(key, case, best=best["label"], value=value_text(best, metric), tied=_names(tied) if tied[1:] else "",
                second=second["label"], second_value=value_text(second, metric))  # fmt: skip
    return Finding(key, text, COMPARISON if key == "best_ranker" else _page(best), _strength(case == "alone"))


def _rater_as_ranker(board: pd.DataFrame) -> Finding | None:
    raters, rows = ranking(board, STARS), ranking(board, RANKING)
    if raters.empty or raters.iloc[0]["model"] not in set(rows["model"]):
        return None
    place = int(np.flatnonzero(rows["model"] == raters.iloc[0]["model"])[0])
    row, best = rows.iloc[place], rows.iloc[0]
    case, popular = _standing(row, rows)
    who = _say("rater_as_ranker", "who_tied" if raters["first"].sum() > 1 else "who_alone", rater=row["label"])
    share = f"{row[RANKING] / best[RANKING]:.0%}" if best[RANKING] else MISSING
    text = _say("rater_as_ranker", case, who=who, value=value_text(row, RANKING), nth=_ordinal(place + 1),
                place=place + 1, n=len(rows), share=share, best=best["label"], **popular)  # fmt: skip
    return Finding("rater_as_ranker", text, COMPARISON, _strength(case not in ("tied", "open")))


def _standing(row: pd.Series, rows: pd.DataFrame) -> tuple[str, dict[str, str]]:
    """Where a rating model stands as a list maker: the sentence to say, and the popularity row that it needs."""
    if row["first"]:
        return ("best" if rows["first"].sum() == 1 else "tied"), {}
    popular = rows[rows["model"] == POPULAR]
    if popular.empty or row["model"] == POPULAR:
        return "behind", {}
    other = popular.iloc[0]
    case = "open" if not _disjoint(row, other, RANKING) else "above" if row[RANKING] > other[RANKING] else "below"
    return case, {"popular": other["label"], "popular_value": value_text(other, RANKING)}


def _personalisation(board: pd.DataFrame) -> Finding | None:
    rows = ranking(board, RANKING)
    same = rows["family"] == "non_personalised"
    controls, personal = rows[same & (rows["model"] != "random")], rows[~same]
    if controls.empty or personal.empty:
        return None
    own, everyone = personal.iloc[0], controls.iloc[0]
    better, worse = (own, everyone) if own[RANKING] >= everyone[RANKING] else (everyone, own)
    apart = bool(better["first"]) and not worse["first"]  # one of the two is the best of all
    case = "open" if not apart else "gain" if better is own else "loss"
    text = _say("personalisation", case, own=own["label"], own_value=value_text(own, RANKING),
                everyone=everyone["label"], everyone_value=value_text(everyone, RANKING),
                ratio=ratio_text(own, everyone, RANKING))  # fmt: skip
    return Finding("personalisation", text, COMPARISON, _strength(apart))


def _cheapest(board: pd.DataFrame) -> Finding | None:
    rows = ranking(board, RANKING)
    first = [row for _, row in rows[rows["first"]].iterrows() if math.isfinite(_cost(row))]
    if not first:
        return None
    cheap, dear = min(first, key=_cost), max(first, key=_cost)
    text = _say("cheapest", "alone" if len(first) == 1 else "tied", cheap=cheap["label"], seconds=_spent(cheap),
                n=len(first), dear=dear["label"], dear_seconds=_spent(dear))  # fmt: skip
    return Finding("cheapest", text, _page(cheap), "clear")


def _coverage(board: pd.DataFrame) -> Finding | None:
    rows = ranking(board, RANKING)
    popular = rows[rows["model"] == POPULAR]
    if popular.empty or "coverage" not in rows or rows.iloc[0]["model"] == POPULAR:
        return None
    best, other = rows.iloc[0], popular.iloc[0]
    if pd.isna(best["coverage"]) or pd.isna(other["coverage"]):
        return None
    shown = [f"{row['coverage']:.1%}" for row in (best, other)]
    case = "same" if shown[0] == shown[1] else "wider" if best["coverage"] > other["coverage"] else "narrower"
    text = _say("coverage", case, best=best["label"], value=shown[0], popular=other["label"], popular_value=shown[1])
    return Finding("coverage", text, COMPARISON, "clear")


def _decide(board: pd.DataFrame, job: Literal["stars", "home"], metric: str) -> Decision | None:
    rows = ranking(board[board["model"] != CHANCE], metric)
    if rows.empty:
        return None
    first = rows[rows["first"]]
    best, thrifty = _choice(first, metric)
    rivals = first if len(first) > 1 else rows
    others = rivals[rivals["model"] != best["model"]]
    second = others.iloc[0] if len(others) else None
    margin = None if second is None else float(best[metric] - second[metric]) * (-1 if metric == STARS else 1)
    case = "only" if margin is None else ("cheap" if thrifty else "tied") if len(first) > 1 else "alone"
    shown = "" if margin is None else f"{margin:+.3f}" if case in ("tied", "cheap") else f"{margin:.3f}"
    text = _say(job, case, best=best["label"], value=value_text(best, metric), n=len(first), margin=shown,
                second="" if second is None else second["label"])  # fmt: skip
    runner_up = None if second is None else str(second["label"])
    return Decision(job, best["model"], best["label"], runner_up, margin, len(first) == 1, text, COMPARISON)


def _choice(first: pd.DataFrame, metric: str) -> tuple[pd.Series, bool]:
    """Whom to ship of those in first place, and whether for its cost.

    The best by its mean, unless another costs less than half and gives up less than a twentieth: not being told apart
    is not being equal, and a cheap model may hide behind a wide interval.
    """
    best = first.iloc[0]
    near = first[(first[metric] - best[metric]).abs() <= CLOSE * abs(best[metric])]
    cheap = min((row for _, row in near.iterrows()), key=_cost)
    thrifty = _cost(cheap) * CHEAPER <= _cost(best)
    return (cheap, True) if thrifty else (best, False)


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
