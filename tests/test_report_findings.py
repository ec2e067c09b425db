import numpy as np
import pandas as pd
import pytest
from report_samples import leaderboard

from aicine_utils.findings import decision, findings, primary, ratio_text, seconds_text


def found(board):
    return {one.key: one for one in findings(board)}


def changed(**values):
    """The sample with cells changed: ``model={column: value}``."""
    board = leaderboard().set_index("model", drop=False)
    for model, cells in values.items():
        for column, value in cells.items():
            board.loc[model, column] = value
    return board.reset_index(drop=True)


def test_shared_first_place_can_not_be_told():
    best = found(leaderboard())["best_ranker"]
    assert best.strength == "open"
    assert best.text["en"] == (
        "Which model makes the best lists can't be told: EASE and iALS share first place, EASE with NDCG@10 "
        "0.132 [0.126, 0.138]."
    )


def test_one_first_place_is_clear_and_names_the_second():
    best = found(changed(ials={"place": 2}))["best_ranker"]
    assert best.strength == "clear"
    assert "EASE makes the best lists: NDCG@10 0.132" in best.text["en"]
    assert "ahead of iALS with 0.130" in best.text["en"]


def test_without_places_the_intervals_decide():
    board = leaderboard().drop(columns=["place", "place_rmse"])
    assert "EASE, iALS, SASRec share" in found(board)["best_ranker"].text["en"].replace(" and SASRec", ", SASRec")
    narrow = board.assign(**{"ndcg@10_low": board["ndcg@10"] - 1e-4, "ndcg@10_high": board["ndcg@10"] + 1e-4})
    assert found(narrow)["best_ranker"].strength == "clear"
    bare = board.drop(columns=["ndcg@10_low", "ndcg@10_high"])
    assert found(bare)["best_ranker"].strength == "open"


def test_lowest_rmse_is_the_best_rater():
    best = found(leaderboard())["best_rater"]
    assert "SVD++ (Surprise) predicts stars best: RMSE 0.902 [0.898, 0.906]" in best.text["en"]
    assert best.link == "05_matrix_factorisation.html"


@pytest.mark.parametrize(
    ("cells", "said", "strength"),
    [
        ({}, "12th of 17 at making lists: NDCG@10 0.041 [0.035, 0.047], 31% of what EASE reaches and below", "clear"),
        ({"ndcg@10": 0.07, "ndcg@10_low": 0.06, "ndcg@10_high": 0.08, "place": 9}, "9th of 17", "open"),
        ({"ndcg@10": 0.12, "ndcg@10_low": 0.11, "ndcg@10_high": 0.13}, "but above Most liked", "clear"),
        ({"ndcg@10": 0.2, "place": 1}, "can't be told from the best", "open"),
        ({"ndcg@10": 0.2, "place": 0}, "also makes the best lists", "clear"),
    ],
)
def test_rater_as_ranker_says_what_the_data_say(cells, said, strength):
    one = found(changed(svdpp=cells))["rater_as_ranker"]
    assert said in one.text["en"]
    assert one.strength == strength


@pytest.mark.parametrize(
    ("cells", "said", "ko", "strength"),
    [
        ({}, "pay on people's own timelines: EASE reaches 1.83 [", "도움이 됩니다", "clear"),
        (
            {"place": 1},
            "Whether personal lists pay on people's own timelines can't be told",
            "판별할 수 없습니다",
            "open",
        ),
        ({"ndcg@10": 0.3, "place": 0}, "do not pay on people's own timelines: EASE reaches only 0.44", "손해", "clear"),
    ],
)
def test_personalisation_can_gain_lose_or_be_open(cells, said, ko, strength):
    one = found(changed(popularity=cells))["personalisation"]
    assert said in one.text["en"]
    assert ko in one.text["ko"]
    assert one.strength == strength


