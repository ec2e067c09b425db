"""RaCT beside itself without its critic: what the advice is worth, apart from the training that comes with it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from aicine_utils.experiment import Result
from aicine_utils.models import registry
from aicine_utils.splits import Split

if TYPE_CHECKING:
    from aicine_utils.notebook import Study


def stages(study: "Study", ract: Result) -> pd.DataFrame:
    """The curves of RaCT, as it is set in this run, and of the same without advice, both measured on validation.

    The columns of a curve, and advice: whether there was any.
    """
    settings = ract.manifest["params"]
    return study.keep("stages", lambda: on_validation(study.split, settings, study.seed), "aicine_utils.study.advice")


def without(study: "Study", ract: Result) -> Result:
    """The run that goes without advice after the same first stage; it ends its last where validation said to."""
    curves = stages(study, ract)
    return study.run(["ract"], **unadvised(pd.DataFrame(ract.curve), ract.manifest["params"], curves))["ract"]


def on_validation(split: Split, settings: Mapping[str, Any], seed: int) -> pd.DataFrame:
    """See :func:`stages`."""
    kind = registry.entry("ract").model_class
    advised = pd.DataFrame(kind(seed=seed, **settings).fit(split).curve)
    alone = pd.DataFrame(kind(seed=seed, **{**settings, **planned(advised)}).fit(split).curve)
    return pd.concat([advised.assign(advice=True), alone.assign(advice=False)], ignore_index=True)


def planned(curve: pd.DataFrame) -> dict[str, Any]:
    """No advice, and as many passes over which the rate falls as that training had.

    Where time limits a training, it is the time of its first pass that sets these; left to a clock of its own the
    other would start its last stage from another actor. So it has no limit.
    """
    of = curve.groupby("stage")["of"].first().astype(int)
    return {"advice": False, "minutes": 0.0, "epochs": int(of["actor"]), "joint_epochs": int(of["joint"])}


def unadvised(curve: pd.DataFrame, settings: Mapping[str, Any], curves: pd.DataFrame) -> dict[str, Any]:
    """Settings of :func:`without`. Where the search did not tell the passes, each run counts its own."""
    plan = planned(curve)
    if not settings["passes"]:
        return plan
    own = curves[~curves["advice"] & (curves["stage"] == "joint")].reset_index(drop=True)
    best = min(1 + int(own["ndcg@10"].idxmax()), plan["joint_epochs"])
    return {**plan, "passes": int((curve["stage"] == "actor").sum()), "joint_passes": best}
