"""Trainings beyond one a model: which they are, that several processes make them, and how far the step is."""

import json
import os
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from aicine_utils import experiment, settings
from aicine_utils.errors import AicineError
from aicine_utils.pipeline import plan, repeating
from aicine_utils.study import finalists, repeats
from aicine_utils.study.repeats import Task

# MultiVAE and SVD draw, EASE does not; RaCT takes longer than a model may for another split.
SPENT = {"multivae": (0.4, 20.0), "ease": (0.3, 1.0), "popularity": (0.2, 0.5), "recent_popularity": (0.1, 0.5),
         "ract": (0.05, 90.0), "svd": (0.02, 3.0)}  # fmt: skip


@pytest.fixture
def measured(monkeypatch):
    """Every model has these means and seconds, and nothing is trained for it."""
    runs = {
        name: SimpleNamespace(
            values=lambda mean=mean: pd.Series([mean, mean]),
            manifest={"fit_seconds": seconds, "recommend_seconds": 0.0},
        )
        for name, (mean, seconds) in SPENT.items()
    }
    monkeypatch.setattr(experiment, "run_all", lambda names, split, seed: runs)


def preset(seed_seconds, split_seconds):
    return replace(settings.preset("mock"), seed_seconds=seed_seconds, split_seconds=split_seconds)


def test_other_seeds_and_other_splits_are_wanted_the_longest_first(measured):
    tasks = repeats.wanted("mock", preset(seed_seconds=50, split_seconds=30))
    others = [("global_temporal", 0), ("leave_one_out", 0), ("user_random", 0)]
    assert [task[:3] for task in tasks] == [
        ("ract", "global_temporal", 0),  # one of the three leaders with lists of a person's own, whatever it takes
        *(("multivae", *way) for way in [*others, ("user_temporal", 1), ("user_temporal", 2)]),
        *(("svd", *way) for way in [*others, ("user_temporal", 1), ("user_temporal", 2)]),
        *(("ease", *way) for way in others),
        *((name, *way) for name in ("popularity", "recent_popularity") for way in others),
    ]
    told = ["RaCT, one cut in time", "MultiVAE, one cut in time", "MultiVAE, last one out", "MultiVAE, random fifth"]
    assert [str(task) for task in tasks[:5]] == [*told, "MultiVAE, seed 1"]


def test_no_seconds_for_seeds_want_none(measured):
    tasks = repeats.wanted("mock", preset(seed_seconds=0, split_seconds=30))
    assert {task.protocol for task in tasks} == {"global_temporal", "leave_one_out", "user_random"}


def test_another_seed_is_followed_by_its_own(measured):
    tasks = repeats.wanted("mock", preset(seed_seconds=50, split_seconds=30), seed=4, trainings=2)
    assert {task.seed for task in tasks if task.protocol == "user_temporal"} == {5}
    assert {task.seed for task in tasks if task.protocol != "user_temporal"} == {4}


def test_processes_make_the_runs_that_the_notebook_reads(mock_data, mock_split):
    told = []
    tasks = [Task("svd", "user_temporal", 1, 3.0), Task("popularity", "global_temporal", 0, 1.0),
             Task("popularity", finalists.RANDOM, 0, 1.0)]  # fmt: skip
    folders = repeats.train("mock", tasks, 2, lambda *told_now: told.append(told_now))
    assert [(done, of) for done, of, *_ in told] == [(1, 3), (2, 3), (3, 3)]
    assert told[-1][-1] == 0
    assert sorted(name.rsplit("-", 1)[0] for name in folders) == ["popularity-s0", "popularity-s0", "svd-s1"]
    assert experiment.run("svd", mock_split, 1).cached
    usual = {"popularity": experiment.run("popularity", mock_split)}
    made = finalists.make_splits(mock_data)[0]
    for split in (made["global_temporal"], made[finalists.RANDOM]):
        assert finalists.run(usual, split)["popularity"].cached


def test_what_a_training_raises_is_raised(mock_split):
    with pytest.raises(AicineError, match="Unknown model"):
        repeats.train("mock", [Task("no_such", "user_temporal", 0, 1.0)], 1, lambda *_: None)


def test_the_step_tells_how_far_it_is_and_writes_its_runs_last(monkeypatch, capsys):
    seen = []

    def train(dataset, tasks, processes, watch):
        watch(1, 2, "SVD, seed 1", 30.0)
        seen.append((processes, json.loads(plan.status_file("mock", plan.REPEATS).read_text())))
        seen.append({name: os.environ[name] for name in repeating.THREADS})
        return ["svd-s1-b", "svd-s1-a"]

    for name in repeating.THREADS:
        monkeypatch.setenv(name, "7")
    monkeypatch.setattr(repeats, "wanted", lambda *_: [])
    monkeypatch.setattr(repeats, "train", train)
    repeating.repeat("mock", "mock", processes=3)
    (processes, status), threads = seen
    assert (processes, set(threads.values())) == (3, {"1"})
    assert (status["status"], status["cell"], status["of"]) == ("running", 1, 2)
    assert 30 <= status["expected"] < 40
    assert "1/2 SVD, seed 1: about 30 s left" in capsys.readouterr().out
    assert json.loads(plan.repeats_file("mock").read_text()) == {"runs": ["svd-s1-a", "svd-s1-b"]}
    assert json.loads(plan.status_file("mock", plan.REPEATS).read_text())["status"] == "ok"


def test_a_step_that_fails_says_so_and_names_no_runs(monkeypatch):
    def fails(*_):
        raise AicineError("no")

    monkeypatch.setattr(repeats, "wanted", fails)
    with pytest.raises(AicineError):
        repeating.repeat("mock", "mock", processes=1)
    assert json.loads(plan.status_file("mock", plan.REPEATS).read_text())["status"] == "failed"
    assert not plan.repeats_file("mock").exists()
