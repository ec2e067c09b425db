"""Torch models: losses against torch's own and against one row a prefix, windows by hand, stopping, seeds, files."""

import itertools
import math
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from models_cases import ratings, split_of, stays_the_same
from torch import nn

from aicine_utils import columns as c
from aicine_utils import experiment, splits
from aicine_utils.errors import AicineError
from aicine_utils.metrics import evaluate
from aicine_utils.models import registry
from aicine_utils.models.base import lists
from aicine_utils.models.neural import base, losses, sequences, training
from aicine_utils.models.neural.factorisation import Factors, RankingFactorisation, RatingFactorisation, draw
from aicine_utils.models.neural.perceptron import MLP, NeuMF, NeuralFactors, Tower
from aicine_utils.models.neural.recurrent import GRU

NAMES = registry.names("neural")
QUICK = {"epochs": 3, "batch": 512}


def quick(name, **params):
    """A model of the registry that trains in a fraction of a second."""
    return registry.create(name, "mock", **QUICK | ({"batch": 16} if name == "gru" else {}) | params)


# Losses and sequences


@pytest.mark.parametrize("n", [1, losses.AT_ONCE, 3 * losses.AT_ONCE + 5])
def test_cross_entropy_in_parts_is_torch_s(n):
    generator = torch.Generator().manual_seed(n)
    make = lambda *size: torch.randn(*size, generator=generator, dtype=torch.float64, requires_grad=True)  # noqa: E731
    inputs, target = (make(n, 7), make(40, 7), make(40)), torch.randint(40, (n,), generator=generator)
    ours = losses.catalogue_cross_entropy(*inputs, target)
    theirs = nn.functional.cross_entropy(nn.functional.linear(*inputs), target)
    assert ours.item() == pytest.approx(theirs.item())
    for mine, other in zip(torch.autograd.grad(3 * ours, inputs), torch.autograd.grad(3 * theirs, inputs), strict=True):
        torch.testing.assert_close(mine, other)


def test_windows_by_hand():
    # Users with sequences 0 1 2 3 4, nothing, and 5 6; padding is 9, the beginning 10.
    watched, starts = np.array([0, 1, 2, 3, 4, 5, 6]), np.array([0, 5, 5, 7])
    inputs, rows = sequences.windows(watched, starts, 3, 9)
    assert inputs.tolist() == [[10, 0, 1], [2, 3, 4], [10, 5, 6]]
    assert rows.tolist() == [[0, 1, 2], [3, 4, 7], [5, 6, 7]]


def test_tails_by_hand():
    watched, starts = np.array([0, 1, 2, 3, 4, 5, 6]), np.array([0, 5, 5, 7])
    inputs, lengths = sequences.tails(watched, starts, np.array([2, 0, 1]), 4, 9)
    assert inputs.tolist() == [[10, 5, 6, 9], [1, 2, 3, 4], [10, 9, 9, 9]]
    assert lengths.tolist() == [3, 4, 1]


@pytest.mark.parametrize("length", [1, 4, 50, 200])
def test_every_rating_is_predicted_once(mock_split, length):
    watched, starts, _ = sequences.sequences(mock_split, mock_split.train)
    _, rows = sequences.windows(watched, starts, length, len(mock_split.movie_ids))
    assert sorted(rows[rows < len(watched)]) == list(range(len(watched)))


def test_what_runs_beside_a_training_takes_none_of_its_time(monkeypatch):
    monkeypatch.setattr(training, "device", lambda: torch.device("cpu"))  # on CUDA the wall's clock counts

    def slow():
        time.sleep(0.3)  # as if another process had the processor
        yield (torch.ones(1),)

    module = torch.nn.Linear(1, 1)
    plan = training.Plan(epochs=3, learning_rate=0.1, patience=3, seconds=0.6)
    curve = training.train(module, lambda module, batch: module(batch).sum(), slow, plan)
    assert [row["epoch"] for row in curve] == [1, 2, 3]


def test_sequences_follow_the_clock_and_skip_nobody():
    split = split_of([(3, 30, 5, 2), (3, 10, 5, 1), (1, 20, 5, 5)], test=[(2, 10, 5)])
    watched, starts, stars = sequences.sequences(split, split.train)
    assert watched.tolist() == [1, 0, 2]
    assert starts.tolist() == [0, 1, 1, 3]
    assert stars.tolist() == [5, 5, 5]


