"""Trainings that the comparison alone needs: other seeds of the models that matter, and one cut in time for everyone.

They are most of what the comparison costs and know nothing of one another, so they are made before it, several at once,
each on as many threads as a notebook has. The notebook reads them, and would train itself what is missing.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from typing import NamedTuple

from aicine_utils import experiment, finalists, seeds, settings, splits
from aicine_utils.data import datasets
from aicine_utils.models import registry

STRICT = "global_temporal"
Watch = Callable[[int, int, str, float], None]  # done, of, what was trained, seconds left


class Task(NamedTuple):
    """One training: the model's name, the protocol, the seed, and the seconds that the model took before."""

    name: str
    protocol: str
    seed: int
    seconds: float

    def __str__(self) -> str:
        how = f"seed {self.seed}" if self.protocol == finalists.PRIMARY else "one cut in time"
        return f"{registry.entry(self.name).label}, {how}"


def wanted(dataset: str, preset: settings.Preset, trainings: int = seeds.TRAININGS) -> list[Task]:
    """What the comparison will ask for beyond one run a model, the longest first; those runs are made where missing."""
    data = datasets.load(dataset)
    board = finalists.standing(experiment.run_all(registry.names(), splits.make(data, finalists.PRIMARY)), 1)
    board = board.sort_values("ndcg@10", ascending=False, kind="stable")
    took = board.set_index(finalists.MODEL)["fit_seconds"]
    again = seeds.plan(board.reset_index(drop=True), trainings, preset.seed_seconds).again
    tasks = [Task(name, finalists.PRIMARY, seed, took[name]) for name in again for seed in range(1, trainings)]
    if splits.possible(data, STRICT):
        strict = finalists.for_one_cut(board, preset.split_seconds)
        tasks += [Task(name, STRICT, 0, took[name]) for name in strict]
    return sorted(tasks, key=lambda task: -task.seconds)


def train(dataset: str, tasks: Iterable[Task], watch: Watch) -> list[str]:
    """Make these runs, or find them made; names of their folders. ``watch`` is called after each."""
    left, folders = {task: task.seconds for task in tasks}, []
    of, workers = len(left), processes()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        asked = {pool.submit(_train, dataset, task): task for task in left}
        for done, future in enumerate(as_completed(asked), start=1):
            folders.append(future.result())
            del left[asked[future]]
            watch(done, of, str(asked[future]), sum(left.values()) / workers)
    return folders


def processes() -> int:
    """Processes that have a core for each thread of theirs; one where nothing limits the threads."""
    cores = os.cpu_count() or 1
    return max(1, cores // int(os.environ.get("OMP_NUM_THREADS", cores)))


def _train(dataset: str, task: Task) -> str:
    return experiment.run(task.name, _split(dataset, task.protocol), task.seed).folder.name


@cache
def _split(dataset: str, protocol: str) -> splits.Split:
    return splits.make(datasets.load(dataset), protocol)
