"""Reasons, hubs, new movies and barred rare ones, by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from models_cases import split_of

from aicine_utils import columns as c
from aicine_utils import inspection
from aicine_utils.errors import AicineError
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender, lists
from aicine_utils.models.linear import EASE
from aicine_utils.models.neighbours import ItemKNN, UserKNN

TRAIN = [(1, 10, 5), (1, 20, 4), (2, 10, 5), (2, 20, 1), (2, 30, 3), (3, 30, 4), (4, 10, 2), (4, 40, 4)]


class Fixed(Recommender):
    """Scores from outside."""

    def _fit(self, split):
        self.scores_ = np.arange(len(split.user_ids))[:, None] * 0 + SCORES[: len(split.movie_ids)]

    def _score(self, rows):
        return self.scores_[rows]


SCORES = np.array([1.0, 2.0, 3.0, 4.0, 2.5, 5.0])  # movies 10, 20, 30, 40, then two that nobody rated


def test_because_by_hand():
    model = ItemKNN(k=4, shrink=0).fit(split_of(TRAIN))
    lists = model.recommend([1, 3], k=3)
    found = inspection.because(model, lists).set_index([c.USER, c.MOVIE])
    # User 1 watched 10 and 20; for 30 their cosines are 1/√6 and 1/2, for 40 only 10 speaks.
    assert found.loc[(1, 30), "because"] == 20
    assert found.loc[(1, 30), "share"] == pytest.approx(0.5 / (0.5 + 6**-0.5), abs=1e-5)
    assert found.loc[(1, 40), ["because", "share"]].tolist() == pytest.approx([10, 1])
    assert (3, 40) not in found.index  # nothing speaks for it
    assert len(found) == 4


@pytest.mark.parametrize("model", [ItemKNN(k=9), EASE()])
def test_the_reason_holds_the_largest_weight(mock_split, model):
    model.fit(mock_split)
    found = inspection.because(model, model.recommend(mock_split.user_ids[:5], k=4))
    for row in found.itertuples():
        weights = {m: model.weights_[model._column(m), model._column(row.movie_id)] for m in
                   mock_split.train.loc[mock_split.train[c.USER] == row.user_id, c.MOVIE]}  # fmt: skip
        assert weights[row.because] == max(weights.values())
        assert row.share == pytest.approx(max(weights.values()) / sum(max(w, 0) for w in weights.values()), rel=1e-5)


def test_other_models_give_no_reason():
    model = UserKNN().fit(split_of(TRAIN))
    with pytest.raises(AicineError, match="Use item_knn or ease"):
        inspection.because(model, model.recommend([1]))


def test_new_movies_that_would_enter():
    split = split_of(TRAIN, [(1, 50, 5), (2, 60, 5)])
    entered = inspection.would_enter(Fixed().fit(split), [1, 3], k=2)
    # User 1's first two are 40 (4.0) and 30 (3.0); user 3, who watched 30, has 40 (4.0) and 20 (2.0).
    assert entered.to_numpy().tolist() == [[1, 60], [3, 50], [3, 60]]


def test_lists_without_rare_movies():
    split = split_of(TRAIN, [(1, 30, 5), (3, 10, 5)])
    found = inspection.with_minimum(Fixed().fit(split), split, [1, 2, 3], k=2)
    lists = {minimum: topk.groupby(c.USER)[c.MOVIE].apply(list).to_dict() for minimum, topk in found.items()}
    assert lists == {1: {1: [40, 30], 3: [40, 20]}, 2: {1: [30], 3: [20, 10]}, 3: {3: [10]}}


def test_share_of_candidates_that_is_left():
    split = split_of(TRAIN, [(1, 30, 5), (3, 10, 5)])
    # 10 has three ratings, 20 and 30 two, 40 one: half of the candidates means two ratings and more.
    table = inspection.without_rare({"fixed": Fixed().fit(split)}, split, [1.0, 0.5, 0.25])
    assert table["minimum"].tolist() == [1, 2, 3]
    # User 1 finds film 30 second, then first, then not at all; user 3 finds film 10 third, second, first.
    second, third = np.log2(3) ** -1, 0.5
    assert table["ndcg@10"].tolist() == pytest.approx([(second + third) / 2, (1 + second) / 2, 0.5])


def test_overlap_by_hand():
    # Users 1-2 share two films; 1-4, 2-4, 2-3 one. Films 10-20 share two viewers; 10-30, 20-30, 10-40 one.
    table = inspection.overlap(split_of(TRAIN), enough=2)
    assert table["pairs"].tolist() == [6, 6]
    assert table["some"].tolist() == pytest.approx([4 / 6, 4 / 6])
    assert table["enough"].tolist() == pytest.approx([1 / 6, 1 / 6])


def test_views_by_hand():
    lists = {"a": pd.DataFrame({c.MOVIE: [10, 40, 99]}), "b": pd.DataFrame({c.MOVIE: [30]})}
    table = inspection.views_of(lists, split_of(TRAIN))
    assert table.to_numpy().tolist() == [["a", 3], ["a", 1], ["a", 0], ["b", 2]]


def test_most_listed():
    topk = pd.DataFrame({c.USER: [1, 1, 2, 2, 3], c.MOVIE: [7, 8, 7, 9, 9], c.RANK: [1, 2, 1, 2, 1]})
    assert inspection.most_listed(topk, k=1) == pytest.approx(2 / 3)


def test_validation_grid_does_not_read_the_test(mock_split):
    table = inspection.on_validation(["item_knn"], mock_split, k=[5, 50], shrink=[0.0, 10.0])
    assert table[["k", "shrink"]].to_numpy().tolist() == [[5, 0], [5, 10], [50, 0], [50, 10]]
    assert table["ndcg@10"].between(0, 1).all()
    blind = replace(mock_split, test=mock_split.test.assign(rating=np.float32(1)))
    pd.testing.assert_frame_equal(inspection.on_validation(["item_knn"], blind, k=[5, 50], shrink=[0.0, 10.0]), table)


def test_while_training_ends_where_training_ends(mock_split):
    table = inspection.while_training(["lightfm_ids"], mock_split, points=3)
    assert table["epoch"].tolist() == [10, 20, 30]
    held_out = mock_split.for_validation()
    model = registry.create("lightfm_ids", "mock").fit(held_out)
    topk, _ = lists(model, held_out, k=10)
    assert table["ndcg@10"].iloc[-1] == inspection.mean_ndcg(topk, held_out)
