"""What makes RecBole run on today's libraries: each mend has a test that fails without it, and none is left behind."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from aicine_utils import settings, splits
from aicine_utils.data import atomic
from aicine_utils.models.recbole import autoencoders, bpr, compat
from aicine_utils.models.recbole.base import library_class
from aicine_utils.models.recbole.ratings import Ratings

PACKAGE = Path(compat.__file__).resolve().parents[2]


@pytest.fixture
def two_of_each():
    """Two users, two movies, three ratings."""
    return Ratings(sparse.csr_matrix(np.array([[1, 1], [0, 1]], np.float32)))


@pytest.fixture
def trainable(mock_data, recbole_runs, tmp_path):
    """What makes a model of RecBole, its own trainer and its own data, from atomic files in the test's folder."""
    atomic.write(mock_data, tmp_path / "data" / "mock")

    def make(model, **settings):
        from recbole.config import Config
        from recbole.data import create_dataset, data_preparation
        from recbole.utils import get_trainer

        own = {"data_path": "data", "epochs": 1, "use_gpu": False, "state": "ERROR", "show_progress": False,
               "load_col": {"inter": ["user_id", "item_id"]}, **settings}  # fmt: skip
        config = Config(model=model, dataset="mock", config_dict=own)
        dataset = create_dataset(config)
        train, valid, _ = data_preparation(config, dataset)
        module = library_class(model)(config, train.dataset)
        return get_trainer(config["MODEL_TYPE"], model)(config, module), train, valid

    return make


def test_names_that_left_numpy():
    before = dict(vars(np))
    assert compat.config("BPR", {"embedding_size": 3})["embedding_size"] == 3
    with compat.mended():
        compat.config("BPR", {})
        assert np.zeros(1, np.float).dtype == np.float64  # RecBole's metrics and Interaction say so
    assert vars(np).keys() <= before.keys() | {"matlib"}
    assert all(getattr(np, name) is before[name] for name in ("bool", "long"))


def test_the_command_line_is_not_read(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program", "--embedding_size=7", "--epochs", "3"])
    assert compat.config("BPR", {})["embedding_size"] == 64
    assert sys.argv == ["program", "--embedding_size=7", "--epochs", "3"]
    monkeypatch.setattr(sys, "argv", [])
    assert compat.config("BPR", {"embedding_size": 9})["embedding_size"] == 9


def test_the_environment_stays(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,4")
    compat.config("BPR", {})
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3,4"


@pytest.mark.filterwarnings("ignore:torch.sparse.SparseTensor:UserWarning")  # RecBole's way of making one
@pytest.mark.parametrize("name", ["LightGCN", "NGCF"])
def test_graphs_of_a_dictionary(name, two_of_each):
    assert not hasattr(sparse.dok_matrix, "_update")
    config = compat.config(name, {"embedding_size": 2, "device": "cpu"})
    with compat.mended():
        graph = library_class(name)(config, two_of_each).norm_adj_matrix.to_dense()
    assert not hasattr(sparse.dok_matrix, "_update")
    assert graph[1, 4].item() == pytest.approx(1 / 2**0.5)  # user 1 has two movies, movie 1 one user
    assert graph[1, 5].item() == pytest.approx(1 / 2)


def test_files_of_whole_objects(tmp_path):
    torch.save({"config": Ratings(sparse.csr_matrix((1, 1)))}, tmp_path / "model.pth")
    with compat.mended():
        assert torch.load(tmp_path / "model.pth")["config"].item_num == 2
    with pytest.raises(Exception, match="weights_only"):
        torch.load(tmp_path / "model.pth")


def test_recbole_s_own_trainer_writes_where_it_is_told(trainable, tmp_path):
    trainer, train, valid = trainable("BPR")
    trainer.fit(train, valid, saved=True)
    values = trainer.evaluate(valid)  # reads the checkpoint
    assert 0 < values["ndcg@10"] < 1
    assert {path.name for path in tmp_path.iterdir()} >= {"saved", "log_tensorboard"}
    assert list((tmp_path / "saved").glob("BPR-*.pth"))


def test_recbole_s_own_ract_passes_its_stages_by_files(trainable, tmp_path):
    model = {"train_neg_sample_args": None, "mlp_hidden_size": [8], "latent_dimension": 4, "pretrain_epochs": 1,
             "save_step": 1, "metrics_k": 10}  # fmt: skip
    for stage in ("actor_pretrain", "critic_pretrain", "finetune"):
        earlier = {} if stage == "actor_pretrain" else {"pre_model_path": "saved/RaCT-mock-1.pth"}
        trainer, train, valid = trainable("RaCT", train_stage=stage, **model, **earlier)
        trainer.fit(train, valid)
    assert trainer.best_valid_result["ndcg@10"] > 0


def test_missing_values_are_filled(recbole_runs, tmp_path):
    """The mend is the bound pandas < 3, where RecBole's ``feat[field].fillna(inplace=True)`` still does something."""
    from recbole.config import Config
    from recbole.data import create_dataset

    (tmp_path / "own").mkdir()
    rows = ["user_id:token\titem_id:token\trating:float", "1\t1\t", "1\t2\t4", "2\t2\t2"]
    (tmp_path / "own" / "own.inter").write_text("\n".join(rows))
    own = {"data_path": ".", "load_col": {"inter": ["user_id", "item_id", "rating"]}, "state": "ERROR"}
    dataset = create_dataset(Config(model="BPR", dataset="own", config_dict=own))
    assert dataset.inter_feat["rating"].tolist() == [3, 4, 2]


def test_the_working_directory_is_as_before(tmp_path):
    before, inside = Path.cwd(), None
    with contextlib.suppress(ZeroDivisionError), compat.stock(tmp_path):
        inside = Path.cwd()
        1 / 0  # noqa: B018
    assert (inside, Path.cwd()) == (tmp_path, before)
    assert not hasattr(np, "float_")


@pytest.mark.parametrize("model_class", [bpr.BPR, autoencoders.MultiVAE])
def test_our_models_write_nothing_and_ask_for_no_ray(model_class, mock_data, tmp_path, monkeypatch):
    split = splits.make(mock_data)
    monkeypatch.setitem(sys.modules, "ray", None)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    model_class(epochs=1).fit(split).recommend(split.user_ids[:3])
    assert not list(Path.cwd().iterdir())
    assert "recbole.quick_start" not in sys.modules


def test_recbole_is_imported_in_one_place_and_never_its_quick_start():
    sources = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    using = {path.parent.name for path, text in sources.items() if re.search(r"^\s*(from|import) recbole", text, re.M)}
    assert using == {"recbole"}
    banned = re.compile(r"^\s*(from|import) .*(quick_start|\bray\b)", re.M)
    assert not [path for path, text in sources.items() if banned.search(text)]


def test_anomaly_detection_stays_as_it_was():
    code = """
import torch
from aicine_utils.models.recbole import compat
with compat.mended():
    import recbole.model.sequential_recommender
    assert torch.is_anomaly_enabled()  # what importing does, and what is undone below
assert not torch.is_anomaly_enabled()
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=settings.ROOT)  # the import happens once a process
