"""Decisions on every job: each case beside the data in which the opposite holds, in both languages."""

import math

import numpy as np
import pandas as pd
import pytest
from report_samples import leaderboard

from aicine_utils import settings
from aicine_utils.findings import JobTables, decision, findings
from aicine_utils.findings.decisions import JOBS

# model, label, value, place, seconds to train, control
ROWS = [("ease", "EASE", 0.120, 1, 2.0, False), ("item_knn", "Item k-NN", 0.110, 2, 1.0, False),
        ("popularity", "Most liked", 0.060, 3, 0.1, True), ("random", "Random", 0.010, 4, 0.1, True)]  # fmt: skip


def means(job="watched", budget=(math.inf, math.inf), **changes):
    """The table of one job; ``model={column: value}`` changes cells."""
    table = pd.DataFrame(ROWS, columns=["model", "label", "value", "place", "fit_seconds", "control"])
    table = table.assign(low=table["value"] - 0.01, high=table["value"] + 0.01, answer_seconds=1.0, memory=50.0)
    table = table.assign(job=job, metric=JOBS[job], why="", people=943, budget_seconds=budget[0], budget_mb=budget[1])
    table = table.set_index("model", drop=False)
    for model, cells in changes.items():
        for column, value in cells.items():
            table.loc[model, column] = value
    return table.sort_values("value", ascending=False, kind="stable").reset_index(drop=True)


def pair(model, other, difference, low, high, needed=5000.0, job="watched"):
    """The table of one pair."""
    row = (job, model, other, difference, low, high, 943, needed, needed / 2)
    columns = ["job", "model", "other", "difference", "low", "high", "people", "needed", "needed_alone"]
    return pd.DataFrame([row], columns=columns)


def made(table, pairs=None, job="watched", board=None):
    """The decision on one job."""
    board = leaderboard() if board is None else board
    return {one.job: one for one in decision(board, JobTables(table, pairs))}[job]


def test_every_job_is_decided_in_its_order():
    table = pd.concat([means(job) for job in ("watched", "new_user", "new_movie")])
    assert [one.job for one in decision(leaderboard(), JobTables(table))] == list(JOBS)
    assert [one.job for one in decision(leaderboard())] == ["home", "stars"]


def test_alone_names_the_runner_up_the_margin_and_what_it_must_gain():
    one = made(means(), pair("ease", "item_knn", 0.010, 0.004, 0.016))
    assert one.text["en"] == (
        "Because you watched: ship EASE. NDCG@10 0.120 [0.110, 0.130], 0.010 [0.004, 0.016] above the runner-up, "
        "Item k-NN."
    )
    assert one.change["en"] == "The choice falls once Item k-NN gains 0.010 [0.004, 0.016] of NDCG@10 on it."
    assert (one.model, one.settled, one.low, one.high) == ("ease", True, 0.004, 0.016)
    swapped = made(means(item_knn={"value": 0.2, "place": 0}))
    assert swapped.model == "item_knn"
    assert "0.080 above the runner-up, EASE" in swapped.text["en"]


def test_what_is_shipped_is_explained_by_model_or_family():
    assert made(means()).gloss["en"].startswith("EASE learns how much each film of a history speaks for")
    behind = means(ease={"model": "ease+popularity", "label": "EASE + most liked"})
    assert made(behind).gloss["en"].startswith("EASE + most liked learns how much")
    assert (
        made(means(ease={"model": "together", "label": "Watched together"}))
        .gloss["en"]
        .startswith("Watched together c")
    )
    assert made(means(popularity={"place": 1})).gloss is None
    described = made(means(ease={"model": "lightfm_users", "label": "LightFM, people described"}))
    assert "it needs gender, age and occupation" in described.gloss["en"]