@pytest.mark.parametrize(("popular", "strength"), [(0.128, "open"), (0.110, "clear")])
def test_who_is_apart_from_the_leader_need_not_be_apart_from_another(popular, strength):
    """EASE is shipped, for its cost, and iALS leads: the place of the most liked says that it is behind iALS."""
    leader = {"ndcg@10": 0.135, "ndcg@10_low": 0.129, "ndcg@10_high": 0.141, "fit_seconds": 900.0}
    most_liked = {"ndcg@10": popular, "ndcg@10_low": popular - 0.006, "ndcg@10_high": popular + 0.006, "place": 3}
    one = found(changed(ials=leader, popularity=most_liked))["personalisation"]
    assert "EASE" in one.text["en"]
    assert one.strength == strength


def test_random_is_no_list_for_everyone():
    board = leaderboard()
    assert "personalisation" not in found(board[(board["family"] != "non_personalised") | (board["model"] == "random")])


def test_cheapest_of_the_first_place_turns_with_the_cost():
    assert "EASE is the cheapest: 2.4 s" in found(leaderboard())["cheapest"].text["en"]
    assert "iALS is the cheapest" in found(changed(ease={"fit_seconds": 900.0}))["cheapest"].text["en"]
    assert "EASE alone" in found(changed(ials={"place": 2}))["cheapest"].text["en"]


@pytest.mark.parametrize(("share", "said"), [(0.31, "reach further"), (0.01, "reach less far"), (0.04, "equally few")])
def test_coverage_can_be_either(share, said):
    told = found(changed(ease={"coverage": share}))["coverage"].text["en"]
    board = leaderboard()
    others = board[(board["family"] != "non_personalised") & (board["model"] != "ease")]
    assert said in told
    assert f"Of the {len(others)} other personal models {(others['coverage'] > share).sum()} reach further." in told


def test_decisions_name_runner_up_and_margin():
    home, stars = decision(leaderboard())
    assert (home.job, home.model, home.runner_up, home.settled) == ("home", "ease", "iALS", False)
    assert home.margin == pytest.approx(0.002)
    assert (stars.job, stars.model, stars.runner_up, stars.settled) == ("stars", "svdpp", "SVD (Surprise)", True)
    assert stars.margin == pytest.approx(0.009)
    assert "0.009 below the runner-up" in stars.text["en"]


def test_decision_takes_the_cheaper_of_a_shared_place():
    home = decision(changed(ease={"fit_seconds": 900.0}))[0]
    assert home.model == "ials"
    assert home.margin == pytest.approx(-0.002)
    assert "(difference -0.002)" in home.text["en"]


def test_rival_in_a_shared_place_is_one_of_that_place():
    board = changed(ials={"place": 2}, sasrec={"place": 1})
    assert decision(board)[0].runner_up == "SASRec"


def test_nothing_is_said_without_data():
    empty = leaderboard().iloc[:0]
    assert findings(empty) == []
    assert decision(empty) == []
    alone = leaderboard().head(1)
    assert "nothing else was measured" in found(alone)["best_ranker"].text["en"]
    assert "nothing else was measured" in decision(alone)[0].text["en"]
    assert "best_rater" not in found(leaderboard().drop(columns="rmse"))


@pytest.mark.parametrize("drop", [[], ["place"], ["fit_seconds"], ["coverage"], ["ndcg@10_low", "ndcg@10_high"]])
def test_every_sentence_is_filled_in_both_languages(drop):
    board = leaderboard().drop(columns=drop)
    for one in [*findings(board), *decision(board)]:
        assert set(one.text) == {"en", "ko"}
        for text in one.text.values():
            assert "{" not in text
            assert "nan" not in text
        assert any("가" <= letter <= "힣" for letter in one.text["ko"])


def test_primary_protocol_is_chosen():
    other = leaderboard().assign(protocol="global_temporal")
    assert set(primary(pd.concat([other, leaderboard()]))["protocol"]) == {"user_temporal"}
    assert len(primary(other)) == len(other)


