"""Our models against the table in scikit-surprise's README: 5-fold cross-validation, default parameters.

The folds are those of Surprise's examples/benchmark.py (``KFold(random_state=0)``). Every row but Random goes through
our classes: fitted by Surprise, predicted by our matrix algebra. The bar is .005 RMSE from the published value.
Random is the mean over ten seeds: a single one differs by .003 (standard deviation) from run to run. ``torch_mf`` is
SVD's formula trained in torch; it may be better than Surprise's SVD. Its settings were chosen on ratings held out from
the first fold's training part.

    python -m benchmarks.published_surprise [--dataset ml-100k] [--rows svd baseline] [--jobs 2]
"""

import argparse
import time

import numpy as np
import pandas as pd
import surprise
from joblib import Parallel, delayed
from surprise.model_selection import KFold

from aicine_utils import columns as c
from aicine_utils.data import datasets
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import unknown
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender
from aicine_utils.models.factorisation import NMF, SVD, Baseline, CoClustering, SlopeOne, SVDpp
from aicine_utils.models.surprise_base import build_trainset
from aicine_utils.models.surprise_knn import KNNBaseline
from aicine_utils.splits import Split
from benchmarks import record

BAR = 0.005
RANDOM_SEEDS = range(10)
MODELS = {"svd": SVD, "svdpp": SVDpp, "knn_baseline": KNNBaseline, "slope_one": SlopeOne,
          "co_clustering": CoClustering, "nmf": NMF, "baseline": Baseline}  # fmt: skip
# RMSE, MAE; https://github.com/NicolasHug/Surprise#benchmarks
PUBLISHED = {
    "ml-100k": {"svd": (0.934, 0.737), "svdpp": (0.919, 0.721), "knn_baseline": (0.931, 0.733),
                "slope_one": (0.946, 0.743), "co_clustering": (0.963, 0.753), "nmf": (0.963, 0.758),
                "baseline": (0.944, 0.748), "random": (1.518, 1.219)},
    "ml-1m": {"svd": (0.873, 0.686), "svdpp": (0.862, 0.672), "knn_baseline": (0.895, 0.706),
              "slope_one": (0.907, 0.715), "co_clustering": (0.915, 0.717), "nmf": (0.916, 0.723),
              "baseline": (0.909, 0.719), "random": (1.504, 1.206)},
}  # fmt: skip
IN_TORCH = {"ml-100k": {}, "ml-1m": {"factors": 64, "regularisation": 0.06, "learning_rate": 0.003, "batch": 2048,
                                     "epochs": 20, "patience": 4}}  # fmt: skip
DEFAULT_ROWS = {"ml-100k": list(PUBLISHED["ml-100k"]), "ml-1m": ["svd", "baseline"]}
AT_MOST = {"torch_mf": "svd"}  # rows that may be better than the published row they are held against


class RowNumbers:
    """What Surprise's KFold asks of a Dataset, with row numbers for ratings: its own shuffle and cuts, at once."""

    construct_trainset = staticmethod(np.array)
    construct_testset = staticmethod(np.array)

    def __init__(self, n: int) -> None:
        self.raw_ratings = range(n)


def fold_split(data: MovieLens, train: np.ndarray, test: np.ndarray) -> Split:
    """One fold as a Split; the training ratings keep Surprise's shuffled order, which decides its inner ids."""
    ratings = data.ratings
    info = {"dataset": data.name, "rating_scale": data.info["rating_scale"]}
    parts = ratings.iloc[train], ratings.iloc[:0], ratings.iloc[test]
    return Split(*parts, "surprise_fold", info, "fold", data.movies, data.users, refits=False)


def random_stars(split: Split, seed: int) -> np.ndarray:
    """Surprise's NormalPredictor, seeded."""
    np.random.seed(seed)  # Surprise draws from the global generator
    scale = tuple(split.info["rating_scale"])
    algo = surprise.NormalPredictor().fit(build_trainset(split.train, scale))
    pairs = split.test[[c.USER, c.MOVIE, c.RATING]].itertuples(index=False)
    return np.array([prediction.est for prediction in algo.test(pairs)])


def model(name: str, split: Split, seed: int) -> Recommender:
    """A model with Surprise's default parameters, or the one in torch."""
    if name == "torch_mf":
        dataset = split.info["dataset"]
        return registry.create(name, dataset, seed, protocol=split.protocol, **IN_TORCH[dataset])
    return MODELS[name](seed=seed)


def measure(name: str, split: Split, seed: int) -> tuple[str, float, float, float]:
    """Row, RMSE, MAE and seconds (fit and predict) of one fold."""
    start = time.perf_counter()
    stars = random_stars(split, seed) if name == "random" else model(name, split, seed).fit(split).predict(split.test)
    seconds = time.perf_counter() - start
    errors = stars - split.test[c.RATING].to_numpy(np.float64)
    return name, float(np.sqrt(np.mean(errors**2))), float(np.mean(np.abs(errors))), seconds


def compare(dataset: str, names: list[str], jobs: int) -> pd.DataFrame:
    """Means over the folds beside the published values; seconds are those of one fold."""
    data = datasets.load(dataset)
    folds = [fold_split(data, *fold) for fold in KFold(5, random_state=0).split(RowNumbers(len(data.ratings)))]
    runs = [(name, seed) for name in names for seed in (RANDOM_SEEDS if name == "random" else [0])]
    measured = Parallel(n_jobs=jobs)(delayed(measure)(name, fold, seed) for name, seed in runs for fold in folds)
    table = pd.DataFrame(measured, columns=["model", "rmse", "mae", "seconds"])
    table = table.groupby("model", sort=False, as_index=False).mean()
    published = [PUBLISHED[dataset][AT_MOST.get(name, name)] for name in table["model"]]
    table["published_rmse"], table["published_mae"] = zip(*published, strict=True)
    table["difference"] = table["rmse"] - table["published_rmse"]
    order = ["model", "rmse", "mae", "published_rmse", "published_mae", "difference", "seconds"]
    return table[order].assign(dataset=dataset)[["dataset", *order]]


def missed(table: pd.DataFrame) -> list[str]:
    """Models too far from the published RMSE, or above it where they may be better."""
    far = table["difference"].abs() > BAR
    above = table["rmse"].round(3) > table["published_rmse"]
    return table.loc[np.where(table["model"].isin(AT_MOST), above, far), "model"].tolist()


def main() -> int:
    """Measure, print and write the table; 1 when a row misses the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ml-100k", choices=list(PUBLISHED))
    parser.add_argument("--rows", nargs="+", help="default: all on ml-100k, svd and baseline on ml-1m")
    parser.add_argument("--jobs", type=int, default=1, help="folds at a time")
    args = parser.parse_args()
    names = args.rows or DEFAULT_ROWS[args.dataset]
    for name in names:
        if name not in (*PUBLISHED[args.dataset], *AT_MOST):
            raise unknown("row", name, [*PUBLISHED[args.dataset], *AT_MOST])
    table = compare(args.dataset, names, args.jobs)
    print(table.to_string(index=False, float_format="{:.3f}".format))
    below = missed(table)
    print(f"Bar: {BAR} RMSE from the published value. {'Missed by ' + ', '.join(below) if below else 'All within'}.")
    record.keep(table, "published_surprise", by=["dataset", "model"])
    return int(bool(below))


if __name__ == "__main__":
    record.run(main)
