"""Caser and SR-GNN: all prefixes at once against RecBole's own classes one row a prefix, values and gradients; batches,
graphs and padding by hand; files, seeds and strangers.
"""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from models_cases import split_of, stays_the_same
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.models.neural.training import seeded
from aicine_utils.models.recbole import caser, compat, srgnn
from aicine_utils.models.recbole.base import interaction, library_class
from aicine_utils.models.recbole.caser import Caser
from aicine_utils.models.recbole.ratings import Ratings
from aicine_utils.models.recbole.srgnn import SRGNN

N_USERS, N_ITEMS = 5, 40
MODELS = [Caser, SRGNN]
QUICK = {"epochs": 2, "batch": 32, "window": 12, "embedding_size": 16}
both = pytest.mark.parametrize("model_class", MODELS)


def pair(make, name, **settings):
    """Our module and RecBole's, for five users and forty items, with the same weights, large enough to tell apart."""
    told = {"train_neg_sample_args": None, "embedding_size": 8, "dropout_prob": 0.0, "device": "cpu", **settings}
    config, ratings = compat.config(name, told), Ratings(sparse.csr_matrix((N_USERS, N_ITEMS)))
    with seeded(3):
        ours, theirs = make()(config, ratings), library_class(name)(config, ratings)
        for weights in ours.parameters():
            torch.nn.init.normal_(weights, 0, 0.3)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def same(mine, other, ours, theirs):
    """Values agree, and so do the gradients of all weights when each value counts differently."""
    torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-5)
    share = torch.linspace(-1, 1, mine.numel()).view(mine.shape)
    gradients = [torch.autograd.grad((share * values).sum(), list(module.parameters()), materialize_grads=True)
                 for values, module in ((mine, ours), (other, theirs))]  # fmt: skip
    for (name, _), own, library in zip(ours.named_parameters(), *gradients, strict=True):
        torch.testing.assert_close(own, library, rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}")


def different(n, length, seed=0):
    """Rows [n, length] of items in which none comes twice."""
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(N_ITEMS, generator=generator)[:length] + 1 for _ in range(n)])


# Caser


