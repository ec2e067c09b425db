"""Updates beside refits: how much faster, how near, and how long from an event to the changed list.

EASE learns the test ratings of one person, and those of 100 people at once; a refit learns the same from the start.
Then single events of people drawn at random, in process: "history alone" scores the longer history with the weights as
they are, "weights too" also updates these. Bars: 20 and 15 times as fast as a refit, scores within 1e-6 of it (relative
to each person's largest), and 100 ms at the median and 300 ms at 99 % from event to list.

    python -m benchmarks.feedback_update [--dataset ml-1m] [--events 200]
    python -m benchmarks.feedback_update --distances --dataset ml-100k [--models ease,svd]

The second form measures how far updated lists are from a refit's (feedback_distance.csv): half of the test ratings
happen, the others are what NDCG is measured on; the distance of two refits that differ by their seed stands beside it.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import histories, splits
from aicine_utils.data import datasets
from aicine_utils.errors import AicineError
from aicine_utils.feedback import update as updates
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender
from aicine_utils.protocols import time_order
from aicine_utils.splits import Split
from benchmarks import record

RATIOS = {1: 20.0, 100: 15.0}  # people: bar
ROUNDS, UPDATES, REFITS = 3, 5, 2  # by turns, so that a machine that slows down does so for both
NEAR, MEDIAN_MS, LATE_MS = 1e-6, 100.0, 300.0
MODELS = {"ease": {}, "item_knn": {}, "sasrec": {"epochs": 1, "passes": 1}}  # time to answer doesn't depend on quality
WEIGHTS_TOO = 0.25  # share of the events that are also timed with an update


def clocked(work: Callable[[], Any]) -> tuple[Any, float]:
    """What ``work`` returns, and its seconds."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def make(name: str, split: Split, seed: int = 0, **overrides: Any) -> Recommender:
    """A model of the registry with its committed settings, fitted."""
    return registry.create(name, split.info["dataset"], seed, **overrides).fit(split)


def beside_refit(split: Split) -> Iterator[tuple]:
    """Rows of the table: seconds of EASE's updates and refits, their ratio, and the distance of their scores."""
    model, fitting = clocked(lambda: make("ease", split))
    _, inverting = clocked(lambda: updates.prepare(model))
    megabytes = len(split.movie_ids) ** 2 * 8 / 1e6
    yield from [("ease", "fit", fitting, "s", np.nan), ("ease", "invert once", inverting, "s", np.nan)]
    yield "ease", "memory of the inverse", megabytes, "MB", np.nan
    history, waiting = split, np.random.default_rng(0).permutation(split.test[c.USER].unique())
    needed = sum(RATIOS) * ROUNDS * UPDATES
    if needed > len(waiting):
        raise AicineError(f"{needed:,} people with test ratings are needed, not {len(waiting):,}. Use ml-1m.")
    for people, bar in RATIOS.items():
        updating, refitting = [], []
        for _ in range(ROUNDS):
            for _ in range(UPDATES):
                chosen, waiting = waiting[:people], waiting[people:]
                done = updates.update(model, split.test[split.test[c.USER].isin(chosen)], history)
                model, history = done.model, done.history
                updating.append(done.seconds)
            refits = [clocked(partial(updates.refit, model, history)) for _ in range(REFITS)]
            refitting += [took for _, took in refits]
        took, instead = float(np.median(updating)), float(np.median(refitting))
        what = f"{people} {'people' if people > 1 else 'person'} at once"
        yield "ease", f"update, {what}", took, "s", np.nan
        yield "ease", f"refit, {what}", instead, "s", np.nan
        yield "ease", f"times as fast, {what}", instead / took, "x", bar
        yield "ease", f"distance of scores, {what}", score_distance(model, refits[-1][0]), "share", NEAR


def score_distance(a: Recommender, b: Recommender) -> float:
    """The largest difference of two models' scores, relative to the largest score of the same person."""
    worst = 0.0
    for (_, ours), (_, theirs) in zip(a.iter_scores(a.user_ids_), b.iter_scores(b.user_ids_), strict=True):
        largest = np.abs(theirs).max(axis=1)
        heard = largest > 0  # nothing to score by, nothing to be off by: both must then be zeros
        worst = max(worst, float(np.abs(ours - theirs)[~heard].max(initial=0)))
        worst = max(worst, float((np.abs(ours - theirs).max(axis=1)[heard] / largest[heard]).max(initial=0)))
    return worst


