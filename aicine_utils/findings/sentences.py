"""Findings of a leaderboard as sentences in English and Korean; each says the opposite when the data do."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from aicine_utils.findings.choosing import (
    BLIND,
    CHEAPER,
    NO_TABLES,
    JobTables,
    Pick,
    affordable,
    blind_beside,
    board_of,
    shipped,
    survival,
)
from aicine_utils.findings.reading import (
    CHANCE,
    COMPARISON,
    POPULAR,
    RANKING,
    STARS,
    beats_chance,
    cost,
    cut_text,
    disjoint,
    page_of,
    primary,
    ranking,
    ratio_text,
    spent,
    strength,
    stricter,
    value_text,
)
from aicine_utils.wording import MISSING, names_text, ordinal, say


@dataclass(frozen=True)
class Finding:
    """One sentence with its evidence.

    key: its kind; text: by language; link: file name of the page that supports it; strength: whether the data decide.
    """

    key: str
    text: dict[str, str]
    link: str
    strength: Literal["clear", "open"]


def findings(leaderboard: pd.DataFrame, jobs: JobTables = NO_TABLES) -> list[Finding]:
    """All findings that the table supports, in the order of the page; those without data are left out.

    The budget in the tables of jobs bounds the model to ship.
    """
    board = affordable(board_of("home", primary(leaderboard), jobs.means), jobs)
    home = shipped(board, strict := stricter(leaderboard))
    found = [_best_ranker(board), _best_rater(board), _rater_as_ranker(board), _personalisation(board, home, strict),
             _cheapest(board), _coverage(board, home), _stricter(home, strict)]  # fmt: skip
    return [one for one in found if one is not None]


def _best_ranker(board: pd.DataFrame) -> Finding | None:
    return _best("best_ranker", ranking(board, RANKING), RANKING)


def _best_rater(board: pd.DataFrame) -> Finding | None:
    return _best("best_rater", ranking(board, STARS), STARS)


def _best(key: str, rows: pd.DataFrame, metric: str) -> Finding | None:
    if rows.empty:
        return None
    best, second, tied = rows.iloc[0], rows.iloc[min(1, len(rows) - 1)], list(rows.loc[rows["first"], "label"])
    case = "only" if len(rows) == 1 else "tied" if len(tied) > 1 else "alone"
    case = case if beats_chance(rows) else "chance"
    text = say(key, case, best=best["label"], value=value_text(best, metric), n=len(tied),
                tied=names_text(tied) if tied[1:] else "", second=second["label"],
                second_value=value_text(second, metric))  # fmt: skip
    return Finding(key, text, COMPARISON if key == "best_ranker" else page_of(best), strength(case == "alone"))


def _rater_as_ranker(board: pd.DataFrame) -> Finding | None:
    raters, rows = ranking(board, STARS), ranking(board, RANKING)
    if raters.empty or raters.iloc[0]["model"] not in set(rows["model"]):
        return None
    place = int(np.flatnonzero(rows["model"] == raters.iloc[0]["model"])[0])
    row, best = rows.iloc[place], rows.iloc[0]
    case, popular = _standing(row, rows)
    who = say("rater_as_ranker", "who_tied" if raters["first"].sum() > 1 else "who_alone", rater=row["label"])
    share = f"{row[RANKING] / best[RANKING]:.0%}" if best[RANKING] else MISSING
    nth = int(row["place"]) if pd.notna(row.get("place")) else place + 1
    text = say("rater_as_ranker", case, who=who, value=value_text(row, RANKING), nth=ordinal(nth),
                place=nth, n=len(rows), share=share, best=best["label"], **popular)  # fmt: skip
    return Finding("rater_as_ranker", text, COMPARISON, strength(case not in ("tied", "open")))


def _standing(row: pd.Series, rows: pd.DataFrame) -> tuple[str, dict[str, str]]:
    """Where a rating model stands as a list maker: the sentence to say, and the popularity row that it needs."""
    if row["first"]:
        return ("best" if rows["first"].sum() == 1 else "tied"), {}
    popular = rows[rows["model"] == POPULAR]
    if popular.empty or row["model"] == POPULAR:
        return "behind", {}
    other = popular.iloc[0]
    case = "open" if not disjoint(row, other, RANKING) else "above" if row[RANKING] > other[RANKING] else "below"
    return case, {"popular": other["label"], "popular_value": value_text(other, RANKING)}


def _personalisation(board: pd.DataFrame, home: Pick | None, strict: pd.DataFrame) -> Finding | None:
    rows = ranking(board, RANKING)
    same = rows["family"] == BLIND
    controls, personal = rows[same & (rows["model"] != CHANCE)], rows[~same]
    if controls.empty or personal.empty:
        return None
    own, everyone = personal.iloc[0], controls.iloc[0]
    own = own if home is None or home.best["family"] == BLIND else home.best
    better, worse = (own, everyone) if own[RANKING] >= everyone[RANKING] else (everyone, own)
    leads = better["model"] == rows["model"].iloc[0]  # places tell who is apart from the leader, and from nobody else
    apart = not worse["first"] if leads else disjoint(own, everyone, RANKING)
    case = "open" if not apart else "gain" if better is own else "loss"
    there = _under_the_cut(own, strict)
    text = say("personalisation", case, own=own["label"], own_value=value_text(own, RANKING),
                everyone=everyone["label"], everyone_value=value_text(everyone, RANKING),
                ratio=ratio_text(own, everyone, RANKING), under=_told_of_the_cut(*there) if there else "")  # fmt: skip
    same_there = there is None or (
        disjoint(*there, RANKING) and (better is own) == (there[0][RANKING] > there[1][RANKING])
    )
    return Finding("personalisation", text, COMPARISON, strength(apart and same_there))


def _under_the_cut(own: pd.Series, strict: pd.DataFrame) -> tuple[pd.Series, pd.Series] | None:
    """The row of a model under one cut in time for everyone, and the best there that knows no tastes, if both are."""
    rows = ranking(strict, RANKING)
    there, blind = rows[rows["model"] == own["model"]], rows[(rows["family"] == BLIND) & (rows["model"] != CHANCE)]
    return None if there.empty or blind.empty else (there.iloc[0], blind.iloc[0])


def _told_of_the_cut(own: pd.Series, everyone: pd.Series) -> dict[str, str]:
    return say("personalisation", "under", ratio=ratio_text(own, everyone, RANKING), everyone=everyone["label"],
               own_value=value_text(own, RANKING), everyone_value=value_text(everyone, RANKING))  # fmt: skip


def _cheapest(board: pd.DataFrame) -> Finding | None:
    rows = ranking(board, RANKING)
    first = [row for _, row in rows[rows["first"]].iterrows()]
    if not first or not all(math.isfinite(cost(row)) for row in first) or not beats_chance(rows):
        return None
    cheap, dear = min(first, key=cost), max(first, key=cost)
    apart = cost(cheap) * CHEAPER <= cost(dear)  # one training each: less is the machine's mood
    timed = [row["label"] for row in first if row.get("stopped_by_budget", False)]
    case = "limited" if timed else "alone" if len(first) == 1 else "tied" if apart else "same"
    text = say("cheapest", case, timed=names_text(timed) if timed else "", cheap=cheap["label"], seconds=spent(cheap),
                n=len(first), dear=dear["label"], dear_seconds=spent(dear))  # fmt: skip
    return Finding("cheapest", text, page_of(cheap), strength(case in ("alone", "tied")))


def _coverage(board: pd.DataFrame, home: Pick | None) -> Finding | None:
    rows = ranking(board, RANKING)
    popular = rows[rows["model"] == POPULAR]
    if home is None or popular.empty or "coverage" not in rows or home.best["model"] == POPULAR:
        return None
    best, other = home.best, popular.iloc[0]
    if pd.isna(best["coverage"]) or pd.isna(other["coverage"]):
        return None
    shown = [f"{row['coverage']:.1%}" for row in (best, other)]
    case = "same" if shown[0] == shown[1] else "wider" if best["coverage"] > other["coverage"] else "narrower"
    rest = rows.loc[(rows["family"] != BLIND) & (rows["model"] != best["model"]), "coverage"].dropna()
    others = say("coverage", "others", n=len(rest), wider=int((rest > best["coverage"]).sum())) if len(rest) else ""
    text = say("coverage", case, best=best["label"], value=shown[0], popular=other["label"], popular_value=shown[1],
               others=others)  # fmt: skip
    return Finding("coverage", text, COMPARISON, "clear")


def _stricter(home: Pick | None, strict: pd.DataFrame) -> Finding | None:
    """Whether the best by people's own timelines keeps its place under one cut in time for everyone."""
    best = None if home is None else home.best if home.fallen is None else home.fallen
    kept = None if best is None else survival(best, strict)
    if kept is None:
        return None
    rows, same = ranking(strict, RANKING), blind_beside(strict)
    own, leader = rows[rows["model"] == best["model"]].iloc[0], rows.iloc[0]
    lost = "falls_to_one_list" if leader["family"] == BLIND else "falls"
    case = lost if not kept else "open" if len(same) else "holds"
    blind = same.iloc[0] if len(same) else leader
    text = say("stricter", case, own=own["label"], value=value_text(own, RANKING), n=int(rows["first"].sum()),
               of=len(rows), people=f"{rows['n_users'].max():,.0f}", blind=blind["label"],
               blind_value=value_text(blind, RANKING), leader=leader["label"],
               leader_value=value_text(leader, RANKING), cut=cut_text(strict),
               after=_after(home, kept, same))  # fmt: skip
    told = len(same) == 0 if home.fallen is not None else case != "open"
    return Finding("stricter", text, COMPARISON, strength(told))


def _after(home: Pick, kept: bool, same: pd.DataFrame) -> dict[str, str] | str:
    """What follows from a leader's fall; nothing where it keeps its place."""
    if kept:
        return ""
    if home.fallen is None:
        return say("stricter", "unsafe")
    told = say("stricter", "not_told", blind=same.iloc[0]["label"]) if len(same) else ""
    return say("stricter", "instead", best=home.best["label"], told=told)
