"""A run is made once, whole or not at all, and measured again without training when only the metrics change."""

import functools
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from aicine_utils import experiment, provenance
from aicine_utils.errors import AicineError
from aicine_utils.metrics import evaluate, rating
from aicine_utils.models import base
from aicine_utils.models.base import Recommender

METRICS = "aicine_utils.metrics"


@pytest.fixture
def fits(monkeypatch):
    """Class names of the models that were trained, in order."""
    trained, fit = [], Recommender.fit

    def counted(self, split):
        trained.append(type(self).__name__)
        return fit(self, split)

    monkeypatch.setattr(Recommender, "fit", counted)
    return trained


def folders(home):
    """Everything below the runs but the lock files."""
    return [path.name for path in (home / "outputs/mock/runs/user_temporal").iterdir() if path.suffix != ".lock"]


def test_second_run_loads(mock_split, fits, home):
    first, second = (experiment.run("views", mock_split) for _ in range(2))
    assert fits == ["Views"]
    assert first.folder == second.folder
    assert folders(home) == [first.folder.name]
    assert first.folder.name.startswith("views-s0-")
    pd.testing.assert_frame_equal(first.topk, second.topk)


def test_parameters_seed_and_split_make_other_runs(mock_split, mock_data, fits):
    from aicine_utils import splits

    runs = [
        experiment.run("mean_rating", mock_split),
        experiment.run("mean_rating", mock_split, prior=1.0),
        experiment.run("mean_rating", mock_split, seed=1),
        experiment.run("mean_rating", splits.make(mock_data, "leave_one_out")),
    ]
    assert len({run.folder for run in runs}) == len(fits) == 4


def test_source_of_the_model_makes_another_key(mock_split, monkeypatch):
    model = experiment.registry.create("views", "mock")
    before, real = experiment.key(model, mock_split), provenance.source_of
    for changed, matters in {type(model).__module__: True, "aicine_utils.splits": True, METRICS: False}.items():
        monkeypatch.setattr(provenance, "source_of", changing(real, changed))
        assert (experiment.key(model, mock_split) != before) == matters


def changing(real, changed):
    """``source_of`` as it would be if the code of one module were another."""
    return lambda module, within="aicine_utils": real(module, within=within) + ("*" if module == changed else "")


@pytest.mark.parametrize(("name", "listens"), [("ract", True), ("sasrec", True), ("blend", True), ("ease", False)])
def test_the_metrics_are_in_the_key_of_who_listens_to_them(name, listens, mock_split, monkeypatch):
    model = experiment.registry.create(name, "mock")
    before = experiment.key(model, mock_split)
    monkeypatch.setattr(provenance, "source_of", changing(provenance.source_of, METRICS))
    assert (experiment.key(model, mock_split) != before) == listens


def test_settings_that_the_metrics_merely_import_are_in_no_key(mock_split, monkeypatch):
    model, real = experiment.registry.create("sasrec", "mock"), provenance._code
    monkeypatch.setattr(provenance, "source_of", provenance.source_of.__wrapped__)  # nothing remembered

    def key_without(changed):
        monkeypatch.setattr(provenance, "_code", lambda name: (real(name)[0] + "*" * (name == changed), real(name)[1]))
        return experiment.key(model, mock_split)

    usual = key_without("nothing")
    assert key_without("aicine_utils.settings") == usual
    assert key_without("aicine_utils.metrics.ranking") != usual


def test_run_keeps_lists_stars_values_and_costs(mock_split):
    result = experiment.run("svd", mock_split, n_epochs=2, n_factors=4)
    manifest, n_test_users = result.manifest, mock_split.test.user_id.nunique()
    assert {"model": "svd", "protocol": "user_temporal", "dataset": "mock", "split": mock_split.hash}.items() <= (
        manifest.items()
    )
    assert manifest["params"]["n_epochs"] == 2
    assert manifest["n_users"] == result.topk.user_id.nunique() == n_test_users
    assert manifest["fit_seconds"] > 0 < manifest["recommend_seconds"]
    assert manifest["peak_mb"] >= 0
    assert manifest["parameters"] == (4 + 1) * (len(mock_split.user_ids) + len(mock_split.movie_ids))
    assert manifest["packages"]["scikit-surprise"] == provenance.environment()["packages"]["scikit-surprise"]
    evaluate.refuse_seen(result.topk, mock_split)
    assert rating.rmse(result.predictions) == pytest.approx(
        np.sqrt((result.predictions.eval("(rating - predicted) ** 2")).mean())
    )
    assert set(result.per_user.metric) == {"ndcg", "recall", "precision", "hit", "mrr", "map", "mae", "mse"}


def test_kept_model_gives_the_kept_lists_and_stars(mock_split):
    result = experiment.run("baseline", mock_split)
    model = result.model()
    lists = model.recommend(result.topk.user_id.unique(), base.LIST_LENGTH)
    pd.testing.assert_frame_equal(lists, result.topk)
    np.testing.assert_array_equal(model.predict(mock_split.test), result.predictions.predicted)
    np.testing.assert_array_equal(result.predictions.rating, mock_split.test.rating)


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_size_of_chunks_changes_nothing(mock_split, monkeypatch, chunk):
    final = mock_split.for_test()
    model = experiment.registry.create("baseline", "mock").fit(final)
    topk, stars = experiment.lists(model, final, k=5)
    monkeypatch.setattr(Recommender, "iter_scores", functools.partialmethod(Recommender.iter_scores, chunk=chunk))
    for whole, parts in zip((topk, stars), experiment.lists(model, final, k=5), strict=True):
        pd.testing.assert_frame_equal(whole, parts)


