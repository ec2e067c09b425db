"""The whole pipeline at mock size, once a session; then what it left behind, and what a failure leaves."""

import contextlib
import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

import pandas as pd
import pytest
from command_line import aicine, begun
from filelock import FileLock

from aicine_utils.pipeline import plan

BROKEN = """# %% [markdown]
# # Broken on purpose

# %% tags=["parameters"]
dataset = "mock"
preset = "mock"

# %% [markdown]
# ## The step that fails

# %%
1 / 0
"""

SLOW = """import os
import time
from pathlib import Path

tables = Path(os.environ["AICINE_HOME"], "outputs", "mock", "tables")
tables.mkdir(exist_ok=True, parents=True)
for name in ("old", "new"):
    (tables / f"01_{name}.csv").write_text("half of it")
time.sleep(600)"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A whole report on the synthetic data set: its home, and what the run printed."""
    home = tmp_path_factory.mktemp("report")
    shutil.copytree(plan.FOLDER, home / "notebooks", ignore=shutil.ignore_patterns("*.ipynb"))
    done = aicine(home, "run", "--preset", "mock", notebooks=home / "notebooks", counted=False)
    log = home / "outputs" / "mock" / "runs" / "snakemake.log"
    assert done.returncode == 0, done.stdout + done.stderr + (log.read_text() if log.exists() else "")
    return home, done.stdout


def test_every_notebook_has_a_page_and_the_index_links_them(report):
    home, _ = report
    folder = home / "outputs" / "mock" / "report"
    index = (folder / "index.html").read_text()
    for book in plan.notebooks():
        assert (folder / f"{book.name}.html").stat().st_size < 1_500_000
        assert f"{book.name}.html" in index
    assert "index.ko.html" in index


def test_a_clone_with_published_pages_makes_what_is_asked_for(report, tmp_path):
    home, _ = report
    pages = Path("outputs", "mock", "report")
    shutil.copytree(home / pages, tmp_path / pages)
    told = aicine(tmp_path, "run", "--preset", "mock", "--only", "02", "--dry-run", counted=False).stdout
    assert "book=02_non_personalised" in told


def test_the_index_of_a_clone_keeps_what_was_published(report, tmp_path):
    """One notebook ran in the clone; the other pages and all tables came with it."""
    home, _ = report
    for folder in ("report", "tables"):
        shutil.copytree(home / "outputs" / "mock" / folder, tmp_path / "outputs" / "mock" / folder)
    status = Path("outputs", "mock", "runs", "notebooks", "02_non_personalised.json")
    (tmp_path / status).parent.mkdir(parents=True)
    shutil.copy(home / status, tmp_path / status)
    assert aicine(tmp_path, "index", "--dataset", "mock").returncode == 0
    made = (tmp_path / "outputs" / "mock" / "report" / "index.html").read_text()
    assert "Home row:</strong>" in made
    assert f"{len(plan.notebooks()) - 1} of {len(plan.notebooks())} pages" in made
    assert 'href="10_comparison.html"' in made
    assert "have not been run" not in made
    (tmp_path / status).unlink()
    assert aicine(tmp_path, "index", "--dataset", "mock").returncode == 0
    again, first = (place / "outputs" / "mock" / "report" / "index.html" for place in (tmp_path, home))
    for part in (
        r'<section class="answer".*?</section>',
        r'<h2 id="notebooks">.*?</table>',
        r'<dl class="claims">.*?</dl>',
    ):
        found = [re.findall(part, page.read_text(), re.DOTALL) for page in (again, first)]
        assert found[0] == found[1] != []


def test_the_lists_of_one_person_wait_for_the_models_and_not_for_their_comparison(tmp_path):
    told = aicine(tmp_path, "run", "--preset", "mock", "--only", "12", "--dry-run", counted=False).stdout
    assert "book=09_recbole_sequential" in told
    assert "runs/repeats.json" in told  # which makes the blend
    assert "book=10_comparison" not in told


def test_the_notebooks_with_most_work_begin_first(report):
    home, _ = report
    log = (home / "outputs" / "mock" / "runs" / "snakemake.log").read_text()
    begun = re.findall(r"^localrule notebook:.*?wildcards: book=(\w+)", log, re.DOTALL | re.MULTILINE)
    assert sorted(begun) == [book.name for book in plan.notebooks()]
    assert set(begun[: len(plan.LONGEST)]) == set(plan.LONGEST)
    assert set(begun[:2]) == set(plan.LONGEST[:2])


