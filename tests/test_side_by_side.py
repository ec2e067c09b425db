"""Tables and sentences of answers that were written by hand, so that each sentence is seen to say the opposite, too."""

import pandas as pd
import pytest
from models_cases import split_of

from aicine_utils import columns as c
from aicine_utils.models.linear import EASE
from aicine_utils.models.popularity import Views
from aicine_utils.study import reasons, side_by_side
from aicine_utils.study.serving import STRANGER, Answers, Served

TRAIN = [(1, 10, 5), (1, 20, 4), (2, 10, 5), (2, 20, 1), (2, 30, 3), (3, 30, 4), (3, 50, 4), (4, 10, 2), (4, 40, 4)]
TEST = [(1, 30, 5), (1, 40, 3), (2, 40, 4)]
LISTS = {"views": [30, 40], "ease": [40, 50]}


def answers(lists=LISTS, seconds=None, **more):
    """Answers to user 1, who watched films 10 and 20."""
    rows = [(movie, rank, 1.0, name) for name, movies in lists.items() for rank, movie in enumerate(movies, start=1)]
    table = pd.DataFrame(rows, columns=[c.MOVIE, c.RANK, c.SCORE, "model"])
    return Answers([10, 20], table, seconds or dict.fromkeys(lists, 0.01), **{"user": 1, **more})


@pytest.fixture
def served():
    split = split_of(TRAIN, TEST)
    models = {"views": Views().fit(split), "ease": EASE(regularisation=1.0).fit(split)}
    return Served(split, {}, models, {"views": 0.5, "ease": 2.0}, [])


def test_history_beside_lists_with_stars(served):
    table = side_by_side.lists(served, answers({"views": [30, 40], "ease": [40]}), ["views", "ease"], n=2)
    assert table.to_dict("list") == {
        "rank": [1, 2],
        "watched": ["Film 20", "Film 10"],
        "Most watched": ["★ Film 30", "Film 40"],  # user 1 gave 40 three stars
        "EASE": ["Film 40", ""],
    }


def test_a_stranger_has_no_stars(served):
    assert side_by_side.titled(served, [30, 77], None) == ["Film 30", "movie 77"]


def test_families_in_the_order_of_the_registry():
    assert side_by_side.by_family(answers()) == {"Non-personalised": ["views"], "Linear": ["ease"]}


def test_reasons_beside_films(served):
    table = side_by_side.why(served, answers(), "views")
    # 20 and 30 share one of 2 · 2 people; 40 shares one of 3 · 1 with 10, none with 20.
    assert table[["film", "because"]].to_numpy().tolist() == [["★ Film 30", "Film 20"], ["Film 40", "Film 10"]]
    assert table["nearness"].tolist() == pytest.approx([0.5, 3**-0.5])
    assert table["shared"].tolist() == ["Drama", "Drama"]


def test_a_film_with_nothing_near_says_so(served):
    table = side_by_side.why(served, answers({"views": [50]}), "views")
    assert table[["film", "because", "by"]].to_numpy().tolist() == [["Film 50", "", "nothing near"]]
    assert table["nearness"].isna().all()


def test_first_films_have_each_model_s_own_reason(served):
    table = side_by_side.first_films(served, answers())
    assert table["label"].tolist() == ["Most watched", "EASE"]
    assert table["by"].tolist() == [reasons.AUDIENCE, reasons.WEIGHTS]


def test_no_list_at_all(served):
    nothing = answers({}, refused=dict.fromkeys(LISTS, STRANGER))
    assert side_by_side.first_films(served, nothing).empty
    assert set(side_by_side.first_films(served, answers())) == set(side_by_side.first_films(served, nothing))
    assert side_by_side.by_family(nothing) == {}


def test_films_in_most_lists(served):
    found = side_by_side.in_lists(answers({"views": [30, 40], "ease": [40, 50]}))
    assert found[[c.MOVIE, "lists", "best"]].to_numpy().tolist() == [[40, 2, 1], [30, 1, 1], [50, 1, 2]]
    assert side_by_side.in_most(served, answers(), 2)[["film", "lists"]].to_numpy().tolist() == [
        ["Film 40", 2],
        ["★ Film 30", 1],
    ]


def test_hits_of_each_list(served):
    assert side_by_side.hits(served, answers()).to_dict() == {"Most watched": 1, "EASE": 0}
    assert side_by_side.hits(served, answers(user=2)).to_dict() == {"Most watched": 1, "EASE": 1}


def test_agreement_by_hand():
    told = side_by_side.say_agreement(answers({"views": [30, 40], "ease": [40, 50], "svd": [40, 50]}), k=2)
    # Pairs share 1, 1 and 2 films.
    assert told == (
        "The 3 lists name 3 different films; two of them share 1.3 of 2 on average, and EASE and SVD (Surprise) share "
        "most, 2."
    )
    assert side_by_side.say_agreement(answers({"views": [30]})) == "There is 1 list to compare."
    assert side_by_side.say_agreement(answers({})) == "There are no lists to compare."


def test_seconds_are_judged():
    fast = {"views": 0.001, "ease": 0.25}
    assert side_by_side.say_seconds(fast) == "Each of 2 lists was there in under 1 s: EASE took longest, 0.25 s."
    slow = {"views": 1.0, "ease": 3.0, "svd": 0.9}
    told = side_by_side.say_seconds(slow)
    assert told == "2 of 3 lists took 1 s or longer (EASE and Most watched): EASE took longest, 3 s."
    assert side_by_side.say_seconds({}) == "No model has a list to give."
    assert side_by_side.slower(answers(seconds=fast), answers(seconds={"ease": 0.3})) == {"views": 0.001, "ease": 0.3}


def test_table_of_seconds_has_a_gap_where_there_is_no_list(served):
    table = side_by_side.timings(
        served, known=answers(seconds={"views": 0.1, "ease": 0.2}), typed=answers(seconds={"ease": 0.3})
    )
    assert table["load"].tolist() == [0.5, 2.0]
    assert table["known"].tolist() == [0.1, 0.2]
    assert table["typed"].isna().tolist() == [True, False]


def test_who_can_t_answer_is_said(served):
    told = side_by_side.say_refused(served, answers({"views": [30]}, refused={"ease": STRANGER}))
    assert told == f"1 of 2 models have a list. 1 can't answer (EASE): it {STRANGER}."
    assert side_by_side.refused(answers(refused={"ease": STRANGER})).to_numpy().tolist() == [
        ["EASE", "Linear", STRANGER]
    ]
    assert side_by_side.say_refused(served, answers()) == "2 of 2 models have a list."


def test_what_is_not_saved_is_said(served):
    assert side_by_side.say_missing(served) == "All 2 models of the study have a saved run."
    told = side_by_side.say_missing(Served(served.split, {}, served.models, {}, ["svd", "bpr"]))
    assert "left out: SVD (Surprise) and BPR." in told


def test_answers_against_the_kept_lists(served):
    class Run:
        topk = pd.DataFrame({c.USER: [1, 1, 1], c.MOVIE: [40, 50, 60], c.RANK: [1, 2, 3]})

    kept = Served(served.split, {"views": Run, "ease": Run}, served.models, {}, [])
    assert side_by_side.as_kept(kept, answers()) == {"views": False, "ease": True}
    assert side_by_side.as_kept(kept, answers(user=2)) == {}
