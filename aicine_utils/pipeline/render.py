"""From executed notebooks and their status files to the pages of the report."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from aicine_utils import findings, provenance, settings
from aicine_utils.findings import verdicts
from aicine_utils.pipeline import plan
from aicine_utils.report import index as index_page
from aicine_utils.report import pages

JOBS = (f"{plan.COMPARISON[:2]}_jobs", f"{plan.COMPARISON[:2]}_pairs")  # what the comparison measures for each job


def statuses(dataset: str) -> list[dict[str, Any]]:
    """Status of every notebook, those never run marked missing, those that died in the middle failed."""
    return [_status(dataset, book) for book in plan.notebooks()]


def _status(dataset: str, book: plan.Notebook) -> dict[str, Any]:
    path = plan.status_file(dataset, book.name)
    if not path.exists():
        return {"notebook": book.name, "title": book.title, "status": "missing", "error": None}
    status = json.loads(path.read_text(encoding="utf-8"))
    return {**status, "title": book.title}


def site(dataset: str, planned: Collection[str] = ()) -> pages.Site:
    """The pages that every page links to: those that ran, and those ``planned`` in the same run."""
    known = [(s["notebook"], s["title"], s["status"]) for s in statuses(dataset)]
    links = [(f"{name}.html", title, "ok" if name in planned else status) for name, title, status in known]
    return pages.Site(dataset=dataset, title="AI-CINE", pages=links)


def page(name: str, dataset: str, planned: Collection[str] = ()) -> None:
    """The page of a notebook that ran."""
    status = _status(dataset, plan.find(name))
    pages.render_page(plan.executed(dataset, name), status, plan.page(dataset, name), site(dataset, planned))


def index(dataset: str) -> None:
    """The index in both languages, and a page for each notebook that failed or died."""
    known = statuses(dataset)
    for status in known:
        if status["status"] in {"failed", "running"}:
            pages.render_failure(_dead(status), plan.page(dataset, status["notebook"]), site(dataset))
    folder = settings.output_dir(dataset)
    tables = folder / "tables"
    board, means, pairs = (_kept(tables / f"{name}.csv", plan.COMPARISON, known) for name in ("leaderboard", *JOBS))
    card = folder / "runs" / "data.json"
    index_page.render_index(
        dataset,
        board,
        [_dead(status) for status in known],
        json.loads(card.read_text(encoding="utf-8")) if card.exists() else {},
        folder / "report",
        provenance.environment(),
        findings.JobTables(means, pairs),
        _kept(tables / "14_evidence.csv", plan.ORIGINAL, known),
    )


def _kept(table: Path, maker: str, known: Sequence[Mapping[str, Any]]) -> pd.DataFrame | None:
    """A table that a notebook wrote, None where that notebook did not end well.

    A table that an earlier run left would answer for results that are no longer there.
    """
    made = all(status["status"] == "ok" for status in known if status["notebook"] == maker)
    return pd.read_csv(table, dtype=dict.fromkeys(verdicts.TEXTS, str)) if made and table.exists() else None


def _dead(status: dict[str, Any]) -> dict[str, Any]:
    """A notebook still "running" when pages are made was killed before it could say why."""
    if status["status"] != "running":
        return status
    return {**status, "status": "failed", "seconds": None, "peak_mb": None, "error": None}
