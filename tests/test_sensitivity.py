"""Ways of measuring: values, orders, resamples, and what changes between them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from metrics_cases import split, topk
from scipy import stats

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.study import sensitivity
from aicine_utils.study.sensitivity import REFERENCE, Way


def frame(tables):
    """{way: {model: values}} as users x (way, model)."""
    columns = {(*way, model): values for way, models in tables.items() for model, values in models.items()}
    return pd.DataFrame(columns).rename_axis(columns=[*Way._fields, "model"])


def test_ndcg_reads_the_same_lists_by_length_and_relevance():
    made = split({1: [9], 2: [9], 3: [9]}, {1: [1, 2], 2: [1, 3], 3: [4]})
    made.test[c.RATING] = np.array([5, 3, 5, 4, 2], np.float32)
    lists = {"ease": topk({1: [2, 1], 2: [5, 1], 3: [4]}), "svd": topk({1: [1], 2: [1], 3: [5]})}
    runs = {"user_temporal": {name: SimpleNamespace(topk=rows) for name, rows in lists.items()}}
    values = sensitivity.ndcg(runs, {"user_temporal": made}, ks=(1, 2), relevant_from=(0.0, 0.75, 1.0))
    second, both = 1 / np.log2(3), 1 + 1 / np.log2(3)
    assert values.index.tolist() == [1, 2, 3]

    def read(k, liked, model):
        return values["user_temporal", k, liked, model].tolist()

    assert read(2, 1.0, "ease") == pytest.approx([second, second, np.nan], nan_ok=True)
    assert read(1, 1.0, "svd") == pytest.approx([1, 1, np.nan], nan_ok=True)
    assert read(2, 0.75, "ease") == pytest.approx([second, second / both, np.nan], nan_ok=True)
    assert read(2, 0.0, "ease") == pytest.approx([1, second / both, 1])


def test_ways_with_fewer_than_two_people_are_left_out():
    made = split({1: [9], 2: [9]}, {1: [1], 2: [2]})
    made.test[c.RATING] = np.array([5, 4], np.float32)
    runs = {"user_temporal": {"ease": SimpleNamespace(topk=topk({1: [1], 2: [1]}))}}
    values = sensitivity.ndcg(runs, {"user_temporal": made}, ks=(1,))
    assert values.columns.get_level_values("liked").tolist() == [0.0, 0.5, 0.75]
    with pytest.raises(AicineError, match="Use more data"):
        sensitivity.compare(values, Way("user_temporal", 1, 1.0), resamples=10)


def test_tau_is_that_of_scipy():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 4, (2, 30, 6)).astype(float)
    first[0] = 1
    found = sensitivity.tau(first, second)
    theirs = [stats.kendalltau(a, b).statistic for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(found, theirs, atol=1e-12)
    assert np.isnan(found[0])
    assert sensitivity.tau(np.arange(5), -np.arange(5)) == -1


def test_all_ways_are_resampled_with_the_same_people():
    rng = np.random.default_rng(0)
    values = rng.random(40)
    some = np.where(np.arange(40) < 20, values, np.nan)
    other = Way("user_random", 10, 0.75)
    table = frame({REFERENCE: {"ease": values, "svd": 2 * values}, other: {"ease": values, "svd": some}})
    drawn = sensitivity.resampled(table, 500)
    assert drawn.shape == (500, 2, 2)
    np.testing.assert_allclose(drawn[:, 0, 1], 2 * drawn[:, 0, 0])
    np.testing.assert_array_equal(drawn[:, 1, 0], drawn[:, 0, 0])
    assert drawn[:, 1, 1].mean() == pytest.approx(values[:20].mean(), abs=0.02)
    assert drawn[:, 0, 0].std() == pytest.approx(values.std() / np.sqrt(40), rel=0.15)


def test_who_was_not_drawn_leaves_nothing_to_average():
    values = np.array([1.0, np.nan, np.nan, np.nan])
    drawn = sensitivity.resampled(frame({REFERENCE: {"ease": values}}), 300)
    assert 0.2 < np.isnan(drawn).mean() < 0.45  # (3/4)^4 = .32
    assert np.nanmax(drawn) == np.nanmin(drawn) == 1


@pytest.fixture
def flipped():
    """Three models apart by far in one order, the same with noise, and the reverse; 200 people."""
    base = np.random.default_rng(0).random(200) / 10
    apart = {"ease": base + 0.6, "svd": base + 0.4, "views": base + 0.2}
    reverse = {"ease": base + 0.2, "svd": base + 0.4, "views": base + 0.6}
    short = {name: values / 2 for name, values in apart.items()}
    return frame({REFERENCE: apart, REFERENCE._replace(protocol="user_random"): reverse,
                  REFERENCE._replace(k=5): short})  # fmt: skip


def test_a_reversed_order_and_a_kept_one(flipped):
    table = sensitivity.compare(flipped, resamples=200)
    assert table["winner"].tolist() == ["ease", "views", "ease"]
    assert table["keeps"].tolist() == [1, 0, 1]
    assert table["wins"].tolist() == [1, 1, 1]
    assert table["lost"].tolist() == [False, True, False]
    assert table["tau"].tolist() == [1, -1, 1]
    assert table["tau_high"].tolist() == [1, -1, 1]
    assert table["beyond"].tolist() == [False, True, False]
    assert table["value"].iloc[2] == pytest.approx(table["value"].iloc[0] / 2)
    assert sensitivity.changed(table).tolist() == ["nothing", "protocol", "k"]


def test_equal_models_lead_by_turns_and_chance_explains_their_order():
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1, (2, 3, 300)) + 5
    ways = [REFERENCE, REFERENCE._replace(liked=1.0)]
    table = sensitivity.compare(frame({
        way: dict(zip(("ease", "svd", "views"), values, strict=True)) for way, values in zip(ways, noise, strict=True)
    }), resamples=400)  # fmt: skip
    assert not table["lost"].any()
    assert not table["beyond"].any()
    assert (table["first"] == 3).all()
    assert (table["wins"] < 1).all()


def test_lost_asks_for_more_the_more_ways_there_are():
    """A difference with p = .01 is told apart in one other way, but not when it is one of forty."""
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 1, 200)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    base = rng.random(200)
    behind = base - 0.01 * (noise + stats.t.isf(0.005, 199) / np.sqrt(200))
    usual, other = {"ease": base + 1, "svd": base}, {"ease": behind, "svd": base}
    few = frame({REFERENCE: usual, REFERENCE._replace(k=5): other})
    many = frame({REFERENCE: usual, **{REFERENCE._replace(k=k): other for k in range(11, 51)}})
    assert sensitivity.compare(few, resamples=20)["lost"].tolist() == [False, True]
    assert not sensitivity.compare(many, resamples=20)["lost"].any()


def test_several_choices_are_no_single_choice():
    table = pd.DataFrame([REFERENCE, ("leave_one_out", 5, 0.75), ("user_temporal", 10, 0.0)], columns=Way._fields)
    assert sensitivity.changed(table).tolist() == ["nothing", "several", "liked"]


def test_orders_and_the_tables_of_the_page(flipped):
    ranked = sensitivity.orders(flipped)
    first = ranked.groupby("protocol").first()
    assert first["label"].to_dict() == {"user_temporal": "EASE", "user_random": "Most watched"}
    assert ranked.groupby(list(Way._fields))["rank"].apply(list).map(lambda ranks: ranks == [1, 2, 3]).all()
    assert (ranked["n_users"] == 200).all()
    ranks = sensitivity.one_change(ranked, "rank", [1, 10])
    assert ranks.columns.tolist() == [("Split", "Own last fifth"), ("Split", "Random fifth"), ("Length", "10 films"),
                                      ("Length", "5 films"), ("Relevant", "from 7.75 stars")]  # fmt: skip
    assert ranks.loc["EASE"].tolist() == [1, 3, 1, 1, 1]


def test_intervals_of_the_board_belong_to_their_models(flipped):
    board = sensitivity.by_split(flipped, 200)
    assert board["model"].tolist() == ["ease", "svd", "views"]
    for name in ("user_temporal", "user_random"):
        assert (board[f"{name}_low"] < board[name]).all()
        assert (board[name] < board[f"{name}_high"]).all()
    assert board["user_random_place"].tolist() == [3, 2, 1]


def test_names_of_options_are_in_the_data_s_own_stars():
    assert sensitivity.option_name("liked", 0.75, [1, 5]) == "from 4 stars"
    assert sensitivity.option_name("liked", 0.0, [1, 5]) == "any stars"
    assert sensitivity.reading(20, 1.0, [1, 10]) == "20 films, from 10 stars"
