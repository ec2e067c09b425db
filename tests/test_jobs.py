"""Jobs: means and margins by hand, the people that a tie needs, and what can't be measured."""

import numpy as np
import pandas as pd
import pytest

from aicine_utils import columns as c
from aicine_utils import experiment
from aicine_utils.metrics import rating
from aicine_utils.study import jobs

USERS = pd.Index(range(1, 41), name=c.USER)


def job(name="watched", **values):
    """A job of made-up values: "good" is .2 better than "bad" for everyone, "same" equal to "good"."""
    rng = np.random.default_rng(0)
    good = rng.random(len(USERS))
    frame = pd.DataFrame({"good": good, "bad": good - 0.2, "same": good, "random": good - 0.5}, USERS)
    costs = pd.DataFrame({"fit_seconds": 2.0, "answer_seconds": 1.0, "memory": 9.0}, ["good", "bad"])
    labels = {name: name.capitalize() for name in frame}
    return jobs.Job(name, **{"values": frame, "labels": labels, "costs": costs, **values})


def test_means_places_costs_and_controls():
    table = jobs.table([job()], 200, budget=(60.0, 100.0)).set_index("model")
    assert list(table.reset_index()[jobs.TABLE]) == jobs.TABLE
    assert table.index.tolist() == ["good", "same", "bad", "random"]  # best first
    assert table["place"].tolist() == [1, 1, 3, 4]
    assert table.loc["good", "value"] - table.loc["bad", "value"] == pytest.approx(0.2)
    assert (table["low"] < table["value"]).all()
    assert (table["value"] < table["high"]).all()
    assert table["control"].tolist() == [False, False, False, True]
    assert table.loc["bad", ["fit_seconds", "answer_seconds", "memory"]].tolist() == [2, 1, 9]
    assert pd.isna(table.loc["same", "memory"])
    assert set(table["people"]) == {40}
    assert (table["budget_seconds"] == 60).all()
    assert (table["budget_mb"] == 100).all()


def test_a_person_whom_one_model_lacks_counts_for_none():
    values = job().values
    values.loc[3, "bad"] = np.nan
    assert set(jobs.table([job(values=values)], 50)["people"]) == {39}


def test_other_measures_are_in_the_table_without_a_place():
    hits = job().values.round()
    rows = jobs.table([job(more={jobs.HIT: hits})], 50).query("metric == 'hit@10'").set_index("model")
    assert rows.loc["good", "value"] == pytest.approx(hits["good"].mean())
    assert rows["place"].isna().all()


def test_pairs_name_the_better_first_and_their_interval_is_paired():
    pairs = jobs.pairs([job()], 400).set_index(["model", "other"])
    assert len(pairs) == 6
    one = pairs.loc[("good", "bad")]
    assert one[["difference", "low", "high"]].tolist() == pytest.approx([0.2] * 3)  # the same for everyone: no spread
    assert one["needed"] == 2  # the fewest that can be tested
    assert ("bad", "good") not in pairs.index
    same = pairs.loc[("good", "same")]
    assert (same["difference"], same["needed"]) == (0, np.inf)


def test_the_interval_of_a_noisy_difference_is_that_of_the_t_test():
    rng = np.random.default_rng(1)
    noisy = pd.DataFrame({"a": rng.normal(0.1, 1, 400), "b": 0.0}, pd.RangeIndex(400, name=c.USER))
    row = jobs.pairs([job(values=noisy, labels={"a": "A", "b": "B"})], 4000).iloc[0]
    from aicine_utils.metrics import significance

    expected = significance.paired(noisy["a"].to_numpy(), noisy["b"].to_numpy())
    sign = 1 if row["model"] == "a" else -1
    assert sorted([sign * row["low"], sign * row["high"]]) == pytest.approx([expected.low, expected.high], abs=0.01)


def test_needed_people_by_hand():
    differences = np.array([[1.1, 0.0], [-0.9, 0.0]])  # mean .1, deviation √2
    one, none = jobs.needed(differences, tests=1)
    assert one == np.ceil(2 * ((1.959964 + 0.841621) / 0.1) ** 2)
    assert none == np.inf
    assert jobs.needed(differences, tests=10)[0] > one  # a level shared by ten comparisons asks for more people


def test_against_a_control_only_such_pairs_share_the_level():
    rng = np.random.default_rng(3)
    values = pd.DataFrame(rng.normal(0, 1, (60, 4)), pd.RangeIndex(60, name=c.USER), ["a", "b", "c", "random"])
    made = job(values=values, labels={name: name for name in values})
    apart = jobs.pairs([made], 50).set_index(["model", "other"])
    for (model, other), row in apart.iterrows():
        differences = (values[model] - values[other]).to_numpy()[:, None]
        tests = 3 if "random" in (model, other) else 6  # three models and a control, or all six pairs
        assert row["needed"] == jobs.needed(differences, tests)[0]


