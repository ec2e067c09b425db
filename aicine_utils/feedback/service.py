"""Several models of the registry in one replay, as a service would run them side by side."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any

import pandas as pd

from aicine_utils import columns as c
from aicine_utils import provenance, settings
from aicine_utils.feedback import reading, replay
from aicine_utils.models import registry
from aicine_utils.splits import Split

MINUTES = 3.0  # of training, for a network whose passes nobody has counted
PROCESSES = min(2, os.cpu_count() or 1)  # of the report
_of_process: dict[str, Any] = {}  # what a process of the pool replays


def windows(template: Split, ratings: pd.DataFrame, most: int = 50) -> list[replay.Window]:
    """:func:`replay.windows`; none unless two people or more like something later, so that there is a spread."""
    parts = replay.windows(ratings, most=most)
    if not parts:
        return []
    after = pd.concat([part.now for part in parts])
    return parts if reading.moments(template, parts[0].before, after)[c.USER].nunique() > 1 else []


def run_all(
    template: Split, parts: Sequence[replay.Window], names: Sequence[str], seed: int = 0, processes: int = 1,
    watch: Callable[[str], None] = print,
) -> pd.DataFrame:  # fmt: skip
    """:func:`replay.run` and :func:`reading.by_delay` for each model: the columns of both, with model and label.

    So many ``processes`` at once, for the network takes as long as all others; they are spawned, so a script must guard
    its main part. ``watch`` is told of each model that is done. Sequential models are trained once and never refitted.
    Settings are the defaults, since every search was allowed to see ratings that are replayed here; only a network's
    are the committed winner's where there is one, whose number of passes was counted, and elsewhere it trains for
    ``MINUTES``.
    """
    tables, started = {}, time.monotonic()
    for name, table in _replayed(template, parts, names, seed, processes):
        tables[name] = table.assign(model=name, label=registry.entry(name).label)
        spent, left = time.monotonic() - started, len(names) - len(tables)
        watch(f"{registry.entry(name).label}: {len(parts)} windows replayed, {left} models left after {spent:.0f} s")
    return pd.concat([tables[name] for name in names], ignore_index=True)


def _replayed(
    template: Split, parts: Sequence[replay.Window], names: Sequence[str], seed: int, processes: int
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and table of each model when it is done; the networks begin."""
    if processes == 1:
        yield from ((name, _run(name, template, parts, seed)) for name in names)
        return
    order = sorted(names, key=lambda name: not registry.entry(name).sequential)
    news = [(part.start, part.days, part.now) for part in parts]
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (template, parts[0].before, news, seed)) as pool:
        asked = {pool.submit(_run_begun, name): name for name in order}
        try:
            yield from ((asked[future], future.result()) for future in as_completed(asked))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _begin(template: Split, before: pd.DataFrame, news: Sequence[tuple], seed: int) -> None:
    """What a process replays. It puts together itself what came before each window, which is too much to send."""
    parts = []
    for start, days, now in news:
        parts.append(replay.Window(start, days, now, before))
        before = replay.in_order([before, now])
    _of_process.update(template=template, parts=parts, seed=seed)


def _run_begun(name: str) -> pd.DataFrame:
    return _run(name, **_of_process)


def _run(name: str, template: Split, parts: Sequence[replay.Window], seed: int) -> pd.DataFrame:
    fit, before = maker(name, template, seed), parts[0].before
    first = replay.timed(lambda: fit(replay.known_until(template, before)))
    values = replay.run(template, parts, fit, refits=not registry.entry(name).sequential, first=first)
    if registry.entry(name).family == "non_personalised":  # reads nobody
        return values
    after = pd.concat([part.now for part in parts])
    late = reading.by_delay({name: first[0]}, template, before, after, seed=seed)
    return pd.concat([values, late.assign(measure=reading.NEXT)], ignore_index=True)


def maker(name: str, template: Split, seed: int = 0) -> replay.Fit:
    """Fits a new model of the registry each time; see :func:`run_all` for its settings."""
    dataset, protocol, network = template.info["dataset"], template.protocol, registry.entry(name).sequential
    found = settings.winner(name, dataset, protocol) if network else {}
    more = {"minutes": MINUTES} if network and not found.get("params", {}).get("passes") else {}
    return lambda split: registry.create(name, dataset if found else "", seed, protocol, **more).fit(split)


def code() -> str:
    """Digest of the code of every update: they are found by name, so that no import tells of them."""
    return provenance.source_of_package("feedback/updates")