def test_all_positions_at_once_are_all_prefixes_one_by_one(mock_split):
    model = GRU(window=200, dropout=0.0, epochs=1, factors=8, hidden=8).fit(mock_split)
    with training.seeded(0):
        inputs, targets = model._examples(mock_split)
        whole = model._loss(model._loaded(), inputs, targets)
    watched, starts, _ = sequences.sequences(mock_split, mock_split.train)
    ends = [(start, at) for start, end in itertools.pairwise(starts) for at in range(start, end)]
    one_by_one = [loss_of_prefix(model, watched[start:at], watched[at]) for start, at in ends]
    assert whole.item() == pytest.approx(np.mean(one_by_one), rel=1e-5)


def loss_of_prefix(model, watched, following):
    """The slow way: one sequence through the network for one movie that followed."""
    sequence = torch.tensor([[len(model.movie_ids_) + 1, *watched]])
    scores = model._answer(lambda module: module.scores(module(sequence)[:, -1]))
    return -torch.log_softmax(torch.from_numpy(scores[0]), 0)[following].item()


def test_disliked_movies_are_read_but_not_predicted(mock_split):
    inputs, targets = GRU(liked=0.75).fit(mock_split.for_validation())._examples(mock_split)
    stars = sequences.sequences(mock_split, mock_split.train)[2]
    assert int((targets != -1).sum()) == int((stars >= 4).sum()) < len(stars)
    assert int((inputs < len(mock_split.movie_ids)).sum()) > int((targets != -1).sum())


# Modules


def test_factors_by_hand():
    module = Factors(2, np.array([True, True, False]), 2)
    state = {"users.weight": [[1, 2], [0, 0]], "movies.weight": [[3, 4], [1, 0], [0, 0]],
             "user_bias.weight": [[0.5], [0]], "movie_bias.weight": [[0.25], [0], [0]]}  # fmt: skip
    module.load_state_dict({name: torch.tensor(values, dtype=torch.float32) for name, values in state.items()})
    users, movies = torch.tensor([0, 1, 0]), torch.tensor([0, 0, 1])
    assert module(users, movies).tolist() == [11.75, 0.25, 1.5]
    assert module.rows(torch.tensor([0])).tolist() == [[11.75, 1.5, 0.5]]
    # Squared lengths: (1 + 4) + (9 + 16) + .25 + .0625, then 25 + .0625, then 5 + 1 + .25; their mean.
    assert module.size(users, movies).item() == pytest.approx((30.3125 + 25.0625 + 6.25) / 3)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("kind", ["tower", "neumf"])
def test_rows_are_pairs(kind, layers):
    known = np.ones(30, bool)
    with training.seeded(1):
        module = Tower(20, known, 4, 8, layers, 0.5)
        if kind == "neumf":
            module = NeuralFactors(20, known, 4, module)
        for weights in module.parameters():
            nn.init.normal_(weights)
    users, movies = torch.arange(20), torch.arange(30)
    pairs = module.eval()(users.repeat_interleave(30), movies.repeat(20)).view(20, 30)
    torch.testing.assert_close(module.rows(users), pairs, rtol=1e-4, atol=1e-4)


def test_bpr_and_softmax_by_hand():
    # One user and two movies, of which only movie 0 can be drawn against movie 1.
    model = RankingFactorisation(factors=2, regularisation=0.0, negatives=5)
    model.known_ = np.array([True, False])
    module = Factors(1, np.array([True, True]), 2)
    module.load_state_dict({**module.state_dict(), "movie_bias.weight": torch.tensor([[1.0], [3.0]])})
    user, movie = torch.tensor([0]), torch.tensor([1])
    assert model._bpr(module, user, movie).item() == pytest.approx(np.log(1 + np.exp(-2)))
    assert model._softmax(module, user, movie).item() == pytest.approx(np.log(1 + 5 * np.exp(-2)))
    assert model._softmax(module, user, torch.tensor([0])).item() == 0  # what was watched is no negative


