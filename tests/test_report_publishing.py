"""What may not be committed with a report, and that nothing of it is."""

import platform
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aicine_utils import notebook as nb
from aicine_utils import settings
from aicine_utils.report import publishing


@pytest.fixture
def report(tmp_path):
    """A folder with a page and a table that may be committed."""
    for part in ("report", "tables", "runs"):
        (tmp_path / part).mkdir()
    (tmp_path / "report" / "index.html").write_text("<p>See https://files.org/home/x and ../tables/a.csv</p>")
    pd.DataFrame({"user": np.arange(99), "place": 1}).to_csv(tmp_path / "tables" / "00_timelines.csv")
    (tmp_path / "runs" / "topk.parquet").write_bytes(b"not published")
    return tmp_path


def test_a_harmless_report_has_no_problem(report):
    assert [path.name for path in publishing.files(report)] == ["index.html", "00_timelines.csv"]
    assert publishing.problems(publishing.files(report)) == []


@pytest.mark.parametrize("trace", ["/home/ada/x", "('/tmp/a1', 3)", '"/Users/ada"', "C:\\Users\\ada", "=/var/lib/x"])
def test_a_path_of_one_machine_is_told(report, trace):
    (report / "report" / "05.html").write_text(f"<code>{trace}</code>")
    assert len(found := publishing.problems(publishing.files(report))) == 1
    assert found[0].startswith("05.html holds a path of this machine, ")


def test_the_name_of_the_machine_is_told(report, monkeypatch):
    monkeypatch.setattr(platform, "node", lambda: "ada-laptop")
    (report / "tables" / "a.csv").write_text("host\nada-laptop\n")
    assert publishing.problems(publishing.files(report)) == ["a.csv holds the name of this machine, ada-laptop"]


@pytest.mark.parametrize(("column", "n", "told"), [("rating", 20, 0), ("rating", 21, 1), ("place", 21, 0)])
def test_more_than_a_few_rows_of_who_watched_what_are_told(report, column, n, told):
    pd.DataFrame({"User_ID": 1, column: np.arange(n)}).to_csv(report / "tables" / "who.csv", index=False)
    wrong = [f"who.csv has {n} rows of who watched what, above 20: the licence forbids it"]
    assert publishing.problems(publishing.files(report)) == wrong * told


def test_weight_and_kind_are_told(report, monkeypatch):
    monkeypatch.setattr(publishing, "REPORT_MB", 1.7)
    (report / "report" / "big.html").write_text("x" * 1_600_000)
    (report / "tables" / "ratings.parquet").write_bytes(b"x" * 200_000)
    found = publishing.problems(publishing.files(report))
    assert found == [
        "big.html has 1.6 MB, above 1.5",
        "ratings.parquet is no page, table or picture (.csv, .html, .svg)",
        "all files together have 1.8 MB, above 1.7",
    ]


def git(*words):
    done = subprocess.run(["git", "-C", str(settings.ROOT), *words], capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode in (0, 1) else pytest.skip("no checkout")


def test_nothing_committed_below_outputs_is_a_problem():
    committed = [settings.ROOT / line for line in git("ls-files", "outputs") if "/benchmarks/" not in line]
    for folder in {path.parents[1] for path in committed}:
        assert publishing.problems(path for path in committed if path.is_relative_to(folder)) == []


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("outputs/ml-100k/report/index.html", False),
        ("outputs/ml-1m/tables/leaderboard.csv", False),
        ("outputs/benchmarks/topn.csv", False),
        ("outputs/ml-100k/runs/user_temporal/x/topk.parquet", True),
        ("outputs/ml-100k/tables/.a.csv.12.part", True),
        ("outputs/mock/tables/leaderboard.csv", True),
        ("outputs/own-ml-100k/tables/leaderboard.csv", True),
        ("outputs/my-shop/report/index.html", True),
        ("data/parquet/ml-100k/ratings.parquet", True),
    ],
)
def test_only_published_reports_can_be_committed(path, ignored):
    assert git("check-ignore", "--no-index", path) == [path] * ignored


def test_tables_of_somebody_s_films_hold_no_more_than_the_page(monkeypatch):
    monkeypatch.setattr(nb, "display", lambda page: None)
    study = nb.open_study("04_neighbourhood", "mock", "mock")
    user = study.typical_users(1)[0]
    study.show_history(user)
    study.show_reasons(study.run(["item_knn"])["item_knn"], user)
    tables = [study.table_path(name) for name in (f"history_{user}", f"reasons_item_knn_{user}")]
    assert [list(pd.read_csv(path)) for path in tables] == [
        ["title", "year", "genres", "rating"],
        ["rank", "title", "reason", "share"],
    ]
    assert [publishing.personal_rows(Path(path)) for path in tables] == [0, 0]
