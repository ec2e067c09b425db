"""From the tables and status files of a report to its first page, and to a page for each notebook that failed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from aicine_utils import findings, provenance, settings
from aicine_utils.findings import verdicts
from aicine_utils.pipeline import plan, render
from aicine_utils.pipeline import status as status_files
from aicine_utils.report import index as index_page
from aicine_utils.report import pages

JOBS = (f"{plan.COMPARISON[:2]}_jobs", f"{plan.COMPARISON[:2]}_pairs")  # what the comparison measures for each job


def index(dataset: str, after_error: bool = False) -> None:
    """The index in both languages, and a page for each notebook that failed or died.

    ``after_error``: a run did not end well. Where somebody stopped it, the index stays what it was.
    """
    known = render.statuses(dataset)
    for status in known:
        if status["status"] in {"failed", "running"}:
            pages.render_failure(_dead(status), plan.page(dataset, status["notebook"]), render.site(dataset))
    folder = settings.output_dir(dataset)
    if after_error and any(status["status"] == status_files.INTERRUPTED for status in known):
        return
    if all(status["status"] == status_files.EARLIER for status in known):  # made anew from what came with a clone
        known = [{**status, "status": "ok"} for status in known]
    status_files.publish(plan.costs_table(dataset), known)
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

    One that failed left tables of results that are no longer there; one that was not run here, as in a clone, left
    those of its page.
    """
    made = all(status["status"] in {"ok", status_files.EARLIER} for status in known if status["notebook"] == maker)
    return pd.read_csv(table, dtype=dict.fromkeys(verdicts.TEXTS, str)) if made and table.exists() else None


def _dead(status: dict[str, Any]) -> dict[str, Any]:
    """A notebook still "running" when pages are made was killed before it could say why."""
    if status["status"] != "running":
        return status
    return {**status, "status": "failed", "seconds": None, "peak_mb": None, "error": None}
