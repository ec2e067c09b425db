"""Because-you-watched and newcomers: who is asked about which movie, and what the lists hold, by hand."""

import numpy as np
import pandas as pd
import pytest
from models_cases import split_of

from aicine_utils import columns as c
from aicine_utils import experiment
from aicine_utils.models import registry
from aicine_utils.study import because_watched, newcomers

# Day by day; the last train movie that is liked is asked about. User 3 liked nothing before, user 4 nothing after.
TRAIN = [(1, 10, 5, 1), (1, 20, 4, 2), (1, 30, 2, 3), (2, 20, 5, 1), (2, 10, 5, 2), (3, 10, 2, 1), (4, 20, 5, 1),
         (5, 40, 1, 1), (5, 20, 5, 2), (6, 10, 5, 1), (6, 40, 5, 2), (7, 20, 1, 1), (7, 30, 1, 2)]  # fmt: skip
TEST = [(1, 40, 5, 9), (2, 30, 5, 9), (3, 30, 5, 9), (4, 10, 1, 9), (5, 30, 4, 9), (6, 30, 5, 9)]


@pytest.fixture
def split():
    return split_of(TRAIN, TEST)


def test_the_last_liked_movie_is_asked_about(split):
    last = because_watched.Last.of(split)
    assert last.users.tolist() == [1, 2, 5, 6]
    assert split.movie_ids[last.columns].tolist() == [20, 10, 20, 40]
    assert split.movie_ids[last.asked].tolist() == [10, 20, 40]


def test_of_many_people_an_even_choice_is_asked(split):
    assert because_watched.Last.of(split, most=2).users.tolist() == [1, 5]


def test_watched_together_counts_people(split):
    # 20 was watched by 1, 2, 4, 5, 7: with 10 by 1 and 2, with 30 by 1 and 7, with 40 by 5.
    assert because_watched.together(split, np.array([1])).tolist() == [[2, 5, 2, 1]]


def test_lists_leave_out_history_and_what_has_nothing_in_common(split):
    last = because_watched.Last.of(split)
    near = np.array([[0, 5, 3, 1], [9, 0, 2, 0], [1, 1, 1, 9]], np.float32)  # rows: 10, 20, 40; columns: 10 to 40
    lists = last.lists(near, np.ones(4, bool))
    found = lists.groupby(c.USER)[c.MOVIE].apply(list).to_dict()
    # 1 has seen 10, 20, 30, and 40 has nothing in common with 20; 2 has seen 10 and 20; 5 20 and 40; 6 10 and 40.
    assert found == {2: [30, 40], 5: [10, 30], 6: [20, 30]}
    values = last.values(lists, "x", 0.5).pivot(index=c.USER, columns=c.METRIC, values=c.VALUE)
    assert values["hit"].to_dict() == {1: 0, 2: 1, 5: 1, 6: 1}
    assert values["ndcg"].to_dict() == pytest.approx({1: 0, 2: 1, 5: 1 / np.log2(3), 6: 1 / np.log2(3)})
    unknown = last.lists(near, np.array([True, True, False, True]))
    assert 30 not in set(unknown[c.MOVIE])


def test_models_with_similar_movies_are_found_without_loading_any():
    able = because_watched.able(registry.names())
    assert {"ease", "item_knn", "ials", "blend", "content_tfidf", "sasrec"} <= set(able)
    assert {"popularity", "random", "user_knn", "mlp"}.isdisjoint(able)


def test_a_model_s_list_is_that_of_similar(mock_split, home):
    results = {name: experiment.run(name, mock_split) for name in ("random", "popularity", "item_knn", "user_knn")}
    table = because_watched.measure(results, mock_split)
    assert set(table["model"]) == {"random", "popularity", "item_knn", because_watched.TOGETHER}
    last, model = because_watched.Last.of(mock_split), results["item_knn"].model()
    seen = mock_split.history.groupby(c.USER)[c.MOVIE].apply(set)
    user, movie = last.users[0], int(mock_split.movie_ids[last.columns[0]])
    expected = [m for m in model.similar(movie, 150)[c.MOVIE] if m not in seen[user]][:10]
    lists = last.lists(because_watched.nearness(model, last.asked), model.known_)
    assert lists.loc[lists[c.USER] == user, c.MOVIE].tolist() == expected
    wide = table[table[c.METRIC] == "ndcg"].pivot(index=c.USER, columns="model", values=c.VALUE)
    assert wide.index.tolist() == last.users.tolist()
    assert wide.notna().all(axis=None)
    blind = results["popularity"].values().loc[wide.index]
    assert wide["popularity"].tolist() == pytest.approx(blind.tolist())


def test_where_nobody_liked_anything_the_table_is_empty():
    split = split_of([(1, 10, 1), (2, 20, 1)], [(1, 20, 5)])
    assert because_watched.measure({}, split).empty


def test_columns_of_newcomers_have_names_and_parts():
    assert newcomers.label("ease") == "EASE"
    assert newcomers.label("ease+popularity") == "EASE + most liked"
    assert newcomers.label("ease@content_tfidf") == "EASE of the neighbours"
    assert newcomers.parts("ease@content_tfidf") == ["ease", "content_tfidf"]
    assert newcomers.parts("ease+popularity") == ["ease", "popularity"]


def test_new_films_are_judged_among_themselves():
    rows = [("ease", True, which, 7, value) for which, value in (("new", 0.3), ("all", 0.1))]
    films = pd.DataFrame(
        [*rows, ("random", False, "new", 7, 0.2)], columns=["model", "through", "candidates", c.USER, c.VALUE]
    )
    assert newcomers.among_new(films).loc[7].to_dict() == {"ease@content_tfidf": 0.3, "random": 0.2}


def test_a_genre_or_a_year_describes(mock_data):
    movies = mock_data.movies
    bare = movies.assign(
        **{c.YEAR: pd.array([pd.NA] * len(movies), "Int16"), c.GENRES: [[] for _ in range(len(movies))]}
    )
    assert newcomers.described(movies)
    assert not newcomers.described(bare)
    assert newcomers.described(bare.assign(**{c.YEAR: movies[c.YEAR]}))
    assert newcomers.described(bare.assign(**{c.GENRES: movies[c.GENRES]}))
