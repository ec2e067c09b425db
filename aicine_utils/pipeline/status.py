"""How far a step of the report is: a file of JSON beside its output, replaced as the step goes on."""

import json
import os
from pathlib import Path
from typing import Any


def write(path: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step, so that a reader finds it whole."""
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    partial.write_text(json.dumps(content, indent=1), encoding="utf-8")
    partial.replace(path)


def seconds_before(path: Path) -> float | None:
    """Seconds of the last whole execution, from which the time left is told."""
    try:
        last = json.loads(path.read_text(encoding="utf-8"))
        return last.get("seconds") if last.get("status") == "ok" else None
    except (OSError, ValueError):
        return None
