"""Trainings beyond one a model as a step of the pipeline: how far they are, and which runs they made."""

import os
import time
from pathlib import Path
from typing import Any

from aicine_utils import provenance, settings
from aicine_utils.data import catalogue
from aicine_utils.pipeline import plan, status
from aicine_utils.study import repeats, seeds

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def repeat(dataset: str, preset: str, processes: int, seed: int = 0, trainings: int = seeds.TRAININGS) -> None:
    """Make them; the names of their runs go to :func:`plan.repeats_file`, which is written last."""
    name = catalogue.folder_name(dataset)
    path = plan.status_file(name, plan.REPEATS)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.environ.update(dict.fromkeys(THREADS, "1"))  # of the processes that begin now
    told = {"status": "running", "part": "training", "cell": 0, "of": 1, "begun": time.time(), "error": None,
            "expected": status.seconds_before(path)}  # fmt: skip
    status.write(path, told)
    ended = "failed"
    try:
        with provenance.Cost(tree=True) as cost:
            tasks = repeats.wanted(dataset, settings.preset(preset), seed, trainings)
            folders = repeats.train(dataset, tasks, processes, lambda *now: _watch(path, told, *now))
        status.write(plan.repeats_file(name), {"runs": sorted(folders)})
        ended = "ok"
    finally:
        status.write(path, {**told, "status": ended, "seconds": cost.seconds, "peak_mb": cost.peak_mb})


def _watch(path: Path, told: dict[str, Any], done: int, of: int, what: str, left: float) -> None:
    expected = time.time() - told["begun"] + left
    status.write(path, {**told, "cell": done, "of": of, "expected": expected})
    print(f"{done}/{of} {what}: about {left:.0f} s left", flush=True)
