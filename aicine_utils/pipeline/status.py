"""How far a step of the report is: a file of JSON beside its output, replaced as the step goes on."""

import json
from pathlib import Path
from typing import Any

from aicine_utils.files import write_text


def write(path: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step, so that a reader finds it whole."""
    write_text(path, json.dumps(content, indent=1))


def seconds_before(path: Path) -> float | None:
    """Seconds of the last whole execution, from which the time left is told."""
    try:
        last = json.loads(path.read_text(encoding="utf-8"))
        return last.get("seconds") if last.get("status") == "ok" else None
    except (OSError, ValueError):
        return None
