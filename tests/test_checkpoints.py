"""Saved models are found, newest first, and only what newer ones replace is deleted."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from aicine_utils import checkpoints, cli, experiment, settings, splits
from aicine_utils.errors import AicineError

DATE = "2020-01-{:02d}T10:00:00Z"


def call(*words):
    """The command's result; an AicineError comes through as its exception."""
    return CliRunner().invoke(cli.app, ["checkpoints", "--dataset", "mock", *words])


def made(split, day, name="mean_rating", **settings_of_it):
    """Folder of a run that was finished on this day of January 2020."""
    result = experiment.run(name, split, **settings_of_it)
    manifest = result.manifest | {"finished": DATE.format(day)}
    (result.folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return result.folder


@pytest.fixture
def runs(mock_data, mock_split):
    """Six runs by a short name: r1 is the oldest; the report's settings are those of ``usual``."""
    other = splits.make(mock_data, "leave_one_out")
    return {
        "r1": made(mock_split, 1, prior=1.0),
        "usual": made(mock_split, 2),
        "r3": made(mock_split, 3, prior=3.0),
        "seeded": made(mock_split, 4, prior=1.0, seed=1),
        "other": made(other, 5, prior=1.0),
        "views": made(mock_split, 6, "views"),
    }


def there(runs):
    return {name for name, folder in runs.items() if (folder / "manifest.json").exists()}


def test_newest_first_with_what_a_reader_asks_for(runs):
    found = checkpoints.saved("mock")
    assert [one.folder for one in found] == list(runs.values())[::-1]
    one = found[-1]
    assert (one.model, one.protocol, one.seed, one.key) == ("mean_rating", "user_temporal", 0, one.folder.name[-12:])
    assert one.finished == datetime(2020, 1, 1, 10, tzinfo=UTC)
    files = [path for path in one.folder.rglob("*") if path.is_file()]
    assert one.megabytes == pytest.approx(sum(len(path.read_bytes()) for path in files) / 1e6)
    (row,) = checkpoints.table([one], "mock", now=one.finished + timedelta(days=3, hours=5))
    assert row["age"] == "3 d"
    assert row["finished"] == "2020-01-01 10:00 UTC"
    assert settings.home() / row["folder"] == one.folder


def test_of_a_model_and_of_a_protocol(runs):
    names = {folder: name for name, folder in runs.items()}
    assert [names[one.folder] for one in checkpoints.saved("mock", "views")] == ["views"]
    assert [names[one.folder] for one in checkpoints.saved("mock", "mean_rating", "leave_one_out")] == ["other"]
    assert [names[one.folder] for one in checkpoints.saved("mock", "mean")] == []


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        ({"hours": 50}, "2 d"),
        ({"hours": 5, "minutes": 59}, "5 h"),
        ({"seconds": 119}, "1 min"),
        ({"hours": -1}, "0 min"),
    ],
)
def test_age(passed, told):
    assert checkpoints.age(timedelta(**passed)) == told


def test_a_run_being_made_and_other_folders_are_no_checkpoints(runs):
    folder = runs["views"].parent
    for name in (f".{runs['views'].name}.123", "views-s0-copy", "notes"):
        shutil.copytree(runs["views"], folder / name)
    unfinished = folder / "views-s0-000000000000"
    shutil.copytree(runs["views"], unfinished)
    (unfinished / "manifest.json").unlink()
    assert [one.folder for one in checkpoints.saved("mock", "views")] == [runs["views"]]
    assert call("--delete-old").exit_code == 0
    assert unfinished.exists()
    assert (folder / f".{runs['views'].name}.123" / "manifest.json").exists()


def test_list_and_newest(runs):
    printed = call().stdout.splitlines()
    assert [line.split()[0] for line in printed] == ["model", "views", *["mean_rating"] * 5]
    rows = json.loads(call("--json").stdout)
    names = {str(folder.relative_to(settings.home())): name for name, folder in runs.items()}
    assert [names[row["folder"]] for row in rows] == list(runs)[::-1]
    assert {names[row["folder"]] for row in rows if row["answers"]} == {"views", "other", "usual"}
    assert call("--newest").stdout == f"{runs['views']}\n"
    assert call("--newest", "--model", "mean_rating", "--protocol", "user_temporal").stdout == f"{runs['seeded']}\n"


def test_delete_keeps_the_newest_and_the_one_that_answers(runs):
    size = checkpoints.saved("mock")[-1].megabytes
    said = call("--delete-old", "--dry-run").stdout
    assert f"would delete user_temporal/{runs['r1'].name}, {size:.1f} MB" in said
    assert f"Would delete 1 of 6 saved models, {size:.1f} MB." in said
    assert there(runs) == set(runs)
    answering = experiment.preferred("mean_rating", "mock").folder
    assert f"Deleted 1 of 6 saved models, {size:.1f} MB." in call("--delete-old").stdout
    assert there(runs) == {"usual", "r3", "seeded", "other", "views"}
    assert experiment.preferred("mean_rating", "mock").folder == answering == runs["usual"]
    assert not [path for path in runs["r1"].parent.iterdir() if runs["r1"].name in path.name and path.is_dir()]
    assert "Deleted 0 of 5 saved models, 0.0 MB." in call("--delete-old").stdout


