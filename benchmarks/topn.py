"""Top-10 lists for every user: our ``recommend`` against the original study's loop over ``predict``.

Both use the same SVD. The loop is timed on a random sample of users and counted up to all of them; on the sample the
two lists must hold the same stars. The bar is 100 times as fast.

    python -m benchmarks.topn [--dataset ml-1m] [--sample 60]
"""

import argparse
import time

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import splits
from aicine_utils.data import datasets
from aicine_utils.models.factorisation import SVD
from aicine_utils.models.original_study import top_n_loop
from aicine_utils.models.surprise_base import build_trainset
from aicine_utils.splits import Split
from benchmarks import record

K = 10
BAR = 100


def vectorised(model: SVD, split: Split, repeats: int = 3) -> tuple[pd.DataFrame, float]:
    """Lists for all users, and the median seconds that they took."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        lists = model.recommend(split.user_ids, K)
        seconds.append(time.perf_counter() - start)
    return lists, float(np.median(seconds))


def loop(model: SVD, split: Split, users: np.ndarray) -> tuple[dict[int, list[float]], float]:
    """Stars of each sampled user's list by the original's loop, and the seconds for the sample."""
    trainset = build_trainset(split.train, tuple(split.info["rating_scale"]))
    algo = model.algorithm().fit(trainset)
    start = time.perf_counter()
    lists = {int(user): [stars for _, stars in top_n_loop(algo, trainset, int(user), K)] for user in users}
    return lists, time.perf_counter() - start


def users_that_differ(ours: pd.DataFrame, theirs: dict[int, list[float]], scale: list[float]) -> int:
    """Sampled users whose stars differ; movies with equal stars (5.0, since ``predict`` clips) may change places."""
    stars = ours.assign(stars=ours[c.SCORE].clip(*scale)).groupby(c.USER)["stars"].apply(list)
    return sum(not np.allclose(stars[user], expected, atol=1e-5) for user, expected in theirs.items())


def main() -> int:
    """Measure, print and write the table; 1 when a list differs or the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ml-1m")
    parser.add_argument("--sample", type=int, default=60, help="users that the loop is measured on")
    args = parser.parse_args()
    split = splits.make(datasets.load(args.dataset)).for_test()
    # Only users with training ratings: the loop can't serve others.
    known, n_users = np.unique(split.train[c.USER]), len(split.user_ids)
    users = np.random.default_rng(0).choice(known, min(args.sample, len(known)), replace=False)
    model = SVD().fit(split)
    lists, ours = vectorised(model, split)
    looped, sample_seconds = loop(model, split, users)
    per_user = sample_seconds / len(users)
    different = users_that_differ(lists, looped, split.info["rating_scale"])
    rows = [("loop over predict", per_user * n_users, per_user), ("recommend", ours, ours / n_users)]
    table = pd.DataFrame(rows, columns=["method", "seconds_all_users", "seconds_per_user"])
    table = table.assign(dataset=args.dataset, users=n_users, measured_users=[len(users), n_users],
                         times_as_fast=[1.0, per_user * n_users / ours], lists_that_differ=different)  # fmt: skip
    report(table, len(users), n_users)
    return int(different > 0 or table["times_as_fast"].iloc[1] < BAR)


def report(table: pd.DataFrame, sample: int, n_users: int) -> None:
    """Print the table and write it to ``outputs/benchmarks/topn.csv``."""
    print(table.to_string(index=False, float_format="{:,.5g}".format))
    print(f"The loop was measured on {sample} random users and scaled to {n_users:,}. Bar: {BAR} times as fast.")
    record.keep(table, "topn")


if __name__ == "__main__":
    record.run(main)
