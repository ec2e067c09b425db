"""SASRec, NARM and BERT4Rec: equal to RecBole's own on the same weights; windows, masks and dropout by hand."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from models_cases import split_of, stays_the_same
from scipy import sparse
from torch import nn

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.models.neural import sequences, training
from aicine_utils.models.recbole import bert4rec, compat, narm, sasrec
from aicine_utils.models.recbole.attention import Rows, dropped
from aicine_utils.models.recbole.base import interaction, library_class
from aicine_utils.models.recbole.bert4rec import BERT4Rec, hide
from aicine_utils.models.recbole.narm import NARM
from aicine_utils.models.recbole.ratings import Ratings
from aicine_utils.models.recbole.sasrec import SASRec

MODELS = [SASRec, NARM, BERT4Rec]
N_MOVIES, WINDOW = 30, 12
QUICK = {"epochs": 2, "batch": 32, "window": WINDOW, "hidden_size": 16}


def quick(model, **params):
    """A model that trains in a fraction of a second."""
    return model(**QUICK | params)


def both(model, faster, **params):
    """Our module and RecBole's with the same large weights, in double precision and without dropout."""
    asked = quick(model, **params)
    config = compat.config(asked.recbole, {**asked._settings(), "embedding_size": 8})
    for name in ("MASK_ITEM_SEQ", "POS_ITEMS", "NEG_ITEMS", "MASK_INDEX"):
        config[name] = name  # RecBole's transform names these fields
    config["device"] = torch.device("cpu")
    ratings = Ratings(sparse.csr_matrix((5, N_MOVIES), dtype=np.float32))
    with training.seeded(0), compat.mended():
        modules = faster()(config, ratings), library_class(asked.recbole)(config, ratings)
        for weights in modules[0].parameters():
            nn.init.normal_(weights, std=0.4)
    modules[1].load_state_dict(modules[0].state_dict())
    return [module.double().eval() for module in modules]


def histories(*lengths, n_items=N_MOVIES):
    """RecBole items [n, WINDOW] of histories so long, padded with 0 on the right."""
    drawn = torch.randint(1, n_items + 1, (len(lengths), WINDOW), generator=torch.Generator().manual_seed(1))
    return torch.where(torch.arange(WINDOW) < torch.tensor(lengths)[:, None], drawn, 0)


def same_gradients(ours, theirs, within=1e-8):
    """Both pairs of a module and a value give each weight the same gradient."""
    unused = {"allow_unused": True, "materialize_grads": True}
    mine, others = (torch.autograd.grad(value, list(module.parameters()), **unused) for module, value in (ours, theirs))
    for (name, _), one, other in zip(ours[0].named_parameters(), mine, others, strict=True):
        torch.testing.assert_close(
            one, other, rtol=10 * within, atol=within, msg=lambda text, name=name: f"{name}: {text}"
        )


# The same function as RecBole's


CAUSAL = pytest.mark.parametrize(
    ("model", "faster", "params"),
    [(SASRec, sasrec.windowed, {"n_layers": 3, "n_heads": 4}), (SASRec, sasrec.windowed, {"hidden_act": "tanh"}),
     (NARM, narm.windowed, {})],
)  # fmt: skip


def allowed(model, params):
    """A subclass that also takes settings of RecBole's which ours leave at their defaults."""
    return type(model.__name__, (model,), {"defaults": {**model.defaults, **params}})


