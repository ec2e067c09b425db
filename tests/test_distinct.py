"""Who competes where data lack what some models read."""

from dataclasses import replace

from aicine_utils import columns as c
from aicine_utils.models import registry
from aicine_utils.study import distinct


def test_all_models_compete_where_people_and_films_are_described(mock_data):
    assert distinct.names(mock_data) == registry.names()
    assert distinct.left_out(mock_data) == ""


def test_models_that_are_another_one_here_are_left_out_and_named(mock_data):
    nobody = replace(mock_data, users=None)
    assert set(registry.names()) - set(distinct.names(nobody)) == {"group_popularity", "lightfm_users", "lightfm_both"}
    bare = mock_data.movies.assign(**{c.GENRES: [[] for _ in mock_data.movies.index], c.YEAR: None})
    nothing = replace(nobody, movies=bare)
    assert set(distinct.names(nobody)) - set(distinct.names(nothing)) == {"lightfm_movies"}
    assert distinct.left_out(nothing).endswith(
        "Most watched in the group, LightFM, films described, LightFM, people described, LightFM, both described."
    )
