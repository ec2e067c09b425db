"""Updating a model with new interactions: exact rules equal a refit, and what is new, repeated or changed is met."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.feedback import update as updates
from aicine_utils.feedback.updates import blocks, growing, linear
from aicine_utils.feedback.updates import change as changes
from aicine_utils.models import registry
from aicine_utils.models.linear import EASE
from aicine_utils.models.popularity import MeanRating, Popularity, RecentPopularity, Views
from tests.models_cases import ratings, split_of

EXACT = [
    "random", "popularity", "views", "mean_rating", "recent_popularity", "group_popularity", "content_tfidf",
    "user_knn", "item_knn", "slope_one", "ease",
]  # fmt: skip
SMALL = {
    "ease": {"regularisation": 3.0, "liked": 0.75},
    "item_knn": {"k": 3, "shrink": 1.0, "liked": 0.75},
    "user_knn": {"k": 2, "shrink": 1.0},
}
TRAIN = [(1, 10, 5, 1), (1, 20, 3, 2), (2, 10, 4, 1), (2, 30, 2, 3), (3, 20, 5, 2), (3, 30, 4, 4), (4, 40, 5, 5)]


def people(split):
    """The split with genders for all of its users but those that come later."""
    users = pd.DataFrame({c.USER: [1, 2, 3, 4], c.GENDER: list("FMFM"), c.AGE: "25-34", c.OCCUPATION: "writer"})
    return split.__class__(**{**{f: getattr(split, f) for f in split.__dataclass_fields__}, "users": users})


def fitted(name, split):
    """A small model of the registry, fitted."""
    return registry.create(name, "tiny", **SMALL.get(name, {})).fit(split)


def equals_refit(done, atol=1e-6):
    """Scores, candidates and lists of the updated model are those of a refit on its history."""
    again = updates.refit(done.model, done.history)
    users = again.user_ids_
    assert np.array_equal(done.model.user_ids_, users)
    assert np.array_equal(done.model.movie_ids_, again.movie_ids_)
    assert np.array_equal(done.model.known_, again.known_)
    assert np.array_equal(done.model.views_, again.views_)
    assert (done.model.seen_ != again.seen_).nnz == 0
    np.testing.assert_allclose(done.model.score(users), again.score(users), atol=atol, rtol=1e-6)


interactions = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from(range(5, 75, 5)), st.integers(1, 5), st.integers(0, 9)),
    min_size=1, max_size=12,
)  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
@given(interactions, interactions)
@settings(max_examples=15, deadline=None)
def test_two_updates_in_a_row_equal_a_refit(name, first, second):
    split = people(split_of(TRAIN))
    done = updates.update(fitted(name, split), ratings(first), split)
    done = updates.update(done.model, ratings(second), done.history)
    assert done.exact
    assert done.waiting_movies == []
    equals_refit(done)


@given(interactions)
@settings(max_examples=30, deadline=None)
def test_the_grown_split_holds_the_latest_rating_of_each_pair_in_order(rows):
    split, new = split_of(TRAIN), ratings(rows)
    after = changes.read(new, split).after
    told = pd.concat([split.train, new]).sort_values([c.USER, c.TIMESTAMP], kind="stable")
    expected = told.drop_duplicates([c.USER, c.MOVIE], keep="last").reset_index(drop=True)
    pd.testing.assert_frame_equal(after.train, expected)


def test_a_changed_rating_counts_as_it_is_now():
    split = split_of(TRAIN)
    done = updates.update(Popularity().fit(split), ratings([(1, 10, 2, 9)]), split)
    assert dict(zip(done.model.movie_ids_, done.model.movie_scores_, strict=True)) == {10: 1, 20: 1, 30: 1, 40: 1}
    assert len(done.history.train) == len(split.train)


def test_an_older_rating_than_the_known_one_changes_nothing():
    split = split_of(TRAIN)
    done = updates.update(Popularity().fit(split), ratings([(1, 10, 1, 0)]), split)
    assert done.how == "nothing new"
    assert done.history is split


def test_a_repeated_event_is_counted_once():
    split = split_of(TRAIN)
    once = updates.update(MeanRating().fit(split), ratings([(4, 10, 1, 8)]), split)
    twice = updates.update(once.model, ratings([(4, 10, 1, 8), (4, 10, 1, 8)]), once.history)
    assert np.array_equal(once.model.movie_scores_, twice.model.movie_scores_)
    assert len(twice.history.train) == len(TRAIN) + 1


def test_nothing_new_leaves_the_model():
    split = split_of(TRAIN)
    model = EASE().fit(split)
    done = updates.update(model, ratings([]), split)
    assert done.model is model
    assert done.exact


def test_the_given_model_stays_as_it_was():
    split = split_of(TRAIN)
    model = EASE(regularisation=3.0).fit(split)
    before = model.score(split.user_ids).copy(), model.seen_.copy()
    updates.update(model, ratings([(1, 40, 5, 9), (9, 15, 4, 9)]), split)
    assert np.array_equal(model.score(split.user_ids), before[0])
    assert (model.seen_ != before[1]).nnz == 0
    done = updates.update(model, ratings([(2, 40, 5, 9)]), split)  # its inverse was handed on: made again
    equals_refit(done)


def test_a_new_user_and_a_new_movie_are_served_at_once():
    split = split_of(TRAIN)
    model = EASE(regularisation=1.0).fit(split)
    done = updates.update(model, ratings([(9, 15, 5, 9), (9, 10, 5, 9), (1, 15, 5, 9)]), split)
    assert 15 in done.model.recommend([2], 3)[c.MOVIE].to_numpy()  # she liked 10, as those who watched 15 did
    assert set(done.model.recommend([9], 5)[c.MOVIE]) == {20, 30, 40}


def test_a_test_rating_that_happens_leaves_the_test():
    split = split_of(TRAIN, test=[(1, 30, 5, 8), (2, 40, 5, 8)])
    done = updates.update(Popularity().fit(split), ratings([(1, 30, 5, 8)]), split)
    assert done.history.test[[c.USER, c.MOVIE]].to_numpy().tolist() == [[2, 40]]


def test_low_rank_rows_hand_worked():
    inverse = np.array([[0.5, 0.0], [0.0, 1.0]])  # of XᵀX + 1 with X = [[1, 0]]
    linear.add_rows(inverse, sparse.csr_matrix([[0.0, 1.0]]), sparse.csr_matrix([[1.0, 1.0]]))
    np.testing.assert_allclose(inverse, np.array([[2, -1], [-1, 2]]) / 3)  # [[2, 1], [1, 2]] inverted


def test_rows_of_many_people_and_one_after_another_make_the_same_inverse():
    rng = np.random.default_rng(0)
    before, after = (rng.random((40, 1100)) < share for share in (0.05, 0.1))
    after |= before  # 1,100 movies are several blocks
    inverse = np.linalg.inv(before.T.astype(float) @ before + 50 * np.eye(1100))
    at_once, by_one, rows = inverse.copy(), inverse.copy(), sparse.csr_matrix(after.astype(float))
    difference = rows - sparse.csr_matrix(before.astype(float))
    linear.add_rows(at_once, difference, rows)
    for user in range(40):
        linear.add_rows(by_one, difference[[user]], rows[[user]])
    refit = np.linalg.inv(after.T.astype(float) @ after + 50 * np.eye(1100))
    np.testing.assert_allclose(by_one, refit, atol=1e-12)
    np.testing.assert_allclose(at_once, refit, atol=1e-8)  # of 0.02 on the diagonal


def test_what_float32_may_lose_in_a_row_of_updates_is_counted():
    rng = np.random.default_rng(0)
    watched = (rng.random((400, 200)) < 0.05).astype(float)
    inverse, lost, updates_made = np.linalg.inv(watched.T @ watched + np.eye(200)), 0.0, 0
    while lost <= linear.LOST:
        users = rng.choice(400, 40, replace=False)
        after = np.maximum(watched[users], rng.random((40, 200)) < 0.01)
        lost += linear.add_rows(inverse, sparse.csr_matrix(after - watched[users]), sparse.csr_matrix(after))
        watched[users], updates_made = after, updates_made + 1
    refit = np.linalg.inv(watched.T @ watched + np.eye(200))
    ours, theirs = (watched @ (np.eye(200) - p / np.diag(p)) for p in (inverse, refit))
    assert updates_made > 5
    assert 1e-9 < (np.abs(ours - theirs).max(axis=1) / np.abs(theirs).max(axis=1)).max() < 1e-6


@pytest.mark.parametrize(("bound", "same"), [(np.inf, False), (0.0, True)])
def test_the_inverse_is_made_anew_before_what_was_lost_shows(monkeypatch, bound, same):
    monkeypatch.setattr(linear, "LOST", bound)
    monkeypatch.setattr(linear, "WORTHWHILE", np.inf)
    rng = np.random.default_rng(0)
    split = split_of([(user, movie, 5, 0) for user in range(1, 31) for movie in rng.choice(60, 8, replace=False)])
    model = updates.prepare(EASE(regularisation=2.0).fit(split))
    new = ratings([(user, int(rng.integers(60, 62)), 5, 1) for user in range(1, 31)])
    learned = updates.update(model, new, split).model
    inverse, lost = growing.taken(learned, "weights_")
    assert np.array_equal(inverse, linear.inverted(learned)) == same
    assert (lost == 0) == same


def test_blocks_leave_blas_its_threads_when_two_work_at_once():
    before = [library["num_threads"] for library in blocks.BLAS.info()]
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: blocks.in_blocks(lambda rows: time.sleep(0.02), 3), range(4)))
    assert [library["num_threads"] for library in blocks.BLAS.info()] == before


def test_many_low_rank_updates_in_a_row_stay_a_refit(monkeypatch):
    monkeypatch.setattr(linear, "WORTHWHILE", np.inf)  # so few movies would be inverted anew
    rng = np.random.default_rng(0)
    split = split_of([(user, movie, 5, 0) for user in range(1, 9) for movie in rng.choice(30, 8, replace=False)])
    done = updates.update(EASE(regularisation=2.0).fit(split), ratings([(1, 3, 5, 1)]), split)
    for day in range(2, 40):
        users, movies, stars = rng.integers(1, 12, 3), rng.integers(0, 33, 3), rng.integers(1, 6, 3)
        rows = ratings([(*row, day) for row in zip(users, movies, stars, strict=True)])
        done = updates.update(done.model, rows, done.history)
    equals_refit(done)


def test_prepared_models_answer_and_learn_as_others_do():
    split = split_of(TRAIN)
    for name in ("ease", "item_knn", "views"):
        model = fitted(name, split)
        before = model.score(split.user_ids).copy()
        assert np.array_equal(updates.prepare(model).score(split.user_ids), before)
        equals_refit(updates.update(model, ratings([(1, 40, 5, 9), (9, 15, 4, 9)]), split))


def test_a_matrix_of_ones_gains_and_loses_cells():
    rng = np.random.default_rng(0)
    ones = sparse.csr_matrix((rng.random((6, 9)) < 0.4).astype(np.float32))
    after = sparse.csr_matrix((rng.random((6, 9)) < 0.4).astype(np.float32))
    delta = after - ones
    delta.eliminate_zeros()
    found = growing.plus(ones, delta)
    assert np.array_equal(found.toarray(), after.toarray())
    assert found.has_canonical_format


def test_faded_counts_hand_worked():
    split = split_of([(1, 10, 5, 0), (2, 20, 5, 10)])
    done = updates.update(RecentPopularity(half_life_days=10.0).fit(split), ratings([(3, 20, 5, 20)]), split)
    np.testing.assert_allclose(done.model.movie_scores_, [0.25, 1.5])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows.drop(columns=c.RATING), "lack rating"),
        (lambda rows: rows.assign(**{c.RATING: np.nan}), "lack a value in rating"),
        (lambda rows: rows.assign(**{c.RATING: 9}), "outside 1-5"),
        (lambda rows: rows.assign(weight=0.0), "weight of 0"),
    ],
)
def test_rows_that_cannot_be_read_are_refused(change, told):
    split = split_of(TRAIN)
    with pytest.raises(AicineError, match=told):
        updates.update(Popularity().fit(split), change(ratings([(1, 40, 5, 9)])), split)


def test_another_history_is_refused():
    split = split_of(TRAIN)
    with pytest.raises(AicineError, match="was not fitted on this history"):
        updates.update(Popularity().fit(split), ratings([(1, 40, 5, 9)]), split_of(TRAIN[:3]))


def test_distance_to_a_refit_hand_worked():
    split = split_of(TRAIN, test=[(1, 30, 5, 8), (4, 10, 5, 8)])
    up, down = Views().fit(split), Views().fit(split)
    up.movie_scores_, down.movie_scores_ = np.array([1, 2, 3, 4.0]), np.array([4, 3, 2, 1.0])
    itself = updates.distance_to_refit(up, up, split)
    assert (itself["overlap"], itself["same"], itself["ndcg"]) == (1.0, 1.0, 0.0)
    # Three people have two movies left, in two orders; the fourth is given 30 and 20, or 10 and 20.
    found = updates.distance_to_refit(up, down, split, k=2)
    assert (found["overlap"], found["same"]) == (0.875, 0.0)
    second = 1 / np.log2(3)
    assert found["ndcg"] == pytest.approx(((second - 1) + (0 - 1)) / 2)


@pytest.mark.parametrize("apart", [1, 10**6])
def test_views_are_counted_whether_or_not_ids_are_near_each_other(mock_split, apart):
    far = mock_split.train.assign(movie_id=mock_split.train[c.MOVIE] * apart)
    split = mock_split.divided(far, mock_split.valid.iloc[:0])
    vars(split).update({"movie_ids": mock_split.movie_ids * apart})
    expected = far[c.MOVIE].value_counts().reindex(split.movie_ids, fill_value=0)
    assert updates._views(split).tolist() == expected.tolist()
