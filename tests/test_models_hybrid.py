"""LightFM: feature matrices by hand, scores equal to the library's own, seeds, files, new people and new movies."""

import os

import numpy as np
import pandas as pd
import pytest
from models_cases import split_of, stays_the_same

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.models import features, registry
from aicine_utils.models.hybrid import DOUBT, LightFM

NAMES = registry.names("hybrid")
MOVIES = [(10, "A", 1994, ["Drama", "War"]), (20, "B", None, ["Drama"]), (30, "C", 1999, [])]
USERS = [(1, "F", "25-34", "writer", "1"), (2, "M", "25-34", None, "2"), (7, "M", "56+", "lawyer", "3")]
TRAIN = [(1, 10, 5), (1, 20, 2), (2, 10, 4)]
TEST = [(2, 30, 5), (7, 10, 5)]


def movies():
    return pd.DataFrame(MOVIES, columns=c.MOVIES).astype({c.YEAR: "Int16"})


def people():
    return pd.DataFrame(USERS, columns=c.USERS)


def small_split():
    return split_of(TRAIN, TEST, MOVIES, people())


def test_labels_of_movies_and_people():
    found = features.movie_labels(movies()).groupby(c.MOVIE)["feature"].apply(sorted).to_dict()
    assert found == {10: ["decade:1990", "genre:Drama", "genre:War"], 20: ["genre:Drama"], 30: ["decade:1990"]}
    found = features.user_labels(people()).groupby(c.USER)["feature"].apply(sorted).to_dict()
    assert found[2] == ["age_group:25-34", "gender:M"]
    assert features.user_labels(None).empty


def test_kinds_of_what_is_known():
    found = features.kinds(movies(), people()).set_index("kind")
    assert found.loc["genre"].tolist() == [2, 2, "Drama"]
    assert found.loc["age group"].tolist() == [2, 3, "25-34"]
    assert found.loc["occupation", "known"] == 2
    assert features.kinds(movies().iloc[:0], None).empty


def test_features_share_their_weight_and_unknown_ones_are_left_out():
    ids, known = np.array([10, 20, 30]), np.array([True, True, False])
    names, matrix = features.described(ids, known, features.movie_labels(movies()), weight=3)
    assert names.tolist() == ["decade:1990", "genre:Drama", "genre:War"]
    assert matrix.toarray().tolist() == [[1, 0, 1, 1, 1], [0, 1, 0, 3, 0], [0, 0, 3, 0, 0]]
    names, matrix = features.described(ids, ~known, features.movie_labels(movies()), weight=3)
    assert names.tolist() == ["decade:1990"]
    assert matrix.toarray().tolist() == [[0, 3], [0, 0], [1, 3]]


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_the_library_s(name, mock_split, monkeypatch):
    kept = []
    make = LightFM._library
    monkeypatch.setattr(LightFM, "_library", lambda self: kept.append(make(self)) or kept[-1])
    model = registry.create(name, "mock", epochs=3).fit(mock_split)
    rows, cols = map(np.ravel, np.indices((len(model.user_ids_), len(model.movie_ids_)), np.int32))
    theirs = kept[0].predict(rows, cols, item_features=model.movie_design_, user_features=model.user_design_)
    ours = model.score(model.user_ids_)
    assert np.ptp(ours) > 0.1
    np.testing.assert_allclose(ours, theirs.reshape(ours.shape), rtol=1e-4, atol=1e-5)


def test_ids_alone_are_the_library_s_plain_model(mock_split):
    from lightfm import LightFM as Library

    seen = mock_split.matrix(mock_split.train[mock_split.train[c.RATING] >= 4])
    users, movies = (np.flatnonzero(np.bincount(axis) > 0) for axis in mock_split.matrix(mock_split.train).nonzero())
    theirs = Library(8, loss="warp", learning_rate=0.05, item_alpha=1e-4, user_alpha=1e-4, random_state=3)
    theirs.fit(seen[users][:, movies].tocoo(), epochs=4)
    model = LightFM(seed=3, factors=8, epochs=4, learning_rate=0.05, penalty=1e-4, liked=0.75).fit(mock_split)
    assert np.array_equal(model.user_embeddings_, theirs.user_embeddings)
    assert np.array_equal(model.movie_feature_biases_, theirs.item_biases)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_lists(name, mock_split):
    models = [registry.create(name, "mock", seed=seed, epochs=3).fit(mock_split) for seed in (1, 1, 2)]
    one, same, other = (model.recommend(mock_split.user_ids) for model in models)
    pd.testing.assert_frame_equal(one, same)
    assert not one[c.MOVIE].equals(other[c.MOVIE])


@pytest.mark.parametrize("name", NAMES)
def test_files_chunks_and_candidates(name, mock_split, tmp_path):
    model = registry.create(name, "mock", epochs=3).fit(mock_split)
    stays_the_same(model, mock_split, tmp_path)
    loaded = LightFM.load(tmp_path)
    histories = [[int(model.movie_ids_[0])], []]
    assert np.array_equal(loaded.score_people(histories, mock_split.users[:2]),
                          model.score_people(histories, mock_split.users[:2]))  # fmt: skip
    assert not any(file.suffix in {".pkl", ".pickle"} for file in tmp_path.iterdir())


