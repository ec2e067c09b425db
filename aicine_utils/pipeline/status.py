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
COSTS = ("notebook", "seconds", "peak_mb")


def write(path: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step, so that a reader finds it whole."""
    write_text(path, json.dumps(content, indent=1))


def publish(path: Path, statuses: Iterable[Mapping[str, Any]]) -> None:
    """What the notebooks cost that have a page, as a table to be committed with the pages."""
    rows = [[status.get(name) for name in COSTS] for status in statuses if status["status"] in {"ok", EARLIER}]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COSTS, *rows])
    write_text(path, text.getvalue())


def published(path: Path) -> dict[str, dict[str, Any]]:
    """What each notebook cost when its page was made, from that table; empty where there is none."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["notebook"]: {name: float(row[name]) for name in COSTS[1:] if row[name]} for row in rows}


def seconds_before(path: Path) -> float | None:
    """Seconds of the last whole execution, from which the time left is told."""
    try:
        last = json.loads(path.read_text(encoding="utf-8"))
        return last.get("seconds") if last.get("status") == "ok" else None
    except (OSError, ValueError):
        return None
