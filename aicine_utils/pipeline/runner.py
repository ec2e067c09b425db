"""Start Snakemake, tell what goes on in one line a notebook, and sum up at the end."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from rich.console import Console
from rich.table import Table

from aicine_utils import settings
from aicine_utils.errors import AicineError
from aicine_utils.pipeline import plan

POLL_SECONDS = 0.2
LAST_LINES = 15


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    dataset: str
    name: str
    preset: str
    only: Sequence[str] = ()
    begin: str | None = None
    force: bool = False
    jobs: int = 2
    dry_run: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)


def command(request: Request) -> list[str]:
    """Snakemake's command line for a request; what was asked for goes through a file, which keeps types."""
    asked = {"dataset": request.dataset, "preset": request.preset, "parameters": request.parameters,
             "only": ",".join(request.only)}  # fmt: skip
    path = settings.output_dir(request.name) / "runs" / ("asked.json" if request.dry_run else "request.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asked), encoding="utf-8")
    line = [sys.executable, "-m", "snakemake", "--snakefile", str(settings.ROOT / "Snakefile"),
            "--directory", str(settings.home()), "--cores", str(request.jobs), "--keep-going", "--rerun-incomplete",
            "--nolock", "--configfile", str(path)]  # fmt: skip
    again = _forced(request)
    if again:
        line += ["--forcerun", *again]
    if request.dry_run:
        line += ["--dry-run", "--quiet", "host"]
    return line


def _executed(request: Request, name: str) -> str:
    return str(plan.executed(request.name, name).relative_to(settings.home()))


def _forced(request: Request) -> list[str]:
    """Executed notebooks to make again whether or not anything changed."""
    if request.begin:
        first = plan.find(request.begin).name
        names = [book.name for book in plan.notebooks() if book.name >= first]
    elif request.force:
        names = list(request.only) or [book.name for book in plan.notebooks()]
    else:
        return []
    return [_executed(request, name) for name in names]


def run(request: Request, console: Console) -> int:
    """Run the report; 0 only when every notebook asked for is there and whole."""
    started, log = time.time(), settings.output_dir(request.name) / "runs" / "snakemake.log"
    if request.dry_run:
        return subprocess.run(command(request), env=environment()).returncode
    log.parent.mkdir(parents=True, exist_ok=True)
    with alone(request.name), log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(command(request), stdout=file, stderr=file, env=environment())
        try:
            watch(process, request, console, started)
        except KeyboardInterrupt:
            process.wait()  # Snakemake got the same signal and ends its jobs; what is finished stays
            console.print("Stopped. Finished notebooks and runs are kept; the same command goes on from here.")
            return 130
    return summary(request, console, started, process.returncode, log)


@contextmanager
def alone(dataset: str) -> Iterator[None]:
    """One run a data set at a time. The system frees this lock when a process dies; Snakemake's own would stay."""
    lock = FileLock(settings.output_dir(dataset) / "runs" / ".report.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise AicineError(
            f"The report on {dataset} is being made by another process. Wait for it or stop it."
        ) from None
    with lock:
        yield


def environment() -> dict[str, str]:
    """Environment of the steps: one thread each, as Snakemake gives a step of one core, and this Python's kernel."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0",
            "JUPYTER_PREFER_ENV_PATH": "1", "PYTHONPATH": str(settings.ROOT)}  # fmt: skip


def statuses(dataset: str, since: float = 0.0) -> dict[str, dict[str, Any]]:
    """Status of each notebook, and of the trainings beyond one a model; with ``since`` only those written after it."""
    found = {}
    for name in [*(book.name for book in plan.notebooks()), plan.REPEATS]:
        path = plan.status_file(dataset, name)
        if path.exists() and path.stat().st_mtime >= since:
            found[name] = json.loads(path.read_text(encoding="utf-8"))
    return found


def watch(process: subprocess.Popen, request: Request, console: Console, started: float) -> None:
    """Follow the status files until Snakemake ends: live on a terminal, a line at each change elsewhere."""
    told: dict[str, str] = {}
    with console.status("reading the plan") as live:
        while process.poll() is None:
            now = statuses(request.name, since=started)
            running = [f"{name} {progress(s)}" for name, s in now.items() if s["status"] == "running"]
            live.update("   ".join(running) or "working")
            _tell(now, told, console)
            time.sleep(POLL_SECONDS)
    _tell(statuses(request.name, since=started), told, console)


def _tell(now: dict[str, dict[str, Any]], told: dict[str, str], console: Console) -> None:
    for name, status in now.items():
        state = status["status"]
        if told.get(name) == state:
            continue
        told[name] = state
        if state == "running":
            console.print(f"[dim]{name:<24} started{_expected(status)}[/dim]")
        else:
            colour = "green" if state == "ok" else "red"
            spent = f" after {status['seconds']:.0f} s" if status.get("seconds") else ""
            console.print(f"{name:<24} [{colour}]{state}[/{colour}]{spent}")


def _expected(status: dict[str, Any]) -> str:
    return f", about {status['expected']:.0f} s as last time" if status.get("expected") else ""


def progress(status: dict[str, Any]) -> str:
    """``cell 7/30, 12 s left``: by the last execution's time where there was one, else by the cells done."""
    spent, cell, of, part = time.time() - status["begun"], status["cell"], status["of"], status.get("part", "cell")
    whole = status.get("expected") or spent * of / max(cell, 1)
    left = f", {max(whole - spent, 0):.0f} s left" if cell else ""
    return f"{part} {min(cell + 1, of)}/{of}{left}"


def summary(request: Request, console: Console, started: float, code: int, log: Path) -> int:
    """Print the table at the end and return the exit code."""
    known, fresh = statuses(request.name), statuses(request.name, since=started)
    names = list(request.only) or [book.name for book in plan.notebooks()]
    table = Table("notebook", "status", "seconds", "peak MB", "cached", box=None, header_style="bold")
    for name in names:
        table.add_row(name, *_row(known.get(name), name in fresh))
    console.print(table)
    index = settings.output_dir(request.name) / "report" / "index.html"
    failed = code != 0
    console.print(f"{'Failed' if failed else 'Done'} in {time.time() - started:.0f} s. Report: {index}")
    if failed:
        if all(fresh[name]["status"] == "ok" for name in names if name in fresh):  # it was not a notebook that failed
            console.print(
                "".join(log.read_text(encoding="utf-8").splitlines(keepends=True)[-LAST_LINES:]), markup=False
            )
        console.print(f"A notebook that failed has a page of its own, linked from the report. Snakemake's log: {log}")
    return 1 if failed else 0


def _row(status: dict[str, Any] | None, fresh: bool) -> list[str]:
    if status is None:
        return ["not run", "", "", ""]
    state = "died" if status["status"] == "running" else status["status"]
    seconds, peak = status.get("seconds"), status.get("peak_mb")
    return [state, f"{seconds:.0f}" if seconds else "", f"{peak:.0f}" if peak else "", "" if fresh else "yes"]
