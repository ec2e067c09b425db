"""Who is measured again, on which splits, and with which settings."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from aicine_utils import columns as c
from aicine_utils import experiment
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import AicineError
from aicine_utils.protocols import TEST, user_temporal
from aicine_utils.study import finalists


def counts(labels, ratings):
    return pd.crosstab(ratings[c.USER].to_numpy(), labels)


def test_the_random_split_has_the_sizes_of_the_usual_one_and_other_rows(mock_data):
    usual, random = user_temporal(mock_data.ratings), finalists.random_labels(mock_data.ratings)
    pd.testing.assert_frame_equal(counts(random, mock_data.ratings), counts(usual, mock_data.ratings))
    both = ((usual == TEST) & (random == TEST)).sum() / (usual == TEST).sum()
    assert 0.1 < both < 0.3  # a fifth by chance
    assert (finalists.random_labels(mock_data.ratings) == random).all()
    assert (finalists.random_labels(mock_data.ratings, seed=1) != random).any()


def test_times_do_not_tell_the_random_split_anything(mock_data):
    still = mock_data.ratings.assign(**{c.TIMESTAMP: np.datetime64(0, "s")})
    assert (finalists.random_labels(still) == finalists.random_labels(mock_data.ratings)).all()


def test_a_split_that_the_data_do_not_allow_is_told(mock_data):
    still = mock_data.ratings.assign(**{c.TIMESTAMP: np.datetime64(0, "s")})
    made, refused = finalists.make_splits(MovieLens(still, mock_data.movies, None, mock_data.info))
    assert list(made) == ["user_temporal", "leave_one_out", "user_random"]
    assert list(refused) == ["global_temporal"]
    assert "different times" in refused["global_temporal"]
    assert made["user_random"].refits
    assert made["user_random"].min_relevant == made["user_temporal"].min_relevant


BOARD = pd.DataFrame(
    [("random", "pop", 0.9, 0), ("gru", "neural", 0.5, 80), ("ease", "linear", 0.4, 1), ("mlp", "neural", 0.3, 9),
     ("neumf", "neural", 0.2, 2), ("popularity", "pop", 0.1, 0), ("views", "pop", 0.15, 0), ("ract", "rb", 0.05, 86),
     ("svd", "mf", 0.02, 3), ("nmf", "mf", 0.03, 4)],
    columns=["model", "family", "ndcg@10", "fit_seconds"],
)  # fmt: skip


def chosen(seconds):
    table = finalists.choose(BOARD, seconds).set_index("model")
    return table.index[table["chosen"]].tolist(), table.index[~table["chosen"]].tolist(), table


def test_the_best_of_each_family_and_the_four_of_the_story():
    taken, left, table = chosen(100)
    assert taken == ["gru", "ease", "views", "popularity", "ract", "nmf", "svd"]
    assert left == []
    assert table["named"].all()


def test_who_is_over_the_budget_is_left_out_and_the_next_of_the_family_stands_in():
    taken, left, table = chosen(9)
    assert taken == ["ease", "mlp", "views", "popularity", "nmf", "svd"]
    assert left == ["gru", "ract"]
    assert table.index[~table["named"]].tolist() == ["mlp"]


def test_a_budget_for_nobody_is_an_error():
    with pytest.raises(AicineError, match=r"1 models train in 0\.5 s.*Raise seconds_each"):
        finalists.choose(BOARD[BOARD["model"].isin(["popularity", "svd"])], 0.5)


def test_one_cut_in_time_meets_the_leaders_whatever_they_cost_and_the_lists_for_all():
    board = BOARD.assign(family=BOARD["family"].replace("pop", "non_personalised"))
    assert finalists.for_one_cut(board, 9) == [
        "gru", "ease", "mlp", "views", "popularity", "nmf", "svd", "recent_popularity"
    ]  # fmt: skip
    assert set(finalists.for_one_cut(board, 100)) - set(finalists.for_one_cut(board, 9)) == {"ract"}
    assert finalists.for_one_cut(board, -1) == ["gru", "ease", "mlp", "popularity", "recent_popularity"]


def test_who_leads_and_is_not_measured_again_is_named():
    board = BOARD.assign(place=1, label=BOARD["model"].str.upper())
    assert finalists.absent(board, list(board["model"]), 9) == ""
    one = finalists.absent(board, list(board["model"][1:]), 9)
    assert f"people's own timelines, {board['label'][0]} is not measured here: neither among the best 3" in one
    assert "trains within 9 s" in one
    assert f"{board['label'][0]} and {board['label'][1]} are not" in finalists.absent(board, board["model"][2:], 9)
    assert finalists.absent(board.assign(place=2), [], 9) == ""


def test_what_is_watched_lately_takes_the_half_life_of_each_split(mock_data, mock_split, monkeypatch):
    own = {"leave_one_out": {"recent_popularity": {"params": {"half_life_days": 3.0}}}}
    monkeypatch.setattr(experiment.registry.settings, "tuned", lambda dataset: own)
    usual = {"recent_popularity": experiment.run("recent_popularity", mock_split, half_life_days=900.0)}
    made = finalists.make_splits(mock_data)[0]
    lives = {name: finalists.run(usual, made[name], watch=print)["recent_popularity"].manifest["params"]
             for name in ("leave_one_out", finalists.RANDOM)}  # fmt: skip
    assert [params["half_life_days"] for params in lives.values()] == [3.0, 900.0]


def test_standing_reads_means_and_seconds():
    def run(values, seconds):
        return SimpleNamespace(
            values=lambda: pd.Series(values), manifest={"fit_seconds": seconds, "recommend_seconds": 0.1}
        )

    table = finalists.standing({"svd": run([0.2, 0.2], 3), "ease": run([0.4, 0.4], 1)}).set_index("model")
    assert table["ndcg@10"].tolist() == [0.2, 0.4]
    assert table["ndcg@10_low"].tolist() == pytest.approx([0.2, 0.4])
    assert table.loc["ease", ["label", "family", "fit_seconds"]].tolist() == ["EASE", "linear", 1]


def test_other_splits_get_the_settings_of_the_usual_run_and_not_their_own(mock_data, mock_split, monkeypatch):
    usual = {"mean_rating": experiment.run("mean_rating", mock_split, prior=7.0)}
    own = {"leave_one_out": {"mean_rating": {"params": {"prior": 1.0}}}}
    monkeypatch.setattr(experiment.registry.settings, "tuned", lambda dataset: own)
    split, lines = finalists.make_splits(mock_data)[0]["leave_one_out"], []
    again = finalists.run(usual, split, watch=lines.append)["mean_rating"]
    assert again.manifest["params"] == usual["mean_rating"].manifest["params"]
    assert again.manifest["protocol"] == "leave_one_out"
    assert lines[0].startswith("Last one out, 1/1 Best rated (with a prior): trained in ")
    finalists.run(usual, split, watch=lines.append)
    assert "read from cache" in lines[1]


def test_passes_counted_on_the_usual_split_are_kept():
    """create() counts passes anew for other settings, unless they are among what it is given."""
    given = experiment.registry.create("bpr", "mock", epochs=5, passes=4).params
    assert experiment.registry.create("bpr", "mock", 0, "user_random", **given).params == given


def test_whose_settings_were_searched_here_counts_members_and_leaves_out_a_split_s_own():
    names = {"ease": {}, "slope_one": {}, "recent_popularity": {}, "blend": {"members": "ials+ease+item_knn"}}
    runs = {name: SimpleNamespace(manifest={"params": params}) for name, params in names.items()}
    assert finalists.searched_here(runs, "ml-1m") == {"ease", "blend"}
    assert finalists.searched_here(runs, "nobody's") == set()
