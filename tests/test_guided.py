"""The guided start against a slow reference: scores of answers, gains, greedy choices, the order of questions."""

import numpy as np
import pytest

from aicine_utils import columns as c
from aicine_utils.metrics import evaluate
from aicine_utils.study import cold, guided


@pytest.fixture
def split(mock_data):
    """Half of the synthetic people hidden; the earlier half of their ratings is what they can answer."""
    return cold.hide_users(mock_data, share=0.5, told=0.5)


@pytest.fixture
def room(split):
    return guided.Room.of(cold.fitted(["ease"], split)["ease"], split, np.unique(split.test[c.USER]))


def slow_ndcg(room, split, asked):
    """NDCG@10 by user from the interfaces of model and evaluator, with the same doubt."""
    told = split.valid[
        split.valid[c.MOVIE].isin(asked) & (split.valid[c.RATING] >= split.stars_at(room.model.params["liked"]))
    ]
    histories = [told.loc[told[c.USER] == user, c.MOVIE].tolist() for user in room.user_ids]
    scores = cold.backed(room.model.score_histories(histories), np.array([len(h) for h in histories]), room.popular,
                         room.model.known_)  # fmt: skip
    top = room.model.best_of(room.model.rows_of(room.user_ids), scores, 10)
    values = evaluate.evaluate(top, split.relevant(split.test), ks=(10,)).query("metric == 'ndcg'")
    return values.set_index(c.USER)[c.VALUE].reindex(room.user_ids).to_numpy()


def test_answers_are_scored_as_histories(room, split):
    asked = guided.pool(room.model, split)[[0, 7, 3]]
    assert room.ndcg() == pytest.approx(slow_ndcg(room, split, []))
    for column in asked:
        room = room.ask(column)
    assert room.ndcg() == pytest.approx(slow_ndcg(room, split, room.model.movie_ids_[asked]))
    assert room.n.max() > 1


def test_gains_are_differences_of_means(room, split):
    columns = guided.pool(room.model, split, 12)
    room, columns = room.ask(int(columns[0])), columns[1:]
    slow = [room.ask(int(column)).ndcg().mean() - room.ndcg().mean() for column in columns]
    assert room.gains(columns) == pytest.approx(np.array(slow), abs=1e-9)


def test_pairs_in_small_portions_give_the_same(room, split, monkeypatch):
    columns = guided.pool(room.model, split, 30)
    whole = room.gains(columns)
    monkeypatch.setattr(guided, "PAIRS", 7)
    assert room.gains(columns) == pytest.approx(whole)
    assert room.ndcg() == pytest.approx(slow_ndcg(room, split, []))


def test_the_greedy_choice_is_best_at_every_step(room, split):
    columns = guided.pool(room.model, split, 15)
    chosen = guided.choose(room, columns, n=4)
    before, left = room, list(columns)
    for row in chosen.itertuples():
        gains = before.gains(np.array(left))
        best = left[int(gains.argmax())]
        assert room.model.movie_ids_[best] == row.movie_id
        assert row.gain == pytest.approx(gains.max())
        answered = (split.valid[c.MOVIE] == row.movie_id) & (
            split.valid[c.RATING] >= split.stars_at(room.model.params["liked"])
        )
        assert row.answered == pytest.approx(split.valid.loc[answered, c.USER].isin(room.user_ids).sum() / len(room.n))
        before, left = before.ask(best), [column for column in left if column != best]
    assert chosen["question"].tolist() == [1, 2, 3, 4]
    assert guided.choose(room, columns, n=4).equals(chosen)


def test_the_pool_is_the_most_rated(room, split):
    views = split.train[c.MOVIE].value_counts()
    columns = guided.pool(room.model, split, 5)
    assert views[room.model.movie_ids_[columns]].tolist() == views.head(5).tolist()
    assert len(guided.pool(room.model, split, 10**6)) == split.train[c.MOVIE].nunique()


def test_choices_compared_on_other_people(split):
    values = guided.compare(split, seed=0, questions=3)
    assert set(values["choice"]) == {guided.GREEDY, guided.POPULAR, guided.RANDOM}
    counts = values.groupby(["choice", "asked"])[c.USER].agg(["size", "nunique"])
    assert (counts["size"] == counts["nunique"]).all()
    assert not values[c.USER].isin(guided.sides(split, 0)[0]).any()
    start = values[values["asked"] == 0].pivot(index=c.USER, columns="choice", values=c.VALUE)
    assert np.ptp(start.to_numpy(), axis=1).max() < 1e-12  # before the first question all lists are the same
    room = guided.Room.of(cold.fitted(["ease"], split)["ease"], split, guided.sides(split, 0)[0])
    asked = values[values["choice"] == guided.GREEDY].groupby("asked")[c.MOVIE].first().tolist()
    assert asked == [0, *guided.choose(room, guided.pool(room.model, split), 3)[c.MOVIE]]
    assert guided.compare(split, seed=0, questions=3).equals(values)
