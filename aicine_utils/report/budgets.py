"""What was spent on each model of a leaderboard: how many settings were searched, where, and whom time stopped."""

import pandas as pd

from aicine_utils.report.pages import words

ELSEWHERE = (("lent_by", "settings_lent"), ("found_on", "settings_found"))  # columns, and what is said of them


def told(board: pd.DataFrame | None, lang: str) -> str:
    """The sentences on settings and on training time that stand below a leaderboard."""
    named, trials = words(lang), _trials(board)
    filled = {"models": "–" if board is None else len(board), "searched": len(trials), "most": trials.max()}
    case = "settings_searched" if len(trials) else "settings_default"
    said = named[case].format(**filled, fewer=_fewer(board, trials, lang))
    from_others = (_from_another(board, lang, *kind) for kind in ELSEWHERE)
    return " ".join(part for part in (said, *from_others, stopped(board, lang)) if part)


def _trials(board: pd.DataFrame | None) -> pd.Series:
    """Trials of the models that had a search; one trial counts passes, and searches nothing."""
    if board is None or "trials" not in board:
        return pd.Series(dtype=int)
    return board.loc[board["trials"] > 1, "trials"].astype(int)


def _fewer(board: pd.DataFrame | None, trials: pd.Series, lang: str) -> str:
    """How many models had fewer trials than the most, and the limit on minutes, where all of these had the same."""
    short = trials[trials < trials.max()]
    if short.empty:
        return ""
    limits = board.loc[short.index, "search_minutes"] if "search_minutes" in board else pd.Series([None])
    same = limits.notna().all() and limits.nunique() == 1
    within = words(lang)["settings_within"].format(minutes=limits.iloc[0]) if same else ""
    return words(lang)["settings_fewer"].format(n=len(short), least=short.min(), within=within)


def _from_another(board: pd.DataFrame | None, lang: str, column: str, sentence: str) -> str:
    """How many settings another data set's search found, by a column that names it; empty where none."""
    lenders = [] if board is None or column not in board else board[column].fillna("").loc[lambda own: own != ""]
    return words(lang)[sentence].format(n=len(lenders), lender=lenders.iloc[0]) if len(lenders) else ""


def stopped(board: pd.DataFrame | None, lang: str) -> str:
    """Whose training was ended by its limit on time; empty where nobody's was."""
    names = [] if board is None or "stopped_by_budget" not in board else board.loc[board["stopped_by_budget"], "label"]
    return words(lang)["stopped"].format(names=", ".join(names)) if len(names) else ""
