"""Our matrix algebra against Surprise's own predictions, pair by pair."""

import heapq

import numpy as np
import pandas as pd
import pytest
import surprise
from hypothesis import given
from hypothesis import strategies as st

from aicine_utils import settings, splits
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import AicineError
from aicine_utils.models import original_study, registry, surprise_base
from aicine_utils.models.factorisation import NMF, SVD, Baseline, CoClustering, SlopeOne, SVDpp
from aicine_utils.models.surprise_knn import KNNBaseline, KNNWithMeans, nearest

NAMES = ["baseline", "svd", "svdpp", "nmf", "slope_one", "co_clustering", "knn_means", "knn_baseline"]
SIMILARITIES = [("msd", 3, 1), ("cosine", 5, 4), ("pearson_baseline", 40, 2), ("pearson", 4, 1)]
KNN = [
    {"user_based": by_user, "similarity": similarity, "k": k, "min_k": min_k}
    for by_user in (True, False)
    for similarity, k, min_k in SIMILARITIES
]
CASES = [
    (Baseline, {}),
    (SVD, {"n_factors": 7}),
    (SVD, {"n_factors": 7, "biased": False}),
    (SVDpp, {"n_factors": 5, "n_epochs": 3}),
    (NMF, {"n_factors": 4}),
    (NMF, {"n_factors": 4, "biased": True, "n_epochs": 5}),
    (SlopeOne, {}),
    (CoClustering, {}),
    *[(model, params) for model in (KNNWithMeans, KNNBaseline) for params in KNN],
]


def movielens(ratings):
    info = {"name": "tiny", "fingerprint": "f", "rating_scale": [1, 5]}
    return MovieLens(ratings, pd.DataFrame({"movie_id": ratings["movie_id"].unique()}), None, info)


def frame(users, movies, stars):
    when = pd.to_datetime(np.arange(len(users)), unit="s").astype("datetime64[s]")
    return pd.DataFrame({"user_id": users, "movie_id": movies, "rating": np.float32(stars), "timestamp": when})


@pytest.fixture(scope="module")
def data():
    """50 users by 45 movies, ids far apart, in shuffled order; the last users and movies come late."""
    rng = np.random.default_rng(3)
    pairs = np.argwhere(rng.random((50, 45)) < 0.4)
    late = (pairs[:, 0] >= 47) | (pairs[:, 1] >= 42)
    pairs = pairs[np.argsort(late * 10 + rng.random(len(pairs)))]
    taste, level = rng.normal(size=(2, 45, 2)), rng.normal(size=50)
    stars = 3.4 + level[pairs[:, 0]] + (taste[0, pairs[:, 0] % 45] * taste[1, pairs[:, 1]]).sum(1)
    return movielens(frame(pairs[:, 0] * 7 + 3, 900 - pairs[:, 1] * 11, np.clip(np.round(stars), 1, 5)))


