"""What TensorBoard shows of a run is its curve."""

import subprocess
import sys

import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from aicine_utils import experiment, settings, training_log

ONE = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.5], "ndcg@10": [0.1, None, 0.3], "seconds": [2.0, 4, 9]})


def shown(run):
    """What TensorBoard reads: (step, value, wall time) by tag."""
    reader = EventAccumulator(str(run / training_log.FOLDER)).Reload()
    return {tag: [(e.step, e.value, e.wall_time) for e in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}


def test_a_run_s_curve_is_read_back(mock_split):
    result = experiment.run("torch_mf_rank", mock_split, epochs=3, patience=9)
    scalars, curve = shown(result.folder), result.curve
    assert set(scalars) == {"loss", "ndcg@10"}
    for tag, points in scalars.items():
        assert [step for step, _, _ in points] == curve["epoch"].tolist() == [1, 2, 3]
        assert [value for _, value, _ in points] == pytest.approx(curve[tag].tolist(), rel=1e-6)
    assert (result.folder / "tensorboard").exists()
    assert not (experiment.run("views", mock_split).folder / "tensorboard").exists()


def test_an_earlier_run_s_curve_is_added_once(mock_split):
    result = experiment.run("torch_mf_rank", mock_split, epochs=1)
    file = result.folder / "tensorboard" / training_log.FILE
    written = file.read_bytes()
    file.unlink()
    assert experiment.run("torch_mf_rank", mock_split, epochs=1).cached
    assert file.read_bytes() == written
    file.write_bytes(b"kept")
    experiment.run("torch_mf_rank", mock_split, epochs=1)
    assert file.read_bytes() == b"kept"
    assert [path.name for path in file.parent.iterdir()] == [training_log.FILE]


def test_steps_are_epochs_times_are_when_they_ended_and_gaps_stay_gaps(tmp_path):
    ONE.to_csv(tmp_path / "curve.csv", index=False)
    ended = (tmp_path / "curve.csv").stat().st_mtime
    training_log.write(tmp_path)
    scalars = shown(tmp_path)
    assert [(step, value) for step, value, _ in scalars["loss"]] == [(1, 3.0), (2, 2.0), (3, 1.5)]
    assert [time for _, _, time in scalars["loss"]] == pytest.approx([ended - 7, ended - 5, ended], abs=1e-3)
    assert [step for step, _, _ in scalars["ndcg@10"]] == [1, 3]


def test_a_model_trained_in_stages_has_a_line_each(tmp_path):
    ONE.assign(stage=["actor", "critic", "critic"]).to_csv(tmp_path / "curve.csv", index=False)
    training_log.write(tmp_path)
    scalars = shown(tmp_path)
    assert set(scalars) == {"loss/actor", "loss/critic", "ndcg@10/actor", "ndcg@10/critic"}
    assert [(step, value) for step, value, _ in scalars["loss/critic"]] == [(2, 2.0), (3, 1.5)]


def test_torch_is_not_imported_for_it(tmp_path):
    ONE.to_csv(tmp_path / "curve.csv", index=False)
    code = (
        f"import sys, pathlib; from aicine_utils import training_log as log; log.write(pathlib.Path({str(tmp_path)!r}))"
    )
    code += "; print({'torch', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=settings.ROOT)
    assert done.stdout.strip() == "set()", done.stderr
    assert shown(tmp_path)["loss"]