def test_a_tie_says_how_many_people_would_tell():
    tied = means(item_knn={"place": 1})
    one = made(tied, pair("ease", "item_knn", 0.010, -0.002, 0.022, needed=5000))
    assert "the highest of 2 models that share first place" in one.text["en"]
    assert "Item k-NN can't be told from it (difference +0.010 [-0.002, 0.022])." in one.text["en"]
    sure = made(tied, pair("ease", "item_knn", 0.010, 0.002, 0.018))
    assert "for this pair alone is +0.010 [0.002, 0.018], but among all pairs compared one as large" in sure.text["en"]
    assert "The choice falls if more people show Item k-NN to be better." in one.change["en"]
    assert "EASE is surely ahead among all these pairs at 5,000 people instead of 943" in one.change["en"]
    assert "(5.3 times as many), in a test of these two alone at 2,500." in one.change["en"]
    enough = made(tied, pair("ease", "item_knn", 0.010, 0.001, 0.019, needed=1500))
    assert "in a test of these two alone the 943 measured would have done" in enough.change["en"]
    assert "943명이 아니라 5,000명" in one.change["ko"]
    assert not one.settled
    close = made(tied, pair("ease", "item_knn", 0.010, -0.002, 0.022, needed=95_000))
    assert "it takes over 100 times as many people to tell EASE from Item k-NN: either will do" in close.change["en"]
    few = made(tied, pair("ease", "item_knn", 0.010, -0.002, 0.022, needed=400))
    assert "400 of the 943 people would do" in few.change["en"]
    same = made(tied, pair("ease", "item_knn", 0.0, 0.0, 0.0, needed=math.inf))
    assert "No number of people would tell EASE from Item k-NN" in same.change["en"]
    assert made(tied).change["en"] == "The choice falls if a test shows Item k-NN to be better than EASE."
    untold = made(tied, pair("ease", "item_knn", 0.010, -0.002, 0.022).drop(columns="needed_alone"))
    assert untold.change["en"].endswith("at 5,000 people instead of 943 (5.3 times as many).")


@pytest.mark.parametrize(("high", "alike"), [(0.0055, True), (0.0065, False)])
def test_two_that_surely_differ_by_less_than_matters_are_equally_good(high, alike):
    """A twentieth of 0.120 is 0.006."""
    one = made(means(item_knn={"place": 1}), pair("ease", "item_knn", 0.002, -0.001, high))
    assert ("differ by less than the 0.006 of NDCG@10 that matters" in one.change["en"]) == alike


def test_a_pair_may_stand_the_other_way_round():
    tied = means(item_knn={"place": 1, "value": 0.130}, ease={"fit_seconds": 1.0})
    one = made(tied, pair("ease", "item_knn", -0.010, -0.022, 0.002))
    assert one.model == "item_knn"
    assert one.margin == pytest.approx(0.010)
    assert (one.low, one.high) == (-0.002, 0.022)


def test_a_cheap_choice_names_its_price():
    dear = means(ease={"fit_seconds": 101.0}, item_knn={"place": 1, "value": 0.118})
    one = made(dear, pair("ease", "item_knn", 0.002, -0.001, 0.005))
    assert one.model == "item_knn"
    assert "near the best of 2 models" in one.text["en"]
    # 100 s are spared for .002, so .01 costs 500 s; a twentieth of .120 is .006, and the interval ends at .005.
    assert "where 0.01 of NDCG@10 is worth more than 8 min of computing" in one.change["en"]
    assert "really more than 0.006 ahead, which the interval rules out" in one.change["en"]
    wide = made(dear, pair("ease", "item_knn", 0.002, -0.001, 0.009))
    assert "really more than 0.006 ahead, which the interval allows" in wide.change["en"]
    assert made(means(item_knn={"place": 1, "value": 0.118})).model == "ease"


@pytest.mark.parametrize(("seconds", "chosen"), [(4_500.0, "item_knn"), (5_500.0, "ease")])
def test_what_is_worth_saving_is_a_share_of_the_budget(seconds, chosen):
    dear = means(budget=(seconds, math.inf), ease={"fit_seconds": 101.0}, item_knn={"place": 1, "value": 0.118})
    assert made(dear).model == chosen  # 100 of 102 s are saved, and a fiftieth of the budget is 90 or 110


def test_what_is_not_told_from_chance_is_not_shipped():
    one = made(means(popularity={"place": 1}, item_knn={"place": 1}), pair("ease", "popularity", 0.01, -0.01, 0.03))
    assert (one.model, one.standing) == (None, "not decided")
    assert "None is surely better than all lists that do not look at the film" in one.text["en"]
    assert one.text["en"].endswith("Most liked 0.060 [0.050, 0.070] (difference +0.010 [-0.010, 0.030]).")
    ahead = made(means(popularity={"place": 1}), pair("ease", "popularity", 0.01, 0.002, 0.018))
    assert ": the difference for this pair alone is +0.010 [0.002, 0.018]" in ahead.text["en"]
    assert "does as well" not in ahead.text["en"]
    assert one.change["en"].startswith("EASE would be shipped once it is surely ahead of Most liked.")
    behind = means(popularity={"place": 1, "value": 0.125})
    one = made(behind, pair("ease", "popularity", -0.005, -0.02, 0.01))
    assert one.change["en"].startswith("EASE would have to gain 0.005 [-0.010, 0.020] of NDCG@10 to be worth showing.")
    assert made(means()).model == "ease"


