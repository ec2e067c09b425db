"""The drop-downs without a browser: what is picked or typed changes the page; nobody there, no widget."""

import pytest
from models_cases import split_of

from aicine_utils.models.factorisation import Baseline
from aicine_utils.models.neighbours import ItemKNN, UserKNN
from aicine_utils.models.popularity import Views
from aicine_utils.study import try_it
from aicine_utils.study.serving import STRANGER, Served

TRAIN = [(user, movie, 4) for user in range(1, 7) for movie in range(10, 20) if (user + movie) % 3]
MOVIES = [(movie, f"<b>Film {movie}</b>", 2000, ["Drama"]) for movie in range(10, 20)]


@pytest.fixture(scope="module")
def served():
    split = split_of(TRAIN, [(1, 11, 5)], MOVIES)
    models = {"views": Views(), "user_knn": UserKNN(), "item_knn": ItemKNN(), "baseline": Baseline()}
    return Served(split, {}, {name: model.fit(split) for name, model in models.items()}, {}, [])


@pytest.fixture
def panel(served):
    return try_it.Panel(served, 1, top=3)


def test_the_page_shows_history_lists_hits_and_reasons(panel):
    page = panel.page.value
    for text in ("Watched, newest first", "Most watched", "User k-NN", "★ ", "Why Most watched shows these", "Drama"):
        assert text in page
    assert "<b>Film" not in page  # titles are data
    assert "&lt;b&gt;Film" in page


def test_another_person_has_another_page(panel, served):
    before = panel.page.value
    panel.person.value = 3
    assert panel.answers.user == 3
    assert panel.page.value != before
    assert panel.answers.history == served.history(3)
    assert "<h3>User 3, 7 films watched</h3>" in panel.page.value


def test_one_family_and_one_model_s_reasons(panel):
    panel.family.value = "Neighbourhood"
    assert "Item k-NN" in panel.page.value
    assert "Non-personalised (" not in panel.page.value
    panel.model.value = "item_knn"
    assert "Why Item k-NN shows these" in panel.page.value
    assert "part of the score" in panel.page.value


def test_typed_films_win_until_they_are_taken_back(panel):
    panel.typed.value = "Film 10; Film 11"
    assert (panel.answers.user, panel.answers.history) == (None, [10, 11])
    assert "<h3>Someone new, 2 films watched</h3>" in panel.page.value
    panel.model.value = "baseline"
    assert STRANGER in panel.page.value
    panel.typed.value = ""
    assert panel.answers.user == 1


def test_a_mistake_is_told_on_the_page_and_the_last_answer_stays(panel):
    panel.typed.value = "Flim <99>"
    assert "Unknown movie" in panel.page.value
    assert "<99>" not in panel.page.value
    assert panel.answers.user == 1
    panel.family.value = "Neighbourhood"
    assert "Item k-NN" in panel.page.value


def test_many_people_are_spread_over_the_drop_down(served, monkeypatch):
    assert try_it.choices(served, 2)[0] == ("1 (7 films watched)", 1)
    monkeypatch.setattr(try_it, "MOST_PEOPLE", 2)
    assert [one for _, one in try_it.choices(served, 2)] == [1, 2, 6]


@pytest.mark.parametrize("someone_there", [True, False])
def test_nobody_there_no_widget(served, monkeypatch, someone_there):
    shown = []
    monkeypatch.setattr(try_it, "display", shown.append)
    monkeypatch.setattr(try_it, "attended", lambda: someone_there)
    try_it.choose(served, 1)
    (one,) = shown
    assert hasattr(one, "children") == someone_there
    if not someone_there:
        assert "drop-down of 6 people" in one.data


def test_a_process_without_a_notebook_is_not_attended():
    assert not try_it.attended()
