"""The published table beside ours: which rows, in which order, and what is said of them."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from aicine_utils import published, settings
from aicine_utils.pipeline import plan

HEADER = "protocol,model,metric,ours,published,difference,train_seconds,stopped_by_budget,cores,load,revision\n"
ROWS = """recbole_general,bpr,ndcg@10,0.2391,0.2407,-0.0016,99.5,True,2,1.0,abc
recbole_general,ease,recall@10,0.2139,0.2139,0.0,1.7,False,2,1.0,abc
recbole_general,ease,ndcg@10,0.2865,0.2865,0.0,1.7,False,2,1.0,abc
recbole_sequential,gru,ndcg@10,0.1400,0.1545,-0.0145,60.0,False,2,1.0,abc
"""


@pytest.fixture
def committed(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    published.path().parent.mkdir(parents=True)
    published.path().write_text(HEADER + ROWS)


def test_one_row_a_model_of_the_protocol_best_first(committed):
    assert published.table("recbole_general").to_dict("records") == [
        {"model": "ease", "label": "EASE", "ours": 0.2865, "published": 0.2865, "difference": 0.0,
         "train_seconds": 1.7, "stopped": False, "note": ""},
        {"model": "bpr", "label": "BPR", "ours": 0.2391, "published": 0.2407, "difference": -0.0016,
         "train_seconds": 99.5, "stopped": True, "note": ""},
    ]  # fmt: skip


def test_another_metric(committed):
    assert published.table("recbole_general", "recall@10")["ours"].tolist() == [0.2139]


@pytest.mark.parametrize("present", [True, False])
def test_nothing_measured_is_an_empty_table_of_the_same_columns(committed, present):
    if not present:
        published.path().unlink()
    rows = published.table("leave_one_out")
    assert rows.empty
    assert rows.columns.tolist() == published.COLUMNS
    assert published.verdict(rows) == "No model has been measured under this protocol yet."


def test_the_verdict_counts_who_is_level_and_names_who_is_furthest_below(committed):
    assert published.verdict(published.table("recbole_general")) == (
        "2 of 2 models are at RecBole's published value, within 0.002, or above it."
    )
    rows = pd.DataFrame({"label": ["A", "B", "C", "D"], "difference": [0.1, -0.003, -0.0215, 0.2],
                         "note": ["", "", "", "withdrawn"]})  # fmt: skip
    assert published.verdict(rows) == (
        "1 of 3 models are at RecBole's published value, within 0.002, or above it; furthest below is C, by 0.0215. "
        "Not counted, for the reason beside it: D."
    )


def test_every_committed_row_is_of_a_model_that_exists():
    rows = pd.read_csv(published.path())
    for protocol in rows["protocol"].unique():
        assert len(published.table(protocol)) == (rows.query("metric == 'ndcg@10'")["protocol"] == protocol).sum()


def test_the_notebooks_that_show_it_are_made_again_when_it_changes(committed):
    assert plan.Notebook("08_recbole_general").shows == [published.path()]
    assert plan.Notebook("07_neural").shows == []
    published.path().unlink()
    assert plan.Notebook("08_recbole_general").shows == []


def test_recbole_s_pop_counts_a_movie_once_a_batch():
    """Why our count of ratings is above the published value of Pop."""
    from recbole.model.general_recommender import Pop

    counts = torch.zeros(4, 1, dtype=torch.long)
    pop = SimpleNamespace(item_cnt=counts, ITEM_ID="item_id", device="cpu")
    Pop.calculate_loss(pop, {"item_id": torch.tensor([1, 1, 2])})
    assert counts[:, 0].tolist() == [0, 1, 1, 0]
