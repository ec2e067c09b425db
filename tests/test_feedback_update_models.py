"""Updates that are not a refit: what is solved is optimal, what is read is read whole, and what can't wait is said."""

import numpy as np
import pytest
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.feedback import update as updates
from aicine_utils.feedback.updates import folding, rules
from aicine_utils.models import registry
from aicine_utils.models.blend import Blend
from aicine_utils.models.factorisation import NMF, SVD, Baseline, CoClustering
from aicine_utils.models.implicit_als import ImplicitALS
from tests.models_cases import ratings, split_of

RNG = np.random.default_rng(0)
TRAIN = [
    (user, 10 * movie, int(RNG.integers(1, 6)), day)
    for user in range(1, 13)
    for day, movie in enumerate(RNG.permutation(9)[: RNG.integers(4, 9)] + 1)
]
NEW = ratings([(1, 95, 5, 20), (2, 95, 4, 20), (40, 10, 5, 20), (40, 20, 2, 21), (40, 95, 5, 22)])


def test_the_table_has_every_model_and_names_the_one_without_an_update():
    table = updates.table().set_index("model")
    assert list(table.index) == registry.names()
    assert list(table.index[table["update"] == "none: refit"]) == ["co_clustering"]
    assert table.loc[["ease", "views", "item_knn"], "exact"].all()
    assert not table.loc[["svd", "sasrec", "bpr"], "exact"].any()


def test_every_rule_names_a_function_and_a_class_that_exist():
    targets = {entry.target for entry in registry.ENTRIES}
    for rule in rules.RULES:
        assert rule.target in targets
        assert callable(rules._named(rule.function))
        assert not rule.prepare or callable(rules._named(rule.prepare))


def test_a_model_without_an_update_says_what_to_do():
    split = split_of(TRAIN)
    with pytest.raises(AicineError, match=r"CoClustering has no update.*refit"):
        updates.update(CoClustering().fit(split), NEW, split)


def test_conjugate_gradients_solve_each_row():
    pattern = sparse.random_array((4, 6), density=0.7, format="csr", rng=1)
    design, penalty = np.random.default_rng(2).normal(size=(6, 3)), np.array([0.1, 1, 2, 3.0])
    found = folding.conjugate_gradients(pattern, pattern.data, design, penalty)
    for row in range(4):
        z = design[pattern[[row]].indices]
        best = np.linalg.solve(z.T @ z + penalty[row] * np.eye(3), z.T @ pattern[[row]].data)
        np.testing.assert_allclose(found[row], best, atol=1e-8)


def test_svd_folds_a_person_in_where_its_penalised_error_is_least():
    split = split_of(TRAIN)
    done = updates.update(SVD(n_factors=2, n_epochs=5).fit(split), NEW, split)
    model, row = done.model, np.searchsorted(done.model.user_ids_, 40)
    cols, stars = np.searchsorted(model.movie_ids_, [10, 20, 95]), np.array([5, 2, 5.0])

    def loss(bias, vector):
        errors = stars - model.mean_ - bias - model.bi_[cols] - model.qi_[cols] @ vector
        return (errors**2).sum() + 3 * model.params["reg_all"] * (bias**2 + (vector**2).sum())

    least = loss(model.bu_[row], model.pu_[row])
    for step in np.vstack([np.eye(3), -np.eye(3)]) * 1e-3:
        assert loss(model.bu_[row] + step[0], model.pu_[row] + step[1:]) > least


def test_baseline_biases_hand_worked():
    split = split_of([(1, 10, 4, 0), (2, 10, 2, 0)])
    model = Baseline(reg_u=1.0, reg_i=1.0).fit(split)
    model.bu_, model.bi_ = np.zeros(2), np.zeros(1)
    done = updates.update(model, ratings([(3, 20, 5, 1)]), split)
    np.testing.assert_allclose(done.model.bi_, [0, 1.0])  # (5 - 3) / (1 + 1)
    np.testing.assert_allclose(done.model.bu_, [0, 0, 0.5])  # (5 - 3 - 1) / (1 + 1)


def test_nmf_stays_non_negative_and_fits_the_new_person_better_than_the_middle():
    split = split_of(TRAIN)
    model = NMF(n_factors=2, n_epochs=20).fit(split)
    done = updates.update(model, NEW, split)
    assert (done.model.pu_ >= 0).all()
    assert (done.model.qi_ >= 0).all()
    stars, cols = np.array([5, 2, 5.0]), np.searchsorted(done.model.movie_ids_, [10, 20, 95])
    middle = model.pu_[model.pu_.any(axis=1)].mean(axis=0) @ done.model.qi_[cols].T
    assert ((done.model.score([40])[0, cols] - stars) ** 2).sum() < ((middle - stars) ** 2).sum()


def test_ials_gives_a_new_person_what_it_gives_their_history():
    split = split_of(TRAIN)
    done = updates.update(ImplicitALS(factors=4).fit(split), NEW, split)
    np.testing.assert_allclose(done.model.score([40]), done.model.score_histories([[10, 20, 95]]), atol=1e-5)
    assert done.model.movie_factors_[np.searchsorted(done.model.movie_ids_, 95)].any()


