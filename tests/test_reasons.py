"""Reasons by hand: parts of a score, a model's own likeness, people in common, and the genres shared."""

import numpy as np
import pandas as pd
import pytest
from models_cases import split_of

from aicine_utils import columns as c
from aicine_utils import inspection
from aicine_utils.models.base import Recommender
from aicine_utils.models.linear import EASE
from aicine_utils.models.neighbours import ItemKNN, UserKNN
from aicine_utils.models.popularity import Views
from aicine_utils.study import reasons

TRAIN = [(1, 10, 5), (1, 20, 4), (2, 10, 5), (2, 20, 1), (2, 30, 3), (3, 30, 4), (4, 10, 2), (4, 40, 4)]


class Alike(Recommender):
    """A likeness from outside."""

    def _fit(self, split):
        self.table_ = np.array([[1.0, 0.2, 0.5, -0.1], [0.2, 1, 0.5, 0], [0.5, 0.5, 1, 0], [-0.1, 0, 0, 1]])

    def _score(self, rows):
        return np.zeros((len(rows), 4))

    def _similarity(self, column):
        return self.table_[column]


def rows(table):
    """(movie, because, nearness) of each row."""
    return list(zip(table[c.MOVIE], table["because"], table["nearness"].round(4), strict=True))


def test_parts_of_a_score_by_hand():
    model = ItemKNN(k=4, shrink=0).fit(split_of(TRAIN))
    table = reasons.nearest(model, [30, 40], [10, 20], user=1, n=2)
    # For 30 the cosines of 10 and 20 are 1/√6 and 1/2; for 40 only 10 speaks.
    tenth = 6**-0.5 / (6**-0.5 + 0.5)
    assert rows(table) == [(30, 20, round(1 - tenth, 4)), (30, 10, round(tenth, 4)), (40, 10, 1)]
    assert set(table["by"]) == {reasons.WEIGHTS}


def test_who_types_a_user_s_history_gets_that_user_s_reasons(mock_split):
    final = mock_split.for_test()
    for model in (ItemKNN(k=9).fit(final), EASE().fit(final)):
        user = int(final.user_ids[3])
        watched = final.train.loc[final.train[c.USER] == user, c.MOVIE].tolist()
        listed = model.recommend([user], 5)
        theirs = reasons.nearest(model, listed[c.MOVIE], watched, user, n=3)
        pd.testing.assert_frame_equal(theirs, reasons.nearest(model, listed[c.MOVIE], watched, n=3))
        because = inspection.because(model, listed)
        first = theirs.drop_duplicates(c.MOVIE).set_index(c.MOVIE).loc[because[c.MOVIE]]
        assert first["because"].tolist() == because["because"].tolist()
        assert first["nearness"].tolist() == pytest.approx(because["share"].tolist())


def test_a_film_that_the_model_leaves_out_of_histories_is_no_part_of_the_score():
    model = ItemKNN(k=4, shrink=0, liked=0.75).fit(split_of(TRAIN))  # user 2 gave film 20 one star of five
    found = reasons.nearest(model, [40], [10, 20, 30], user=2)
    assert 20 not in found["because"].tolist()


def test_the_model_s_own_likeness():
    table = reasons.nearest(Alike().fit(split_of(TRAIN)), [30, 40], [20, 10, 20], n=2)
    # 10 and 20 are as near to 30; the one watched first comes first. Nothing is near to 40.
    assert rows(table) == [(30, 20, 0.5), (30, 10, 0.5)]
    assert set(table["by"]) == {reasons.VECTORS}


@pytest.mark.parametrize("model", [Views(), UserKNN()])
def test_people_in_common_where_a_model_knows_no_likeness(model):
    table = reasons.nearest(model.fit(split_of(TRAIN)), [30], [10, 20])
    # 30 was watched by 2 and 3, 20 by 1 and 2: one in common of 2 · 2. For 10 (1, 2, 4) it is 1/√6.
    assert rows(table) == [(30, 20, 0.5)]
    assert set(table["by"]) == {reasons.AUDIENCE}


def test_people_in_common_on_request():
    model = Alike().fit(split_of(TRAIN))
    assert rows(reasons.nearest(model, [40], [10], by=reasons.AUDIENCE)) == [(40, 10, round(3**-0.5, 4))]


@pytest.mark.parametrize(("movies", "watched"), [([], [10]), ([30], []), ([30], [999])])
def test_nothing_to_say(movies, watched):
    table = reasons.nearest(Views().fit(split_of(TRAIN)), movies, watched)
    assert table.empty
    assert reasons.with_genres(table, split_of(TRAIN).movies).columns.tolist() == [
        "movie_id", "because", "nearness", "by", "shared"]  # fmt: skip


def test_genres_in_common():
    movies = pd.DataFrame({c.MOVIE: [1, 2, 3], c.GENRES: [["War", "Drama"], ["Drama", "Comedy", "War"], []]})
    table = pd.DataFrame({c.MOVIE: [1, 2, 1, 1], "because": [2, 1, 3, 99]})
    assert reasons.with_genres(table, movies)["shared"].tolist() == ["War, Drama", "Drama, War", "", ""]