@CAUSAL
def test_all_positions_are_recbole_s_prefixes_one_by_one(model, faster, params):
    ours, stock = both(allowed(model, params), faster)
    items = histories(5, 12, 1, 8, 12, 0)
    states = ours.states(items)
    ends = (items > 0).nonzero()
    prefixes = torch.where(torch.arange(WINDOW) <= ends[:, 1:], items[ends[:, 0]], 0)
    one_by_one = stock.forward(prefixes, ends[:, 1] + 1)
    torch.testing.assert_close(states[items > 0], one_by_one, rtol=1e-8, atol=1e-8)
    assert not states[items == 0].any()
    assert one_by_one.std() > 0.1
    pull = torch.randn(one_by_one.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    same_gradients((ours, (states[items > 0] * pull).sum()), (stock, (one_by_one * pull).sum()))


@CAUSAL
def test_the_loss_of_windows_is_recbole_s_of_prefixes(model, faster, params):
    ours, stock = both(allowed(model, params), faster)
    items = histories(5, 12, 2)
    following = torch.where(items > 0, N_MOVIES + 1 - items, 0)
    ends = (items > 0).nonzero()
    prefixes = torch.where(torch.arange(WINDOW) <= ends[:, 1:], items[ends[:, 0]], 0)
    asked = {stock.ITEM_SEQ: prefixes, stock.ITEM_SEQ_LEN: ends[:, 1] + 1, stock.POS_ITEM_ID: following[items > 0]}
    whole, theirs = quick(model)._loss(ours, items, following), stock.calculate_loss(interaction(**asked))
    assert whole.item() == pytest.approx(theirs.item(), rel=1e-9)
    same_gradients((ours, whole), (stock, theirs))


@pytest.mark.parametrize("params", [{}, {"n_heads": 1, "n_layers": 3}])
def test_masked_windows_are_recbole_s(params):
    ours, stock = both(BERT4Rec, bert4rec.packed, **params)
    items = histories(5, 12, 1, 8, n_items=N_MOVIES + 1)  # the last is the mask
    mine, theirs = ours(items)[items > 0], stock(items)[items > 0]
    torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-8)
    pull = torch.randn(theirs.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    same_gradients((ours, (mine * pull).sum()), (stock, (theirs * pull).sum()))


def test_the_masked_loss_is_recbole_s():
    ours, stock = (module.float() for module in both(BERT4Rec, bert4rec.packed))  # the library's loss can't be double
    # RecBole counts no loss at a window's first place, and here two places are hidden in each window.
    items, at = histories(6, 12, 3), torch.tensor([[1, 4], [6, 11], [1, 2]])
    targets = torch.zeros_like(items).scatter(1, at, items.gather(1, at))
    hidden = items.scatter(1, at, N_MOVIES + 1)
    asked = {stock.MASK_ITEM_SEQ: hidden, stock.POS_ITEMS: items.gather(1, at), stock.MASK_INDEX: at,
             stock.NEG_ITEMS: at}  # fmt: skip
    whole, theirs = quick(BERT4Rec)._loss(ours, hidden, targets), stock.calculate_loss(interaction(**asked))
    assert whole.item() == pytest.approx(theirs.item(), rel=1e-6)
    same_gradients((ours, whole), (stock, theirs), 1e-5)


def test_the_mask_is_appended_as_recbole_does():
    ours, stock = both(BERT4Rec, bert4rec.packed)
    lengths = torch.tensor([5, 12, 1])
    items = histories(*lengths)
    assert torch.equal(ours.reconstruct_test_data(items, lengths), stock.reconstruct_test_data(items, lengths))


@pytest.mark.parametrize("model", MODELS)
def test_scores_are_those_of_recbole_s_class_with_the_trained_weights(model, mock_split):
    fitted = quick(model).fit(mock_split)
    config = compat.config(fitted.recbole, fitted._settings())
    config["device"] = torch.device("cpu")
    stock = library_class(fitted.recbole)(config, Ratings(fitted.seen_)).eval()
    stock.load_state_dict(fitted._module.state_dict())
    long = np.flatnonzero(np.diff(fitted.starts_) >= WINDOW)
    assert len(long) > 10
    last = fitted.watched_[fitted.starts_[long + 1][:, None] + np.arange(-WINDOW, 0)] + 1
    asked = {stock.ITEM_SEQ: torch.from_numpy(last), stock.ITEM_SEQ_LEN: torch.full((len(long),), WINDOW)}
    with torch.inference_mode():
        theirs = stock.full_sort_predict(interaction(**asked))[:, 1:].numpy()
    np.testing.assert_allclose(fitted.score(mock_split.user_ids[long]), theirs, atol=1e-5)


# Dropout and packing


def test_rows_by_hand():
    rows = Rows.of(torch.tensor([[7, 8, 0], [9, 0, 0]]))
    assert rows.at.tolist() == [0, 1, 3]
    assert rows.places.tolist() == [0, 1, 0]
    table = torch.arange(6.0).view(2, 3, 1)
    assert rows.pack(table)[:, 0].tolist() == [0, 1, 3]
    assert rows.spread(rows.pack(table))[..., 0].tolist() == [[0, 1, 0], [3, 0, 0]]
    assert rows.mask()[:, 0, 0].tolist() == [[True, True, False], [True, False, False]]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_dropout_drops_its_share_and_scales_the_rest(share):
    ones, layer = torch.ones(40_000, requires_grad=True), nn.Dropout(share)
    with training.seeded(0):
        values = dropped(ones, layer)
        again = dropped(ones, layer)
    assert set(values.unique().tolist()) == {0.0, torch.tensor(1 / (1 - share)).item()}
    kept = (values.detach() > 0).float()
    assert not torch.equal(kept, again.detach().gt(0).float())
    error = 5 * (share * (1 - share) / 10_000) ** 0.5
    assert ((kept.view(-1, 4).mean(0) - (1 - share)).abs() < error).all()  # four are cut out of one drawn integer
    assert (kept[1:] * kept[:-1]).mean().item() == pytest.approx((1 - share) ** 2, abs=error)
    values.sum().backward()
    assert torch.equal(ones.grad, values.detach())


def test_no_dropout_where_none_is_asked():
    values = torch.randn(100)
    assert torch.equal(dropped(values, nn.Dropout(0.0)), values)
    assert torch.equal(dropped(values, nn.Dropout(0.5).eval()), values)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("on", ["first", "second"])
def test_each_dropout_acts_in_training_alone(model, on, mock_split):
    names = ("dropout_in", "dropout_out") if model is NARM else ("hidden_dropout_prob", "attn_dropout_prob")
    shares = dict(zip(names, (0.5, 0.0) if on == "first" else (0.0, 0.5), strict=True))
    module = quick(model, **shares).fit(mock_split)._module
    read = module if model is BERT4Rec else module.states
    items = histories(5, 12)
    assert not torch.allclose(module.train() and read(items), read(items), atol=1e-4)
    assert torch.equal(module.eval() and read(items), read(items))


# Windows


def test_cut_by_hand():
    # Sequences of 6, none, 1 and 2 movies: five steps, none, none and one.
    starts = np.array([0, 6, 6, 7, 9])
    assert sequences.cut(starts, 3, np.array([1, 0, 2, 1])).tolist() == [[0, 1, -1], [2, 3, 4], [7, -1, -1]]
    assert sequences.cut(starts, 3, np.zeros(4, int)).tolist() == [[0, 1, 2], [3, 4, -1], [7, -1, -1]]


@pytest.mark.parametrize("length", [1, 4, 200])
def test_every_step_is_in_one_window_wherever_they_begin(length, mock_split):
    _, starts, _ = sequences.sequences(mock_split, mock_split.train)
    rng, steps = np.random.default_rng(0), np.setdiff1d(np.arange(starts[-1]), starts[1:] - 1)
    for _ in range(3):
        rows = sequences.cut(starts, length, rng.integers(length, size=len(starts) - 1))
        assert np.array_equal(np.sort(rows[rows >= 0]), steps)


def test_ends_by_hand():
    starts = np.array([0, 6, 6, 7])
    assert sequences.ends(starts, np.array([2, 0, 1]), 3).tolist() == [[6, -1, -1], [3, 4, 5], [-1, -1, -1]]
    assert sequences.ends(starts, np.array([1]), 3).tolist() == [[-1]]


def tiny(stars=5):
    """Two users: movies 0 to 5 in this order, and 6 0 1."""
    rows = [(1, m, stars, m) for m in range(6)] + [(2, m, 5, day) for day, m in enumerate((6, 0, 1))]
    return split_of(rows)


def one_pass(model, split):
    """The batches of a pass, with the model ready to train."""
    model.user_ids_, model.movie_ids_ = split.user_ids, split.movie_ids
    with training.seeded(0):
        return list(model._batches(model._examples(split)))


def test_a_target_is_what_follows():
    pairs = [(int(a), int(b)) for inputs, targets in one_pass(SASRec(window=4, batch=1), tiny())
             for a, b in zip(inputs.flatten(), targets.flatten(), strict=True) if b]  # fmt: skip
    assert sorted(pairs) == [(1, 2), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (7, 1)]


@pytest.mark.parametrize("model", [SASRec, BERT4Rec])
def test_disliked_movies_are_read_but_not_predicted_and_nothing_to_learn_is_no_batch(model):
    split = tiny(stars=2)  # by user 1, of movies 0 to 5
    ((inputs, targets),) = one_pass(model(window=4, batch=100, liked=0.75), split)
    assert {2, 3, 4} & set(inputs.flatten().tolist())
    assert set(targets.flatten().tolist()) <= {0, 1, 2, 7}
    alone = one_pass(model(window=4, batch=1, liked=0.75), split)
    assert all(learned.any() for _, learned in alone)
    assert not any(set(read.flatten().tolist()) & {3, 4, 5} for read, _ in alone)


@pytest.mark.parametrize("model", MODELS)
def test_a_batch_without_anything_liked_does_no_harm(model):
    fitted = quick(model, window=4, batch=1, liked=0.75).fit(tiny(stars=2))
    assert np.isfinite(fitted.score([1, 2])).all()


def test_hiding_by_hand():
    filled = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0]]) > 0
    with training.seeded(0):
        assert hide(filled, 0.5, 1.0).int().tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
        assert torch.equal(hide(filled, 1.0, 0.0), filled)
        assert hide(filled, 0.0, 0.0).int().tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]  # never nothing