def test_draws_are_known_movies_all_alike():
    known = np.array([True, False, True, True])
    with training.seeded(0):
        counts = np.bincount(draw(known, 3000), minlength=4)
    assert counts[1] == 0
    assert (abs(counts[known] - 1000) < 120).all()


# Training and stopping


def test_batches_hold_every_row_once_in_another_order_each_time():
    data = torch.arange(10), torch.arange(10) * 2
    with training.seeded(0):
        first, second = (list(training.batches(data, 4)) for _ in range(2))
    assert [len(batch[0]) for batch in first] == [4, 4, 2]
    order = torch.cat([batch[0] for batch in first])
    assert sorted(order.tolist()) == list(range(10))
    assert order.tolist() != torch.cat([batch[0] for batch in second]).tolist()
    assert all(torch.equal(batch[0] * 2, batch[1]) for batch in first)


def scripted(values, patience=2, measure="ndcg@10"):
    """Train one weight with these validation values; the curve, and the weight at the end and after each pass."""
    module, after, script = nn.Linear(1, 1), [], iter(values)

    def validate():
        after.append(module.weight.item())
        return next(script)

    plan, rows = training.Plan(len(values), 0.1, patience), lambda: [(torch.ones(4, 1),)]
    curve = training.train(module, lambda m, x: m(x).square().mean(), rows, plan, (measure, validate))
    return curve, module.weight.item(), after


def test_training_ends_when_patience_does_and_keeps_the_best():
    curve, final, after = scripted([0.1, 0.3, 0.2, 0.3, 0.9])
    assert [row["epoch"] for row in curve] == [1, 2, 3, 4]
    assert final == after[1]
    curve, final, after = scripted([0.5, 0.4, 0.6, 0.7], measure="rmse")
    assert (len(curve), final) == (4, after[1])


def test_a_budget_leaves_room_for_whole_passes():
    plan = training.Plan(10, 0.1, 3, seconds=30)
    assert plan.allows_another(2, 20)  # ten seconds each: the third ends at 30
    assert not plan.allows_another(2, 20.1)
    assert training.Plan(10, 0.1, 3).allows_another(9, 1e9)


def test_the_rate_falls_to_zero_with_the_passes_that_there_is_time_for(monkeypatch):
    plan = training.Plan(10, 0.1, 3, seconds=30)
    assert [plan.affordable(first) for first in (3.0, 5.0, 29.0, 31.0)] == [10, 6, 1, 1]
    again = plan.as_in([{"of": 10}, {"of": 6}])
    assert (again.epochs, again.seconds) == (6, math.inf)
    monkeypatch.setattr(training.Plan, "affordable", lambda *_: 3)
    with training.seeded(0):
        short, last, _ = scripted([0.1, 0.2, 0.3, 0.4])
    monkeypatch.undo()
    with training.seeded(0):
        planned, same, _ = scripted([0.1, 0.2, 0.3])
    assert [row["of"] for row in short] == [row["of"] for row in planned] == [3, 3, 3]
    assert last == same  # as if three had been the plan


def test_time_was_the_cause_when_nothing_else_was():
    plan, curve = training.Plan(9, 0.1, 2), [{"ndcg@10": value} for value in (0.1, 0.3, 0.2, 0.2)]
    assert not base.stopped_by_budget(curve, "ndcg@10", plan)  # its patience ended
    assert base.stopped_by_budget(curve[:3], "ndcg@10", plan)
    assert not base.stopped_by_budget(curve[:3], "ndcg@10", replace(plan, epochs=3))


def test_a_run_says_that_its_budget_stopped_it(mock_split):
    result = experiment.run("torch_mf", mock_split, epochs=50, patience=50, minutes=1e-6)
    assert len(result.curve) == 1
    assert result.manifest["stopped_by_budget"] is True
    assert experiment.run("torch_mf", mock_split, **QUICK).manifest["stopped_by_budget"] is False


def test_held_out_are_the_last_ratings_of_each_user():
    rows = [(1, m, 5, 100 - m) for m in range(20)] + [(2, m, 5, m) for m in range(9)] + [(3, 0, 5), (3, 1, 5)]
    held = base.hold_out(split_of([(*row, 0)[:4] for row in rows]))
    assert held.valid[c.MOVIE].tolist() == [1, 0, 8]
    assert len(held.train) == 28
    assert held.movie_ids.tolist() == list(range(20))