@pytest.fixture(scope="module")
def split(data, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AICINE_HOME", str(tmp_path_factory.mktemp("home")))
        made = splits.make(data, "global_temporal")
    assert len(set(made.user_ids) - set(made.train.user_id)) >= 2
    assert len(set(made.movie_ids) - set(made.train.movie_id)) >= 2
    return made


def surprise_trainset(ratings):
    reader = surprise.Reader(rating_scale=(1, 5))
    return surprise.Dataset.load_from_df(ratings[["user_id", "movie_id", "rating"]], reader).build_full_trainset()


@pytest.mark.parametrize(("model_class", "params"), CASES)
def test_every_score_equals_surprise(split, model_class, params):
    model = model_class(seed=5, **params).fit(split)
    algo = model.algorithm().fit(surprise_trainset(split.train))
    expected = [[algo.predict(int(u), int(m), clip=False).est for m in split.movie_ids] for u in split.user_ids]
    np.testing.assert_allclose(model.score(split.user_ids), expected, atol=2e-6)
    assert model.mean_ == pytest.approx(algo.trainset.global_mean, abs=1e-12)


@pytest.mark.parametrize(("model_class", "params"), [*CASES[:9], *CASES[-6:]])
def test_chunks_pairs_and_files_give_the_same_scores(split, model_class, params, tmp_path):
    model = model_class(seed=5, **params).fit(split)
    whole = model.score(split.user_ids)
    np.testing.assert_allclose(model.score(split.user_ids[[4, 1]]), whole[[4, 1]], atol=1e-6)
    model.save(tmp_path)
    assert np.array_equal(model_class.load(tmp_path).score(split.user_ids), whole)
    rows, cols = (
        np.searchsorted(split.user_ids, split.test.user_id),
        np.searchsorted(split.movie_ids, split.test.movie_id),
    )
    np.testing.assert_allclose(model.predict(split.test), np.clip(whole[rows, cols], 1, 5), atol=1e-6)


def test_trainset_is_the_one_that_surprise_builds(data):
    ours, theirs = surprise_base.build_trainset(data.ratings, (1, 5)), surprise_trainset(data.ratings)
    assert ours.ur == theirs.ur
    assert ours.ir == theirs.ir
    assert list(ours.ur) == list(theirs.ur)
    assert list(ours.ir) == list(theirs.ir)
    assert ours._raw2inner_id_users == theirs._raw2inner_id_users
    assert ours._raw2inner_id_items == theirs._raw2inner_id_items
    assert ours.global_mean == theirs.global_mean
    assert (ours.n_users, ours.n_items, ours.n_ratings) == (theirs.n_users, theirs.n_items, theirs.n_ratings)


def split_of(ratings):
    return original_study.everything(movielens(ratings))


@pytest.mark.parametrize(
    ("stars", "expected"),
    [
        # Movie 2 lies .5 below movie 1 for user 1 and 1.5 below for user 2: dev(2, 1) = -1; user 3 gave movie 1 a 4.
        ([4.5, 4, 3.5, 2, 4], [4, 3]),
        # -.4 and -1.5; ten times 4.7 is 46.99999 in float32.
        ([4.7, 4.3, 3.7, 2.2, 4.2], [4.2, 3.25]),
    ],
)
def test_slope_one_by_hand_with_parts_of_stars(stars, expected):
    model = SlopeOne().fit(split_of(frame([1, 1, 2, 2, 3], [1, 2, 1, 2, 1], stars)))
    assert model.score([3])[0] == pytest.approx(expected)


def test_co_clustering_does_not_cut_off_half_stars(data):
    halves = data.ratings.assign(rating=data.ratings["rating"] / 2)
    users = [3, 10, 17]
    whole, half = (CoClustering().fit(split_of(ratings)).score(users) for ratings in (data.ratings, halves))
    np.testing.assert_allclose(half, whole / 2, atol=1e-6)


@pytest.mark.parametrize(("stars", "factor"), [([1, 5], 1), ([0.5, 4], 2), ([0.25], 4), ([0.2, 1], 5), ([0.125], 100)])
def test_factor_that_makes_stars_whole(stars, factor):
    assert surprise_base.to_whole(np.float32(stars)) == factor


@given(st.lists(st.sampled_from([-0.5, 0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=40), st.integers(1, 12))
def test_nearest_keeps_what_a_heap_keeps(values, k):
    best = heapq.nlargest(k, range(len(values)), key=lambda i: values[i])
    expected = [v if i in best and v > 0 else 0 for i, v in enumerate(values)]
    assert nearest(np.array([values, values[::-1]]), k)[0].tolist() == expected


def test_similar_movies(split):
    svd = SVD(n_factors=5).fit(split)
    movie, other = split.train.movie_id.iloc[0], svd.similar(split.train.movie_id.iloc[0], k=1)
    a, b = (svd.qi_[split.movie_ids.searchsorted(m)] for m in (movie, other.movie_id[0]))
    assert other.score[0] == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    knn = KNNBaseline(user_based=False).fit(split)
    near = knn.similar(movie, k=3)
    assert movie not in set(near.movie_id)
    assert near.score.is_monotonic_decreasing
    with pytest.raises(AicineError, match="user_based: false"):
        KNNBaseline().fit(split).similar(movie)


def test_users_errors(split, monkeypatch):
    with pytest.raises(AicineError, match="Did you mean 'cosine'"):
        KNNBaseline(similarity="cosin").fit(split)
    monkeypatch.setattr(surprise_base.psutil, "virtual_memory", lambda: type("M", (), {"available": 100}))
    for model in (SlopeOne(), KNNWithMeans()):
        with pytest.raises(AicineError, match=r"need .* GiB"):
            model.fit(split)


def test_parameters_are_counted_without_histories(split):
    n_users, n_movies = len(split.user_ids), len(split.movie_ids)
    assert Baseline().fit(split).n_parameters == n_users + n_movies
    assert SVDpp(n_factors=2, n_epochs=1).fit(split).n_parameters == n_users * 3 + n_movies * 5


@pytest.mark.parametrize("name", NAMES)
def test_configs_name_the_parameters(name):
    config, known = settings.model_config(name), registry.entry(name).model_class.defaults
    assert set(config["params"]) == set(known)
    assert set(config["search"]) <= set(known)


def test_anti_test_rmse_is_surprise_s(data):
    params = {"n_factors": 5, "n_epochs": 10, "lr_all": 0.01}
    trainset = surprise_trainset(original_study.everything(data).train)
    algo = surprise.SVD(**params, random_state=2).fit(trainset)
    theirs = surprise.accuracy.rmse(algo.test(trainset.build_anti_testset()), verbose=False)
    assert original_study.anti_test_rmse(original_study.refit_on_all(data, seed=2, **params)) == pytest.approx(
        theirs, abs=1e-6
    )


def test_loop_of_the_original_gives_our_list(split):
    model = SVD(seed=1, n_factors=5).fit(split)
    trainset = surprise_trainset(split.train)
    algo, user = model.algorithm().fit(trainset), split.train.user_id.iloc[0]
    loop = original_study.top_n_loop(algo, trainset, user, n=5)
    ours = model.recommend([user], k=45).merge(pd.DataFrame(loop, columns=["movie_id", "stars"]))
    assert len(ours) == len({m for m, _ in loop} - set(split.valid.movie_id[split.valid.user_id == user]))
    np.testing.assert_allclose(np.clip(ours["score"], 1, 5), ours["stars"], atol=1e-5)
    assert ours["stars"].is_monotonic_decreasing


def test_grid_search_ranks_by_rmse(data):
    table, best = original_study.grid_search(data.ratings, folds=3, grid={"n_epochs": [1, 10], "lr_all": [0.002, 0.01]})
    first = table.sort_values("rmse").iloc[0]
    assert len(table) == 4
    assert first["rank"] == 1
    assert best == {"n_epochs": first["n_epochs"], "lr_all": first["lr_all"]}