def test_windows_are_hidden_in_their_shares():
    filled = torch.arange(20) < torch.full((4000, 1), 15)
    with training.seeded(0):
        hidden = hide(filled, 0.3, 0.4)
    assert not (hidden & ~filled).any()
    alone = (hidden.sum(1) == 1) & hidden[:, 14]
    assert alone.float().mean().item() == pytest.approx(0.4, abs=0.04)
    assert hidden[~alone][:, :15].float().mean().item() == pytest.approx(0.3, abs=0.02)


def test_masked_windows_hold_every_movie_and_show_none_that_is_asked():
    model = BERT4Rec(window=3, batch=100, mask_ratio=0.5, ft_ratio=0.2)
    ((inputs, targets),) = one_pass(model, tiny())
    whole = torch.where(targets > 0, targets, inputs)
    assert set(whole.flatten().tolist()) == set(range(8))
    assert ((inputs == 8) == (targets > 0)).all()  # 7 movies, padding, and then the mask
    steps = [(a, b) for row in whole for a, b in itertools.pairwise(row.tolist()) if b]
    assert sorted(steps) == [(1, 2), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (7, 1)]
    assert inputs.shape[1] == 3


def test_short_histories_lose_nothing_to_the_mask():
    model, starts = BERT4Rec(window=4), np.array([0, 5, 5, 7])
    items, lengths = model._read(np.arange(7), starts, np.array([0, 1, 2]))
    assert items.tolist() == [[0, 3, 4, 5], [0, 0, 0, 0], [0, 6, 7, 0]]
    assert lengths.tolist() == [4, 1, 3]
    asked = both(BERT4Rec, bert4rec.packed)[0].reconstruct_test_data(torch.from_numpy(items), torch.from_numpy(lengths))
    assert asked.tolist() == [[3, 4, 5, 31], [31, 0, 0, 0], [6, 7, 31, 0]]


