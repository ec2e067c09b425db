"""The evaluator: seconds and memory from scores to metrics, and its speed beside ranx on the same data frames.

Scores are random; the histories and tests are those of a data set, or synthetic in the shape of ml-1m (6,040 users x
3,706 movies). Ranking keeps 100 movies a user; six metrics at three cut-offs. ranx gets string ids and compiles before
the clock starts; both start from data frames. Bars: 3 s, 500 MB above the scores, 5 times as fast as ranx.

    python -m benchmarks.evaluator [--dataset ml-1m | synthetic] [--repeats 5]
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import protocols, splits
from aicine_utils.data import datasets
from aicine_utils.metrics import evaluate as ev
from aicine_utils.metrics.ranking import METRICS
from aicine_utils.models.base import Recommender
from aicine_utils.splits import Split
from benchmarks import record

K_MAX = 100
MAX_SECONDS, MAX_MB, MIN_RATIO = 3.0, 500.0, 5.0
RANX = {"ndcg": "ndcg", "recall": "recall", "precision": "precision", "hit": "hit_rate", "mrr": "mrr", "map": "map"}


class Scored(Recommender):
    """A model whose scores are drawn once and held, so that only ranking is measured."""

    def _fit(self, split: Split) -> None:
        shape = (len(split.user_ids), len(split.movie_ids))
        self.scores = np.random.default_rng(self.seed).standard_normal(shape, dtype=np.float32)

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return self.scores[rows]


def synthetic(n_users: int = 6040, n_movies: int = 3706, n_ratings: int = 1_000_000) -> Split:
    """A random split in the shape of ml-1m: some users and movies have far more ratings than others."""
    rng = np.random.default_rng(0)
    users = rng.choice(n_users, n_ratings, p=_shares(rng.lognormal(0, 1, n_users)))
    movies = rng.choice(n_movies, n_ratings, p=_shares(rng.lognormal(0, 1.5, n_movies)))
    stars = rng.integers(1, 6, n_ratings).astype(np.float32)
    when = np.sort(rng.integers(0, 10**8, n_ratings)).astype("datetime64[s]")
    ratings = pd.DataFrame(dict(zip(c.RATINGS, (users, movies, stars, when), strict=True)))
    ratings = ratings.drop_duplicates([c.USER, c.MOVIE], ignore_index=True)
    labels = protocols.user_temporal(ratings)
    parts = [
        ratings[labels == part].reset_index(drop=True) for part in (protocols.TRAIN, protocols.VALID, protocols.TEST)
    ]
    info = {"dataset": "synthetic", "rating_scale": [1, 5]}
    return Split(*parts, "user_temporal", info, "", pd.DataFrame(columns=c.MOVIES), None).for_test()


def _shares(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum()


def make_split(dataset: str) -> Split:
    """The primary split of a data set, ready for the test."""
    return synthetic() if dataset == "synthetic" else splits.make(datasets.load(dataset)).for_test()


def clock(work: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    """What ``work`` returns, and the median of its seconds."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return result, float(np.median(seconds))


def peak_memory(work: Callable[[], Any]) -> float:
    """MB that ``work`` holds at its highest, beyond what was held before.

    Counts what Python, numpy and pandas ask for: the size of the process would hide memory that was freed but kept.
    """
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def ranx_from_frames(lists: pd.DataFrame, relevant: pd.DataFrame, repeats: int) -> tuple[dict[str, float], float]:
    """Means by ``ndcg@10`` and the like, and median seconds; user and movie ids must be strings."""
    from ranx import Qrels, Run, evaluate

    names = [f"{RANX[name]}@{k}" for name in METRICS for k in ev.KS]

    def work() -> dict[str, float]:
        qrels = Qrels.from_df(relevant, q_id_col=c.USER, doc_id_col=c.MOVIE)
        return evaluate(qrels, Run.from_df(lists, q_id_col=c.USER, doc_id_col=c.MOVIE), names)

    work()  # compiles
    means, seconds = clock(work, repeats)
    return {name.replace("hit_rate", "hit"): value for name, value in means.items()}, seconds


def beside_ranx(lists: pd.DataFrame, relevant: pd.DataFrame, k: int, repeats: int) -> list[tuple]:
    """Rows of the table for lists cut at ``k``; stops when the two disagree on a mean (MAP's normaliser differs)."""
    lists = lists[lists[c.RANK] <= k]
    per_user, ours = clock(lambda: ev.evaluate(lists, relevant), repeats)
    text = {c.USER: str, c.MOVIE: str}
    # ranx sorts by score, and wants the same users on both sides.
    listed = lists[lists[c.USER].isin(relevant[c.USER])].assign(score=lambda rows: -rows[c.RANK].astype(float))
    means, theirs = ranx_from_frames(listed.astype(text), relevant.assign(score=1).astype(text), min(repeats, 3))
    for name, value in ev.means(per_user).items():
        assert name.startswith("map") or abs(means[name] - value) < 1e-9, name
    return [
        (f"evaluate from data frames, lists of {k}", ours, "s", np.nan),
        (f"ranx from data frames, lists of {k}", theirs, "s", np.nan),
        (f"times as fast as ranx, lists of {k}", theirs / ours, "x", MIN_RATIO),
    ]


def measure(dataset: str, repeats: int) -> pd.DataFrame:
    """One row a measurement: what, value, unit, bar, met."""
    split = make_split(dataset)
    model, users, relevant = Scored().fit(split), np.unique(split.test[c.USER]), split.relevant(split.test)
    lists, ranking = clock(lambda: model.recommend(users, K_MAX), repeats)
    _, measuring = clock(lambda: ev.evaluate(lists, relevant, split=split), repeats)
    peak = peak_memory(lambda: ev.evaluate(model.recommend(users, K_MAX), relevant, split=split))
    rows = [
        ("rank 100 movies a user", ranking, "s", np.nan),
        ("check split and lists, six metrics at 5, 10, 20", measuring, "s", np.nan),
        ("both together", ranking + measuring, "s", MAX_SECONDS),
        ("peak memory above the scores", peak, "MB", MAX_MB),
        *(row for k in (K_MAX, max(ev.KS)) for row in beside_ranx(lists, relevant, k, repeats)),
    ]
    table = pd.DataFrame(rows, columns=["what", "value", "unit", "bar"])
    met = np.where(table["unit"] == "x", table["value"] >= table["bar"], table["value"] <= table["bar"])
    table["met"] = np.where(table["bar"].isna(), "", np.where(met, "yes", "no"))
    return table.assign(dataset=dataset, users=len(users), movies=len(split.movie_ids), relevant=len(relevant))


def main() -> int:
    """Measure, print and write the table; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="synthetic")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    table = measure(args.dataset, args.repeats)
    print(table.iloc[:, :5].to_string(index=False, float_format="{:.3f}".format, na_rep=""))
    record.keep(table, "evaluator")
    return int((table["met"] == "no").any())


if __name__ == "__main__":
    record.run(main)
