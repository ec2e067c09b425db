"""Sentences about measuring say the opposite when the tables do."""

import pandas as pd
import pytest

from aicine_utils.study import measuring
from aicine_utils.study.sensitivity import REFERENCE

SCALE = [1, 5]


def rows(*others, **reference):
    """A table of ways: the reference, won by EASE, and others that differ as given."""
    usual = {**REFERENCE._asdict(), "winner": "ease", "lost": False, "keeps": 0.9, "tau": 1.0, "beyond": False}
    return pd.DataFrame([{**usual, **reference}, *({**usual, **other} for other in others)])


def test_the_verdict_is_no_not_for_certain_or_yes():
    same, moved = {"k": 5}, {"protocol": "leave_one_out", "winner": "svd"}
    assert measuring.verdict(rows(same), SCALE) == "**No.** EASE has the highest mean in all 1 other ways of measuring."
    open_ = measuring.verdict(rows(same, moved), SCALE)
    assert open_.startswith("**Not for certain:** in 1 of the 2 other ways")
    yes = measuring.verdict(rows(same, {**moved, "lost": True}), SCALE)
    assert "another model has the highest mean (SVD (Surprise) in 1)" in yes
    assert yes.startswith("**Yes:** in 1 of the 2")
    assert (
        "in 1 of the 2 other ways of measuring, paired tests put EASE behind the first place: “Last one out, 1" in yes
    )
    twice = rows({**moved, "lost": True}, {**moved, "k": 5, "lost": True})
    assert "behind the first place: all with the split “Last one out”." in measuring.verdict(twice, SCALE)


def test_each_choice_alone_has_its_own_sentence_the_worst_first():
    table = rows({"k": 5, "keeps": 0.8}, {"k": 20, "keeps": 0.85},
                 {"protocol": "user_random", "winner": "svd", "keeps": 0.1, "tau": 0.2, "beyond": True, "lost": True},
                 {"protocol": "user_random", "k": 5, "winner": "views", "keeps": 0.0})  # fmt: skip
    choices = measuring.by_choice(table)
    assert choices["choice"].tolist() == ["protocol", "k"]
    assert choices.loc[0, ["ways", "moved", "lost", "beyond", "tau_low", "winners"]].tolist() == [
        1, 1, 1, 1, 0.2, "SVD (Surprise)"]  # fmt: skip
    split, length = measuring.choice_texts(choices, "ease")
    assert split == ("Changing **the split** alone, 1 of 1 other options gives the highest mean to SVD (Surprise); "
                     "EASE leads in 10% of the resamples.")  # fmt: skip
    assert "none of 2 other options gives another model" in length
    assert "EASE leads in 80% to 85%" in length


def test_who_is_left_out_is_named_with_seconds():
    table = pd.DataFrame([("NARM", "recbole_sequential", 85.3, True, False), ("EASE", "linear", 0.2, True, True),
                          ("Caser", "recbole_sequential", 3.0, False, True)],
                         columns=["label", "family", "fit_seconds", "named", "chosen"])  # fmt: skip
    said = measuring.left_out(table, 12)
    assert "more than 12 s: NARM (85 s)." in said
    assert said.endswith("In their families' place: Caser.")
    assert measuring.left_out(table.iloc[:2], 12).endswith("so unheard here: RecBole, sequential.")
    assert "none is left out" in measuring.left_out(table[table["chosen"]], 12)


def orders(**places):
    """{model: [(place, rank, mean) under the usual split, under the random one]} as rows of sensitivity.orders."""
    family = {"popularity": "non_personalised"}
    return pd.DataFrame([
        {"protocol": protocol, "k": 10, "liked": 0.75, "model": model, "family": family.get(model, "x"),
         "place": place, "rank": rank, "mean": mean}
        for model, both in places.items()
        for protocol, (place, rank, mean) in zip(("user_temporal", "user_random"), both, strict=True)
    ])  # fmt: skip


LEAD = orders(ease=[(1, 1, 0.2), (1, 2, 0.3)], svd=[(2, 2, 0.1), (1, 1, 0.4)], popularity=[(3, 3, 0.1), (3, 3, 0.1)])
NONE = orders(ease=[(1, 1, 0.2), (2, 2, 0.1)], popularity=[(2, 2, 0.1), (1, 1, 0.2)])


def test_who_is_first_everywhere_or_nobody():
    assert measuring.everywhere(LEAD) == "**EASE** stands in first place, alone or shared, under all 2 splits."
    none = "No model stands in first place under all 2 splits; "
    both = none + "**EASE and Most liked** come nearest, with the 2nd mean of 2 at worst."
    assert measuring.everywhere(NONE) == both
    one = NONE.assign(rank=[1, 2, 3, 1])
    assert measuring.everywhere(one) == none + "**EASE** comes nearest, with the 2nd mean of 2 at worst."


