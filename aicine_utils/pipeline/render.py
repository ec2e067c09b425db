"""From an executed notebook and its status file to its page in the report."""

import json
from collections.abc import Collection
from typing import Any

from aicine_utils.pipeline import plan
from aicine_utils.report import pages


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
