"""The comparison's further trainings as a step of the pipeline: how far they are, and which runs they made."""

import time

from aicine_utils import provenance, repeats, settings
from aicine_utils.data import datasets
from aicine_utils.pipeline import plan, status


def repeat(dataset: str, preset: str) -> None:
    """Make them; the names of their runs go to :func:`plan.repeats_file`, which is written last."""
    name = datasets.folder_name(dataset)
    path = plan.status_file(name, plan.REPEATS)
    path.parent.mkdir(parents=True, exist_ok=True)
    now = {"status": "running", "part": "training", "cell": 0, "of": 1, "begun": time.time(),
           "expected": status.seconds_before(path)}  # fmt: skip

    def watch(done: int, of: int, what: str, left: float) -> None:
        expected = time.time() - now["begun"] + left
        status.write(path, {**now, "cell": done, "of": of, "expected": expected})
        print(f"{done}/{of} {what}: about {left:.0f} s left", flush=True)

    status.write(path, now)
    with provenance.Cost(tree=True) as cost:
        tasks = repeats.wanted(dataset, settings.preset(preset))
        folders = repeats.train(dataset, tasks, watch)
    target = plan.repeats_file(name)
    status.write(target, {"runs": sorted(folders)})
    status.write(path, {**now, "status": "ok", "seconds": cost.seconds, "peak_mb": cost.peak_mb})