def test_a_tie_always_needs_more_people_than_were_measured():
    rng = np.random.default_rng(2)
    values = pd.DataFrame(rng.normal(0, 1, (60, 5)) + np.linspace(0, 0.5, 5), pd.RangeIndex(60, name=c.USER))
    values.columns = list("abcde")
    made = job(values=values, labels={name: name for name in values})
    place = jobs.table([made], 50).set_index("model")["place"]
    pairs = jobs.pairs([made], 50)
    tied = pairs[(pairs["model"] == place.index[0]) & (pairs["other"].map(place) == 1)]
    assert len(tied) > 1
    assert (tied["needed"] > tied["people"]).all()


def rated(name, errors):
    """A run's stand-in whose predictions are off by these stars."""
    users = np.repeat([1, 2, 3], [1, 2, 3])
    frame = pd.DataFrame({c.USER: users, c.MOVIE: range(6), c.RATING: 3.0, c.PREDICTED: 3.0 + np.array(errors)})
    manifest = {"fit_seconds": 1.0, "recommend_seconds": 1.0, "peak_mb": 1.0}
    return type("Run", (), {"name": name, "predictions": frame, "manifest": manifest})()


def test_stars_are_pooled_over_ratings_and_lower_is_better():
    runs = {"svd": rated("svd", [1, 1, 1, -1, 1, 1]), "baseline": rated("baseline", [2, 2, -2, 2, 0, 0])}
    made = jobs.stars(runs)
    table = jobs.table([made], 300).set_index("model")
    assert table.index.tolist() == ["svd", "baseline"]
    assert table.loc["svd", "value"] == pytest.approx(1)
    assert table.loc["baseline", "value"] == pytest.approx(np.sqrt(16 / 6))
    shown = rating.evaluate_ratings(runs["baseline"].predictions, 300).loc["rmse", ["low", "high"]]
    assert table.loc["baseline", ["low", "high"]].tolist() == pytest.approx(shown.tolist())
    row = jobs.pairs([made], 300).iloc[0]
    assert (row["model"], row["other"]) == ("svd", "baseline")
    assert row["difference"] == pytest.approx(np.sqrt(16 / 6) - 1)
    assert row["low"] <= row["difference"] <= row["high"]


def test_what_could_not_be_measured_says_why(mock_data):
    movies = mock_data.movies.assign(**{c.YEAR: pd.NA, c.GENRES: [[] for _ in range(len(mock_data.movies))]})
    films = pd.DataFrame(columns=["model", "through", "candidates", c.USER, c.VALUE])
    people = pd.DataFrame(columns=["model", "behind", "given", c.USER, c.VALUE])
    bare = [jobs.stars({}), jobs.because_watched(pd.DataFrame(), {}), jobs.new_user(people, {}),
            jobs.new_movie(films, movies, {})]  # fmt: skip
    table = jobs.table(bare, 50)
    assert table["why"].tolist() == ["no_raters", "nobody_liked", "short_histories", "no_descriptions"]
    assert table["model"].isna().all()
    assert jobs.pairs(bare, 50).empty
    assert jobs.caption(bare[0]) == "Could not be measured here"
    assert jobs.caption(job()) == "4 models, 40 people"


def test_jobs_of_real_runs(mock_split, home):
    results = {name: experiment.run(name, mock_split) for name in ("random", "popularity", "item_knn", "baseline")}
    row, board = jobs.home(results), jobs.table([jobs.home(results), jobs.stars(results)], 50)
    assert row.known["item_knn"].mean() == pytest.approx(results["item_knn"].values().mean())
    assert set(board.loc[board["job"] == "stars", "model"]) == {"baseline"}
    assert row.label("item_knn") == "Item k-NN"
    manifest = results["baseline"].manifest
    assert board.iloc[-1][["fit_seconds", "answer_seconds", "memory"]].tolist() == [
        manifest["fit_seconds"], manifest["recommend_seconds"], manifest["peak_mb"]]  # fmt: skip


def test_a_newcomer_s_list_costs_all_the_models_that_it_needs():
    people = pd.DataFrame(
        [(name, behind, given, user, 0.1 * given) for name in ("ease", "popularity") for behind in (False, True)
         for given in (0, 3, 5, 10) for user in (1, 2, 3)],
        columns=["model", "behind", "given", c.USER, c.VALUE],
    ).query("model == 'ease' or not behind")  # fmt: skip
    runs = {name: rated(name, [0] * 6) for name in ("ease", "popularity")}
    runs["ease"].manifest["peak_mb"] = 50.0
    made = jobs.new_user(people, runs)
    assert made.values.loc[1].to_dict() == pytest.approx(dict.fromkeys(["ease", "ease+popularity", "popularity"], 0.4))
    assert made.costs.loc["ease+popularity"].tolist() == [2, 2, 50]
    assert made.label("ease+popularity") == "EASE + most liked"
