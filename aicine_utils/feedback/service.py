"""Several models of the registry in one replay, as a service would run them side by side."""

import time
from collections.abc import Callable, Sequence

import pandas as pd

from aicine_utils import columns as c
from aicine_utils import provenance, settings
from aicine_utils.feedback import reading, replay
from aicine_utils.models import registry
from aicine_utils.splits import Split

MINUTES = 3.0  # of training, for a network whose passes nobody has counted


def windows(template: Split, ratings: pd.DataFrame, most: int = 50) -> list[replay.Window]:
    """:func:`replay.windows`; none unless two people or more like something later, so that there is a spread."""
    parts = replay.windows(ratings, most=most)
    if not parts:
        return []
    after = pd.concat([part.now for part in parts])
    return parts if reading.moments(template, parts[0].before, after)[c.USER].nunique() > 1 else []


def run_all(
    template: Split, parts: Sequence[replay.Window], names: Sequence[str], seed: int = 0,
    watch: Callable[[str], None] = print,
) -> pd.DataFrame:  # fmt: skip
    """:func:`replay.run` and :func:`reading.by_delay` for each model: the columns of both, with model and label.

    Sequential models are trained once and never refitted. Settings are the defaults, since every search was allowed to
    see ratings that are replayed here; only a network's are the committed winner's where there is one, whose number of
    passes was counted, and elsewhere it trains for ``MINUTES``.
    """
    tables, started = [], time.monotonic()
    for name in names:
        tables.append(_run(name, template, parts, seed).assign(model=name, label=registry.entry(name).label))
        left = (time.monotonic() - started) / len(tables) * (len(names) - len(tables))
        watch(f"{registry.entry(name).label}: {len(parts)} windows replayed, {left:.0f} s left")
    return pd.concat(tables, ignore_index=True)


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