def test_who_is_proven_against_every_control_is_shipped_before_a_higher_mean():
    """The best mean may be too noisy to be told from a control that the next one surely beats."""
    noisy = means(popularity={"place": 1}, item_knn={"place": 1}).assign(proven=False)
    one = made(noisy)
    assert (one.model, "None is surely better" in one.text["en"]) == (None, True)
    noisy.loc[noisy["model"] == "item_knn", "proven"] = True
    one = made(noisy)
    assert (one.model, one.settled) == ("item_knn", True)
    assert "ship Item k-NN, the only one that is surely better than all lists that do not" in one.text["en"]
    assert "nothing else was measured" not in one.text["en"]
    assert one.change["en"].startswith("The choice falls if a test shows EASE to be better than Item k-NN.")
    sure = made(means().assign(proven=[True, False, False, False]), pair("ease", "item_knn", 0.01, 0.004, 0.016))
    assert sure.change["en"].startswith("The choice falls once Item k-NN gains 0.010 [0.004, 0.016]")
    both = noisy.assign(proven=noisy["model"].isin(["ease", "item_knn"]))
    assert (made(both).model, made(both).runner_up) == ("ease", "Item k-NN")


def test_stars_are_held_against_a_mean_of_stars():
    board = leaderboard()
    table = pd.DataFrame({"job": "stars", "metric": "rmse", "model": board["model"], "why": None, "control": False,
                          "proven": True, "budget_seconds": math.inf, "budget_mb": math.inf})  # fmt: skip
    assert decision(board, JobTables(table))[1].model == "svdpp"
    table.loc[table["model"] == "svdpp", "control"] = True
    assert decision(board, JobTables(table))[1].model == "svd"
    none = decision(board, JobTables(table.assign(proven=False)))[1]
    assert none.text["en"].startswith("Stars shown: ship none of these. SVD++ (Surprise) has RMSE 0.902")


def test_of_stars_a_cheaper_model_gives_up_half_a_hundredth_at_most():
    board = leaderboard()
    board.loc[board["model"] == "svd", "place_rmse"] = 1
    svdpp = float(board.loc[board["model"] == "svdpp", "rmse"].iloc[0])
    for lost, chosen in ((0.004, "svd"), (0.006, "svdpp")):  # a twentieth of the error would be ten times as much
        board.loc[board["model"] == "svd", "rmse"] = svdpp + lost
        assert decision(board)[1].model == chosen


def test_a_control_that_is_ahead_of_all_is_said():
    beaten = means(popularity={"value": 0.150, "place": 1}, ease={"place": 2})
    one = made(beaten, pair("popularity", "ease", 0.030, 0.010, 0.050))
    assert one.model is None
    assert "ship none of these. Most liked has NDCG@10 0.150" in one.text["en"]
    assert "ahead of the best of them, EASE with 0.120" in one.text["en"]
    assert "EASE would have to gain 0.030 [0.010, 0.050] of NDCG@10" in one.change["en"]


def test_one_model_alone_was_measured():
    one = made(means().head(1))
    assert "nothing else was measured" in one.text["en"]
    assert one.change is None


@pytest.mark.parametrize("why", settings.read_yaml(settings.CONFIGS / "sentences.yaml")["unmeasured"])
def test_a_job_that_could_not_be_measured_says_so(why):
    bare = pd.DataFrame([{"job": "new_movie", "metric": "ndcg@10", "why": why}]).reindex(columns=means().columns)
    one = made(bare, job="new_movie")
    assert one.text["en"].startswith("New movie: not decided, because ")
    assert one.text["ko"].startswith("신작 영화: 정하지 못했습니다.")
    assert (one.model, one.change) == (None, None)


@pytest.mark.parametrize(("seconds", "memory"), [(60.0, math.inf), (math.inf, 100.0)])
def test_the_budget_leaves_out_what_t_can_not_pay(seconds, memory):
    costly = {"fit_seconds": 500.0, "memory": 800.0}
    one = made(means(budget=(seconds, memory), ease=costly))
    assert one.model == "item_knn"
    assert "With a larger budget it might be EASE, which takes 8 min and 800 MB (NDCG@10 0.120" in one.change["en"]
    free = made(means(ease=costly))
    assert free.model == "ease"
    assert "larger budget" not in free.change["en"]
    worse = made(means(budget=(seconds, memory), item_knn=costly))
    assert worse.model == "ease"
    assert "larger budget" not in str(worse.change)  # beyond the budget is nothing better


