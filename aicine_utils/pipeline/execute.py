"""Execute one notebook with papermill; leave the notebook with outputs, and a status file written last."""

import ast
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from aicine_utils import parameters, provenance
from aicine_utils.errors import unknown
from aicine_utils.pipeline import plan
from aicine_utils.pipeline import status as status_files

LAST_LINES = 15
MARKER = "papermill-error-cell-tag"  # of the cells that papermill adds to a notebook that failed
STARTS, STILLBORN = 3, "Kernel died before replying"  # attempts, and what jupyter_client says
KERNEL_LOG = "--IPKernelApp.log_level=40"  # errors alone: its warning of plain sockets is about this very machine
STOPS = (signal.SIGINT, signal.SIGTERM)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class WatchedEngine(NBClientEngine):
    """papermill's own engine; tells ``watch(cell, of)`` when a cell starts."""

    watch = staticmethod(lambda cell, of: None)

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> Any:
        """Run as papermill does, with one call more before each cell."""
        start, of = nb_man.cell_start, len(nb_man.nb.cells)

        def cell_start(cell: Any, cell_index: int | None = None, **more: Any) -> None:
            for sign in STOPS:  # nbclient would end the kernel and wait for its reply
                signal.signal(sign, signal.default_int_handler)
            cls.watch(cell_index or 0, of)
            start(cell, cell_index, **more)

        nb_man.cell_start = cell_start
        return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)


papermill_engines.register("watched", WatchedEngine)


def execute(name: str, dataset: str, folder_name: str, preset: str, parameters: dict[str, Any]) -> bool:
    """Run a notebook; True when every cell ran. ``dataset`` is a name or folder, ``folder_name`` its place in outputs.

    The outputs go to a temporary name and are renamed at the end, so an executed notebook is always whole. Raises
    AicineError for a parameter that the notebook does not declare, or of another type than declared, and
    KeyboardInterrupt where somebody stopped it.
    """
    target, status_path = plan.executed(folder_name, name), plan.status_file(folder_name, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    given = {"dataset": dataset, "preset": preset, **parameters}
    refuse_unfit(name, given)
    source = _as_ipynb(name, target.parent)
    status = {"notebook": name, "title": plan.find(name).title, "parameters": given, "error": None,
              "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}  # fmt: skip
    expected = status_files.seconds_before(status_path)
    running = {**status, "status": "running", "begun": time.time(), "expected": expected}
    WatchedEngine.watch = staticmethod(
        lambda cell, of: status_files.write(status_path, {**running, "cell": cell, "of": of})
    )
    partial = target.with_suffix(f".{os.getpid()}.ipynb")
    try:
        with provenance.Cost(tree=True) as cost, _terminated_like_interrupted(), _tables_kept(folder_name, name):
            error = _papermill(source, partial, given)
    except KeyboardInterrupt:
        partial.unlink(missing_ok=True)
        status_files.write(status_path, {**status, "status": status_files.INTERRUPTED})
        raise
    finally:
        source.unlink()
    status |= {"status": "failed" if error else "ok", "seconds": cost.seconds, "peak_mb": cost.peak_mb, "error": error,
               "provenance": provenance.environment()}  # fmt: skip
    partial.replace(target if not error else target.with_suffix(".failed.ipynb"))
    status_files.write(status_path, status)
    return error is None


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """A process that is told to end leaves what one leaves whose Ctrl-C was pressed."""
    before = {sign: signal.signal(sign, signal.default_int_handler) for sign in STOPS}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


@contextmanager
def _tables_kept(dataset: str, name: str) -> Iterator[None]:
    """Where somebody stops a notebook, its tables are again those of the page that is still there."""
    folder, own = plan.costs_table(dataset).parent, plan.tables_of(dataset, name)
    with tempfile.TemporaryDirectory() as kept:
        for path in own:
            shutil.copy2(path, kept)
        try:
            yield
        except KeyboardInterrupt:
            for path in plan.tables_of(dataset, name):
                path.unlink()
            shutil.copytree(kept, folder, dirs_exist_ok=True)
            raise


def _as_ipynb(name: str, folder: Path) -> Path:
    """papermill reads only .ipynb: the text notebook, converted, beside the outputs."""
    path = folder / f".{name}.{os.getpid()}.source.ipynb"
    notebook = jupytext.read(plan.find(name).source)
    notebook.metadata.setdefault("kernelspec", {"name": "python3", "display_name": "Python 3", "language": "python"})
    nbformat.write(notebook, path)
    return path


def refuse_unfit(name: str, given: Mapping[str, Any]) -> None:
    """AicineError for a parameter that the notebook does not declare, or whose value is not what its default is.

    papermill only warns of a misspelt parameter and runs with the default; a wrong value would fail in some cell.
    """
    with tempfile.TemporaryDirectory() as folder:
        declared = papermill.inspect_notebook(str(_as_ipynb(name, Path(folder))))
    for parameter, value in given.items():
        if parameter not in declared:
            raise unknown(f"parameter of notebook {name}", parameter, declared)
        parameters.check(f"notebook {name}", parameter, value, _default(declared[parameter]["default"]))


def _default(source: str) -> Any:
    """The value of a declared default; None, which allows anything, where it is no plain value."""
    try:
        return ast.literal_eval(source)
    except ValueError:
        return None


def _papermill(source: Path, target: Path, given: dict[str, Any]) -> dict[str, Any] | None:
    """Execute; None when all went well, else what the failure page needs."""

    def run() -> None:
        papermill.execute_notebook(
            str(source), str(target), parameters=given, engine_name="watched", kernel_name="python3",
            progress_bar=False, log_output=False, cwd=str(plan.FOLDER), extra_arguments=[KERNEL_LOG],
        )  # fmt: skip

    try:
        _started(run)
    except PapermillExecutionError as error:
        if error.ename == KeyboardInterrupt.__name__:  # the kernel got the signal first
            raise KeyboardInterrupt from error
        lines = [line for text in error.traceback for line in ANSI.sub("", text).splitlines()]
        return _failure(target, error.cell_index, lines or [f"{error.ename}: {error.evalue}"])
    except (DeadKernelError, OSError) as error:
        died = f"The kernel died, most often because memory ran out ({type(error).__name__})."
        return _failure(target, None, [died, *str(error).splitlines()])
    return None


def _started(run: Callable[[], Any], attempts: int = STARTS) -> None:
    """Run, again if the kernel never began: two that start in the same moment may be given the same port."""
    for attempt in range(1, attempts + 1):
        try:
            run()
            return
        except RuntimeError as error:
            if STILLBORN not in str(error) or attempt == attempts:
                raise


def _failure(target: Path, index: int | None, lines: list[str]) -> dict[str, Any]:
    cells = [cell for cell in nbformat.read(target, as_version=4).cells if MARKER not in cell.metadata.get("tags", [])]
    if index is None:
        started = [i for i, cell in enumerate(cells) if cell.metadata.get("papermill", {}).get("start_time")]
        index = started[-1] if started else 0
    above = "\n".join(cell.source for cell in cells[: index + 1] if cell.cell_type == "markdown")
    headings = re.findall(r"^#+ (.+)$", above, re.MULTILINE)
    return {"cell": index, "heading": headings[-1] if headings else "", "source": cells[index].source,
            "lines": lines[-LAST_LINES:]}  # fmt: skip
