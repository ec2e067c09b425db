"""What the runner tells of each notebook, and what is kept of their costs."""

import io

from rich.console import Console

from aicine_utils.pipeline import runner
from aicine_utils.pipeline import status as status_files

DONE = {"notebook": "02_b", "status": "ok", "seconds": 3.5, "peak_mb": 70.0, "provenance": {"revision": "abc"}}


def test_each_state_is_told_once():
    out, told = io.StringIO(), {}
    console = Console(file=out, width=100)
    for state in ("running", "running", "interrupted"):
        runner._tell({"01_a": {"status": state}}, told, console)
    runner._tell({"02_b": {"status": "ok", "seconds": 3.2}}, told, console)
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert lines == [["01_a", "started"], ["01_a", "interrupted"], ["02_b", "ok", "after", "3", "s"]]


def test_costs_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "notebooks.csv"
    assert status_files.published(path) == {}
    failed = {"notebook": "01_a", "status": "failed", "seconds": 1.0}
    status_files.publish(path, [failed, DONE])
    kept = {key: value for key, value in DONE.items() if key != "status"}
    assert status_files.published(path) == {"02_b": kept}
    status_files.publish(path, [{"notebook": "02_b", "status": "interrupted"}])  # its page is still the one before
    assert status_files.published(path) == {"02_b": kept}
    path.write_text("notebook,seconds,peak_mb\n02_b,3.5,\n")  # as it was once written
    assert status_files.published(path) == {
        "02_b": {"notebook": "02_b", "seconds": 3.5, "provenance": {"revision": ""}}
    }
    status_files.publish(path, [{"notebook": "02_b", "status": "missing"}])
    assert status_files.published(path) == {}
