"""README's results: what stands between the marks, and that it agrees with the committed tables."""

import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pandas as pd
import pytest
from report_samples import leaderboard

from aicine_utils import settings
from aicine_utils.errors import AicineError
from aicine_utils.exploration.effects import Effect
from aicine_utils.findings.verdicts import judged
from aicine_utils.report import readme
from aicine_utils.report.tables import write_csv
from aicine_utils.study.original_claims import row, table

EMPTY = "# Title\n\n<!-- results -->\nold\n<!-- /results -->\n\n## Two commands\n"


def committed(folder: Path) -> Path:
    """``folder`` with the tables and pictures of outputs/ as git's index has them; as they lie here without git."""
    listing = ["git", "-C", str(settings.ROOT), "ls-files", "-z", "outputs/*/tables/*", "outputs/*/report/*.svg"]
    done = subprocess.run(listing, capture_output=True, check=False)
    if done.returncode:
        return settings.ROOT
    export = ["git", "-C", str(settings.ROOT), "checkout-index", "-z", "--stdin", f"--prefix={folder}/"]
    subprocess.run(export, input=done.stdout, check=True)
    return folder


def disagreement(text: str, home: Path) -> str:
    """In what README and the tables below ``home`` differ; empty where they agree."""
    dataset = readme.dataset_of(text)
    if not dataset:
        return "" if readme.with_results(text, "", readme.NOTHING) == text else "results of no data set"
    board = readme.leaderboard(home, dataset)
    if readme.with_results(text, dataset, readme.block(home, dataset)) != text:
        return "text"
    drawn = ElementTree.fromstring((home / readme.picture_path(dataset)).read_text(encoding="utf-8"))
    wanted = ElementTree.fromstring(readme.picture(board))
    return "" if [part.text for part in drawn[:2]] == [part.text for part in wanted[:2]] else "picture"