def test_what_has_no_ratings_takes_no_part_in_training():
    model = LightFM(features="both", epochs=2, factors=4).fit(small_split())
    assert model.movie_design_.shape == (3, 2 + 3)
    assert model.user_design_.shape == (3, 2 + 4)  # F, M, 25-34, writer; 56+ and lawyer are nobody's in training
    lonely = model.movie_design_[2] @ model.movie_embeddings_
    np.testing.assert_allclose(lonely[0], model.movie_embeddings_[2], rtol=1e-6)  # decade:1990 alone


def test_a_vector_of_a_history_by_hand():
    model = LightFM(features="users", epochs=3, factors=4).fit(small_split())
    vectors, biases = model._movies()
    own = model.slope_ * 2 / (2 + DOUBT) * vectors[:2].mean(axis=0)
    woman = features.design(np.array([0]), features.user_labels(people()[:1].assign(user_id=0)), model.user_names_, 1.0)
    described = (woman @ model.user_embeddings_[2:])[0]
    bias = float((woman @ model.user_feature_biases_[2:])[0])
    expected = (own + described) @ vectors.T + biases + bias
    np.testing.assert_allclose(model.score_people([[20, 10]], people()[:1])[0], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.score_histories([[20, 10]])[0], own @ vectors.T + biases, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.score_histories([[], [99]]), np.tile(biases, (2, 1)))


def test_a_new_person_scores_as_one_without_ratings():
    model = LightFM(features="both", epochs=3, factors=4).fit(small_split())
    np.testing.assert_allclose(model.score_people([[]], people()[2:])[0], model.score([7])[0], rtol=1e-5, atol=1e-6)


def test_the_slope_is_least_squares(mock_split):
    model = LightFM(epochs=5, liked=0.75).fit(mock_split)
    liked = mock_split.train[mock_split.train[c.RATING] >= 4]
    seen, vectors = mock_split.matrix(liked), model._movies()[0]
    means = np.asarray(seen @ vectors / np.maximum(seen.sum(axis=1), 1))
    direct = np.linalg.lstsq(means.reshape(-1, 1), model.user_embeddings_.reshape(-1), rcond=None)[0]
    assert model.slope_ == pytest.approx(float(direct[0]), rel=1e-4)


def test_the_curve_follows_the_epochs_and_the_watch_sees_each(mock_split):
    model, seen = LightFM(epochs=20), []
    model.watch = lambda epoch: seen.append((epoch, model.score(mock_split.user_ids[:1]).copy()))
    model.fit(mock_split)
    assert [epoch for epoch, _ in seen] == list(range(1, 21))
    assert not np.array_equal(seen[0][1], seen[1][1])
    assert np.array_equal(seen[-1][1], model.score(mock_split.user_ids[:1]))
    assert [row["epoch"] for row in model.curve] == list(range(2, 21, 2))
    assert model.curve[-1]["train_precision@10"] > model.curve[0]["train_precision@10"]


def test_logistic_tells_liked_from_rated_lower(mock_split):
    model = LightFM(loss="logistic", liked=0.75, epochs=40, factors=8).fit(mock_split)
    rows = np.searchsorted(mock_split.user_ids, mock_split.train[c.USER])
    cols = np.searchsorted(mock_split.movie_ids, mock_split.train[c.MOVIE])
    scores = model.score(mock_split.user_ids)[rows, cols]
    assert (scores > 0)[mock_split.train[c.RATING] >= 4].mean() > 0.8
    assert (scores < 0)[mock_split.train[c.RATING] < 4].mean() > 0.8


def test_several_threads_train_too(mock_split, monkeypatch):
    from lightfm import LightFM as Library

    asked, fit = [], Library.fit_partial
    monkeypatch.setattr(Library, "fit_partial", lambda *a, **k: (asked.append(k["num_threads"]), fit(*a, **k))[1])
    model = LightFM(threads=0, epochs=5).fit(mock_split)
    assert asked == [os.cpu_count()] * 5
    assert model.curve[-1]["train_precision@10"] > 0.3


def test_what_is_unknown_of_people_is_no_feature():
    some = people()[:1].assign(occupation="unknown", age_group="unknown")
    assert features.user_labels(some)["feature"].tolist() == [f"gender:{some[c.GENDER].iloc[0]}"]


def test_without_a_table_of_users_the_ids_remain(mock_split):
    bare = split_of([(u, m, 5) for u in range(6) for m in range(u, u + 4)])
    ids, users = (LightFM(features=f, epochs=2).fit(bare) for f in ("ids", "users"))
    assert np.array_equal(ids.score(bare.user_ids), users.score(bare.user_ids))


@pytest.mark.filterwarnings("ignore:invalid value")
def test_errors_of_users(mock_split):
    with pytest.raises(AicineError, match="Did you mean 'warp'"):
        LightFM(loss="wrap")
    with pytest.raises(AicineError, match="Unknown features 'genres'"):
        LightFM(features="genres")
    with pytest.raises(AicineError, match=r"epoch 1.*Lower learning_rate"):
        LightFM(learning_rate=1e30, factors=64).fit(mock_split)