def test_ratio_by_the_delta_method():
    a = pd.Series({"m": 0.2, "m_low": 0.2 * np.exp(-0.3), "m_high": 0.2 * np.exp(0.3)})
    b = pd.Series({"m": 0.1, "m_low": 0.1 * np.exp(-0.4), "m_high": 0.1 * np.exp(0.4)})
    low, high = 2 * np.exp(-0.5), 2 * np.exp(0.5)  # sqrt(0.3² + 0.4²) = 0.5
    assert ratio_text(a, b, "m") == f"2.00 [{low:.2f}, {high:.2f}]"
    assert ratio_text(a, b * 0, "m") == "∞"


@pytest.mark.parametrize(
    ("seconds", "en", "ko"),
    [(0.42, "0.42 s", "0.42초"), (12.4, "12 s", "12초"), (150, "2 min", "2분"), (7560, "2.1 h", "2.1시간")],
)
def test_seconds(seconds, en, ko):
    assert (seconds_text(seconds), seconds_text(seconds, "ko")) == (en, ko)


def test_chance_is_never_shipped_however_cheap():
    board = changed(random={"place": 1, "fit_seconds": 0.0})
    assert {made.model for made in decision(board)}.isdisjoint({"random"})


def test_a_cheaper_model_is_shipped_only_when_it_gives_up_little():
    near = changed(ease={"ndcg@10": 0.132, "fit_seconds": 60.0}, ials={"ndcg@10": 0.130, "fit_seconds": 1.0})
    home = decision(near)[0]
    assert home.model == "ials"
    assert "1.7 s and 410 MB to train and answer, where EASE takes 60 s" in home.text["en"]
    far = changed(ease={"ndcg@10": 0.132, "fit_seconds": 60.0}, ials={"ndcg@10": 0.090, "fit_seconds": 1.0})
    assert decision(far)[0].model == "ease"
    alike = changed(ease={"ndcg@10": 0.132, "fit_seconds": 1.0}, ials={"ndcg@10": 0.130, "fit_seconds": 0.9})
    home = decision(alike)[0]
    assert home.model == "ease"
    assert "the highest of 2" in home.text["en"]


def test_a_saving_of_some_seconds_decides_nothing():
    board = changed(ease={"fit_seconds": 9.0}, ials={"fit_seconds": 0.1}).assign(recommend_seconds=0)
    assert decision(board)[0].model == "ease"


def test_nothing_is_shipped_that_can_not_be_told_from_chance():
    board = leaderboard().assign(place=1)
    home = decision(board)[0]
    assert (home.model, home.runner_up, home.survives) == (None, None, None)
    assert "ship none of these yet" in home.text["en"]
    told = found(board)
    assert "can be told from random ones" in told["best_ranker"].text["en"]
    assert told["best_ranker"].strength == "open"
    assert {"cheapest", "coverage", "stricter"}.isdisjoint(told)


def strictly(**places):
    """The sample with a second table under one cut in time, in which these models have these places."""
    board = leaderboard()
    rows = board[board["model"].isin(places)].assign(protocol="global_temporal")
    return pd.concat([board, rows.assign(place=rows["model"].map(places))])


def measured_strictly(cells=(), **places):
    """As :func:`strictly`; who has the first place has the best mean there, too. ``cells`` change the usual table."""
    board = strictly(**places)
    own = (board["protocol"] == "global_temporal").to_numpy()
    means = board.loc[own, "model"].map({name: 0.5 / place for name, place in places.items()})
    for name, shift in (("ndcg@10", 0), ("ndcg@10_low", -0.01), ("ndcg@10_high", 0.01)):
        board.loc[own, name] = means + shift
    for model, changes in dict(cells).items():
        for name, value in changes.items():
            board.loc[~own & (board["model"] == model).to_numpy(), name] = value
    return board