def test_the_example_of_a_service_runs(home, mock_data, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (settings.ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    for written, own in zip(
        ("ml-100k", "50", "181"), ("mock", *mock_data.movies["movie_id"].astype(str)), strict=False
    ):
        code = code.replace(written, own)
    exec(code, {})
    told = capsys.readouterr().out
    assert "by a matrix of low rank True" in told  # the update is exact
    assert told.count("\n") == 11


def test_readme_and_the_committed_tables_agree(tmp_path):
    text, home = (settings.ROOT / "README.md").read_text(encoding="utf-8"), committed(tmp_path)
    assert disagreement(text, home) == "", "run ./run_all.sh readme, then git add README.md and outputs/*/tables"
    published = sorted(path.parts[-3] for path in home.glob("outputs/*/tables/leaderboard.csv"))
    assert bool(readme.dataset_of(text)) == bool(published), published


@pytest.fixture
def place(tmp_path):
    """A repository with a README and the tables of one finished report."""
    (tmp_path / "README.md").write_text(EMPTY, encoding="utf-8")
    write_csv(leaderboard(), tmp_path / "outputs" / "ml-100k" / "tables" / "leaderboard.csv")
    return tmp_path


def written(place):
    return {path.name: path.read_text(encoding="utf-8") for path in readme.write(place, "ml-100k")}


def test_it_writes_between_the_marks_and_the_second_time_changes_nothing(place):
    first = written(place)
    assert written(place) == first
    text = first["README.md"]
    assert text.startswith("# Title\n\n<!-- results ml-100k -->\n## What we found\n")
    assert text.endswith("\n<!-- /results -->\n\n## Two commands\n")
    assert "\nold\n" not in text
    assert "17 models on `ml-100k`. On people's own timelines all lists are of the same 937 people; other" in text
    assert "- **Home row:** ship EASE, the highest of 2 models that share first place." in text
    assert "- **Best stars** – SVD++ (Surprise) predicts stars best: RMSE 0.902 [0.898, 0.906]" in text
    assert disagreement(text, place) == ""


def test_the_table_has_the_first_ten_the_controls_and_the_study_s_choices(place):
    rows = [line.split(" | ") for line in written(place)["README.md"].splitlines() if line.startswith("| ")][1:]
    names = leaderboard()["label"]
    assert [row[1] for row in rows] == [*names[:10], "SVD (Surprise)", "Random"]
    assert rows[0] == ["| 1", "EASE", "0.132 [0.126, 0.138]", "–", "2.1 s", "410 MB |"]
    assert rows[-2][3] == "0.911 [0.907, 0.915]"


@pytest.mark.parametrize(
    ("column", "by", "what"), [("ndcg@10", 0.001, "text"), ("fit_seconds", 9, "text"), ("novelty", 1, "")]
)
def test_a_table_that_drifts_is_told_where_readme_shows_it(place, column, by, what):
    text = written(place)["README.md"]
    board = leaderboard()
    board.loc[0, column] += by
    write_csv(board, place / "outputs" / "ml-100k" / "tables" / "leaderboard.csv")
    assert disagreement(text, place) == what


def test_a_readme_or_picture_that_drifts_is_told(place):
    text = written(place)["README.md"]
    assert disagreement(text.replace("0.132 [0.126", "0.133 [0.126"), place) == "text"
    path = place / readme.picture_path("ml-100k")
    path.write_text(path.read_text().replace("EASE 0.132", "EASE 0.131"))
    assert disagreement(text, place) == "picture"
    assert disagreement(EMPTY, place) == "results of no data set"


def test_claims_stand_below_with_their_verdicts(place):
    path = place / "outputs" / "ml-100k" / "tables" / "14_evidence.csv"
    write_csv(judged(evidence(svd_all=-0.096, men_activity=1.2)), path)
    text = written(place)["README.md"]
    why = (
        "the least RMSE of 7 rivals (lowest of them: EASE) less that of SVD is -0.096 [-0.106, -0.086], all of it below"
    )
    assert f"| SVD has the least error | ✗ not upheld | {why} 0. |" in text
    assert "| Men rate more than women | ✓ upheld | the mean man's ratings over the mean woman's is 1.20 [" in text
    assert "upheld when the whole 95% interval speaks for the claim" in text
    write_csv(judged(evidence(svd_all=0.096)), path)
    assert disagreement(text, place) == "text"


def evidence(**effects):
    rows = [row(part, Effect(value, value - 0.01, value + 0.01), 0.0, "EASE", 7) for part, value in effects.items()]
    return table(rows)


def test_the_opposite_data_say_the_opposite(place):
    board = leaderboard()
    swapped = board.assign(label=board["label"].replace({"EASE": "iALS", "iALS": "EASE"}))
    write_csv(swapped, place / "outputs" / "ml-100k" / "tables" / "leaderboard.csv")
    assert "- **Home row:** ship iALS" in written(place)["README.md"]


def test_the_picture_follows_the_reader_s_theme_and_holds_its_numbers(place):
    svg = written(place)["leaderboard.svg"]
    root = ElementTree.fromstring(svg)
    assert float(root.get("width").removesuffix("pt")) > 200
    assert "prefers-color-scheme: dark" in svg
    assert "color: #e4e3df" in svg
    assert not any(sentinel in svg for sentinel in ("#010203", "#fdfcfb", "http://localhost", "<script"))
    title, desc = (part.text for part in root[:2])
    assert title == "NDCG@10 with its interval for 12 models, EASE on top"
    assert desc.startswith("EASE 0.132 [0.126, 0.138]; iALS")
    assert desc.endswith("Random 0.006 [0.000, 0.012]")


@pytest.mark.parametrize(
    "text",
    ["# Title\n", EMPTY + EMPTY, "<!-- /results -->\n<!-- results -->\n", EMPTY.replace("<!-- /", "<!-- "),
     EMPTY.replace("<!-- results -->", " <!-- results -->")],
)  # fmt: skip
def test_marks_that_are_missing_or_damaged_are_an_error_and_nothing_is_written(place, text):
    (place / "README.md").write_text(text, encoding="utf-8")
    with pytest.raises(AicineError, match=r"has \d marks <!-- results --> and \d marks .* needs one of each"):
        readme.write(place, "ml-100k")
    assert (place / "README.md").read_text(encoding="utf-8") == text
    assert not (place / readme.picture_path("ml-100k")).exists()


def test_readme_says_where_the_ratings_are_not_the_published_ones(place):
    assert "**Beware:**" not in written(place)["README.md"]
    checks = pd.DataFrame({"check": [readme.FILES], "count": [1], "of": [3]})
    write_csv(checks, place / "outputs" / "ml-100k" / "tables" / "00_checks.csv")
    assert "**Beware:** 1 of the 3 files of ratings, films and people differs" in written(place)["README.md"]
    write_csv(checks.assign(count=0), place / "outputs" / "ml-100k" / "tables" / "00_checks.csv")
    assert "**Beware:**" not in written(place)["README.md"]


def test_what_is_affordable_is_told_where_there_is_a_budget(place):
    assert "Affordable is" not in written(place)["README.md"]
    jobs = pd.DataFrame({"job": ["home"], "metric": "ndcg@10", "model": "ease", "control": False, "proven": True,
                         "why": None, "people": 9, "budget_seconds": 1800.0, "budget_mb": 4000.0})  # fmt: skip
    write_csv(jobs, place / "outputs" / "ml-100k" / "tables" / "10_jobs.csv")
    assert "Affordable is what trains and answers all of them within 30 min and 4 GB." in written(place)["README.md"]


def test_the_answer_on_other_people_stands_beside(place):
    alone = written(place)["README.md"]
    board = leaderboard()
    swapped = board.assign(model=board["model"].replace({"ease": "ials", "ials": "ease"}),
                           label=board["label"].replace({"EASE": "iALS", "iALS": "EASE"}))  # fmt: skip
    write_csv(swapped, place / "outputs" / "ml-1m" / "tables" / "leaderboard.csv")
    write_csv(swapped, place / "outputs" / "own" / "tables" / "leaderboard.csv")  # not among those committed
    text = written(place)["README.md"]
    assert "Does the answer hold" not in alone
    assert "The same model is chosen for 1 of 2 jobs (`outputs/ml-1m/report/index.html`)." in text
    assert "| Ship for | ml-100k | ml-1m |" in text
    assert "| Home row | EASE, shares first place | iALS, shares first place |" in text
    assert disagreement(text, place) == ""


def test_nobody_chosen_twice_is_no_model_that_holds():
    def decision(job, model):
        return SimpleNamespace(job=job, model=model, label="EASE", standing="alone in first place" if model else "open")

    one, two = [decision("home", "ease"), decision("new_user", None)], [decision("home", "ease")]
    told = readme.beside({"ml-1m": one, "ml-100k": [*two, decision("new_user", None)]})[1]
    assert "The same model is chosen for 1 of 2 jobs, none on any of these data for 1 (" in told
    told = readme.beside({"ml-1m": one, "ml-100k": [*two, decision("new_user", "ease")]})[1]
    assert "The same model is chosen for 1 of 2 jobs (" in told


def test_budgets_are_told_below_the_table(place):
    board = leaderboard().assign(trials=12, lent_by="", stopped_by_budget=False)
    board.loc[0, ["trials", "lent_by"]] = 25, "ml-100k"
    board.loc[1, ["trials", "stopped_by_budget"]] = 1, True
    write_csv(board, place / "outputs" / "ml-100k" / "tables" / "leaderboard.csv")
    text = written(place)["README.md"]
    assert "16 of 17 models were searched on validation, by 25 trials each (15 of them by fewer, 12 at the" in text
    found_on = ["ml-100k"] * 2 + [""] * (len(board) - 2)
    limits = board.assign(search_minutes=12.0, found_on=found_on)
    write_csv(limits, place / "outputs" / "ml-100k" / "tables" / "leaderboard.csv")
    limited = written(place)["README.md"]
    assert "(15 of them by fewer, 12 at the least: after 12 minutes none began but the defaults and what" in limited
    assert "among the first tried, and was the best here for 2 of them." in limited
    most = limits.assign(search_minutes=limits["search_minutes"].where(limits["trials"] < 25))
    write_csv(most, place / "outputs" / "ml-100k" / "tables" / "leaderboard.csv")
    assert "after 12 minutes none began" in written(place)["README.md"]  # who had them all needs no limit
    unequal = most.assign(search_minutes=[12.0, 12.0, 20.0, *most["search_minutes"][3:]])
    write_csv(unequal, place / "outputs" / "ml-100k" / "tables" / "leaderboard.csv")
    assert "minutes none began" not in written(place)["README.md"]  # limits differ, so no one limit is told
    assert "Searched on ml-100k instead, with passes counted here: 1 of them." in text
    assert f"counted their passes, and so perhaps better than shown: {board['label'][1]}." in text


def test_the_data_set_that_readme_shows_is_written_again(place):
    assert readme.shown_dataset(place) == "ml-100k"  # it shows none yet
    path = place / "README.md"
    path.write_text(EMPTY.replace("<!-- results -->", "<!-- results ml-1m -->"), encoding="utf-8")
    assert readme.shown_dataset(place) == "ml-1m"


def test_tables_that_are_missing_or_empty_are_an_error(place):
    with pytest.raises(AicineError, match=r"ml-1m.* is not there\. Make .*: \./run_all\.sh --dataset ml-1m"):
        readme.write(place, "ml-1m")
    path = place / "outputs" / "ml-100k" / "tables" / "leaderboard.csv"
    write_csv(leaderboard().drop(columns="ndcg@10"), path)
    with pytest.raises(AicineError, match="lacks the column ndcg@10"):
        readme.write(place, "ml-100k")
    write_csv(pd.DataFrame(columns=leaderboard().columns), path)
    with pytest.raises(AicineError, match="holds no model"):
        readme.write(place, "ml-100k")
    (place / "README.md").unlink()
    with pytest.raises(AicineError, match=r"README\.md is not there"):
        readme.write(place, "ml-100k")


def test_a_report_that_must_not_be_committed_is_refused(place):
    page = place / "outputs" / "ml-100k" / "report" / "05.html"
    page.parent.mkdir()
    page.write_text("<code>/home/ada/x</code>")
    with pytest.raises(AicineError, match=r"can't be committed: 05\.html holds a path of this machine, /home/ada"):
        readme.write(place, "ml-100k")
    assert (place / "README.md").read_text(encoding="utf-8") == EMPTY
