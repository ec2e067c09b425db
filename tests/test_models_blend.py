"""The blend: weights that validation chooses, sums by hand, members of its own, and what it never looks at."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from models_cases import split_of, stays_the_same

from aicine_utils import columns as c
from aicine_utils import experiment, settings
from aicine_utils.errors import AicineError
from aicine_utils.models import blend, registry
from aicine_utils.models.blend import Blend
from aicine_utils.models.linear import EASE

CHEAP = "popularity+item_knn"
KNOWN = np.array([True, True, True, False])


def mean_ndcg(model, split):
    from aicine_utils.metrics import evaluate

    lists = model.recommend(np.unique(split.test[c.USER]), 10)
    return evaluate.means(evaluate.evaluate(lists, split.relevant(split.test), ks=(10,)))["ndcg@10"]


def test_the_grid_sums_to_one_and_starts_with_the_most_even():
    assert blend.simplex(2, 2).tolist() == [[0.5, 0.5], [0, 1], [1, 0]]
    grid = blend.simplex(3, 10)
    assert len(grid) == 66  # 12 over 2
    assert grid.sum(axis=1) == pytest.approx(1)
    assert len(np.unique(grid, axis=0)) == 66
    assert sorted(grid[0]) == [0.3, 0.3, 0.4]


def test_scores_are_made_comparable_by_hand():
    scores = np.array([[1, 2, 6, 99], [5, 5, 5, 0]], np.float32)  # the last movie is unknown to training
    deviation = np.sqrt(((1 - 3) ** 2 + (2 - 3) ** 2 + (6 - 3) ** 2) / 3)
    assert blend.standard(scores, KNOWN)[0, :3] == pytest.approx(np.array([-2, -1, 3]) / deviation)
    assert not blend.standard(scores, KNOWN)[1, :3].any()
    assert blend.ranks(scores, KNOWN).tolist() == [[0, 0.5, 1, 0], [0.5, 0.5, 0.5, 0]]


@pytest.mark.parametrize("normalise", ["z", "rank"])
def test_the_score_is_the_weighted_sum_of_the_members(mock_split, normalise):
    model, final = Blend(members=CHEAP, normalise=normalise, steps=4).fit(mock_split), mock_split.for_test()
    users = mock_split.user_ids[[3, 1]]
    way = {"z": blend.standard, "rank": blend.ranks}[normalise]
    parts = [registry.create(name, "mock").fit(final).score(users) for name in CHEAP.split("+")]
    by_hand = sum(w * way(own, model.known_) for w, own in zip(model.weights_, parts, strict=True))
    np.testing.assert_allclose(model.score(users), by_hand, atol=1e-5)
    assert model.n_parameters == 2 + sum(member.n_parameters for member in model._members)


def test_weights_are_the_best_of_the_grid_on_validation(mock_split, monkeypatch):
    found = Blend(members=CHEAP, steps=5).fit(mock_split).weights_
    held, values = mock_split.for_validation(), {}
    for weights in blend.simplex(2, 5):
        monkeypatch.setattr(Blend, "_choose", lambda self, split, weights=weights: weights)
        values[tuple(weights)] = mean_ndcg(Blend(members=CHEAP).fit(held), held)
    assert values[tuple(found)] == max(values.values())
    assert len(set(values.values())) > 2


def test_a_member_that_only_harms_gets_no_weight(mock_split):
    assert Blend(members="random+item_knn").fit(mock_split).weights_[1] > 0.5


def test_the_test_is_never_looked_at(mock_split):
    shuffled = mock_split.test.assign(**{c.RATING: mock_split.test[c.RATING].to_numpy()[::-1]})
    other = dataclasses.replace(mock_split, test=shuffled)
    one, two = (Blend(members=CHEAP).fit(split) for split in (mock_split, other))
    assert np.array_equal(one.weights_, two.weights_)
    assert np.array_equal(one.score(mock_split.user_ids), two.score(mock_split.user_ids))


def test_without_validation_the_last_training_ratings_choose(mock_split):
    bare = mock_split.divided(mock_split.history, mock_split.valid.iloc[:0])
    held = blend._held_out(bare)
    sizes = bare.train.groupby(c.USER).size()
    assert (held.valid.groupby(c.USER).size() == sizes // 10).all()
    last, first = held.train.groupby(c.USER)[c.TIMESTAMP].max(), held.valid.groupby(c.USER)[c.TIMESTAMP].min()
    assert (last <= first).all()
    model = Blend(members=CHEAP).fit(bare)
    assert np.array_equal(model.weights_, Blend(members=CHEAP)._choose(held))
    assert (model.seen_ != mock_split.matrix(mock_split.history)).nnz == 0


def test_where_nothing_tells_the_weights_are_even():
    split = split_of([(user, movie, 5) for user in (1, 2, 3) for movie in (10, 20, 30)])
    assert Blend(members="popularity+item_knn").fit(split).weights_.tolist() == [0.5, 0.5]


def test_files_chunks_and_candidates(mock_split, tmp_path):
    folder = tmp_path / "model"
    stays_the_same(Blend(members=CHEAP).fit(mock_split), mock_split.for_test(), folder)
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".json", ".npz"}
    assert {path.name for path in folder.iterdir() if path.is_dir()} == set(CHEAP.split("+"))


def test_new_people_and_similar_movies(mock_split):
    model = Blend(members="ease+item_knn").fit(mock_split)
    ease, knn = model._members
    model.weights_ = np.array([1.0, 0.0])
    own = mock_split.history.groupby(c.USER)[c.MOVIE].apply(list).iloc[:2]
    np.testing.assert_allclose(model.score_histories(list(own)), model.score(own.index), atol=1e-4)
    movie = int(model.movie_ids_[4])
    assert model.similar(movie, 5)[c.MOVIE].tolist() == ease.similar(movie, 5)[c.MOVIE].tolist()
    model.weights_ = np.array([0.0, 1.0])
    assert model.similar(movie, 5)[c.MOVIE].tolist() == knn.similar(movie, 5)[c.MOVIE].tolist()
    assert model.similar(movie, 1)[c.SCORE].iloc[0] == pytest.approx(1)  # each member's nearest counts 1


def test_a_run_gives_the_blend_its_validation_and_knows_its_members(mock_split, home, monkeypatch):
    made = experiment.run("blend", mock_split, members=CHEAP)
    assert np.array_equal(made.model().weights_, Blend(members=CHEAP)._choose(mock_split))
    assert made.model().seen_.nnz == len(mock_split.history)
    before = experiment.key(registry.create("blend", "mock"), mock_split)
    config = settings.model_config
    other = {"params": {"regularisation": 9.0, "liked": 0.0}, "search": {}}
    monkeypatch.setattr(settings, "model_config", lambda name: other if name == "ease" else config(name))
    assert experiment.key(registry.create("blend", "mock"), mock_split) != before
    assert isinstance(registry.create("blend", "mock").members(mock_split)[1], EASE)


def test_members_have_the_settings_of_their_protocol(mock_split):
    def settings_of(protocol):
        split = dataclasses.replace(mock_split, protocol=protocol, info={**mock_split.info, "dataset": "ml-100k"})
        return registry.create("blend", "ml-100k").members(split)[1].params

    tuned = registry.create("ease", "ml-100k").params
    assert settings_of("user_temporal") == tuned == settings_of("new_users")
    assert settings_of("leave_one_out") == registry.create("ease", "ml-100k", protocol="leave_one_out").params


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"members": "ease+eas"}, "Did you mean 'ease'"),
        ({"members": "ease+blend"}, "blend is a blend itself"),
        ({"normalise": "zz"}, "normalise"),
        ({"steps": 0}, "whole number of at least 1"),
    ],
)
def test_wrong_settings_are_told(params, message):
    with pytest.raises(AicineError, match=message):
        Blend(**params)


def test_a_member_that_can_not_take_a_history_says_so(mock_split):
    model = Blend(members="item_knn+baseline").fit(mock_split)
    assert isinstance(model.recommend([1], 3), pd.DataFrame)
    with pytest.raises(AicineError, match="can't score someone who was not in training"):
        model.score_histories([[1]])