def test_without_validation_everything_is_trained_for_the_best_number_of_passes(mock_split, monkeypatch):
    trained, train = [], training.train

    def noted(module, loss, rows, plan, validation=None, passes=None):
        trained.append((sum(len(batch[0]) for batch in rows()), passes))
        return train(module, loss, rows, plan, validation, passes)

    monkeypatch.setattr(base, "train", noted)
    final = mock_split.for_test()
    model = quick("torch_mf", epochs=6, patience=1, learning_rate=0.05).fit(final)
    held = len(base.hold_out(final).valid)
    best = 1 + int(np.argmin([row["rmse"] for row in model.curve]))
    assert trained == [(len(final.train) - held, None), (len(final.train), best)]
    assert 1 < best < 6


def test_without_anything_to_hold_out_all_passes_are_made():
    model = quick("torch_mf_rank").fit(split_of([(u, m, 5) for u in range(4) for m in range(u, u + 2)]))
    assert [sorted(row) for row in model.curve] == [["epoch", "loss", "of", "seconds"]] * 3


def test_more_passes_than_epochs_are_refused(mock_split):
    with pytest.raises(AicineError, match="7 passes are more than its epochs"):
        quick("torch_mf", epochs=6, passes=7).fit(mock_split.for_test())


def test_a_window_without_anything_liked_is_no_example():
    stars = [(1, m, 1, m) for m in range(8)] + [(2, m, 5, m) for m in range(4)]
    model = quick("gru", batch=1, window=4, liked=0.75).fit(split_of(stars))
    assert np.isfinite(model.score([1, 2])).all()


def test_nothing_liked_at_all_is_an_error_that_names_the_remedy():
    stars = split_of([(u, m, 1, m) for u in range(4) for m in range(6)])
    for name in ("gru", "torch_mf_rank"):
        with pytest.raises(AicineError, match=r"no training rating is as high as `liked` asks\. Lower it"):
            quick(name, liked=0.75).fit(stars)


@pytest.mark.parametrize("name", NAMES)
def test_validation_is_measured_as_the_search_measures(name, mock_split):
    model = quick(name).fit(mock_split)
    best = training.best_epoch(model.curve, model.stops_on)
    held = mock_split.for_validation()
    again = quick(name)
    with training.seeded(0):
        again.user_ids_, again.movie_ids_, again.scale_ = model.user_ids_, model.movie_ids_, model.scale_
        again._train(held, again._plan(trainings=1), best)
    topk, stars = lists(again, held, 10)
    if model.rates:
        value = np.sqrt(((stars[c.PREDICTED] - stars[c.RATING]) ** 2).mean())
    else:
        value = evaluate.means(evaluate.evaluate(topk, held.relevant(held.test), ks=(10,)))["ndcg@10"]
    assert model.curve[best - 1][model.stops_on] == pytest.approx(value, rel=1e-5)


# Models


