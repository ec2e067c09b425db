"""Trainings beyond one a model: other seeds of the models that matter, and the other splits for the finalists.

They are most of what the comparison and the question how to measure cost, and know nothing of one another, so they are
made before those notebooks, several at once. Each has one thread, as a notebook has: a network that time ends would get
further with more, and seeds would differ by it. The notebooks read them, and would train themselves what is missing.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from typing import NamedTuple

from aicine_utils import experiment, settings, splits
from aicine_utils.data import datasets
from aicine_utils.findings.reading import STRICT
from aicine_utils.models import registry
from aicine_utils.study import distinct, finalists, seeds

Watch = Callable[[int, int, str, float], None]  # done, of, what was trained, seconds left


class Task(NamedTuple):
    """One training: the model's name, the protocol, the seed, and the seconds that the model took before."""

    name: str
    protocol: str
    seed: int
    seconds: float

    def __str__(self) -> str:
        how = f"seed {self.seed}" if self.protocol == finalists.PRIMARY else finalists.SPLITS[self.protocol].lower()
        return f"{registry.entry(self.name).label}, {how}"


def wanted(dataset: str, preset: settings.Preset, seed: int = 0, trainings: int = seeds.TRAININGS) -> list[Task]:
    """What the notebooks will ask for beyond one run a model, the longest first; those runs are made where missing."""
    data = datasets.load(dataset)
    results = experiment.run_all(distinct.names(data), splits.make(data, finalists.PRIMARY), seed)
    board = finalists.standing(results, 1).sort_values("ndcg@10", ascending=False, kind="stable", ignore_index=True)
    took = board.set_index(finalists.MODEL)["fit_seconds"]
    again = seeds.plan(board, trainings, preset.seed_seconds).again
    later = range(seed + 1, seed + trainings)
    tasks = [Task(name, finalists.PRIMARY, other, took[name]) for name in again for other in later]
    for protocol in set(finalists.make_splits(data, seed)[0]) - {finalists.PRIMARY}:
        rule = finalists.for_one_cut if protocol == STRICT else finalists.for_every_split
        tasks += [Task(name, protocol, seed, took[name]) for name in rule(board, preset.split_seconds)]
    return sorted(tasks, key=lambda task: (-task.seconds, task))


def train(dataset: str, tasks: Sequence[Task], processes: int, watch: Watch) -> list[str]:
    """Make these runs, or find them made, in so many processes at once; names of their folders.

    ``watch`` is called after each. What one training raises ends the others that have not begun.
    """
    left, folders = dict.fromkeys(tasks), []
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        asked = {pool.submit(_train, dataset, task): task for task in tasks}
        try:
            for done, future in enumerate(as_completed(asked), start=1):
                folders.append(future.result())
                del left[asked[future]]
                watch(done, len(tasks), str(asked[future]), _seconds(left) / processes)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return folders


def _seconds(tasks: Iterable[Task]) -> float:
    return sum(task.seconds for task in tasks)


def _train(dataset: str, task: Task) -> str:
    usual = experiment.run(task.name, _split(dataset, finalists.PRIMARY), task.seed)
    if task.protocol == finalists.PRIMARY:
        return usual.folder.name
    split = _split(dataset, task.protocol, task.seed)
    return experiment.run(task.name, split, task.seed, **finalists.settings_on(split, task.name, usual)).folder.name


@cache
def _split(dataset: str, protocol: str, seed: int = 0) -> splits.Split:
    return finalists.split_of(datasets.load(dataset), protocol, seed)
