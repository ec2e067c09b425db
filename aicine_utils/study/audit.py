"""The original study's procedure beside an honest one: its error measure, its choice of settings, its top-N loop."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import provenance
from aicine_utils.data.movielens import MovieLens
from aicine_utils.models import original_study
from aicine_utils.models.factorisation import SVD, Baseline
from aicine_utils.models.surprise_base import build_trainset
from aicine_utils.splits import Split

MEAN_ONLY = {"n_epochs": 0}  # a Baseline without a pass over the data has no biases: it always answers the mean


def winner(grid: pd.DataFrame) -> dict[str, Any]:
    """The setting of rank 1 in what :func:`original_study.grid_search` returned."""
    return _settings(grid)[int(grid["rank"].argmin())]


def _settings(grid: pd.DataFrame) -> list[dict[str, Any]]:
    return [{"n_epochs": int(row.n_epochs), "lr_all": float(row.lr_all)} for row in grid.itertuples()]


def anti_test(data: MovieLens, grid: pd.DataFrame, seed: int = 0, points: int = 4) -> pd.DataFrame:
    """The study's number for settings from the grid's best to its worst, evenly spaced by rank, then for the mean.

    Each is fitted on all ratings. Returns label, rmse (cross-validated; for the mean the deviation of all ratings, from
    which cross-validation hardly differs), anti_test (0 for the mean, but for the rounding of float32).
    """
    chosen = np.unique(np.linspace(0, len(grid) - 1, points).round().astype(int))
    rows = grid.sort_values("rank", kind="stable").iloc[chosen]
    params = _settings(rows)
    numbers = [original_study.anti_test_rmse(original_study.refit_on_all(data, seed, **one)) for one in params]
    labels = [f"{one['n_epochs']} epochs, rate {one['lr_all']:g}" for one in params]
    mean_only = original_study.anti_test_rmse(Baseline(**MEAN_ONLY).fit(original_study.everything(data)))
    deviation = float(data.ratings[c.RATING].std(ddof=0))
    columns = [[*labels, "Always the mean"], [*rows["rmse"], deviation], [*numbers, mean_only]]
    return pd.DataFrame(dict(zip(["label", "rmse", "anti_test"], columns, strict=True)))


def judgement(reported: float, of_mean: float, honest: float, honest_of_mean: float) -> str:
    """What the study's number says of SVD against always the mean, beside what an honest error says."""
    by_number, honestly = reported < of_mean, honest < honest_of_mean
    if by_number == honestly:
        return "orders these two as an honest error does, and only by luck"
    return "calls the worse of the two the better one"


def standing(place: float, other: float) -> str:
    """``a better place than``, ``the same place as`` or ``a worse place than``."""
    return "the same place as" if place == other else f"a {'better' if place < other else 'worse'} place than"


class Listing(NamedTuple):
    """Milliseconds a user for ten films, one prediction at a time and all at once; share of users with equal lists."""

    one_by_one: float
    at_once: float
    equal: float


def listing(split: Split, users: int = 10, seed: int = 0) -> Listing:
    """The study's loop over unseen movies for some test users, and one matrix product for all, on the same small SVD.

    Lists are equal when their stars, clipped to the scale as Surprise does and rounded to 3 digits, are.
    """
    final, people = split.for_test(), split.test[c.USER].unique()
    model, scale = SVD(seed, n_epochs=1).fit(final), tuple(split.info["rating_scale"])
    trainset = build_trainset(final.train, scale)
    algo = model.algorithm().fit(trainset)
    with provenance.Cost() as loop:
        theirs = {user: original_study.top_n_loop(algo, trainset, user) for user in people[:users].tolist()}
    with provenance.Cost() as product:
        ours = model.recommend(people, 10)
    stars = {user: rows[c.SCORE].clip(*scale).to_numpy() for user, rows in ours.groupby(c.USER)}
    equal = [np.allclose(stars[user], [value for _, value in made], atol=5e-4) for user, made in theirs.items()]
    return Listing(1000 * loop.seconds / len(theirs), 1000 * product.seconds / len(people), float(np.mean(equal)))
