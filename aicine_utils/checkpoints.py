"""Saved models: which there are, which is newest, and deleting those that newer ones replace."""

import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from filelock import Timeout

from aicine_utils import experiment, settings
from aicine_utils.experiment import Result
from aicine_utils.models import registry

_FOLDER = re.compile(r"(?P<model>\w+)-s(?P<seed>\d+)-(?P<key>[0-9a-f]{12})")
MB = 1e6


@dataclass(frozen=True)
class Checkpoint:
    """One saved model: the folder of a finished run."""

    folder: Path
    model: str
    protocol: str
    seed: int
    key: str
    finished: datetime  # in UTC
    changed: int  # ns since 1970; decides between runs that were finished within one second

    @cached_property
    def megabytes(self) -> float:
        """Size of all files in it; what a link leads to is not counted."""
        files = (Path(top) / name for top, _, names in os.walk(self.folder) for name in names)
        return sum(file.lstat().st_size for file in files) / MB

    @property
    def linked(self) -> bool:
        """Whether a link leads to it from the folder of the runs."""
        runs = self.folder.parents[1].resolve()
        return self.folder.resolve() != runs / self.folder.parent.name / self.folder.name


def saved(dataset: str, model: str | None = None, protocol: str | None = None) -> list[Checkpoint]:
    """All saved models of a data set, newest first; only those of a model or a protocol where one is named.

    A run that is being made has neither its name nor its manifest yet, so it is none.
    """
    found = []
    for manifest in (settings.output_dir(dataset) / "runs").glob("*/*/manifest.json"):
        if name := _FOLDER.fullmatch(manifest.parent.name):
            found.append(_read(manifest, **name.groupdict()))
    chosen = [one for one in found if model in (None, one.model) and protocol in (None, one.protocol)]
    return sorted(chosen, key=lambda one: (one.finished, one.changed), reverse=True)


def _read(manifest: Path, model: str, seed: str, key: str) -> Checkpoint:
    finished = datetime.fromisoformat(Result(manifest.parent).manifest["finished"])
    protocol = manifest.parents[1].name
    return Checkpoint(manifest.parent, model, protocol, int(seed), key, finished, manifest.stat().st_mtime_ns)


def answers(found: Iterable[Checkpoint], dataset: str) -> set[Path]:
    """Folders of the runs that answer for their model on the command line (:func:`experiment.preferred`)."""
    pairs = {(one.model, one.protocol) for one in found if one.model in registry.names()}
    return {experiment.preferred(model, dataset, protocol).folder for model, protocol in pairs}


def superseded(found: list[Checkpoint], dataset: str) -> list[Checkpoint]:
    """All but the newest of each model, protocol and seed, the newest of them with the report's settings, and the one
    that answers for its model.

    found: newest first, as from :func:`saved`.
    """
    newest: dict[tuple, Path] = {}
    for one in found:
        newest.setdefault((one.model, one.protocol, one.seed, _reported(one, dataset)), one.folder)
    kept = {*newest.values(), *answers(found, dataset)}
    return [one for one in found if one.folder not in kept]


def _reported(one: Checkpoint, dataset: str) -> bool:
    """Whether a run has the settings of the report."""
    if one.model not in registry.names():
        return False
    usual = registry.create(one.model, dataset, protocol=one.protocol).params
    return Result(one.folder).manifest["params"] == usual


def table(found: Iterable[Checkpoint], dataset: str, now: datetime | None = None) -> list[dict[str, str | int | float]]:
    """A row each: model, protocol, seed, finished, age, MB, answers (to `recommend`), key, folder (below home)."""
    found, now = list(found), now or datetime.now(UTC)
    answering = answers(found, dataset)
    return [
        {"model": one.model, "protocol": one.protocol, "seed": one.seed,
         "finished": f"{one.finished:%Y-%m-%d %H:%M} UTC", "age": age(now - one.finished),
         "MB": round(one.megabytes, 1), "answers": "yes" if one.folder in answering else "", "key": one.key,
         "folder": str(one.folder.relative_to(settings.home()))}
        for one in found
    ]  # fmt: skip


def age(passed: timedelta) -> str:
    """Whole days, hours or minutes, whichever is the largest that has one: "3 d", "5 h", "0 min"."""
    for unit, size in (("d", timedelta(days=1)), ("h", timedelta(hours=1))):
        if passed >= size:
            return f"{passed // size} {unit}"
    return f"{max(passed // timedelta(minutes=1), 0)} min"


def delete(one: Checkpoint) -> str | None:
    """Delete a saved model; returns why it was left alone, if it was.

    Under the run's lock and by renaming first: a training in another process is not disturbed, and a deletion that is
    killed leaves no half of a run under its name. Links are not followed.
    """
    return _under_lock(one, _remove)


def refusal(one: Checkpoint) -> str | None:
    """Why :func:`delete` would leave a saved model alone now; None when it would not."""
    return _under_lock(one, lambda folder: None)


def _under_lock(one: Checkpoint, act: Callable[[Path], None]) -> str | None:
    if one.linked:
        return "a link leads to it"
    try:
        with experiment.lock(one.folder, timeout=0):
            act(one.folder)
    except Timeout:
        return "another process is making or measuring it"
    except OSError as error:
        return error.strerror or str(error)
    return None


def _remove(folder: Path) -> None:
    aside = experiment.hidden(folder)
    folder.rename(aside)
    shutil.rmtree(aside)
