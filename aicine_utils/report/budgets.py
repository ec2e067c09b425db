"""What was spent on each model of a leaderboard: how many settings were searched, where, and whom time stopped."""

import pandas as pd

from aicine_utils.report.pages import words

ELSEWHERE = (("lent_by", "settings_lent"), ("found_on", "settings_found"))  # columns, and what is said of them


def told(board: pd.DataFrame | None, lang: str) -> str:
    """The sentences on settings and on training time that stand below a leaderboard."""
    named, searches = words(lang), {**_searches(board), "within": _within(board, lang)}
    said = named["settings_default" if searches["searched"] == "0" else "settings_searched"].format(**searches)
    from_others = (_from_another(board, lang, *kind) for kind in ELSEWHERE)
    return " ".join(part for part in (said, *from_others, stopped(board, lang)) if part)


def _searches(board: pd.DataFrame | None) -> dict[str, str]:
    """How many models had their settings searched, and with how many trials: ``25``, or ``10 to 25``."""
    if board is None or "trials" not in board:
        return {"models": "–", "searched": "0", "trials": "0"}
    trials = board.loc[board["trials"] > 1, "trials"].astype(int)  # one trial counts passes, and searches nothing
    span = sorted({trials.min(), trials.max()}) if len(trials) else [0]
    return {"models": str(len(board)), "searched": str(len(trials)), "trials": "–".join(str(end) for end in span)}


def _within(board: pd.DataFrame | None, lang: str) -> str:
    """The limit on the minutes of a search, where all that ended before the most trials had the same; else empty."""
    if board is None or "search_minutes" not in board:
        return ""
    limits = board.loc[board["trials"].between(1, board["trials"].max(), inclusive="left"), "search_minutes"]
    same = limits.notna().all() and limits.nunique() == 1
    return words(lang)["settings_within"].format(minutes=limits.iloc[0]) if same else ""


def _from_another(board: pd.DataFrame | None, lang: str, column: str, sentence: str) -> str:
    """How many settings another data set's search found, by a column that names it; empty where none."""
    lenders = [] if board is None or column not in board else board[column].fillna("").loc[lambda own: own != ""]
    return words(lang)[sentence].format(n=len(lenders), lender=lenders.iloc[0]) if len(lenders) else ""


def stopped(board: pd.DataFrame | None, lang: str) -> str:
    """Whose training was ended by its limit on time; empty where nobody's was."""
    names = [] if board is None or "stopped_by_budget" not in board else board.loc[board["stopped_by_budget"], "label"]
    return words(lang)["stopped"].format(names=", ".join(names)) if len(names) else ""
