"""RaCT without its critic: the same first stage as the run beside it, and a last one of its own length."""

import pandas as pd
import pytest

from aicine_utils.models.recbole.ract import RaCT
from aicine_utils.study import advice

SETTINGS = {"epochs": 3, "patience": 9, "critic_steps": 4, "joint_epochs": 2, "joint_rate": 0.01, "hidden": 16,
            "latent_dimension": 8}  # fmt: skip
RUN = pd.DataFrame({"stage": ["actor"] * 4 + ["critic"] + ["joint"] * 3, "of": [6] * 4 + [1] + [5] * 3})
CURVES = pd.DataFrame(
    [(True, "actor", 0.1), (True, "joint", 0.9), (False, "actor", 0.8), (False, "joint", 0.1),
     (False, "joint", 0.3), (False, "joint", 0.2)], columns=["advice", "stage", "ndcg@10"],
)  # fmt: skip


def test_the_rate_falls_over_as_many_passes_and_no_time_ends_it():
    assert advice.planned(RUN) == {"advice": False, "minutes": 0.0, "epochs": 6, "joint_epochs": 5}


@pytest.mark.parametrize(("searched", "more"), [(0, {}), (4, {"passes": 4, "joint_passes": 2})])
def test_the_last_stage_ends_where_its_own_validation_was_best(searched, more):
    assert advice.unadvised(RUN, {"passes": searched}, CURVES) == advice.planned(RUN) | more


def test_both_begin_with_the_same_first_stage(mock_split):
    curves = advice.on_validation(mock_split, {**RaCT.defaults, **SETTINGS}, seed=0)
    first = [part["ndcg@10"].tolist() for _, part in curves[curves["stage"] == "actor"].groupby("advice")]
    assert first[0] == first[1]
    assert curves.groupby("advice")["stage"].unique().map(list).to_dict() == {
        False: ["actor", "joint"], True: ["actor", "critic", "joint"],
    }  # fmt: skip
