"""The store of feedback under fire: writers that are killed at random and started again, and what is left at the end.

Eight processes append 200,000 events in batches; twenty times, at random moments, one is killed with SIGKILL and a new
one goes on after the last batch that the store acknowledged. In the end every acknowledged event must be there once,
with the content that was sent. Writers note what is acknowledged in a file of their own, after the store has answered;
a batch that was stored but not yet noted is sent again. Seconds run from the first start to the last end, restarts
included. Bars: none lost, none twice, 5,000 events a second.

    python -m benchmarks.feedback_store [--events 200000] [--writers 8] [--kills 20] [--batch 100] [--url URL]
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from aicine_utils.feedback.events import Event, Rules
from aicine_utils.feedback.store import Store
from benchmarks import record

BAR = 5_000  # events a second
START = 1_600_000_000  # seconds: the time of the first event
N_MOVIES = 4_000
RULES = Rules(frozenset(range(N_MOVIES)))
CONTEXT = multiprocessing.get_context("fork")  # a writer that starts again should not import pandas again


@dataclass(frozen=True)
class Plan:
    """What one writer has to do: events first to last of its own, and where it notes how far it got."""

    url: str
    writer: int
    last: int
    batch: int
    note: Path

    @property
    def acknowledged(self) -> int:
        """Events that the store has answered for."""
        return int.from_bytes(self.note.read_bytes(), "big") if self.note.exists() else 0


def event(writer: int, i: int) -> Event:
    """The same event whenever it is asked for, so that what is stored can be held against what was sent."""
    return Event(f"{writer}", "stop", i % N_MOVIES, (i % 1_000) / 1_000, time=START + i, event_id=f"{writer}-{i}",
                 list_id=f"list-{i // 10}", model_version="ease-s0-000000000000")  # fmt: skip


def write(plan: Plan) -> None:
    """Go on after the last acknowledged event, to the end."""
    note = os.open(plan.note, os.O_WRONLY | os.O_CREAT)
    with Store(plan.url, RULES, "benchmark") as store:
        for start in range(plan.acknowledged, plan.last, plan.batch):
            stop = min(start + plan.batch, plan.last)
            store.append(event(plan.writer, i) for i in range(start, stop))
            os.pwrite(note, stop.to_bytes(8, "big"), 0)


def start(plan: Plan) -> multiprocessing.Process:
    """A writer at work."""
    process = CONTEXT.Process(target=write, args=(plan,))
    process.start()
    return process


def under_fire(plans: list[Plan], kills: int, seed: int = 0) -> tuple[float, int]:
    """Run all writers to their end and kill so many on the way; seconds, and the kills that met a living writer."""
    rng, total, begun = np.random.default_rng(seed), sum(plan.last for plan in plans), time.perf_counter()
    moments, killed = list(np.sort(rng.random(kills)) * 0.9 * total), 0
    running = {plan.writer: start(plan) for plan in plans}
    while any(process.is_alive() for process in running.values()):
        time.sleep(0.002)
        if moments and sum(plan.acknowledged for plan in plans) >= moments[0]:
            moments.pop(0)
            alive = [plan for plan in plans if running[plan.writer].is_alive()]
            victim = alive[rng.integers(len(alive))] if alive else plans[0]
            killed += kill(running[victim.writer])
            running[victim.writer] = start(victim)
    failed = [writer for writer, process in running.items() if process.exitcode]
    assert not failed, f"writers {failed} failed"
    return time.perf_counter() - begun, killed


def kill(process: multiprocessing.Process) -> bool:
    """Whether it was alive when SIGKILL came."""
    process.kill()
    process.join()
    return process.exitcode == -9


def check(plans: list[Plan]) -> dict[str, int]:
    """Acknowledged events that are not there, events there twice, and events there with another content."""
    with Store(plans[0].url, RULES, "benchmark") as store:
        stored = store.events()
    columns = ["event_id", "user", "kind", "movie", "value", "time", "list_id", "model_version"]
    sent = pd.DataFrame([vars(event(plan.writer, i)) for plan in plans for i in range(plan.acknowledged)])[columns]
    sent["time"] = sent["time"].astype("datetime64[s]")
    lost = int((~sent["event_id"].isin(stored["event_id"])).sum())
    twice = int(stored.duplicated(["user", "time"]).sum())  # a writer's events all have their own second
    found = stored[columns].astype(sent.dtypes).merge(sent, on=columns)
    return {"sent": len(sent), "stored": len(stored), "lost": lost, "duplicated": twice,
            "changed": len(stored) - len(found)}  # fmt: skip


def measure(url: str, place: Path, args: argparse.Namespace) -> pd.DataFrame:
    """One row of the table."""
    share = args.events // args.writers
    plans = [Plan(url, writer, share, args.batch, place / f"{writer}.note") for writer in range(args.writers)]
    Store(url, RULES, "benchmark").close()
    seconds, killed = under_fire(plans, args.kills)
    row = {"database": url.split(":")[0].split("+")[0], "writers": args.writers, "batch": args.batch, "kills": killed}
    row |= {**check(plans), "seconds": round(seconds, 2), "events_a_second": round(share * args.writers / seconds)}
    return pd.DataFrame([row])


def main() -> int:
    """Measure, print, keep; 1 when an event is lost, doubled or changed, or the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("events", 200_000), ("writers", 8), ("kills", 20), ("batch", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--url", help="an empty database; a new file of SQLite's if not given")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        table = measure(args.url or f"sqlite:///{place}/events.sqlite", Path(place), args)
    print(table.to_string(index=False))
    record.keep(table, "feedback_store", by=("database", "writers", "batch"))
    row = table.iloc[0]
    wrong = row["lost"] + row["duplicated"] + row["changed"] + (row["sent"] != row["stored"])
    return int(wrong > 0 or row["kills"] < args.kills or row["events_a_second"] < BAR)


if __name__ == "__main__":
    record.run(main)