# Models


@pytest.mark.parametrize("model", MODELS)
def test_files_chunks_and_candidates(model, mock_split, tmp_path):
    fitted = quick(model).fit(mock_split)
    stays_the_same(fitted, mock_split, tmp_path)
    assert not list(tmp_path.glob("*.p*t"))
    near = fitted.similar(int(mock_split.movie_ids[3]))
    assert mock_split.movie_ids[3] not in near[c.MOVIE].tolist()


@pytest.mark.parametrize("model", MODELS)
def test_same_seed_same_lists_and_nobody_else_s_numbers_move(model, mock_split):
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first, second, other = (quick(model, seed=seed).fit(mock_split) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    users = mock_split.user_ids
    pd.testing.assert_frame_equal(first.recommend(users), second.recommend(users))
    assert not np.array_equal(first.score(users), other.score(users))


@pytest.mark.parametrize("model", MODELS)
def test_own_history_gives_own_scores_and_strangers_get_some(model, mock_split):
    fitted = quick(model).fit(mock_split)
    own = mock_split.history.groupby(c.USER)[c.MOVIE].apply(list)
    np.testing.assert_allclose(fitted.score_histories(list(own)), fitted.score(own.index), atol=1e-5)
    nothing, unknown = fitted.score_histories([[], [10**9]])
    assert np.array_equal(nothing, unknown)
    assert np.isfinite(nothing).all()
    assert fitted.score_histories([]).shape == (0, len(fitted.movie_ids_))


@pytest.mark.parametrize("model", MODELS)
def test_a_sequence_that_always_follows_is_learned(model):
    rows = [(u, (u + step) % 12, 5, step) for u in range(48) for step in range(6)]
    split = split_of(rows, test=[(u, (u + 6) % 12, 5, 6) for u in range(48)])
    own = {SASRec: {"epochs": 20, "learning_rate": 0.01, "hidden_dropout_prob": 0.0},
           NARM: {"epochs": 20, "learning_rate": 0.02, "dropout_in": 0.0, "dropout_out": 0.0},
           BERT4Rec: {"epochs": 40, "learning_rate": 0.005, "hidden_dropout_prob": 0.0, "ft_ratio": 1.0,
                      "passes": 40}}  # fmt: skip
    fitted = quick(model, **{"batch": 16, "window": 8, **own[model]}).fit(split)
    assert (fitted.recommend(split.user_ids, 1)[c.MOVIE] == (split.user_ids + 6) % 12).mean() > 0.9
    scores = fitted.score_histories([[3, 4, 5], [4, 5, 3]])
    assert np.argmax(scores[0]) == 6
    assert not np.allclose(scores[0], scores[1])  # the order counts


def test_the_test_history_holds_validation(mock_split):
    fitted = quick(SASRec).fit(replace(mock_split, refits=False))
    assert len(fitted.watched_) == len(mock_split.train) + len(mock_split.valid)


def test_looks_weigh_the_values_that_recbole_adds_up(mock_split):
    model = quick(SASRec, n_layers=1).fit(mock_split)
    history = mock_split.history[mock_split.history[c.USER] == 2][c.MOVIE].tolist()
    movies, shares = model.attention([10**6, *history])
    assert movies.tolist() == history[-WINDOW:]
    assert shares.shape == (1, 2, len(movies))
    np.testing.assert_allclose(shares.sum(2), 1, rtol=1e-5)
    module = model._module.eval()
    attention, items = module.trm_encoder.layer[0].multi_head_attention, model._columns(history)[-WINDOW:] + 1
    hidden = module.item_embedding(torch.from_numpy(items)) + module.position_embedding.weight[: len(items)]
    hidden = module.LayerNorm(hidden)
    values = attention.value(hidden).unflatten(1, (2, -1)).transpose(0, 1)
    added = (torch.from_numpy(shares[0])[:, None] @ values).flatten()
    ours = attention.LayerNorm(attention.dense(added) + hidden[-1])
    mask = torch.full((len(items), len(items)), -1e4).triu(1)[None, None]
    np.testing.assert_allclose(ours.detach(), attention(hidden[None], mask)[0, -1].detach(), atol=1e-5)


def test_attention_needs_a_movie_that_it_knows(mock_split):
    with pytest.raises(AicineError, match="at least one movie that the model knows"):
        quick(SASRec).fit(mock_split).attention([10**6])
