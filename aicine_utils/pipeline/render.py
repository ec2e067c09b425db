"""From an executed notebook and its status file to its page in the report."""

import json
from collections.abc import Collection
from typing import Any

from aicine_utils.pipeline import plan
from aicine_utils.pipeline import status as status_files
from aicine_utils.report import pages


def statuses(dataset: str) -> list[dict[str, Any]]:
    """Status of every notebook; ``earlier`` where only a page tells of a run, ``missing`` where nothing does."""
    return [_status(dataset, book) for book in plan.notebooks()]


def _status(dataset: str, book: plan.Notebook) -> dict[str, Any]:
    path, paged = plan.status_file(dataset, book.name), plan.page(dataset, book.name).exists()
    status = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"status": "missing"}
    if status["status"] == "missing" and paged:
        status = status_files.published(plan.costs_table(dataset)).get(book.name, {}) | {"status": status_files.EARLIER}
    if status["status"] == status_files.INTERRUPTED and not paged:
        status = {"status": "missing"}
    return {"notebook": book.name, "error": None, **status, "title": book.title}


def site(dataset: str, planned: Collection[str] = ()) -> pages.Site:
    """The pages that every page links to: those that ran, and those ``planned`` in the same run."""
    known = [(s["notebook"], s["title"], s["status"]) for s in statuses(dataset)]
    links = [(f"{name}.html", title, "ok" if name in planned else status) for name, title, status in known]
    return pages.Site(dataset=dataset, title="AI-CINE", pages=links)


def page(name: str, dataset: str, planned: Collection[str] = ()) -> None:
    """The page of a notebook that ran."""
    status = _status(dataset, plan.find(name))
    pages.render_page(plan.executed(dataset, name), status, plan.page(dataset, name), site(dataset, planned))