def test_ials_listens_to_weights():
    split = split_of(TRAIN)
    model = ImplicitALS(factors=4).fit(split)
    plain, heavy = (updates.update(model, NEW.assign(weight=w), split).model.score([40])[0] for w in (1.0, 5.0))
    assert heavy[0] > plain[0]  # movie 10, which 40 watched


@pytest.mark.parametrize("name", ["gru", "sasrec", "caser", "multivae"])
def test_a_reader_scores_the_longer_history_and_lets_a_new_movie_wait(name, tmp_path):
    split = split_of(TRAIN)
    model = registry.create(name, "tiny", epochs=1, passes=1).fit(split)
    done = updates.update(model, NEW, split)
    assert done.waiting_movies == [95]
    assert not done.exact
    assert 95 not in done.model.recommend(done.model.user_ids_, 20)[c.MOVIE].to_numpy()
    history = done.history.train.query("user_id == 40")[c.MOVIE].tolist()
    np.testing.assert_allclose(done.model.score([40]), done.model.score_histories([history]), atol=1e-4)
    old = done.history.train.query("user_id == 1")[c.MOVIE].tolist()
    assert old[-1] == 95  # passed over, so this person's scores are as before
    at = np.searchsorted(done.model.movie_ids_, model.movie_ids_)
    np.testing.assert_allclose(done.model.score([1])[:, at], model.score([1]), atol=1e-4)
    done.model.save(tmp_path / "m")
    assert np.array_equal(type(model).load(tmp_path / "m").score([1, 40]), done.model.score([1, 40]))


def test_a_changed_rating_of_a_waiting_movie_is_passed_over_too():
    split = split_of(TRAIN)
    first = updates.update(registry.create("multivae", "tiny", epochs=1, passes=1, liked=0.5).fit(split), NEW, split)
    done = updates.update(first.model, ratings([(1, 95, 1, 30), (40, 10, 1, 30)]), first.history)
    rows = done.model.histories_[np.searchsorted(done.model.user_ids_, [1, 40])].toarray()
    assert np.array_equal(rows[0], first.model.histories_[0].toarray().ravel())
    assert not rows[1].any()  # of 40's movies, 10 fell below 3 stars, 20 was there and 95 waits


@pytest.mark.parametrize("name", ["torch_mf", "neumf", "bpr", "lightgcn", "lightfm_both"])
def test_a_learner_moves_for_the_new_and_leaves_the_given_model(name, tmp_path):
    split = split_of(TRAIN)
    model = registry.create(name, "tiny", epochs=1, **({} if "lightfm" in name else {"passes": 1})).fit(split)
    before = model.score(split.user_ids).copy()
    done = updates.update(model, NEW, split)
    assert done.waiting_movies == []
    assert np.array_equal(model.score(split.user_ids), before)
    scores = done.model.score([1, 40])
    assert not np.allclose(scores[0], scores[1])
    assert set(done.model.recommend([40], 20)[c.MOVIE]) == set(range(30, 95, 10))
    again = updates.update(model, NEW, split).model.score([1, 40])
    assert np.array_equal(again, scores)  # the seed decides
    done.model.save(tmp_path / "m")
    np.testing.assert_allclose(type(model).load(tmp_path / "m").score([1, 40]), scores, atol=1e-6)


@pytest.mark.parametrize("name", ["knn_means", "knn_baseline", "svdpp", "item2vec", "content_word2vec"])
def test_the_others_take_new_people_and_movies(name):
    split = split_of(TRAIN)
    model = registry.create(name, "tiny").fit(split)
    done = updates.update(model, NEW, split)
    assert np.isfinite(done.model.score(done.model.user_ids_)).all()
    assert done.waiting_movies == ([] if name == "svdpp" else [95])
    assert done.model.recommend([40], 3)[c.MOVIE].isin(range(30, 96)).all()


def test_a_blend_learns_what_its_members_learn():
    split = split_of(TRAIN)
    model = Blend(members="ease+views", steps=2).fit(split)
    done = updates.update(model, NEW, split)
    assert not done.exact
    np.testing.assert_array_equal(done.model.weights_, model.weights_)
    for member, before in zip(done.model._members, model._members, strict=True):
        alone = updates.update(before, NEW, split).model
        np.testing.assert_allclose(member.score([1, 40]), alone.score([1, 40]), rtol=1e-6)
        assert len(before.user_ids_) < len(member.user_ids_)


def test_what_is_off_stays_off_and_a_waiting_movie_waits_on():
    split = split_of(TRAIN)
    first = updates.update(registry.create("content_word2vec", "tiny").fit(split), NEW, split)
    assert not first.exact
    later = updates.update(first.model, ratings([(2, 10, 3, 30)]), first.history)
    assert not later.exact
    assert not later.model.known_[np.searchsorted(later.model.movie_ids_, 95)]
    nothing = updates.update(later.model, NEW.iloc[:0], later.history)
    assert (nothing.how, nothing.exact) == ("nothing new", False)


def test_a_history_of_other_ratings_is_refused_though_its_ids_are_the_same():
    split = split_of(TRAIN)
    fewer = split.divided(split.train.iloc[:-1], split.valid)
    with pytest.raises(AicineError, match=r"fitted on .* ratings.*for_test"):
        updates.update(Baseline().fit(split), NEW, fewer)