@pytest.mark.parametrize(("window", "length"), [(1, 3), (6, 7), (10, 1), (23, 4)])
def test_caser_s_states_are_the_library_s_of_each_window(window, length):
    ours, theirs = pair(caser.shared, "Caser", MAX_ITEM_LIST_LENGTH=window)
    items, users = different(3, window - 1 + length), torch.tensor([1, 4, 0])
    items[0, : window // 2] = 0
    each = items.unfold(1, window, 1).flatten(0, 1)
    mine, other = ours.states(items, users), theirs(users.repeat_interleave(length), each).view(3, length, -1)
    assert (other > 0).float().mean() > 0.1
    same(mine, other, ours, theirs)


def test_caser_s_loss_is_the_library_s_over_all_prefixes(mock_split):
    model = Caser(**QUICK | {"window": 7, "batch": 5, "dropout_prob": 0.0, "reg_weight": 0.01, "epochs": 1})
    ours = model.fit(mock_split)._module
    theirs = library_class("Caser")(compat.config("Caser", {**model._settings(), "device": "cpu"}), model._ratings())
    theirs.load_state_dict(ours.state_dict())
    inputs, targets, users = next(model._batches(model._examples(mock_split)))
    row, place = (targets > 0).nonzero(as_tuple=True)
    prefixes = {theirs.ITEM_SEQ: inputs.unfold(1, 7, 1)[row, place], theirs.USER_ID: users[row]}
    mine = model._loss(ours, inputs, targets, users)
    other = theirs.calculate_loss(interaction(**prefixes, **{theirs.POS_ITEM_ID: targets[row, place]}))
    assert len(row) > 100
    same(mine, other, ours, theirs)


def test_caser_s_stretches_by_hand(monkeypatch):
    monkeypatch.setattr(caser, "STRETCH", 2)
    # Users 10, 11, 12 watched 0 1 2 3, then 3, then 1 0; RecBole counts from 1. Windows of three.
    rows = [(10, m, 5, m) for m in range(4)] + [(11, 3, 5, 0), (12, 1, 5, 0), (12, 0, 1, 1)]
    model, found = Caser(window=3, batch=9), []
    split = split_of(rows)
    for inputs, targets, users in model._batches(model._examples(split)):
        found = sorted(zip(users.tolist(), inputs.tolist(), targets.tolist(), strict=True))
    assert found == [(1, [0, 0, 1, 2], [2, 3]), (1, [1, 2, 3, 0], [4, 0]), (3, [0, 0, 2, 0], [1, 0])]
    liked = Caser(window=3, batch=1, liked=0.75)
    assert sorted(int((targets > 0).sum()) for _, targets, _ in liked._batches(liked._examples(split))) == [1, 2]


def test_caser_predicts_every_rating_but_the_first_once_and_reads_what_came_before(mock_split):
    model = Caser(window=5, batch=7)
    watched, _, starts = data = model._examples(mock_split)
    found = []
    for inputs, targets, users in model._batches(data):
        row, place = (targets > 0).nonzero(as_tuple=True)
        read = inputs.unfold(1, 5, 1)[row, place]
        found += zip(users[row].tolist(), read.tolist(), targets[row, place].tolist(), strict=True)
    expected = []
    for user, (start, end) in enumerate(itertools.pairwise(starts.tolist()), 1):
        own = [0] * 5 + watched[start:end].tolist()
        expected += [(user, own[at - 5 : at], own[at]) for at in range(6, len(own))]
    assert sorted(found) == sorted(expected)


def test_caser_reads_the_last_movies_padded_on_the_left():
    watched, starts = np.array([4, 5, 6, 7, 8]), np.array([0, 4, 4, 5])
    items, lengths = Caser(window=3)._read(watched, starts, np.array([2, 0, 1]))
    assert items.tolist() == [[0, 0, 9], [6, 7, 8], [0, 0, 0]]
    assert lengths.tolist() == [1, 3, 1]


def test_caser_knows_nothing_of_strangers(mock_split):
    model = Caser(**QUICK).fit(mock_split)
    assert not model.user_embedding__weight_[0].any()
    own = mock_split.history[mock_split.history[c.USER] == 2][c.MOVIE].tolist()
    module = model._module
    stranger = model.score_histories([own])[0]
    module.user_embedding.weight.data[model.rows_of([2])[0] + 1] = 0
    np.testing.assert_allclose(model.score([2])[0], stranger, atol=1e-5)


def test_caser_trains_without_numbers_too_small_for_the_processor(mock_split, monkeypatch):
    if not torch.set_flush_denormal(False):
        pytest.skip("this processor can't treat them as zeros")
    tiny, loss = torch.full((1,), 1e-38), Caser._loss
    during = []
    monkeypatch.setattr(Caser, "_loss", lambda *given: (during.append((tiny / 16).item()), loss(*given))[1])
    Caser(**QUICK).fit(mock_split)
    assert set(during) == {0.0}
    assert (tiny / 16).item() > 0


# SR-GNN


def test_graph_of_the_library_s_example():
    # 1 2 3 2 4 and padding, which is a node that nothing leads to.
    node, connections, items = srgnn.graphs(torch.tensor([[1, 2, 3, 2, 4, 0]]))
    assert node.tolist() == [[1, 2, 3, 2, 4, 0]]
    assert items.tolist() == [[0, 1, 2, 3, 4, 0]]
    before, after = connections[0].split(6, 1)
    assert after[1:5, 1:5].tolist() == [[0, 1, 0, 0], [0, 0, 0.5, 0.5], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert before[1:5, 1:5].tolist() == [[0, 0, 0, 0], [0.5, 0, 0.5, 0], [0, 1, 0, 0], [0, 1, 0, 0]]
    assert connections[0, 0].count_nonzero() == connections[0, 5].count_nonzero() == 0


def test_graphs_are_the_library_s():
    ours, theirs = pair(srgnn.chained, "SRGNN")
    items = torch.randint(1, 9, (50, 12), generator=torch.Generator().manual_seed(1))
    lengths = torch.arange(50) % 13
    items *= torch.arange(12) < lengths[:, None]
    for mine, other in zip(ours._get_slice(items), theirs._get_slice(items), strict=True):
        assert mine.dtype == other.dtype
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-7)


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("length", [1, 9, 23])
def test_srgnn_s_states_are_the_library_s_of_each_prefix(step, length):
    ours, theirs = pair(srgnn.chained, "SRGNN", step=step)
    items = different(5, length)
    items[1, length // 2 :] = items[1, 0]  # comes back, also right after itself
    items[2, length // 3 + 1 :] = 0
    items[3, -1] = items[3, 0]  # a circle
    lengths = torch.arange(1, length + 1)
    prefixes = (items[:, None] * (lengths <= lengths[:, None])).flatten(0, 1)
    mine, other = ours.states(items), theirs(prefixes, lengths.repeat(5)).view(5, length, -1)
    same(mine[items > 0], other[items > 0], ours, theirs)


def test_srgnn_reads_chains_at_once_and_other_windows_one_by_one(monkeypatch):
    items = torch.tensor([[1, 2, 3], [4, 5, 4], [6, 6, 0], [7, 0, 0]])
    assert srgnn.comes_back(items).tolist() == [False, True, True, False]
    ours, _ = pair(srgnn.chained, "SRGNN")
    read, forward = [], type(ours).forward
    monkeypatch.setattr(type(ours), "forward", lambda self, rows, _: (read.append(rows), forward(self, rows, _))[1])
    ours.states(items)
    assert [rows.tolist() for rows in read] == [[[4, 0, 0], [4, 5, 0], [4, 5, 4], [6, 0, 0], [6, 6, 0], [6, 6, 0]]]


# Both


@both
def test_files_chunks_and_candidates(model_class, mock_split, tmp_path):
    model = model_class(**QUICK).fit(mock_split)
    stays_the_same(model, mock_split, tmp_path)
    own = mock_split.history.groupby(c.USER)[c.MOVIE].apply(list)
    loaded = model_class.load(tmp_path)
    assert np.array_equal(loaded.score_histories(own[:3]), model.score_histories(own[:3]))
    assert len(model.similar(int(model.movie_ids_[model.known_][0]), 5)) > 0


@both
def test_same_seed_same_lists(model_class, mock_split):
    first, second, other = (model_class(seed=seed, **QUICK).fit(mock_split) for seed in (0, 0, 1))
    users = mock_split.user_ids
    pd.testing.assert_frame_equal(first.recommend(users), second.recommend(users))
    assert not np.array_equal(first.score(users), other.score(users))
    assert first.curve[-1]["loss"] < first.curve[0]["loss"]


@both
def test_a_sequence_that_always_follows_is_learned(model_class):
    rows = [(u, (u + step) % 12, 5, step) for u in range(48) for step in range(6)]
    split = split_of(rows, test=[(u, (u + 6) % 12, 5, 6) for u in range(48)])
    model = model_class(**QUICK | {"epochs": 15, "batch": 16, "window": 4, "learning_rate": 0.02}).fit(split)
    assert (model.recommend(split.user_ids, 1)[c.MOVIE] == (split.user_ids + 6) % 12).mean() > 0.9
    scores = model.score_histories([[3, 4, 5], [8, 7]])
    assert np.argmax(scores[0]) == 6
    assert not np.allclose(scores[1], model.score_histories([[7, 8]])[0])  # the order counts
    assert np.isfinite(model.score_histories([[], [10**9]])).all()