@pytest.mark.parametrize("name", NAMES)
def test_files_chunks_and_candidates(name, mock_split, tmp_path):
    model = quick(name).fit(mock_split)
    stays_the_same(model, mock_split, tmp_path)
    assert not list(tmp_path.glob("*.p*t"))
    assert model.n_parameters == sum(weights.numel() for weights in model._module.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_lists_and_nobody_else_s_numbers_move(name, mock_split):
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first, second, other = (quick(name, seed=seed).fit(mock_split) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    users = mock_split.user_ids
    pd.testing.assert_frame_equal(first.recommend(users), second.recommend(users))
    assert not np.array_equal(first.score(users), other.score(users))


@pytest.mark.parametrize("name", NAMES)
def test_a_run_keeps_its_curve(name, mock_split):
    result = experiment.run(name, mock_split, **QUICK)
    curve = pd.read_csv(result.folder / "curve.csv")
    measure = "rmse" if registry.entry(name).rates else "ndcg@10"
    assert list(curve) == ["epoch", "of", "loss", measure, "seconds"]
    assert curve["epoch"].tolist() == list(range(1, len(curve) + 1))
    assert curve["seconds"].is_monotonic_increasing
    assert curve["loss"].iloc[-1] < curve["loss"].iloc[0]


def test_stars_of_a_table_without_noise_are_found():
    rng = np.random.default_rng(0)
    users, movies = rng.normal(size=(2, 40)), rng.normal(size=(2, 30))
    stars = 3 + 0.7 * (users.T @ movies)
    shown = rng.random(stars.shape) < 0.7
    train, test = ([(u, m, stars[u, m]) for u, m in zip(*np.nonzero(mask), strict=True)] for mask in (shown, ~shown))
    split = split_of(train, test)
    split.info["rating_scale"] = [-9, 9]
    spread = np.std(split.test[c.RATING])
    model = RatingFactorisation(factors=2, regularisation=1e-4, batch=64, learning_rate=0.02, epochs=60, patience=60)
    errors = model.fit(split).predict(split.test) - split.test[c.RATING]
    assert np.sqrt(np.mean(errors**2)) < 0.1 * spread


def test_unknown_movies_and_new_users_get_what_is_known_of_nobody(mock_split):
    train = mock_split.train[(mock_split.train[c.USER] != 1) & (mock_split.train[c.MOVIE] % 10 != 0)]
    split = replace(mock_split, train=train, valid=mock_split.valid.iloc[:0])
    model = RatingFactorisation(**QUICK).fit(split)
    expected = model.mean_ + model.movie_bias__weight_[:, 0]
    np.testing.assert_allclose(model.score([1])[0], expected, atol=1e-6)
    unknown = ~np.isin(model.movie_ids_, train[c.MOVIE])
    assert unknown.any()
    assert np.ptp(model.score([2])[0][unknown]) == 0


@pytest.mark.parametrize(("name", "params"), [("torch_mf_rank", {}), ("torch_mf_rank", {"loss": "bpr"}), ("neumf", {}),
                                              ("gru", {"batch": 8})])  # fmt: skip
def test_lists_beat_chance(name, params, mock_split):
    values = {}
    for model in (name, "random"):
        own = params | {"epochs": 25, "patience": 5} if model == name else {}
        values[model] = experiment.run(model, mock_split, **own).values().mean()
    assert values[name] > 1.3 * values["random"]


def test_a_sequence_that_always_follows_is_learned():
    rows = [(u, (u + step) % 12, 5, step) for u in range(48) for step in range(6)]
    split = split_of(rows, test=[(u, (u + 6) % 12, 5, 6) for u in range(48)])
    model = GRU(epochs=40, batch=8, factors=16, hidden=16, dropout=0.0, learning_rate=0.02).fit(split)
    assert (model.recommend(split.user_ids, 1)[c.MOVIE] == (split.user_ids + 6) % 12).mean() > 0.9
    assert model.recommend([5], 1)[c.MOVIE].tolist() == [11]
    scores = model.score_histories([[3, 4, 5], [8, 7]])
    assert np.argmax(scores[0]) == 6
    assert not np.allclose(scores[1], model.score_histories([[7, 8]])[0])  # the order counts


def test_own_history_gives_own_scores_and_strangers_get_some(mock_split):
    model = quick("gru").fit(mock_split)
    own = mock_split.history.groupby(c.USER)[c.MOVIE].apply(list)
    assert mock_split.valid.empty is False
    np.testing.assert_allclose(model.score_histories(list(own)), model.score(own.index), atol=1e-5)
    nothing, unknown = model.score_histories([[], [10**9]])
    assert np.array_equal(nothing, unknown)
    assert np.ptp(nothing) > 0
    assert model.score_histories([]).shape == (0, len(model.movie_ids_))


def test_the_test_history_holds_validation(mock_data):
    split = splits.make(mock_data, "leave_one_out")
    model = quick("gru").fit(split)
    assert len(model.watched_) == len(split.train) + len(split.valid)


def test_errors_of_users(mock_split):
    with pytest.raises(AicineError, match="Did you mean 'softmax'"):
        RankingFactorisation(loss="softmaxx").fit(mock_split)
    with pytest.raises(AicineError, match="not a number"):
        RankingFactorisation(learning_rate=1e30, epochs=2).fit(mock_split)
    with pytest.raises(AicineError, match="Did you mean 'hidden'"):
        MLP(hiden=3)
    with pytest.raises(AicineError, match="does not predict stars"):
        NeuMF().predict(ratings([(1, 1, 5)]))
