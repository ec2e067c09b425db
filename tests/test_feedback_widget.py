"""The shelf of the notebook: a click is stored, and the list is another."""

import pytest

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.feedback import store
from aicine_utils.feedback.widget import Shelf
from aicine_utils.models.factorisation import SVD
from aicine_utils.models.linear import EASE


@pytest.fixture
def shelf(mock_data, mock_split):
    with store.open_for(mock_data) as opened:
        yield Shelf(mock_data, "ease", EASE(regularisation=5.0).fit(mock_split), mock_split, opened)


def shown(shelf):
    return [row.children[0].value for row in shelf.rows.children]


def test_someone_new_is_shown_what_is_watched_most(shelf, mock_split):
    views = mock_split.train[c.MOVIE].value_counts()
    assert views[shelf.best()].tolist() == views.head(10).tolist()
    assert len(shown(shelf)) == 10


def test_a_click_is_stored_and_the_list_is_another(shelf):
    before, movie, list_id = shelf.best(), shelf.best()[3], shelf.list_id
    shelf.rows.children[3].children[5].click()
    rated = shelf.store.events("me").query("kind == 'rate'")
    assert rated[["movie", "value", "list_id", "model_version"]].to_numpy().tolist() == [[movie, 5.0, list_id, "ease"]]
    assert movie not in shelf.best()
    assert shelf.best() != [other for other in before if other != movie]
    assert "5 stars" in shelf.says.value
    assert len(shown(shelf)) == 10


def test_what_is_shown_is_noted_with_its_place(shelf):
    events = shelf.store.events("me")
    assert events["kind"].unique().tolist() == ["impression"]
    assert events["movie"].tolist() == shelf.best()
    assert events["value"].tolist() == list(range(1, 11))


def test_a_film_that_was_not_liked_goes_and_nothing_comes_of_it(shelf):
    before = shelf.best()
    shelf.rate(before[0], 1.0)
    assert shelf.best()[:9] == before[1:]


def test_someone_in_the_data_has_a_history_that_is_read(mock_data, mock_split):
    model = EASE(regularisation=5.0).fit(mock_split.for_test())
    with store.open_for(mock_data) as opened:
        shelf = Shelf(mock_data, "ease", model, mock_split, opened, user="1")
        assert shelf.best() == model.recommend([1], 10)[c.MOVIE].tolist()


def test_what_the_store_refuses_is_said(shelf):
    with pytest.raises(AicineError, match="stars"):
        shelf.rate(shelf.best()[0], 9.0)


def test_a_model_that_reads_no_history_is_refused(mock_data, mock_split):
    with store.open_for(mock_data) as opened, pytest.raises(AicineError, match="svd knows only the people"):
        Shelf(mock_data, "svd", SVD(), mock_split, opened)