def test_delete_of_one_model_leaves_the_others(runs, mock_split):
    experiment.choose(experiment.Result(runs["r3"]))  # now the report's settings answer no more
    assert call("--delete-old", "--model", "views").exit_code == 0
    assert there(runs) == set(runs)
    assert call("--delete-old", "--model", "mean_rating").exit_code == 0
    assert there(runs) == {"usual", "r3", "seeded", "other", "views"}
    assert not experiment.run("mean_rating", mock_split, prior=1.0).cached  # it is trained again when asked for


HOLDS = """
import sys, pathlib
from aicine_utils import experiment
with experiment.lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_run_that_another_process_holds_is_left_alone(runs):
    line = [sys.executable, "-c", HOLDS, str(runs["r1"])]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=settings.ROOT) as process:
        assert process.stdout.readline() == "held\n"
        for dry in (["--dry-run"], []):
            said = call("--delete-old", *dry).stdout
            assert f"left alone user_temporal/{runs['r1'].name}: another process is making or measuring it" in said
            assert "0 of 6 saved models, 0.0 MB." in said
        assert there(runs) == set(runs)
        process.stdin.close()
    assert "Deleted 1 of 6" in call("--delete-old").stdout


def test_links_are_not_followed(runs, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    runs["r1"].rename(elsewhere)
    runs["r1"].symlink_to(elsewhere)
    assert f"left alone user_temporal/{runs['r1'].name}: a link leads to it" in call("--delete-old").stdout
    assert (elsewhere / "model").exists()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    runs["r1"].unlink()
    elsewhere.rename(runs["r1"])
    (runs["r1"] / "link").symlink_to(precious)
    assert "Deleted 1 of 6" in call("--delete-old").stdout
    assert not runs["r1"].exists()
    assert (precious / "file").read_text() == "mine"


def test_runs_kept_on_another_disk_through_one_link_are_deleted_too(runs, tmp_path):
    folder = runs["r1"].parents[1]
    folder.rename(tmp_path / "disk")
    folder.symlink_to(tmp_path / "disk")
    assert "Deleted 1 of 6" in call("--delete-old").stdout
    assert there(runs) == set(runs) - {"r1"}


def test_runs_of_a_model_that_the_registry_no_longer_has_are_listed_and_deleted(runs):
    for day, name in ((1, "gone-s0-000000000001"), (2, "gone-s0-000000000002")):
        shutil.copytree(runs["views"], runs["views"].parent / name)
        file = runs["views"].parent / name / "manifest.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"model": "gone", "finished": DATE.format(day)}))
    assert call("--newest", "--model", "gone").stdout.endswith("gone-s0-000000000002\n")
    assert call("--delete-old", "--model", "gone").exit_code == 0
    assert [one.key for one in checkpoints.saved("mock", "gone")] == ["000000000002"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "No saved model for mock. Train it: .* --dataset mock --model ease$"),
        (["--newest", "--model", "svd", "--protocol", "leave_one_out"], "--model svd --protocol leave_one_out$"),
        (["--model", "svdd"], "Did you mean 'svd"),
        (["--protocol", "leave_one"], "Did you mean 'leave_one_out'"),
        (["--dry-run"], "--dry-run says what --delete-old would do"),
        (["--newest", "--delete-old"], "--newest and --delete-old are different questions"),
    ],
)
def test_a_mistake_names_the_remedy(words, expected):
    with pytest.raises(AicineError, match=expected):
        raise call(*words).exception


def test_the_report_s_run_is_kept_though_another_answers_and_is_newer(mock_split):
    report = made(mock_split, 1)
    own = made(mock_split, 2, prior=1.0)
    newer = made(mock_split, 3, prior=2.0)
    experiment.choose(experiment.Result(newer))
    call("--delete-old")
    assert (report.exists(), own.exists(), newer.exists()) == (True, False, True)


def test_a_run_answers_by_its_key_and_a_wrong_key_names_those_there_are(mock_split):
    old, usual = made(mock_split, 1, prior=1.0), made(mock_split, 2)
    words = ["recommend", "--dataset", "mock", "--model", "mean_rating", "--user", "1", "--json"]
    ask = lambda *more: CliRunner().invoke(cli.app, [*words, *more])  # noqa: E731
    assert f"run {usual.name}" in ask().stderr
    assert f"run {old.name}" in ask("--run", old.name[-12:-4]).stderr
    with pytest.raises(AicineError, match=usual.name[-12:]):
        raise ask("--run", "ffff").exception