def test_a_blend_that_is_first_everywhere_stands_beside_the_best_single_model():
    blended = pd.concat([LEAD, LEAD[LEAD["model"] == "ease"].assign(model="blend", family="blend", place=1, rank=1)])
    lost = (blended["model"] == "ease") & (blended["protocol"] == "user_random")
    said = measuring.everywhere(blended.assign(place=blended["place"].where(~lost, 2)))
    assert said.startswith("**Blend** stands in first place, alone or shared, under all 2 splits. It is several models")
    assert "of single ones EASE and SVD (Surprise) come nearest, in first place under 1 of 2." in said
    assert "several models" not in measuring.everywhere(LEAD)


def test_leaders_that_are_too_slow_to_be_measured_are_named():
    chosen = pd.DataFrame(
        {"label": ["GRU", "EASE", "Caser"], "ndcg@10": [0.3, 0.2, 0.1], "chosen": [False, True, False]}
    )
    assert "GRU, ahead of all of them on the usual split, is too slow" in measuring.unheard(chosen)
    both = chosen.assign(**{"ndcg@10": [0.3, 0.2, 0.25]})
    assert "GRU and Caser, ahead of all of them on the usual split, are too slow" in measuring.unheard(both)
    assert measuring.unheard(chosen.assign(chosen=[True, True, False])) == ""


def test_models_that_nothing_tells_apart_are_not_recommended():
    assert measuring.everywhere(LEAD.assign(place=1)).startswith("Nobody: all 3 models share first place")


def test_a_draw_of_all_films_is_no_sample():
    said = measuring.sampling(*sampled_tables(1.0, "ease", False), 100, 60, ("All films", 10))
    assert said == "With 60 films in all, a draw of 100 leaves none out: sampling changes nothing."


def test_whether_a_list_that_knows_no_tastes_is_level():
    assert measuring.one_list(LEAD).startswith("Under no split")
    assert measuring.one_list(NONE) == (
        "A list that knows no tastes (Most liked) stands in first place, alone or shared, under: random fifth."
    )


@pytest.mark.parametrize(("future", "expected"), [
    ([0.0, 0.5], "**Own last fifth** hides later ratings from the models, as life does; there EASE is alone in first"),
    ([0.5, 0.0], "there EASE and SVD (Surprise) share first place (2 of 3 models)"),
    ([0.5, 0.5], "Under every split measured here models learn from ratings later than the test"),
    ([float("nan")] * 2, "The ratings carry one time"),
])  # fmt: skip
def test_which_split_hides_the_future(future, expected):
    leaks = pd.DataFrame({"protocol": ["user_temporal", "user_random"], "any_future": future})
    assert expected in measuring.without_future(LEAD, leaks)


def test_inflation_up_down_and_both():
    both = measuring.inflation(LEAD)
    assert "moves numbers both ways: between 1.00 times (Most liked) and 4.00 times (SVD (Surprise))" in both
    up, down = LEAD[LEAD["model"] != "popularity"], NONE[NONE["model"] == "ease"]
    assert "raises every number" in measuring.inflation(up)
    assert "lowers every number: between 0.50 times" in measuring.inflation(down)
    assert "can't be told" in measuring.inflation(up.assign(mean=0.0))


def sampled_tables(tau, winner, beyond):
    ways = [("All films", 10), ("Sampled films", 10)]
    table = pd.DataFrame([{"candidates": name, "k": k, "winner": who, "tau": t, "beyond": b} for (name, k), who, t, b in
                          zip(ways, ("ease", winner), (1.0, tau), (False, beyond), strict=True)])  # fmt: skip
    means = [("ease", 0.1, 0.4), ("svd", 0.05, 0.5), ("views", 0.0, 0.1)]
    ranked = pd.DataFrame([{"candidates": name, "k": k, "model": model, "mean": pair[i]} for i, (name, k) in
                           enumerate(ways) for model, *pair in means])  # fmt: skip
    return table, ranked


def test_what_sampling_does_to_size_order_and_winner():
    said = measuring.sampling(*sampled_tables(0.33, "svd", True), 100, 1349, ("All films", 10))
    assert "among 100 films drawn by lot instead of 1,349" in said
    assert "an NDCG@10 4.0 to 10.0 times as high" in said
    assert (
        "the order changes (τ = 0.33, more than chance explains), and SVD (Surprise) takes the first rank from EASE"
        in (said)
    )
    said = measuring.sampling(*sampled_tables(1.0, "ease", False), 100, 1349, ("All films", 10))
    assert said.endswith("the order stays, and EASE stays first.")