@pytest.mark.parametrize(
    ("places", "model", "said", "ko", "strength"),
    [
        ({"ease": 1, "ials": 1, "popularity": 3}, "ease", "EASE keeps a first place", "그렇습니다", "clear"),
        ({"ease": 1, "ials": 3, "popularity": 1}, "ease", "Can't be told: under", "판별할 수 없습니다", "open"),
        ({"ease": 2, "sasrec": 1}, "sasrec", "EASE is behind SASRec", "아닙니다", "clear"),
        ({"ease": 3, "item_knn": 1, "popularity": 1}, "item_knn", "can't be told from Most liked", "아닙니다", "open"),
        ({"ease": 2, "popularity": 1}, "ease", "knows no tastes, Most liked, beats EASE", "아닙니다", "clear"),
    ],
)
def test_the_choice_is_held_against_a_stricter_split(places, model, said, ko, strength):
    board = measured_strictly(**places)
    home, stars = decision(board)[:2]
    assert (home.model, home.survives, stars.survives) == (model, places[model] == 1, None)
    assert home.fallen == (None if model == "ease" else "EASE")
    one = found(board)["stricter"]
    assert said in one.text["en"]
    assert one.text["ko"].startswith(ko)
    assert one.strength == strength
    assert ("is the choice instead" in one.text["en"]) == (model != "ease")
    assert ("not safe without a live test" in one.text["en"]) == (places[model] != 1)


def test_what_personal_lists_are_worth_is_told_under_one_cut_too():
    one = found(measured_strictly(ease=1, ials=2, popularity=2))["personalisation"].text
    assert "Under one cut in time for everyone it reaches 2.00" in one["en"]
    assert "Most liked (0.500 [0.490, 0.510] against 0.250 [0.240, 0.260])" in one["en"]
    assert "같은 시점에서 자르는 분할에서는" in one["ko"]
    assert "one cut in time" not in found(measured_strictly(ease=1, ials=2))["personalisation"].text["en"]


def test_a_home_row_that_does_not_survive_gives_way_to_one_that_does():
    home = decision(measured_strictly(ease=3, sasrec=1, item_knn=1, popularity=4))[0]
    assert home.text["en"] == (
        "Home row: ship SASRec. EASE leads on people's own timelines (NDCG@10 0.132 [0.126, 0.138], SASRec 0.127 "
        "[0.121, 0.133]), but is behind under one cut in time for everyone: 0.167 [0.157, 0.177] against 0.500 [0.490, "
        "0.510]. Of the 4 models run there, 2 affordable personal ones keep a first place, and SASRec is the highest "
        "of these on own timelines (difference to Item k-NN, the next, +0.009)."
    )
    assert home.change["en"].startswith("The choice falls to EASE where a live test confirms its lead on people's own")
    assert "0.005 of NDCG@10" in home.change["en"]
    assert (home.runner_up, home.standing) == ("Item k-NN", "in shared first place under one cut in time")
    alone = decision(measured_strictly(ease=3, sasrec=2, item_knn=1))[0]
    assert "Item k-NN is the one affordable personal model that keeps a first place." in alone.text["en"]
    assert alone.standing == "in first place under one cut in time"


def test_who_leads_under_the_deciding_split_is_named_where_it_is_not_the_choice():
    board = measured_strictly(ease=3, sasrec=1, item_knn=1)
    assert "the highest there" not in decision(board)[0].text["en"]
    there = (board["protocol"] == "global_temporal") & (board["model"] == "item_knn")
    board.loc[there, "ndcg@10"] += 0.005
    said = decision(board)[0].text["en"]
    assert "(the highest there, and the choice by the cut alone: Item k-NN, 0.505 [" in said
    assert "ship SASRec" in said


def test_how_much_of_the_tests_is_the_next_film_of_a_sitting_is_told_with_a_fallen_leader():
    board = measured_strictly(ease=3, sasrec=1, item_knn=1)
    told = board.assign(at_once=np.where(board["protocol"] == "global_temporal", 0.0009, 0.693))
    said = "On own timelines 69% of the test follows within an hour on the last rating that a model knows, so that "
    assert said in decision(told)[0].text["en"]
    assert decision(told)[0].text["en"].endswith("; under the cut 0.1% does.")
    rarely = told.assign(at_once=told["at_once"].clip(upper=0.4))
    assert "next film of a sitting" not in decision(rarely)[0].text["en"]
    assert "within an hour" not in decision(board)[0].text["en"]
    assert "within an hour" not in decision(measured_strictly(ease=1, sasrec=1).assign(at_once=0.5))[0].text["en"]


