"""Content k-NN by hand, its hubs and their cure, and vectors that learn what belongs together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from models_cases import split_of, stays_the_same

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.models import registry
from aicine_utils.models.content import (
    ContentTfidf,
    ContentWord2Vec,
    Item2Vec,
    Shuffled,
    VectorKNN,
    centred,
    unit_rows,
    words,
)

NAMES = registry.names("content_based")
MOVIES = [
    (10, "Star Wars", 1977, ["Sci-Fi"]),
    (20, "Star Trek II", 1982, ["Sci-Fi"]),
    (30, "Pride, and Prejudice!", None, ["Romance"]),
    (40, "Star Trek VI", 1991, ["Sci-Fi"]),
]
TRAIN = [(1, 10, 5), (1, 30, 2), (2, 20, 4), (2, 10, 5), (3, 30, 5)]
TEST = [(1, 40, 5)]
VECTORS = np.array([[1, 0], [0.6, 0.8], [0, 1], [0, 0]])


class Given(VectorKNN):
    """Vectors from outside."""

    def _vectors(self, split):
        return VECTORS


def test_words_of_movies():
    movies = pd.DataFrame(MOVIES, columns=c.MOVIES).astype({c.YEAR: "Int16"})
    assert words(movies, np.array([10, 30, 99]), genre_weight=2) == [
        ["star", "wars", "genre:Sci-Fi", "genre:Sci-Fi", "decade:1970"],
        ["pride", "and", "prejudice", "genre:Romance", "genre:Romance"],
        [],
    ]


def test_score_is_the_cosine_to_the_mean_of_liked_movies():
    model = Given(centred=False).fit(split_of(TRAIN, TEST, MOVIES))
    # User 1 liked movie 10 alone; user 2 liked (1, 0) and (.6, .8), whose mean lies at (1.6, .8) / sqrt(3.2).
    assert model.score([1])[0] == pytest.approx([1, 0.6, 0, 0])
    middle = np.array([1.6, 0.8]) / np.sqrt(3.2)
    assert model.score([2])[0] == pytest.approx([middle[0], middle @ [0.6, 0.8], middle[1], 0], abs=1e-6)
    assert model.score_histories([[20, 10], [], [99]])[0] == pytest.approx(model.score([2])[0], abs=1e-6)
    assert not model.score_histories([[], [99]]).any()
    assert Given(centred=False, liked=0).fit(split_of(TRAIN, TEST, MOVIES)).score([1])[0] == pytest.approx(
        [np.sqrt(0.5), np.sqrt(0.5) * 1.4, np.sqrt(0.5), 0], abs=1e-6
    )


@given(arrays(np.float64, (5, 3), elements=st.floats(-9, 9, width=16)), st.integers(0, 4))
def test_centring(vectors, empty):
    vectors[empty] = 0
    known = vectors.any(axis=1)
    result = centred(vectors)
    assert np.abs(result.sum(axis=0)).max() < 1e-9
    assert not result[~known].any()
    np.testing.assert_allclose(np.diff(result[known], axis=0), np.diff(vectors[known], axis=0), atol=1e-9)
    lengths = np.linalg.norm(unit_rows(vectors), axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-9) | (lengths < 1e-3))


def test_centring_takes_the_hub_away():
    rng = np.random.default_rng(0)
    spread = rng.normal(size=(200, 30)) + 3  # all movies share a direction
    spread[0] = 3  # this one is nothing but what they share: near to everyone
    watched = {(1 + user, 1 + movie) for user in range(40) for movie in rng.integers(1, 200, 2)}
    everything = {(41, movie) for movie in range(1, 201)}  # so that each movie is a candidate
    split = split_of([(*pair, 5) for pair in sorted(watched | everything)])

    class Hub(VectorKNN):
        def _vectors(self, _):
            return spread

    first = {on: (Hub(centred=on).fit(split).recommend(range(1, 41), k=1)[c.MOVIE] == 1).mean() for on in (False, True)}
    assert first[False] > 0.9
    assert first[True] < 0.1


def test_tfidf_by_hand():
    model = ContentTfidf(centred=False, genre_weight=2, min_count=2).fit(split_of(TRAIN, TEST, MOVIES))
    # Words in two movies and more: star (3), trek (2), genre:Sci-Fi (3, twice in each bag, so 1 + ln 2 times as much);
    # smoothed idf = ln(5 / (1 + df)) + 1.
    three, two = np.log(5 / 4) + 1, np.log(5 / 3) + 1
    genre = three * (1 + np.log(2))
    wars, trek = np.array([three, 0, genre]), np.array([three, two, genre])
    near = wars @ trek / np.linalg.norm(wars) / np.linalg.norm(trek)
    assert model.similar(10, k=2)[c.SCORE].tolist() == pytest.approx(
        [near], abs=1e-6
    )  # the other has nothing in common
    assert model.score([1])[0] == pytest.approx([1, near, 0, near], abs=1e-6)


def test_words_place_movies_that_nobody_rated():
    model = ContentTfidf(centred=False).fit(split_of(TRAIN, TEST, MOVIES))
    assert model.similar(40, k=1)[c.MOVIE].tolist() == [20]
    assert model.score([2])[0][3] > 0.5
    assert 40 not in set(model.recommend([2])[c.MOVIE])  # nobody rated it: no candidate
    assert not Item2Vec(min_count=1).fit(split_of(TRAIN, TEST, MOVIES)).vectors_[3].any()


def test_equal_descriptions_are_ordered_by_movie_id():
    movies = [(movie, "Untitled", 2000, ["Drama"]) for movie in (5, 6, 7, 8)]
    split = split_of([(1, 6, 5), (2, 8, 5), (2, 5, 5), (2, 7, 5)], movies=movies)
    assert ContentTfidf(centred=False).fit(split).recommend([1])[c.MOVIE].tolist() == [5, 7, 8]


def two_circles():
    """Users of each half of the movies only: what stands together in histories has no word in common."""
    rng, rows = np.random.default_rng(1), []
    for user in range(60):
        rows += [(user, movie, 5) for movie in rng.permutation(12)[:8] * 2 + user % 2]
    return split_of(rows)


def test_item2vec_learns_who_stands_together():
    model = Item2Vec(min_count=1, window=8).fit(two_circles())
    near = [model.similar(movie, k=11)[c.MOVIE].to_numpy() % 2 for movie in model.movie_ids_]
    assert np.array_equal(near, np.repeat(model.movie_ids_ % 2, 11).reshape(-1, 11))


@pytest.mark.parametrize("model_class", [ContentWord2Vec, Item2Vec])
def test_the_seed_decides(model_class, mock_split):
    one, same, other = (model_class(seed=s, epochs=2).fit(mock_split).vectors_ for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


def test_shuffled_sentences():
    sentences = [np.arange(20).astype(str), np.array(["a"])]
    stream, again = Shuffled(sentences, seed=3), Shuffled(sentences, seed=3)
    first, second = list(stream), list(stream)
    assert first != second
    assert [first, second] == [list(again), list(again)]
    assert [sorted(s) for s in first] == [sorted(s) for s in sentences]


@pytest.mark.parametrize("name", NAMES)
def test_files_chunks_and_candidates(name, mock_split, tmp_path):
    model = registry.create(name, "mock").fit(mock_split)
    stays_the_same(model, mock_split, tmp_path)
    liked = mock_split.train[mock_split.train[c.RATING] >= 4].groupby(c.USER)[c.MOVIE].apply(list)
    np.testing.assert_allclose(model.score_histories(list(liked)), model.score(liked.index), atol=1e-5)


def test_errors_of_users():
    with pytest.raises(AicineError, match="Did you mean 'genre_weight'"):
        ContentTfidf(genre_weigth=1)
    with pytest.raises(AicineError, match="Unknown movie 99"):
        ContentTfidf().fit(split_of(TRAIN, TEST, MOVIES)).similar(99)
