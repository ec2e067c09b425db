"""User and item k-NN by hand, against RecBole's similarities, and over files."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from models_cases import split_of, stays_the_same
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.models import neighbours
from aicine_utils.models.neighbours import ItemKNN, UserKNN, keep_largest, nearest

# Users by movies: 1 {10, 20}, 2 {10, 20, 30}, 3 {30}, 4 {10, 40}.
TRAIN = [(1, 10, 5), (1, 20, 4), (2, 10, 5), (2, 20, 1), (2, 30, 3), (3, 30, 4), (4, 10, 2), (4, 40, 4)]
# |10| = √3, |20| = √2, |30| = √2, |40| = 1.
COSINES = np.array([
    [0, 2 / 6**0.5, 1 / 6**0.5, 1 / 3**0.5],
    [2 / 6**0.5, 0, 1 / 2, 0],
    [1 / 6**0.5, 1 / 2, 0, 0],
    [1 / 3**0.5, 0, 0, 0],
])  # fmt: skip


def test_item_knn_by_hand():
    model = ItemKNN(k=4, shrink=0).fit(split_of(TRAIN))
    assert model.weights_.toarray() == pytest.approx(COSINES, abs=1e-5)
    assert model.score([1, 4]) == pytest.approx(np.array([COSINES[0] + COSINES[1], COSINES[0] + COSINES[3]]), abs=1e-5)
    assert model.similar(10, k=3)[c.MOVIE].tolist() == [20, 40, 30]


def test_shrinkage_by_hand():
    weights = ItemKNN(k=4, shrink=2).fit(split_of(TRAIN)).weights_.toarray()
    assert weights[0, 1] == pytest.approx(2 / (6**0.5 + 2), abs=1e-5)
    assert weights[0, 3] == pytest.approx(1 / (3**0.5 + 2), abs=1e-5)


@pytest.mark.parametrize("model_class", [ItemKNN, UserKNN])
def test_only_liked_movies_count_where_asked(model_class):
    liked = [row for row in TRAIN if row[2] >= 4]
    model, other = model_class(k=4, liked=0.75).fit(split_of(TRAIN)), model_class(k=4).fit(split_of(TRAIN))
    alone = model_class(k=4).fit(split_of(liked))
    assert np.array_equal(model.score([1, 2, 3, 4]), alone.score([1, 2, 3, 4]))
    assert not np.array_equal(model.score([1, 2]), other.score([1, 2]))


def test_neighbours_are_those_of_the_movie_to_score():
    model = ItemKNN(k=1, shrink=0).fit(split_of(TRAIN))
    nearest_of = {10: 20, 20: 10, 30: 20, 40: 10}
    for movie, other in nearest_of.items():
        assert model.similar(movie, k=2)[c.MOVIE].iloc[0] == other
        assert model.weights_[:, model._column(movie)].nnz == 1
    # Movie 40 hears of movie 10 alone, so a person who watched 30 only gets no score for it.
    assert model.score([3])[0] == pytest.approx([0, 0, 0, 0])


def test_user_knn_by_hand():
    split = split_of(TRAIN)
    one = {2: 2 / 6**0.5, 3: 0, 4: 1 / 2}  # cosines of user 1
    whole = UserKNN(k=3, shrink=0).fit(split).score([1])[0]
    assert whole == pytest.approx([one[2] + one[4], one[2], one[2], one[4]], abs=1e-5)
    nearest_only = UserKNN(k=1, shrink=0).fit(split).score([1])[0]
    assert nearest_only == pytest.approx([one[2], one[2], one[2], 0], abs=1e-5)


def test_user_knn_finds_neighbours_of_someone_new():
    model = UserKNN(k=1, shrink=0).fit(split_of(TRAIN))
    # {30} is user 3's history, whose cosine is 1; {40} is half of user 4's.
    scores = model.score_histories([[30], [40], [], [99]])
    assert scores[0] == pytest.approx([0, 0, 1, 0], abs=1e-5)
    assert scores[1] == pytest.approx([2**-0.5, 0, 0, 2**-0.5], abs=1e-5)
    assert not scores[2:].any()


@given(arrays(np.float32, (3, 7), elements=st.sampled_from([0, 0.25, 0.5, 0.75, 1])), st.integers(1, 9))
def test_keep_largest_keeps_the_first_of_equals(scores, k):
    expected = np.zeros_like(scores)
    for row, values in enumerate(scores):
        best = sorted(range(7), key=lambda i: (-values[i], i))[:k]
        expected[row, best] = values[best]
    assert np.array_equal(keep_largest(scores, k).toarray(), expected)


@pytest.mark.parametrize(("k", "shrink"), [(150, 0.0), (150, 7.5), (4, 3.0)])
@pytest.mark.parametrize("side", ["item", "user"])
def test_similarities_equal_recbole_s(mock_split, recbole_runs, side, k, shrink):
    from recbole.model.general_recommender.itemknn import ComputeSimilarity

    matrix = mock_split.matrix(mock_split.train)
    _, theirs = ComputeSimilarity(matrix, topk=k, shrink=shrink, method=side).compute_similarity()
    model = (ItemKNN if side == "item" else UserKNN)(k=k, shrink=shrink).fit(mock_split)
    ours = model.weights_.T.toarray() if side == "item" else model.neighbours_.toarray()
    theirs = theirs.T.toarray() if side == "item" else theirs.toarray()
    # Which of equally near neighbours is the last kept is chance in RecBole: compare how near each row's are.
    np.testing.assert_allclose(np.sort(ours, axis=1), np.sort(theirs, axis=1), atol=1e-6)
    if k == 150:
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_blocks_change_nothing(mock_split, monkeypatch):
    whole = ItemKNN(k=5).fit(mock_split).weights_.toarray()
    monkeypatch.setattr(neighbours, "BLOCK", 7)
    np.testing.assert_allclose(ItemKNN(k=5).fit(mock_split).weights_.toarray(), whole, atol=1e-7)


def test_a_row_of_zeros_has_no_neighbours():
    rows = sparse.csr_matrix(np.array([[1, 0], [0, 0], [1, 1]], np.float32))
    assert nearest(rows, rows, k=2, shrink=0, themselves=True).toarray() == pytest.approx(
        np.array([[0, 0, 2**-0.5], [0, 0, 0], [2**-0.5, 0, 0]]), abs=1e-5
    )


@pytest.mark.parametrize("model_class", [ItemKNN, UserKNN])
def test_files_chunks_and_candidates(model_class, mock_split, tmp_path):
    stays_the_same(model_class(k=20).fit(mock_split), mock_split, tmp_path)


def test_own_history_gives_own_scores(mock_split):
    model = ItemKNN(k=20).fit(mock_split)
    own = mock_split.train.groupby(c.USER)[c.MOVIE].apply(list)
    np.testing.assert_allclose(model.score_histories(list(own)), model.score(own.index), atol=1e-5)


def test_ties_go_to_the_smaller_movie_id():
    split = split_of([(1, 10, 5), (2, 10, 5), (2, 30, 5), (2, 20, 5)])
    for model in (ItemKNN(), UserKNN()):
        assert model.fit(split).recommend([1])[c.MOVIE].tolist() == [20, 30]


def test_errors_of_users():
    with pytest.raises(AicineError, match="Did you mean 'shrink'"):
        ItemKNN(shrnk=3)
    model = UserKNN().fit(split_of(TRAIN))
    with pytest.raises(AicineError, match="Unknown user 9"):
        model.score([9])
    with pytest.raises(AicineError, match="no notion of similar movies"):
        model.similar(10)
