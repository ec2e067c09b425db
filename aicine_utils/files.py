"""Text files that a reader never finds half written."""

import os
from pathlib import Path


def write_text(path: Path, text: str) -> Path:
    """Write a UTF-8 file under a temporary name, then rename it, so that readers never see half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)
    return path