def test_final_model_learns_from_validation_too(mock_split, monkeypatch):
    seen = []
    monkeypatch.setattr(Recommender, "fit", lambda self, split: seen.append(split) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        experiment.run("views", mock_split)
    assert len(seen[0].train) == len(mock_split.train) + len(mock_split.valid)


def test_interrupted_run_leaves_nothing(mock_split, home, monkeypatch, fits):
    with monkeypatch.context() as patch:
        patch.setattr(experiment, "measure", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            experiment.run("views", mock_split)
    assert folders(home) == []
    assert experiment.preferred("views", "mock") is None
    assert experiment.run("views", mock_split).topk.shape[1] == 4
    assert fits == ["Views", "Views"]


def test_metrics_that_changed_are_measured_without_training(mock_split, monkeypatch, fits):
    result = experiment.run("views", mock_split)
    right = result.per_user
    result.per_user.assign(value=-1.0).to_parquet(result.folder / "per_user.parquet", index=False)
    manifest = result.manifest | {"measured_by": "older metrics"}
    (result.folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    again = experiment.run("views", mock_split)
    assert fits == ["Views"]
    pd.testing.assert_frame_equal(again.per_user, right)
    assert again.manifest == manifest | {"measured_by": provenance.source_of(METRICS, within=METRICS)}


def test_unknown_names_are_errors(mock_split, home):
    with pytest.raises(AicineError, match="Did you mean 'prior'"):
        experiment.run("mean_rating", mock_split, priot=3)
    with pytest.raises(AicineError, match="Did you mean 'svd'"):
        experiment.run("svdd", mock_split)
    assert not (home / "outputs").exists()


def test_all_are_run_in_order_with_a_line_each(mock_split):
    lines = []
    results = experiment.run_all(["views", "popularity"], mock_split, watch=lines.append)
    assert list(results) == ["views", "popularity"]
    assert [line.split(":")[0] for line in lines] == ["1/2 Most watched", "2/2 Most liked"]


def test_the_chosen_run_answers_then_the_committed_settings_then_the_last_made(mock_split):
    other = [experiment.run("mean_rating", mock_split, prior=prior) for prior in (1.0, 2.0)]
    for run, finished in zip(other, ("2090-02-01T00:00:00Z", "2090-01-01T00:00:00Z"), strict=True):
        text = json.dumps(run.manifest | {"finished": finished})
        (run.folder / "manifest.json").write_text(text, encoding="utf-8")
    assert experiment.preferred("mean_rating", "mock").folder == other[0].folder
    committed = experiment.run("mean_rating", mock_split)
    assert experiment.preferred("mean_rating", "mock").folder == committed.folder
    experiment.run("mean_rating", mock_split, seed=1)  # to see what another seed does, not to answer
    assert experiment.preferred("mean_rating", "mock").folder == committed.folder
    experiment.choose(other[1])
    assert experiment.preferred("mean_rating", "mock").folder == other[1].folder


def test_table_is_made_once(tmp_path):
    frame, made = pd.DataFrame({"a": [1, 2]}), []

    def make():
        made.append(1)
        return frame

    for _ in range(2):
        pd.testing.assert_frame_equal(experiment.kept_table(tmp_path / "new/t.parquet", make), frame)
    assert made == [1]
    with pytest.raises(ZeroDivisionError):
        experiment.kept_table(tmp_path / "u.parquet", lambda: 1 / 0)
    assert not list(tmp_path.glob("u.p*"))


SCRIPT = """
import os, sys, time
from pathlib import Path
from aicine_utils import experiment, splits
from aicine_utils.data import datasets
from aicine_utils.models.popularity import Views

fit, log, others, fails = Views._fit, Path(sys.argv[1]), int(sys.argv[2]), len(sys.argv) > 3
def slow(self, split):
    log.open("a").write("fit\\n")
    time.sleep(0.3)
    if fails:
        os._exit(9)
    fit(self, split)
Views._fit = slow
split = splits.make(datasets.load("mock"))
(log.parent / f"ready-{os.getpid()}").touch()
while len(list(log.parent.glob("ready-*"))) < others:
    time.sleep(0.01)
print(experiment.run("views", split).folder.name)
"""


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *map(str, arguments)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )


def test_two_processes_make_one_run(home, tmp_path):
    home.mkdir()
    started = [start(tmp_path / "fits.log", 2) for _ in range(2)]
    names = [process.communicate(timeout=60)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert (tmp_path / "fits.log").read_text() == "fit\n"
    assert [names[0]] == folders(home)
    assert names[0] == names[1]


def test_killed_run_is_no_run_and_is_cleared_by_the_next(home, tmp_path, mock_split):
    killed = start(tmp_path / "fits.log", 1, "dies")
    killed.communicate(timeout=60)
    assert killed.returncode == 9
    assert all(name.startswith(".") for name in folders(home))
    assert len(folders(home)) == 1
    assert experiment.preferred("views", "mock") is None
    made = experiment.run("views", mock_split).folder.name
    assert folders(home) == [made]


def test_a_kept_run_is_not_said_to_be_trained(mock_split):
    first, again = experiment.run("views", mock_split), experiment.run("views", mock_split)
    assert experiment.told_cost(first).startswith("trained in")
    assert experiment.told_cost(again).startswith("read from cache (")