def from_event_to_list(name: str, split: Split, events: int) -> Iterator[tuple]:
    """Rows of the table: milliseconds from an event to the ten best movies."""
    model = updates.prepare(make(name, split, **MODELS[name]))
    new = split.test.groupby(c.USER).head(1).sample(events, random_state=0)
    rows = [new.iloc[[place]] for place in range(len(new))]
    before = {user: part[c.MOVIE].tolist() for user, part in split.train.groupby(c.USER)[[c.MOVIE]]}
    alone = [clocked(partial(_list_of, name, model, row, before))[1] for row in rows]
    yield from _latency(name, "history alone", alone, bars=True)
    both, history = [], split
    for row in rows[: int(len(rows) * WEIGHTS_TOO)]:
        start = time.perf_counter()
        done = updates.update(model, row, history)
        done.model.recommend(row[c.USER], 10)
        both.append(time.perf_counter() - start)
        model, history = done.model, done.history
    yield from _latency(name, "weights too" if name != "sasrec" else "history kept", both, bars=False)


def _list_of(name: str, model: Recommender, row: pd.DataFrame, before: dict[int, list[int]]) -> pd.DataFrame:
    return histories.recommend(name, model, [*before[row[c.USER].iloc[0]], int(row[c.MOVIE].iloc[0])])


def _latency(name: str, what: str, seconds: list[float], bars: bool) -> Iterator[tuple]:
    for share, label, bar in ((0.5, "median", MEDIAN_MS), (0.99, "99 %", LATE_MS)):
        value = 1000 * float(np.quantile(seconds, share))
        yield name, f"event to list, {what}, {label}", value, "ms", bar if bars else np.nan


def distance(name: str, split: Split) -> pd.DataFrame:
    """One row: how far lists are from a refit's after half of the test ratings, beside a refit by another seed."""
    order = split.test.iloc[time_order(split.test)]
    new = order[order.groupby(c.USER).cumcount() < order.groupby(c.USER)[c.USER].transform("size") // 2]
    done = updates.update(make(name, split), new, split)
    again, refitting = clocked(partial(updates.refit, done.model, done.history))
    other = updates.distance_to_refit(make(name, done.history, seed=1), again, done.history)
    row = {"model": name, "exact": done.exact, "waiting": len(done.waiting_movies),
           **updates.distance_to_refit(done.model, again, done.history),
           "overlap_of_seeds": other["overlap"], "ndcg_of_seeds": other["ndcg"],
           "update_seconds": done.seconds, "refit_seconds": refitting}  # fmt: skip
    return pd.DataFrame([row]).assign(dataset=split.info["dataset"], new=len(new))


def measure_distances(names: list[str], split: Split) -> None:
    """Print and keep the row of each model as soon as it is there: the slow ones train three times."""
    for place, name in enumerate(names):
        row = distance(name, split)
        print(row.to_string(index=False, header=place == 0, float_format="{:.4f}".format), flush=True)
        record.keep(row, "feedback_distance", by=("dataset", "model"))


def measure(split: Split, events: int) -> pd.DataFrame:
    """One row a measurement: model, what, value, unit, bar, met."""
    rows = [*beside_refit(split), *(row for name in MODELS for row in from_event_to_list(name, split, events))]
    table = pd.DataFrame(rows, columns=["model", "what", "value", "unit", "bar"])
    met = np.where(table["unit"] == "x", table["value"] >= table["bar"], table["value"] <= table["bar"])
    table["met"] = np.where(table["bar"].isna(), "", np.where(met, "yes", "no"))
    return table.assign(dataset=split.info["dataset"], users=len(split.user_ids), movies=len(split.movie_ids))


def main() -> int:
    """Measure, print and write the table; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ml-1m")
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--distances", action="store_true")
    parser.add_argument("--models", help="names with commas between; by default all that have an update")
    args = parser.parse_args()
    split = splits.make(datasets.load(args.dataset)).for_test()
    if args.distances:
        able = updates.table().query("update != 'none: refit'")["model"]
        measure_distances(args.models.split(",") if args.models else list(able), split)
        return 0
    table = measure(split, args.events)
    print(table.iloc[:, :6].to_string(index=False, float_format="{:.4g}".format, na_rep=""))
    record.keep(table, "feedback_update")
    return int((table["met"] == "no").any())


if __name__ == "__main__":
    record.run(main)
