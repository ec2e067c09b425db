"""RaCT beside itself without its critic: what the advice is worth, apart from the training that comes with it."""

from typing import Any

from aicine_utils.experiment import Result


def without(ract: Result) -> dict[str, Any]:
    """Settings of the RaCT that goes without advice: as many passes over which the rate falls as this run had.

    Where time limits a training, it is the time of its first pass that sets these; left to a clock of its own the
    other would start its last stage from another actor. So it has no limit.
    """
    planned = ract.curve.groupby("stage")["of"].first().astype(int)
    return {"advice": False, "minutes": 0.0, "epochs": int(planned["actor"]), "joint_epochs": int(planned["joint"])}
