"""The first page: question, answer, findings, claims re-examined, leaderboard, cost, method; English and Korean."""

from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from aicine_utils import findings
from aicine_utils.findings.verdicts import MARKS, Verdict, verdicts
from aicine_utils.report import budgets, plots
from aicine_utils.report.pages import HOME, Site, memory_text, provenance_block, time_text, words, write_page
from aicine_utils.report.tables import Column, html_table
from aicine_utils.settings import PRIMARY


def _seconds(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


CSV = "../tables/leaderboard.csv"
ORIGINAL = "14_original_study.html"
_FORMATS = {"ndcg@10": ".3f", "rmse": ".3f", "coverage": ".1%", "fit_seconds": _seconds, "recommend_seconds": _seconds,
            "peak_mb": ",.0f", "place": ".0f"}  # fmt: skip
_LOWER = {"rmse", "fit_seconds", "recommend_seconds", "peak_mb"}
USUAL = ("dataset", "preset")  # parameters that every notebook of a run is given
_NEITHER = {"place", "label", "family"}


def render_index(
    dataset: str,
    leaderboard: pd.DataFrame | None,
    statuses: Sequence[Mapping[str, Any]],
    data_card: Mapping[str, Any],
    target_folder: Path,
    provenance: Mapping[str, Any],
    jobs: findings.JobTables = findings.NO_TABLES,
    claims: pd.DataFrame | None = None,
) -> list[Path]:
    """Write ``index.html`` and ``index.ko.html`` into ``target_folder``; a missing leaderboard or notebook is said.

    statuses: one a notebook in the order of the report; data_card: sizes and licence by name; provenance: revision,
    python, packages, host; jobs: what else than the leaderboard is decided from; claims: evidence on the claims of the
    original study (see :mod:`findings.verdicts`).
    """
    board = None if leaderboard is None or leaderboard.empty else leaderboard
    site, judged = site_of(dataset, statuses), [] if claims is None else verdicts(claims)
    return [_write(lang, site, board, jobs, judged, statuses, data_card, target_folder, provenance) for lang in HOME]


def site_of(dataset: str, statuses: Sequence[Mapping[str, Any]]) -> Site:
    """The pages of a report from the statuses of its notebooks."""
    return Site(dataset, pages=[(f"{s['notebook']}.html", _title(s), s["status"]) for s in statuses])


def _title(status: Mapping[str, Any]) -> str:
    return str(status.get("title") or status["notebook"])


def _write(lang: str, site: Site, board: pd.DataFrame | None, jobs: findings.JobTables, judged: Sequence[Verdict],
           statuses: Sequence[Mapping[str, Any]], data_card: Mapping[str, Any], folder: Path,
           provenance: Mapping[str, Any]) -> Path:  # fmt: skip
    named, rows = words(lang), [_row(status, lang) for status in statuses]
    other = next(key for key in HOME if key != lang)
    context = {
        "title": named["question"],
        "statuses": rows,
        "unfinished": [row for row in rows if row["status"] != "ok"],
        "names": {file: title for file, title, state in site.pages if state != "missing"},
        "card": _card(data_card, lang),
        "has_code": False,
        "claims": judged,
        "marks": MARKS,
        "original": ORIGINAL,
        "other": {"href": HOME[other], "lang": other, "name": words(other)["language"]},
        "provenance": provenance_block(provenance, {}, lang),
        "mixed": _mixed(statuses, str(provenance.get("revision", "")), lang),
        **_results(board, jobs, site.dataset, lang),
    }
    context["contents"] = _contents(context, named)
    return write_page("index.html.j2", folder / HOME[lang], site, lang, **context)


def _mixed(statuses: Sequence[Mapping[str, Any]], own: str, lang: str) -> str:
    """That pages are of another revision than this one; empty where they are not, or nobody knows."""
    made = {str((status.get("provenance") or {}).get("revision", "")) for status in statuses} - {"", own}
    return words(lang)["notebooks_mixed"].format(pages=", ".join(sorted(made)), own=own) if made and own else ""


def _row(status: Mapping[str, Any], lang: str) -> dict[str, str]:
    given = {key: value for key, value in (status.get("parameters") or {}).items() if key not in USUAL}
    return {"title": _title(status), "href": f"{status['notebook']}.html", "status": status["status"],
            "given": ", ".join(f"{key} = {value}" for key, value in given.items()),
            "time": time_text(status.get("seconds"), lang), "memory": memory_text(status.get("peak_mb"))}  # fmt: skip


def _results(board: pd.DataFrame | None, jobs: findings.JobTables, dataset: str, lang: str) -> dict[str, Any]:
    named = words(lang)
    if board is None:
        lead = named["lead_empty"].format(dataset=dataset)
        nothing = {"decisions": [], "findings": [], "table": "", "figure": ""}
        return {**nothing, "lead": lead, "measured": [line for line in named["measured_lines"] if "{" not in line]}
    decisions, found = findings.decision(board, jobs), findings.findings(board, jobs)
    board = findings.primary(board)
    return {
        "lead": named["lead"].format(models=len(board), dataset=dataset),
        "decisions": decisions,
        "opening": opening,
        "findings": found,
        "table": Markup(leaderboard_table(board, lang)),
        "figure": Markup(_figure(board, lang)),
        "measured": _measured(board, lang),
    }


def opening(made: findings.Decision, lang: str) -> tuple[str, str, str]:
    """A decision in three parts: the job with its colon, what to do, and why; the first two are all a reader in haste
    needs.
    """
    job, colon, said = made.text[lang].partition(":")
    said = said.strip()
    end = said.find(made.label) + len(made.label) if made.model and made.label in said else said.find(".")
    return job + colon, said[:end], said[end:]


def leaderboard_table(board: pd.DataFrame, lang: str = "en") -> str:
    """The key columns of the leaderboard, best list first, with what each column means."""
    named = words(lang)
    columns = {
        name: Column(label, text, _FORMATS.get(name, ""), _direction(name))
        for name, (label, text) in named["columns"].items()
        if name in board and board[name].notna().any()
    }
    order = {name: columns[name] for name in ["label", *(n for n in columns if n != "label")]}
    shown = board.sort_values("ndcg@10", ascending=False) if "ndcg@10" in board else board
    families = [named["families"].get(name) or plots.family_label(name) for name in shown["family"]]
    shown = shown.assign(family=families)
    protocol = board["protocol"].iloc[0] if "protocol" in board else PRIMARY
    caption = named["leaderboard_caption"].format(protocol=protocol)
    return html_table(shown, caption, order, csv=CSV, best=("ndcg@10", "rmse"), csv_label=named["data_csv"])


def _direction(name: str) -> str:
    return "" if name in _NEITHER else "lower" if name in _LOWER else "higher"


def _figure(board: pd.DataFrame, lang: str) -> str:
    needed = ["fit_seconds", "ndcg@10"]
    if any(name not in board for name in needed) or board.dropna(subset=needed).empty:
        return ""
    named, best = words(lang), board.dropna(subset=needed).sort_values("ndcg@10").iloc[-1]
    title = named["cost_finding"].format(
        label=best["label"],
        value=findings.value_text(best, "ndcg@10"),
        seconds=findings.seconds_text(best["fit_seconds"], lang),
    )
    fig = plots.cost_plot(board, x_label=named["cost_x"])
    return plots.figure_html(fig, title, named["cost_alt"], href=CSV, csv_label=named["data_csv"])


def _measured(board: pd.DataFrame, lang: str) -> list[str]:
    named = words(lang)
    users, seeds = (_largest(board, name) for name in ("n_users", "seeds"))
    several = 0 if seeds is None else int((board["seeds"] > 1).sum())
    seeds_said = named["seeds_many"].format(n=seeds, models=several) if several else named["seeds_one"]
    filled = {
        "users": "–" if users is None else f"{users:,}",
        "seeds": seeds_said,
        "settings": budgets.told(board, lang),
    }
    return [line.format(**filled) for line in named["measured_lines"]]


def _largest(board: pd.DataFrame, name: str) -> int | None:
    if name not in board or board[name].isna().all():
        return None
    return int(board[name].max())


def _card(data_card: Mapping[str, Any], lang: str) -> list[tuple[str, str]]:
    labels = words(lang)["card"]
    plain = {k: v for k, v in data_card.items() if isinstance(v, (str, Real)) and not isinstance(v, bool)}
    rows = [(labels.get(k.removeprefix("n_"), k.replace("_", " ").capitalize()), _shown(v)) for k, v in plain.items()]
    return [*rows, *((labels["warning"], warning) for warning in data_card.get("warnings", []))]


def _shown(value: str | Real) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if float(value).is_integer() else f"{value:,.4g}"


def _contents(context: Mapping[str, Any], named: Mapping[str, Any]) -> list[tuple[str, str]]:
    parts = [("findings", context["findings"]), ("original", context["claims"]), ("leaderboard", context["table"]),
             ("cost", context["figure"]), ("measured", True), ("limits", True), ("data", context["card"]),
             ("notebooks", True)]  # fmt: skip
    return [*((own, named[own]) for own, there in parts if there), ("run-provenance", named["provenance"])]
