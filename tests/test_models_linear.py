"""EASE against a direct solution and by hand; iALS against the equation it solves and the library's own solver."""

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from models_cases import split_of, stays_the_same

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.models.implicit_als import ImplicitALS
from aicine_utils.models.linear import EASE

TRAIN = [(1, 10, 5), (1, 20, 5), (2, 10, 5), (3, 10, 1), (3, 20, 5), (4, 20, 4)]


def histories_of(split):
    return split.train.groupby(c.USER)[c.MOVIE].apply(list)


def test_ease_by_hand():
    # Two movies, 10 watched by three, 20 by three, both by two: least squares of one on the other is
    # b = x10·x20 / (x10·x10 + λ) = 2 / (3 + λ).
    model = EASE(regularisation=2).fit(split_of(TRAIN))
    assert model.weights_ == pytest.approx(np.array([[0, 0.4], [0.4, 0]]))
    assert model.score([2])[0] == pytest.approx([0, 0.4])
    assert model.score_histories([[20], [10, 20], []]) == pytest.approx(np.array([[0.4, 0], [0.4, 0.4], [0, 0]]))
    # Without user 3's one star on movie 10, it has two viewers, one of them also of 20: 1 / (2 + 2) and 1 / (3 + 2).
    liked = EASE(regularisation=2, liked=0.75).fit(split_of(TRAIN))
    assert liked.weights_ == pytest.approx(np.array([[0, 0.25], [0.2, 0]]))


def test_who_liked_nothing_is_shown_what_is_watched_most_and_not_the_smallest_ids():
    split = split_of([*TRAIN, (5, 30, 5), (6, 30, 4), (5, 20, 5), (7, 10, 1)])
    model = EASE(regularisation=2, liked=0.75).fit(split)
    assert not model.score([7]).any()
    assert model.recommend([7], k=3)[c.MOVIE].tolist() == [20, 30]  # four and two views; 10 is their own


@pytest.mark.parametrize("regularisation", [0.5, 30.0])
def test_ease_solves_the_constrained_least_squares(mock_split, regularisation):
    x = mock_split.matrix(mock_split.train).toarray().astype(np.float64)
    weights = EASE(regularisation=regularisation).fit(mock_split).weights_
    assert not np.diag(weights).any()
    for movie in range(0, x.shape[1], 17):
        others = np.delete(x, movie, axis=1)
        stacked = np.vstack([others, np.sqrt(regularisation) * np.eye(others.shape[1])])
        target = np.concatenate([x[:, movie], np.zeros(others.shape[1])])
        direct = np.linalg.lstsq(stacked, target, rcond=None)[0]
        np.testing.assert_allclose(np.delete(weights[:, movie], movie), direct, atol=1e-5)


def test_ease_is_similar_to_what_it_points_at():
    split = split_of([(u, m, 5) for u, ms in enumerate([(1, 2), (1, 2, 3), (1, 2), (3, 4), (4,)]) for m in ms])
    model = EASE(regularisation=1).fit(split)
    assert model.similar(1, k=1)[c.MOVIE].tolist() == [2]
    assert model.similar(1, k=3)[c.SCORE].tolist() == pytest.approx(sorted(w for w in model.weights_[0] if w > 0)[::-1])


def test_ials_fold_in_solves_equation_4(mock_split):
    model = ImplicitALS(factors=6, alpha=7.0, regularisation=0.3).fit(mock_split)
    y, history = model.movie_factors_.astype(np.float64), histories_of(mock_split).iloc[4]
    weight = np.where(np.isin(model.movie_ids_, history), 7.0, 1.0)
    liked = np.isin(model.movie_ids_, history).astype(float)
    left = y.T @ (weight[:, None] * y) + 0.3 * np.eye(6)
    user = np.linalg.solve(left, y.T @ (weight * liked))
    np.testing.assert_allclose(model.score_histories([history])[0], y @ user, rtol=1e-3, atol=1e-4)


def test_ials_is_the_library_s(mock_split):
    matrix = mock_split.matrix(mock_split.train)
    model = ImplicitALS(seed=3, factors=6, alpha=7.0, regularisation=0.3, iterations=4).fit(mock_split)
    theirs = AlternatingLeastSquares(factors=6, alpha=7.0, regularization=0.3, iterations=4, random_state=3)
    theirs.fit(matrix, show_progress=False)
    np.testing.assert_allclose(model.score(mock_split.user_ids), theirs.user_factors @ theirs.item_factors.T, atol=1e-5)
    folded = theirs.recalculate_user(np.arange(matrix.shape[0]), matrix) @ theirs.item_factors.T
    np.testing.assert_allclose(model.score_histories(list(histories_of(mock_split))), folded, atol=1e-5)


def test_ials_own_history_gives_own_scores_when_converged(mock_split):
    model = ImplicitALS(factors=4, regularisation=1.0, iterations=300).fit(mock_split)
    own = histories_of(mock_split)
    np.testing.assert_allclose(model.score_histories(list(own)), model.score(own.index), atol=0.02)
    assert not model.score_histories([[], [10**9]]).any()


def test_ease_own_history_gives_own_scores(mock_split):
    model, own = EASE().fit(mock_split), histories_of(mock_split)
    np.testing.assert_allclose(model.score_histories(list(own)), model.score(own.index), atol=1e-6)


@pytest.mark.parametrize("model_class", [EASE, ImplicitALS])
def test_files_chunks_and_candidates(model_class, mock_split, tmp_path):
    stays_the_same(model_class().fit(mock_split), mock_split, tmp_path)


def test_ties_go_to_the_smaller_movie_id():
    split = split_of([(1, 10, 5), (2, 10, 5), (2, 30, 5), (2, 20, 5)])
    assert EASE(regularisation=1).fit(split).recommend([1])[c.MOVIE].tolist() == [20, 30]


def test_errors_of_users():
    with pytest.raises(AicineError, match="Did you mean 'regularisation'"):
        EASE(regularization=3)
    with pytest.raises(AicineError, match="Did you mean 'iterations'"):
        ImplicitALS(iteration=3)
    with pytest.raises(AicineError, match="Unknown user 9"):
        EASE().fit(split_of(TRAIN)).score([9])


def test_someone_without_a_history_gets_the_most_watched():
    train = [(u, m, 5) for u, ms in enumerate([(1, 2), (2, 3), (2, 3, 4)]) for m in ms]
    model = EASE(regularisation=1).fit(split_of(train, [(9, 1, 5)]))
    assert model.recommend([9], k=3)[c.MOVIE].tolist() == [2, 3, 1]
    assert model.recommend([], k=3).empty
