"""Histories in another order, or cut short, and what a model makes of them."""

import numpy as np
import pandas as pd
import pytest
from models_cases import split_of

from aicine_utils import columns as c
from aicine_utils import inspection
from aicine_utils.errors import AicineError
from aicine_utils.models import registry
from aicine_utils.models.linear import EASE
from aicine_utils.models.neural.recurrent import GRU
from aicine_utils.study import order

HISTORY = pd.DataFrame({c.USER: [1, 1, 1, 4, 4], c.MOVIE: [30, 10, 20, 7, 8]})


def test_orders_by_hand():
    assert order.reordered(HISTORY, order.AS_WATCHED).equals(HISTORY)
    assert order.reordered(HISTORY, "Newest first")[c.MOVIE].tolist() == [20, 10, 30, 8, 7]


def test_shuffling_keeps_everyone_s_movies_and_follows_the_seed():
    history = pd.DataFrame({c.USER: np.repeat([3, 5], 50), c.MOVIE: np.arange(100)})
    first, again, other = (order.reordered(history, "Shuffled", seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)
    assert not first[c.MOVIE].equals(history[c.MOVIE])
    assert first.groupby(c.USER)[c.MOVIE].apply(set).equals(history.groupby(c.USER)[c.MOVIE].apply(set))


def test_known_follows_the_clock_and_leaves_out_who_is_not_tested():
    split = split_of([(3, 30, 5, 2), (3, 10, 5, 1), (1, 20, 5, 5)], test=[(3, 20, 5)])
    assert order.known(split).to_numpy().tolist() == [[3, 10], [3, 30]]


@pytest.fixture
def fitted(mock_split):
    final = mock_split.for_test()
    models = {
        "gru": GRU(epochs=8, batch=8, learning_rate=0.02, hidden=16, factors=16).fit(final),
        "caser": registry.create("caser", "mock", epochs=2).fit(final),  # it has a vector for the person
        "ease": EASE().fit(final),
    }
    return models, final


def test_as_watched_is_what_the_model_recommends(fitted):
    models, final = fitted
    table = order.by_order(models, final)
    for name, model in models.items():
        own = inspection.ndcg(model.recommend(final.test[c.USER].unique(), 10), final)
        found = table[(table["model"] == name) & (table["order"] == order.AS_WATCHED)]
        np.testing.assert_allclose(found[c.VALUE].to_numpy(), own[c.VALUE].to_numpy(), atol=1e-12)


def test_order_moves_a_sequential_model_alone(fitted):
    values = order.by_order(*fitted).pivot(index=["model", c.USER], columns="order", values=c.VALUE)
    moved = (values["Newest first"] != values[order.AS_WATCHED]).groupby("model").any()
    assert moved.to_dict() == {"caser": True, "ease": False, "gru": True}


def test_lengths_beyond_the_window_change_nothing(fitted):
    _, final = fitted
    short = GRU(epochs=2, batch=8, window=20, hidden=16, factors=16).fit(final)
    table = order.by_length({"gru": short}, final, [1, 20, 10_000])
    values = table.pivot(index=c.USER, columns="length", values=c.VALUE)
    assert order.known(final).groupby(c.USER).size().max() > 20
    assert values[20].equals(values[10_000].rename(20))
    assert not values[1].equals(values[20].rename(1))


def test_a_model_that_reads_no_history_says_so(mock_split):
    with pytest.raises(AicineError, match="can't score someone who was not in training"):
        order.by_order({"svd": registry.create("torch_mf", "mock", epochs=1).fit(mock_split)}, mock_split)


def test_shifts_by_hand():
    values = pd.DataFrame(
        [(label, order_, user, value + step * shift + 0.001 * user * shift)
         for label, value, shift in (("A", 0.5, 1), ("B", 0.3, 0))
         for order_, step in ((order.AS_WATCHED, 0), ("Shuffled", -0.2))
         for user in range(6)],
        columns=["label", "order", c.USER, c.VALUE],
    )  # fmt: skip
    found = order.shifts(values).set_index(["label", "order"])
    assert found.loc[("A", "Shuffled"), "difference"] == pytest.approx(-0.2)
    assert found.loc[("B", "Shuffled"), "difference"] == pytest.approx(0)
    assert found["sign"].tolist() == [-1, 0]