def test_a_leader_that_fell_with_a_smaller_search_is_told_as_such():
    board = measured_strictly(ease=3, sasrec=1, item_knn=1).assign(trials=24, stopped_by_budget=False)
    assert "The search gave" not in decision(board)[0].text["en"]
    fewer = board.assign(trials=board["trials"].where(board["model"] != "ease", 2))
    said = "The search gave EASE 2 trials and SASRec 24; under the cut both keep the settings of own timelines."
    assert said in decision(fewer)[0].text["en"]
    there = (board["model"] == "ease") & (board["protocol"] == "global_temporal")
    timed = decision(board.assign(stopped_by_budget=there))[0].text["en"]
    assert "EASE 24 trials and SASRec 24, and a limit on time ended the training of EASE, which may" in timed


def test_what_a_limit_on_time_set_is_no_cost_of_a_model():
    limited = changed(ease={"stopped_by_budget": True}, ials={"stopped_by_budget": False})
    one = found(limited)["cheapest"]
    assert one.text["en"].startswith("What first place for lists costs can't be told: a limit on time ended the")
    assert "training of EASE," in one.text["en"]
    assert one.strength == "open"
    alone = found(changed(ials={"place": 2}, ease={"stopped_by_budget": True}))["cheapest"]
    assert "can't be told" in alone.text["en"]


def test_nobody_is_called_alone_in_first_place_because_another_s_cost_is_unknown():
    assert "cheapest" not in found(changed(ials={"fit_seconds": np.nan}))


@pytest.mark.parametrize(
    ("seconds", "said", "strength"),
    [(55.0, "2 models in first place for lists cost about the same: 50 s", "open"), (150.0, "cheapest: 50 s", "clear")],
)
def test_who_is_cheapest_is_told_where_one_training_can_tell(seconds, said, strength):
    plain = {"recommend_seconds": 0.0}
    one = found(changed(ease={"fit_seconds": 50.0, **plain}, ials={"fit_seconds": seconds, **plain}))["cheapest"]
    assert said in one.text["en"]
    assert one.strength == strength


def test_how_long_nothing_is_learned_after_the_cut_is_told():
    board = measured_strictly(ease=3, sasrec=1, item_knn=1)
    months = board.assign(frozen_days=np.where(board["protocol"] == "global_temporal", 791.4, np.nan))
    told = (
        "under one cut in time for everyone (in the 26 months after it no model learns, or is shown, what people watch)"
    )
    assert f"but is behind {told}: 0.167" in decision(months)[0].text["en"]
    assert f"No: {told}, EASE is behind" in found(months)["stricter"].text["en"]
    assert "그 뒤 26개월 동안" in found(months)["stricter"].text["ko"]
    assert "in the 59 days after it" in found(months.assign(frozen_days=59.2))["stricter"].text["en"]


def test_a_list_for_all_that_can_not_be_told_from_the_choice_is_named_with_it():
    home = decision(measured_strictly(ease=1, ials=3, popularity=1))[0]
    assert (home.model, home.beside) == ("ease", "Most liked")
    assert "Most liked, which knows no tastes, can't be told from it (NDCG@10 0.500 [0.490" in home.text["en"]
    assert home.standing == "shares first place; under one cut in time beside Most liked"
    passed = decision(measured_strictly(ease=3, sasrec=1, popularity=1))[0]
    assert passed.standing == "in first place under one cut in time, there beside Most liked"
    told = decision(measured_strictly(ease=1, ials=3, popularity=2))[0]
    assert (told.beside, "tastes" in told.text["en"]) == (None, False)


