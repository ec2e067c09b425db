"""Other seeds: whom a budget trains again, what the spread is set against, and what is said of it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from aicine_utils import experiment, leaderboard, settings
from aicine_utils.errors import AicineError
from aicine_utils.models import registry
from aicine_utils.study import seeds

# EASE and the two k-NN draw nothing; of the others iALS, MultiVAE, SVD and RaCT draw.
ROWS = [("ease", 0.30, 1.0), ("ials", 0.29, 2.0), ("multivae", 0.28, 20.0), ("item_knn", 0.27, 1.0),
        ("user_knn", 0.26, 1.0), ("bpr", 0.25, 1.0), ("ract", 0.2, 50.0), ("svd", 0.1, 3.0)]  # fmt: skip


@pytest.fixture
def board():
    table = pd.DataFrame(ROWS, columns=["model", "ndcg@10", "fit_seconds"]).assign(recommend_seconds=0.5)
    table["label"] = [registry.entry(name).label for name in table["model"]]
    table["rmse"] = np.where(table["model"] == "svd", 0.9, np.nan)
    for metric, half in (("ndcg@10", 0.0196), ("rmse", 0.00196)):
        table[f"{metric}_low"], table[f"{metric}_high"] = table[metric] - half, table[metric] + half
    return table


def stars_off(*errors):
    """Predictions of one rating a person that are so far off."""
    return pd.DataFrame({"user_id": range(len(errors)), "rating": 4.0, "predicted": 4.0 - np.array(errors)})


# The best lists, and the best stars, of two people, whose distances from iALS and SVD differ by .02 and about .002.
BEST = {
    "ease": SimpleNamespace(values=lambda metric, k: pd.Series([0.21, 0.40]), predictions=None),
    "ials": SimpleNamespace(values=lambda metric, k: pd.Series([0.20, 0.37]), predictions=None),
    "svd": SimpleNamespace(values=lambda metric, k: pd.Series([0.1, 0.1]), predictions=stars_off(0.9, 0.9)),
    "svdpp": SimpleNamespace(values=lambda metric, k: pd.Series([0.1, 0.1]), predictions=stars_off(0.799, 0.801)),
}


def of(ndcg, off=None):
    """A run with this mean over two people, and predictions that are so far off."""
    stars = None if off is None else stars_off(off, off)
    return SimpleNamespace(values=lambda metric, k: pd.Series([ndcg - 0.1, ndcg + 0.1]), predictions=stars)


@pytest.mark.parametrize(
    ("budget", "again", "dear"),
    [
        # Two more trainings of each: iALS 5 s, SVD 7 s, MultiVAE 41 s, RaCT 101 s; together 5, 12, 53, 154.
        (0, [], ["ials", "multivae", "ract", "svd"]),
        (11.9, ["ials"], ["multivae", "ract", "svd"]),
        (12, ["ials", "svd"], ["multivae", "ract"]),
        (153.9, ["ials", "multivae", "svd"], ["ract"]),
        (154, ["ials", "multivae", "ract", "svd"], []),
    ],
)
def test_the_cheapest_are_trained_again_as_far_as_the_budget_goes(board, budget, again, dear):
    chosen = seeds.plan(board, 3, budget)
    assert (chosen.again, chosen.dear) == (again, dear)
    assert chosen.fixed == ["ease", "item_knn", "user_knn"]  # BPR is sixth
    assert seeds.counted(board, chosen, 3).tolist() == [3 if name in again else 1 for name in board["model"]]


def test_a_board_without_chance_needs_no_seed(board):
    assert seeds.plan(board[board["model"].isin(["ease", "item_knn"])], 3, 60) == ([], ["ease", "item_knn"], [])


def test_one_seed_is_no_other_seed_and_none_is_an_error(board):
    assert seeds.plan(board, 1, 1000).again == []
    for wrong in (0, 2.5, "3"):
        with pytest.raises(AicineError, match=r"seeds = .* is not a whole number from 1"):
            seeds.plan(board, wrong, 1000)


def test_spread_by_hand(board):
    made = [{"ials": of(0.29), "svd": of(0.1, 0.9)}, {"ials": of(0.31), "svd": of(0.1, 1.0)},
            {"ials": of(0.27), "svd": of(0.1, 0.8)}]  # fmt: skip
    table = seeds.table(made, board, BEST).set_index(["model", "metric"])
    assert list(table.index) == [("ials", "ndcg@10"), ("svd", "ndcg@10"), ("svd", "rmse")]
    ials, svd = table.loc[("ials", "ndcg@10")], table.loc[("svd", "rmse")]
    # Values .29, .31, .27: mean .29, deviations 0, .02, -.02, so variance .0008 / 2 and its root .02.
    # Distances .01 and .03, so a standard deviation of .02 / √2 and, of two people, an error of .01.
    assert ials[["seeds", "mean", "between", "people", "apart"]].tolist() == pytest.approx([3, 0.29, 0.02, 0.01, 0.01])
    assert svd[["mean", "between", "people", "apart"]].tolist() == pytest.approx([0.9, 0.1, 0.001, 0.001], rel=0.01)
    assert ials[["lowest", "highest"]].tolist() == pytest.approx([0.27, 0.31])


def said(board, ials, svd, budget=12):
    """The sentences when iALS has these NDCG@10 and SVD these RMSE, seed by seed."""
    chosen = seeds.plan(board, 3, budget)
    made = [{"ials": of(one), "svd": of(0.1, other)} for one, other in zip(ials, svd, strict=True)]
    return seeds.sentences(seeds.table(made, board, BEST), made, board, chosen, budget)


def test_little_spread_is_told(board):
    assert said(board, [0.29, 0.295, 0.285], [0.9, 0.9005, 0.8995]) == [
        "Seeds move NDCG@10 less than people move its distance from the best: 0.0050 between 3 seeds, 0.0100 over "
        "people at most (iALS).",
        "Seeds move RMSE less than people move its distance from the best: 0.0005 between 3 seeds, 0.0010 over people "
        "at most (SVD (Surprise)).",
        "EASE has the highest NDCG@10 of these under each of the 3 seeds.",
        "EASE, Item k-NN and User k-NN draw nothing at random.",
        "MultiVAE and RaCT stay at one seed: more would not fit into 12 s of training.",
    ]


def test_a_single_name_stands_alone(board):
    chosen = seeds.plan(board, 3, 60)
    assert seeds.sentences(seeds.table([{}], board, BEST), [{}], board, chosen, 60)[-1] == (
        "RaCT stays at one seed: more would not fit into 60 s of training."
    )
    told = said(board, [0.29, 0.31, 0.27], [0.9, 0.9, 0.9])[0]
    assert told.startswith("Seeds move the NDCG@10 of iALS as much")


def test_the_opposite_is_told_where_the_data_do(board):
    told = said(board, [0.29, 0.31, 0.27], [0.9, 1.0, 0.8])
    assert told[0] == (
        "Seeds move the NDCG@10 of iALS as much as people move its distance from the best, or more: 0.0200 between 3 "
        "seeds, 0.0100 over people (iALS). A place near another may turn with the seed."
    )
    assert told[1].startswith("Seeds move the RMSE of SVD (Surprise) as much as people move")
    assert told[2] == "The highest NDCG@10 of these changes with the seed: 2 × EASE, 1 × iALS."


def test_nothing_is_told_of_seeds_that_were_not_trained(board):
    chosen = seeds.plan(board, 3, 0)
    table = seeds.table([{}], board, BEST)
    assert table.empty
    assert seeds.sentences(table, [{}], board, chosen, 0.4) == [
        "EASE, Item k-NN and User k-NN draw nothing at random.",
        "iALS, MultiVAE, RaCT and SVD (Surprise) stay at one seed: more would not fit into 0.4 s of training.",
    ]


def test_later_seeds_are_trained_once_and_the_first_is_the_board_s(mock_split, monkeypatch):
    results = experiment.run_all(["svd", "views"], mock_split, seed=4, watch=lambda _: None)
    made = seeds.runs(results, ["svd"], mock_split, seed=4, seeds=3)
    assert made[0]["svd"] is results["svd"]
    assert [run["svd"].manifest["seed"] for run in made] == [4, 5, 6]
    monkeypatch.setattr(experiment, "_make", lambda *_: pytest.fail("trained again"))
    seeds.runs(results, ["svd"], mock_split, seed=4, seeds=3)
    assert seeds.runs(results, [], mock_split, 4, 3) == [{}]
    table = seeds.table(made, leaderboard.leaderboard(results.values(), mock_split, resamples=20), results)
    assert table["between"].gt(0).all()


def lists(name, split, seed):
    """What a fresh model with few passes shows and predicts."""
    few = {"n_epochs": 2, "epochs": 2, "iterations": 2}
    row = registry.entry(name)
    given = {key: value for key, value in few.items() if key in row.model_class.defaults}
    return experiment.lists(registry.create(name, "mock", seed, **given).fit(split), split, k=10)


@pytest.mark.parametrize("row", [row for row in registry.ENTRIES if not row.draws], ids=lambda row: row.name)
def test_models_said_to_draw_nothing_are_the_same_under_another_seed(mock_split, row):
    (one, stars), (other, other_stars) = (lists(row.name, mock_split.for_test(), seed) for seed in (0, 1))
    pd.testing.assert_frame_equal(one, other)
    assert (stars is None) == (other_stars is None)
    if stars is not None:
        pd.testing.assert_frame_equal(stars, other_stars)


@pytest.mark.parametrize(
    "name", ["random", "item2vec", "content_word2vec", "svd", "svdpp", "nmf", "co_clustering", "ials", "lightfm_ids"]
)
def test_models_said_to_draw_change_with_the_seed(mock_split, name):
    assert registry.entry(name).draws
    one, other = (lists(name, mock_split.for_test(), seed)[0] for seed in (0, 1))
    assert not one.equals(other)


def test_every_preset_says_how_long():
    presets = {name: settings.preset(name) for name in settings.read_yaml(settings.CONFIGS / "presets.yaml")}
    assert presets["mock"].seed_seconds < presets["quick"].seed_seconds <= 60
    assert presets["full"].seed_seconds <= 1.5 * 3600
