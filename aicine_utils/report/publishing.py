"""What must not be committed with a report: people's ratings, traces of one machine, and too much of anything.

The MovieLens licence forbids to hand the ratings on. A page may show a few films of somebody, as papers do; a table
with a user's number beside films or stars may not be longer than that.
"""

import platform
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

PAGE_MB, REPORT_MB = 1.5, 12.5  # two data sets are published, 25 MB together
FEW = 20  # rows
PERSON = {"user", "user_id", "userid"}
RATED = {"movie_id", "movieid", "movie", "item_id", "film", "title", "watched", "rating", "stars", "timestamp"}
MACHINE = re.compile(r"(?<![\w.:/<~-])/(?:home|root|tmp|Users|private|var|opt|mnt|srv|work)/[\w.-]+|\b[A-Z]:\\\\?Users")
KINDS = {".html", ".csv", ".svg"}


def files(folder: Path) -> list[Path]:
    """What is published of ``outputs/<dataset>``: its report and tables, not its runs."""
    found = (path for part in ("report", "tables") for path in (folder / part).rglob("*"))
    return sorted(path for path in found if path.is_file())


def problems(paths: Iterable[Path]) -> list[str]:
    """Why these files of one report can't be committed, one line each; none when they can."""
    paths = list(paths)
    found = [f"{path.name} {what}" for path in paths for what in _problems(path)]
    total = sum(path.stat().st_size for path in paths) / 1e6
    return found + ([f"all files together have {total:.1f} MB, above {REPORT_MB}"] if total > REPORT_MB else [])


def _problems(path: Path) -> Iterator[str]:
    if path.suffix not in KINDS:
        yield f"is no page, table or picture ({', '.join(sorted(KINDS))})"
        return
    if path.suffix == ".html" and path.stat().st_size > PAGE_MB * 1e6:
        yield f"has {path.stat().st_size / 1e6:.1f} MB, above {PAGE_MB}"
    text = path.read_text(encoding="utf-8")
    if trace := MACHINE.search(text):
        yield f"holds a path of this machine, {trace[0]}"
    host = platform.node()
    if len(host) > 4 and host != "localhost" and re.search(rf"\b{re.escape(host)}\b", text):
        yield f"holds the name of this machine, {host}"
    if path.suffix == ".csv" and (rows := personal_rows(path)) > FEW:
        yield f"has {rows:,} rows of who watched what, above {FEW}: the licence forbids it"


def personal_rows(path: Path) -> int:
    """Rows of a CSV that tell what somebody watched or gave stars; 0 where it has no column of people beside these."""
    names = {name.lower() for name in pd.read_csv(path, nrows=0).columns}
    return len(pd.read_csv(path)) if names & PERSON and names & RATED else 0