@pytest.mark.parametrize(("other", "alone"), [(0.105, False), (0.060, True)])
def test_beyond_the_budget_nobody_is_the_measure_of_those_within(other, alone):
    """Places 2 and 3 say who is behind EASE, which is too dear, and nothing of these two: intervals do."""
    spent, ends = {"fit_seconds": 500.0}, {"value": other, "low": other - 0.01, "high": other + 0.01}
    table = means(budget=(60.0, math.inf), ease=spent, popularity={"control": False, **ends})
    one = made(table)
    assert (one.model, one.settled) == ("item_knn", alone)


def test_who_takes_most_people_to_be_beaten_is_named():
    table = means(popularity={"place": 1})
    pairs = [pair("ease", other, 0.01, -0.01, 0.03, needed) for other, needed in (("popularity", 5e3), ("random", 9e3))]
    one = made(table, pd.concat(pairs))
    assert one.change["en"].startswith("EASE would be shipped once it is surely ahead of Random.")
    assert "9,000 people instead of 943" in one.change["en"]


def test_a_smaller_budget_names_who_is_left():
    dear = means(ease={"fit_seconds": 119.0})
    assert "With less than 2 min to train and answer it would be Item k-NN (NDCG@10 0.110" in made(dear).change["en"]
    all_dear = means(ease={"fit_seconds": 119.0}, item_knn={"fit_seconds": 500.0})
    assert "With less than 2 min to train and answer there would be no model" in made(all_dear).change["en"]
    assert "With less than" not in made(means()).change["en"]  # three seconds bound no service


def test_home_and_stars_have_the_interval_of_their_margin():
    pairs = pd.concat([pair("ease", "ials", 0.002, -0.003, 0.007, job="home"),
                       pair("svdpp", "svd", 0.009, 0.005, 0.013, job="stars")])  # fmt: skip
    home, stars = decision(leaderboard(), JobTables(None, pairs))
    assert "can't be told from it (difference +0.002 [-0.003, 0.007])." in home.text["en"]
    assert "0.009 [0.005, 0.013] below the runner-up, SVD (Surprise)" in stars.text["en"]
    assert "once SVD (Surprise) gains 0.009 [0.005, 0.013] of RMSE on it" in stars.change["en"]


def test_the_budget_binds_home_row_stars_and_cards():
    table = means(budget=(5.0, math.inf))
    home, stars = decision(leaderboard(), JobTables(table))[:2]
    assert home.model == "ease"  # 2.1 s and an answer
    assert stars.model == "svd"  # SVD++ takes 92 s
    assert "SVD++ (Surprise)" in stars.change["en"]
    dear = leaderboard()
    dear.loc[dear["model"] == "ease", "fit_seconds"] = 60.0
    dear.loc[dear["model"] == "ials", "fit_seconds"] = 1.0
    cards = {one.key: one.text["en"] for one in findings(dear, JobTables(table))}
    assert decision(dear, JobTables(table))[0].model == "ials"
    assert cards["coverage"].startswith("iALS recommends")


CASES = {
    "alone": means(), "tied": means(item_knn={"place": 1}), "only": means().head(1),
    "cheap": means(ease={"fit_seconds": 101.0}, item_knn={"place": 1, "value": 0.118}),
    "chance": means(popularity={"place": 1}), "beaten": means(popularity={"value": 0.15, "place": 0}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("job", ["watched", "new_user", "new_movie"])
@pytest.mark.parametrize("paired", [True, False])
def test_every_sentence_is_filled_in_both_languages(case, job, paired):
    table = CASES[case].assign(job=job)
    pairs = pd.concat([pair("ease", other, 0.01, -0.01, 0.03, job=job) for other in ("item_knn", "popularity")])
    one = made(table, pairs if paired else None, job)
    name = settings.read_yaml(settings.CONFIGS / "sentences.yaml")["jobs"][job]
    for lang, start in name.items():
        for text in (one.text[lang], *([one.change[lang]] if one.change else [])):
            assert "{" not in text
            assert "nan" not in text.lower()
        assert one.text[lang].startswith(f"{start}:")
    assert any("가" <= letter <= "힣" for letter in one.text["ko"])


def test_stars_can_be_beaten_by_chance_too():
    board = leaderboard()
    board.loc[board["model"] == "random", ["rmse", "place_rmse"]] = [0.5, 0]
    stars = decision(board)[1]
    assert stars.model is None
    assert "ship none of these. Random has RMSE 0.500" in stars.text["en"]
    board.loc[board["model"] == "random", ["rmse", "place_rmse"]] = [0.95, 1]
    assert "none is surely better than all predictions that know no tastes" in decision(board)[1].text["en"]
    assert np.isnan(board["rmse"]).any()
