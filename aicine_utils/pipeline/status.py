"""How far a step of the report is: a file of JSON beside its output, replaced as the step goes on."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aicine_utils.files import write_text

INTERRUPTED = "interrupted"  # somebody stopped the notebook: no failure, and no result
EARLIER = "earlier"  # its page is there, but no status: it came with a clone
COSTS = ("seconds", "peak_mb")


def write(path: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step, so that a reader finds it whole."""
    write_text(path, json.dumps(content, indent=1))


def publish(path: Path, statuses: Iterable[Mapping[str, Any]]) -> None:
    """What making each page took, and its revision, as a table to be committed with the pages.

    Of a notebook that was stopped the page is still the one before, and so is its row.
    """
    before = published(path)
    rows = [before.get(status["notebook"]) if status["status"] == INTERRUPTED else status for status in statuses
            if status["status"] in {"ok", EARLIER, INTERRUPTED}]  # fmt: skip
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["notebook", *COSTS, "revision"], *map(_told, filter(None, rows))])
    write_text(path, text.getvalue())


def _told(status: Mapping[str, Any]) -> list[Any]:
    revision = (status.get("provenance") or {}).get("revision", "")
    return [status["notebook"], *(status.get(name) for name in COSTS), revision]


def published(path: Path) -> dict[str, dict[str, Any]]:
    """What the table of :func:`publish` tells of each notebook, as its status would; empty where there is none."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["notebook"]: _status(row) for row in csv.DictReader(file)}


def _status(row: Mapping[str, str]) -> dict[str, Any]:
    costs = {name: float(row[name]) for name in COSTS if row[name]}
    return {"notebook": row["notebook"], **costs, "provenance": {"revision": row.get("revision", "")}}


def seconds_before(path: Path) -> float | None:
    """Seconds of the last whole execution, from which the time left is told."""
    try:
        last = json.loads(path.read_text(encoding="utf-8"))
        return last.get("seconds") if last.get("status") == "ok" else None
    except (OSError, ValueError):
        return None