def test_no_page_asks_for_anything_from_outside(report):
    home, _ = report
    for page in (home / "outputs" / "mock" / "report").glob("*.html"):
        text = page.read_text()
        assert not re.search(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(?:https?:)?//', text), page.name


def test_the_summary_names_every_notebook(report):
    _, printed = report
    for book in plan.notebooks():
        assert re.search(rf"{book.name}\s+ok\s+\d+\s+\d+", printed), printed


def test_the_leaderboard_holds_every_model_with_intervals(report):
    from aicine_utils.models import registry

    home, _ = report
    board = pd.read_csv(home / "outputs" / "mock" / "tables" / "leaderboard.csv")
    assert set(board["model"]) == set(registry.names())
    assert (board["ndcg@10_low"] <= board["ndcg@10"]).all()
    assert (board["ndcg@10"] <= board["ndcg@10_high"]).all()
    assert board["place"].min() == 1


def test_every_job_is_measured_and_decided(report):
    home, _ = report
    table = pd.read_csv(home / "outputs" / "mock" / "tables" / "10_jobs.csv")
    assert set(table["job"]) == {"home", "stars", "watched", "new_user", "new_movie"}
    assert table["why"].isna().all()
    index = (home / "outputs" / "mock" / "report" / "index.html").read_text()
    for job in ("Home row", "Stars shown", "Because you watched", "New user", "New movie"):
        assert f"{job}:</strong>" in index


def test_a_second_run_does_nothing(report):
    home, _ = report
    before = {path: path.stat().st_mtime_ns for path in (home / "outputs" / "mock").rglob("*.html")}
    done = aicine(home, "run", "--preset", "mock", notebooks=home / "notebooks", counted=False)
    assert done.returncode == 0
    assert before == {path: path.stat().st_mtime_ns for path in (home / "outputs" / "mock").rglob("*.html")}
    assert all(re.search(rf"{book.name}\s+ok.*yes", done.stdout) for book in plan.notebooks()), done.stdout


def test_after_one_notebook_changed_only_it_and_what_builds_on_it_runs(report):
    home, _ = report
    book = home / "notebooks" / "02_non_personalised.py"
    text = book.read_text()
    book.touch()  # a new date alone is no change
    assert planned(home) == set()
    book.write_text(text.replace("## 1 Question", "## 1 The question"))
    builders = {book.name for book in plan.notebooks() if "02_non_personalised" in book.builds_on}
    assert {"10_comparison", "14_original_study"} <= builders
    assert planned(home) == {"02_non_personalised", *builders}
    book.write_text(text)
    assert planned(home) == set()


def planned(home):
    """Notebooks that a run would execute now."""
    printed = aicine(home, "run", "--preset", "mock", "--dry-run", notebooks=home / "notebooks", counted=False).stdout
    return set(
        re.findall(r"runs/notebooks/(\w+)\.ipynb$", "\n".join(re.findall(r"output: (.+)", printed)), re.MULTILINE)
    )


def test_two_runs_of_one_report_do_not_meet(report):
    home, _ = report
    lock = FileLock(home / "outputs" / "mock" / "runs" / ".report.lock")
    with lock:
        done = aicine(home, "run", "--preset", "mock", notebooks=home / "notebooks", counted=False)
    assert done.returncode == 2
    assert "Another process" in done.stderr or "another process" in done.stderr


def test_a_failing_notebook_gets_a_page_that_names_cell_heading_and_error(tmp_path):
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    (notebooks / "01_broken.py").write_text(BROKEN)
    done = aicine(tmp_path, "run", "--preset", "mock", notebooks=notebooks)
    assert done.returncode == 1
    assert re.search(r"01_broken\s+failed", done.stdout)
    page = (tmp_path / "outputs" / "mock" / "report" / "01_broken.html").read_text()
    for expected in ("The step that fails", "ZeroDivisionError", "1", "MB"):
        assert expected in page
    assert "01_broken.html" in (tmp_path / "outputs" / "mock" / "report" / "index.html").read_text()
    status = json.loads((tmp_path / "outputs" / "mock" / "runs" / "notebooks" / "01_broken.json").read_text())
    assert status["status"] == "failed"
    assert status["error"]["heading"] == "The step that fails"
    assert status["error"]["source"] == "1 / 0"
    assert not (tmp_path / "outputs" / "mock" / "runs" / "notebooks" / "01_broken.ipynb").exists()


def test_a_killed_kernel_is_a_failure_and_says_so(tmp_path):
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    killed = BROKEN.replace("1 / 0", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    (notebooks / "01_killed.py").write_text(killed)
    done = aicine(tmp_path, "run", "--preset", "mock", notebooks=notebooks)
    assert done.returncode == 1
    page = (tmp_path / "outputs" / "mock" / "report" / "01_killed.html").read_text()
    assert "kernel died" in page
    assert "The step that fails" in page


@pytest.mark.parametrize("cell", [1, 4])  # while it runs from cell to cell, and in the one that takes long
def test_who_stops_a_run_finds_the_report_as_it_was(tmp_path, cell):
    outputs, notebooks, status = slow(tmp_path)
    (outputs / "report").mkdir(parents=True)
    for name in ("index", "01_slow"):
        (outputs / "report" / f"{name}.html").write_text("what was there")
    (outputs / "tables").mkdir()
    (outputs / "tables" / "01_old.csv").write_text("what was there")
    told = stopped(begun(tmp_path, "run", "--preset", "mock", notebooks=notebooks), status, signal.SIGINT, cell)
    assert "Traceback" not in told
    assert "Finished notebooks and runs are kept" in told
    assert json.loads(status.read_text())["status"] == "interrupted"
    assert not list(status.parent.glob("*.ipynb"))
    for name in ("index", "01_slow"):
        assert (outputs / "report" / f"{name}.html").read_text() == "what was there"
    assert {path.name: path.read_text() for path in (outputs / "tables").iterdir()} == {"01_old.csv": "what was there"}
    assert aicine(tmp_path, "index", "--dataset", "mock", notebooks=notebooks).returncode == 0
    assert "1 of 1 notebooks were stopped" in (outputs / "report" / "index.html").read_text()


def test_a_notebook_that_is_told_to_end_is_no_failure(tmp_path):
    _, notebooks, status = slow(tmp_path)
    stopped(begun(tmp_path, "execute", "01_slow", "--dataset", "mock", notebooks=notebooks), status, signal.SIGTERM)
    assert json.loads(status.read_text())["status"] == "interrupted"


def slow(home):
    """The outputs of a home with one notebook that takes ten minutes; its folder, and its status file."""
    notebooks, outputs = home / "notebooks", home / "outputs" / "mock"
    notebooks.mkdir()
    (notebooks / "01_slow.py").write_text(BROKEN.replace("1 / 0", SLOW))
    return outputs, notebooks, outputs / "runs" / "notebooks" / "01_slow.json"


def stopped(run, status, sign, cell=4):
    """What a run printed to which a signal was sent, with all that it had begun, when it had come to this cell."""
    try:
        wait_until(lambda: status.exists() and json.loads(status.read_text()).get("cell", 0) >= cell)
        os.killpg(run.pid, sign)
        return "".join(run.communicate(timeout=180))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)


def wait_until(there, seconds=120):
    """Until ``there()``; a failure after so many seconds."""
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--dataset", "ml-10k"], "ml-10m|ml-100k"),
        (["--data", "nowhere/at/all"], "nowhere/at/all"),
        (["--preset", "quik"], "quick"),
        (["--preset", "mock", "--only", "2x"], "02"),
        (["--preset", "mock", "--only", "02", "-p", "sed=1"], "seed"),
        (["--preset", "mock", "--only", "02", "-p", "seed"], "name=value"),
        (["--preset", "mock", "-p", "seed=1"], "--only"),
        (["--preset", "mock", "--from", "99"], "notebook"),
        (["--preset", "mock", "--from", "02", "--only", "03"], "--only and --from exclude each other"),
        (["--data", "outputs", "--dataset", "mock"], "--data and --dataset exclude each other"),
    ],
)
def test_a_mistake_is_one_message_and_code_2(tmp_path, words, expected):
    done = aicine(tmp_path, "run", *words)
    assert done.returncode == 2
    assert re.search(expected, done.stderr), done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert not (tmp_path / "outputs").exists()


def test_one_notebook_with_a_parameter(report):
    home, _ = report
    done = aicine(
        home, "run", "--preset", "mock", "--only", "02", "-p", "seed=7", notebooks=home / "notebooks", counted=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    status = json.loads((home / "outputs" / "mock" / "runs" / "notebooks" / "02_non_personalised.json").read_text())
    assert status["parameters"]["seed"] == 7