def test_that_personal_lists_pay_is_open_where_the_cut_says_otherwise():
    sure = found(measured_strictly(ease=1, ials=2, popularity=2))["personalisation"]
    turned = found(measured_strictly(ease=2, ials=2, popularity=1))["personalisation"]
    assert (sure.strength, turned.strength) == ("clear", "open")
    assert turned.text["en"].startswith("Personal lists pay on people's own timelines")


def test_a_blend_gives_way_to_one_of_its_members_that_is_as_good():
    cells = {"ease": {"model": "blend", "label": "Blend", "fit_seconds": 9.0}, "ials": {"fit_seconds": 3.0}}
    one = decision(changed(**cells))[0]
    assert one.model == "ials"  # six seconds are worth nothing to a service, two models less to keep are
    cells["ease"] |= {"model": "ease", "label": "EASE"}
    assert decision(changed(**cells))[0].model == "ease"


def test_among_those_that_survive_a_much_cheaper_one_is_taken():
    cells = {"sasrec": {"fit_seconds": 400.0}, "item_knn": {"ndcg@10": 0.126, "fit_seconds": 40.0}}
    home = decision(measured_strictly(cells, ease=3, sasrec=1, item_knn=1))[0]
    assert (home.model, home.runner_up, home.fallen) == ("item_knn", "SASRec", "EASE")
    assert "near the highest of these on own timelines and quicker" in home.text["en"]
    assert "where SASRec takes 7 min" in home.text["en"]
    assert home.change["en"].startswith("The choice falls to EASE where a live test confirms its lead on people's own")
    cells["sasrec"]["fit_seconds"] = 45.0  # saves five seconds, which are not worth it
    assert decision(measured_strictly(cells, ease=3, sasrec=1, item_knn=1))[0].model == "sasrec"


def test_a_cheaper_model_is_not_taken_for_the_leader_where_it_falls():
    cheap = {"ease": {"fit_seconds": 400.0}, "ials": {"ndcg@10": 0.131, "fit_seconds": 20.0}}
    assert decision(measured_strictly(cheap, ease=1, ials=1, popularity=3))[0].model == "ials"
    home = decision(measured_strictly(cheap, ease=1, ials=2, popularity=3))[0]
    assert (home.model, home.fallen, home.survives) == ("ease", None, True)
    assert "the highest of 2 models that share first place" in home.text["en"]
    fallen = decision(measured_strictly(cheap, ease=2, ials=3, sasrec=1))[0]
    assert (fallen.model, fallen.fallen) == ("sasrec", "EASE")


def test_who_would_be_next_by_cost_survives_too():
    cells = {"ease": {"fit_seconds": 400.0}, "ials": {"place": 2, "fit_seconds": 30.0}}
    home = decision(measured_strictly(cells, ease=1, ials=2, item_knn=1))[0]
    assert (home.model, home.fallen) == ("ease", None)
    assert "it would be Item k-NN" in home.change["en"]


def test_a_choice_stays_where_nobody_who_survives_was_measured_on_own_timelines():
    board = measured_strictly(ease=2, sasrec=1)
    board = board[~((board["model"] == "sasrec") & (board["protocol"] == "user_temporal"))]
    home = decision(board)[0]
    assert (home.model, home.survives, home.fallen) == ("ease", False, None)
    assert "not safe without a live test" in found(board)["stricter"].text["en"]


def test_without_a_stricter_table_nothing_is_said_of_it():
    assert "stricter" not in found(leaderboard())
    assert decision(leaderboard())[0].survives is None
    assert "stricter" not in found(strictly(svd=1))


def test_the_cards_speak_of_the_model_to_ship():
    board = changed(ease={"fit_seconds": 900.0})
    assert decision(board)[0].model == "ials"
    assert found(board)["coverage"].text["en"].startswith("iALS recommends 38.0%")
    assert "iALS reaches" in found(board)["personalisation"].text["en"]
