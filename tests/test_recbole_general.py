"""RecBole's general models: ours beside the library's on the same weights and inputs, draws by hand, stages, files."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from models_cases import split_of, stays_the_same
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.data import atomic
from aicine_utils.errors import AicineError
from aicine_utils.metrics import evaluate
from aicine_utils.models import neighbours
from aicine_utils.models.base import lists
from aicine_utils.models.neural import training
from aicine_utils.models.popularity import Random
from aicine_utils.models.recbole import compat, general, ract
from aicine_utils.models.recbole.autoencoders import Autoencoder, MultiVAE
from aicine_utils.models.recbole.base import interaction, library_class
from aicine_utils.models.recbole.bpr import BPR
from aicine_utils.models.recbole.item_knn import ItemKNN
from aicine_utils.models.recbole.lightgcn import LightGCN
from aicine_utils.models.recbole.ract import RaCT
from aicine_utils.models.recbole.ratings import Ratings
from aicine_utils.models.recbole.sasrec import SASRec
from aicine_utils.models.recbole.simplex import SimpleX

SMALL = {"hidden": 16, "latent_dimension": 8, "batch": 32}
MODELS = {
    "bpr": (BPR, {"batch": 512, "reg_weight": 0.001}),
    "lightgcn": (LightGCN, {"batch": 1024}),
    "simplex": (SimpleX, {"batch": 512, "negatives": 5, "history_len": 7}),
    "multivae": (MultiVAE, SMALL),
    "ract": (RaCT, {**SMALL, "critic_steps": 4, "joint_epochs": 2}),
}
NAMES = list(MODELS)
pytestmark = pytest.mark.filterwarnings("ignore:torch.sparse.SparseTensor:UserWarning")  # RecBole's way of making one


def quick(name, **params):
    """A model that trains in a fraction of a second."""
    model_class, own = MODELS[name]
    return model_class(**{"epochs": 2, "learning_rate": 0.01, **own, **params})


def pair(name, split, **params):
    """Our module and RecBole's own, with the same random weights; and the model that ours belongs to."""
    model = quick(name, **params)
    model.user_ids_, model.movie_ids_ = split.user_ids, split.movie_ids
    torch.manual_seed(5)
    model._remember(split, split.train)
    ours = model._build()
    config = compat.config(model.recbole, model._settings())
    config["device"] = torch.device("cpu")
    with compat.mended():
        theirs = library_class(model.recbole)(config, model._ratings())
    larger = 1 if issubclass(MODELS[name][0], Autoencoder) else 10  # no tiny differences between scores
    theirs.load_state_dict({part: larger * value for part, value in ours.state_dict().items()})
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs, model


def gradients(module, loss):
    """Loss and gradients of all weights that have one."""
    module.zero_grad()
    loss.backward()
    return loss.item(), {name: w.grad for name, w in module.named_parameters() if w.grad is not None}


def agree(ours, theirs):
    """Both losses and all gradients, to 1e-5 of the largest."""
    assert ours[0] == pytest.approx(theirs[0], rel=1e-5)
    assert ours[1].keys() == theirs[1].keys()
    for name, expected in theirs[1].items():
        assert expected.abs().max() > 0
        torch.testing.assert_close(ours[1][name], expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def drawn_batch(split, model, n=40, negatives=1):
    """Users, movies and drawn movies of some training ratings, by RecBole's numbers."""
    users, movies = (part[:n] for part in model._examples(split))
    return users, movies, model._unwatched.draw(users - 1, negatives) + 1


# Data and draws


def test_ratings_are_what_recbole_s_dataset_gives(mock_data, mock_split, recbole_runs, tmp_path):
    from recbole.config import Config
    from recbole.data import create_dataset

    atomic.write(mock_data, tmp_path / "data" / "mock")
    own = {"data_path": "data", "load_col": {"inter": ["user_id", "item_id"]}, "state": "ERROR"}
    theirs = create_dataset(Config(model="BPR", dataset="mock", config_dict=own))
    theirs._change_feat_format()
    whole = split_of(list(mock_data.ratings[[c.USER, c.MOVIE, c.RATING]].itertuples(index=False)))
    ours = Ratings(whole.matrix(whole.train))
    assert (ours.num("user_id"), ours.num("item_id")) == (theirs.num("user_id"), theirs.num("item_id"))
    rows = theirs.token2id("user_id", np.array(whole.user_ids.astype(str)))
    cols = theirs.token2id("item_id", np.array(whole.movie_ids.astype(str)))
    table = theirs.inter_matrix("csr").toarray()
    assert np.array_equal(ours.inter_matrix("csr").toarray()[1:, 1:], table[np.ix_(rows, cols)])
    assert not ours.inter_matrix("coo").toarray()[0].any()
    for longest in (None, 5):
        items, values, lengths = ours.history_item_matrix(max_history_len=longest)
        same = theirs.history_item_matrix(max_history_len=longest)
        assert items.shape == same[0].shape
        assert np.array_equal(lengths[1:], same[2][rows])
        assert np.array_equal((items > 0).sum(1), lengths)
        assert np.array_equal(values, items > 0)
        assert all(
            table[rows[u - 1], cols[i - 1]] for u, i in zip(*items.nonzero().T[:1], items[items > 0], strict=True)
        )


def test_unwatched_movies_in_their_order():
    watched = sparse.csr_matrix(np.array([[0, 1, 1, 0, 1], [0] * 5, [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]], np.float32))
    others = general.Unwatched(watched)
    at = lambda user, *places: others.at(torch.tensor([user]), torch.tensor([places], dtype=torch.int32))[0].tolist()  # noqa: E731
    assert at(0, 0, 1) == [0, 3]
    assert at(1, 0, 1, 2, 3, 4) == [0, 1, 2, 3, 4]
    assert at(2, 0) == [4]
    assert at(3, 0, 1, 2, 3) == [1, 2, 3, 4]


def test_draws_are_unwatched_and_equally_likely(mock_split):
    watched = mock_split.matrix(mock_split.train)
    others = general.Unwatched(watched)
    users = torch.arange(watched.shape[0])
    torch.manual_seed(0)
    drawn = others.draw(users, 5000).numpy()
    dense = watched.toarray()
    assert drawn.shape == (len(users), 5000)
    assert not dense[np.arange(len(users))[:, None], drawn].any()
    shares = np.bincount(drawn[3], minlength=watched.shape[1]) / 5000
    expected = (dense[3] == 0) / (dense[3] == 0).sum()
    assert np.abs(shares - expected).max() < 5 * np.sqrt(expected.max() / 5000)


def test_examples_are_liked_ratings_and_no_watched_movie_is_drawn(mock_split):
    model = quick("bpr", liked=0.75)
    model.user_ids_, model.movie_ids_ = mock_split.user_ids, mock_split.movie_ids
    model._remember(mock_split, mock_split.train)
    users, movies, drawn = drawn_batch(mock_split, model, n=None, negatives=20)
    liked = mock_split.train[mock_split.train[c.RATING] >= 4]
    assert (mock_split.user_ids[users - 1].tolist(), mock_split.movie_ids[movies - 1].tolist()) == (
        liked[c.USER].tolist(), liked[c.MOVIE].tolist())  # fmt: skip
    watched = mock_split.matrix(mock_split.train).toarray()
    assert not watched[users[:, None] - 1, drawn - 1].any()
    assert model.histories_.nnz == len(liked) < watched.sum()


# Ours beside RecBole's


@pytest.mark.parametrize("name", NAMES)
def test_modules_are_recbole_s_and_score_the_same(name, mock_split):
    ours, theirs, model = pair(name, mock_split)
    assert any(base.__module__ == type(theirs).__module__ for base in type(ours).__mro__)
    rows = torch.tensor([4, 0, 9])
    with torch.inference_mode():
        scores = theirs.eval().full_sort_predict(interaction(user_id=rows + 1)).view(3, -1)[:, 1:]
        torch.testing.assert_close(model._grid(ours.eval(), rows), scores, rtol=1e-5, atol=1e-5)
    assert scores.std() > 0


@pytest.mark.parametrize(("name", "params"), [("bpr", {"reg_weight": 0.0}), ("lightgcn", {"n_layers": 1}),
                                              ("lightgcn", {"n_layers": 3, "reg_weight": 1.0})])  # fmt: skip
def test_losses_of_pairs_are_recbole_s(name, params, mock_split):
    ours, theirs, model = pair(name, mock_split, **params)
    users, movies, drawn = drawn_batch(mock_split, model)
    fields = {"user_id": users, "item_id": movies, "neg_item_id": drawn[:, 0]}
    expected = gradients(theirs, theirs.calculate_loss(interaction(**fields)).sum())
    agree(gradients(ours, model._compared(ours, users, movies, drawn[:, 0]).sum()), expected)


def test_bpr_penalty_by_hand(mock_split):
    module, _, model = pair("bpr", mock_split, reg_weight=0.5)
    users, movies, drawn = (ids.flatten() for ids in drawn_batch(mock_split, model))
    plain, table = pair("bpr", mock_split, reg_weight=0.0)[2], module.state_dict()
    used = [table["user_embedding.weight"][users], *(table["item_embedding.weight"][ids] for ids in (movies, drawn))]
    expected = plain._compared(module, users, movies, drawn) + 0.5 * sum((v**2).sum() for v in used) / len(users)
    torch.testing.assert_close(model._compared(module, users, movies, drawn), expected)


def test_lightgcn_s_graph_is_recbole_s(mock_split):
    ours, theirs, _ = pair("lightgcn", mock_split)
    torch.testing.assert_close(ours.norm_adj_matrix.to_dense(), theirs.norm_adj_matrix.to_dense(), rtol=0, atol=1e-7)
    assert ours.norm_adj_matrix.layout == torch.sparse_csr


def test_lightgcn_scores_with_the_weights_that_it_was_given(mock_split):
    ours, _, model = pair("lightgcn", mock_split)
    with torch.inference_mode():
        before = model._grid(ours.eval(), torch.tensor([0]))
        ours.load_state_dict({name: -2 * value for name, value in ours.state_dict().items()})
        torch.testing.assert_close(model._grid(ours, torch.tensor([0])), 4 * before)


@pytest.mark.parametrize("margin", [-1.0, 0.1, 0.9])
@pytest.mark.parametrize("history", [3, 1000])
def test_simplex_s_loss_is_recbole_s(margin, history, mock_split):
    ours, theirs, model = pair(
        "simplex", mock_split, margin=margin, history_len=history, reg_weight=0.1, dropout_prob=0.0
    )
    users, movies, drawn = drawn_batch(mock_split, model, negatives=5)
    tiled = {"user_id": users.repeat(5), "item_id": movies.repeat(5), "neg_item_id": drawn.T.flatten()}
    expected = gradients(theirs, theirs.calculate_loss(interaction(**tiled)))
    agree(gradients(ours, ours.batch_loss(users, movies, drawn)), expected)


def test_simplex_s_parts_change_nothing(mock_split, monkeypatch):
    ours, _, model = pair("simplex", mock_split, dropout_prob=0.0, margin=0.0)
    batch = drawn_batch(mock_split, model, negatives=5)
    whole = ours.batch_loss(*batch)
    monkeypatch.setattr("aicine_utils.models.recbole.simplex.AT_ONCE", 7)
    torch.testing.assert_close(ours.batch_loss(*batch), whole)


@pytest.mark.parametrize(("name", "stage"), [("multivae", None), *(("ract", stage) for stage in ract.STAGES)])
def test_autoencoders_losses_are_recbole_s(name, stage, mock_split):
    ours, theirs, _ = pair(name, mock_split, total_anneal_steps=3)
    users = torch.arange(1, 30)
    torch.testing.assert_close(ours.get_rating_matrix(users), theirs.get_rating_matrix(users))
    assert ours.get_rating_matrix(users).sum() == len(mock_split.train[mock_split.train[c.USER] < 30])
    found = []
    for module in (ours, theirs):
        if stage:
            ract.staged().enter(module, stage)
        module.train()
        if stage == "joint":
            module.critic_net.eval()  # RecBole's normalises by the batch here: see `staged`
        torch.manual_seed(3)  # the same dropout
        module.calculate_loss({"user_id": users})  # the second step has another weight of the prior
        found.append(gradients(module, module.calculate_loss({"user_id": users})))
    agree(*found)


def test_the_critic_s_ndcg_is_recbole_s(mock_split):
    _, theirs, _ = pair("ract", mock_split)
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(30, 50, generator=generator)
    shown, wanted = (torch.rand(30, 50, generator=generator) < share for share in (0.3, 0.2))
    read, wanted = shown * 0.7, (wanted & ~shown) * 0.3
    wanted[:2] = 0  # nothing left to find
    for k in (3, 10, 50):
        expected = theirs.calculate_ndcg(scores.clone(), wanted, read, k)
        torch.testing.assert_close(ract.ndcg(scores, wanted, read, k), expected)
    assert expected[:2].tolist() == [0, 0]
    # Best first: read, wanted (gain 2), other, wanted (gain 2): (2/log2(2) + 2/log2(4)) / (1/log2(2) + 1/log2(3)).
    by_hand = ract.ndcg(
        torch.tensor([[9.0, 8, 7, 6]]), torch.tensor([[0, 2.0, 0, 2]]), torch.tensor([[1.0, 0, 0, 0]]), 9
    )
    assert by_hand.item() == pytest.approx(3 / (1 + 1 / np.log2(3)))


@pytest.mark.parametrize(("k", "shrink"), [(500, 0.0), (500, 7.5), (4, 3.0)])
def test_item_knn_scores_as_recbole_s_model_and_near_ours(k, shrink, mock_split):
    model, ours = (knn(k=k, shrink=shrink).fit(mock_split) for knn in (ItemKNN, neighbours.ItemKNN))
    config = compat.config("ItemKNN", {"k": k, "shrink": shrink, "device": "cpu"})
    with compat.mended():
        theirs = library_class("ItemKNN")(config, Ratings(mock_split.matrix(mock_split.train)))
    users = torch.arange(1, len(mock_split.user_ids) + 1)
    scores = theirs.full_sort_predict(interaction(user_id=users)).view(len(users), -1)[:, 1:]
    if k == 500:
        np.testing.assert_allclose(model.score(mock_split.user_ids), scores, atol=1e-5)
        np.testing.assert_allclose(ours.score(mock_split.user_ids), scores, atol=1e-5)
    weights = [np.sort(m.weights_.toarray(), axis=0) for m in (model, ours)]
    np.testing.assert_allclose(*weights, atol=1e-6)  # which of equally near movies is the last kept may differ


# Stages


def test_ract_s_curve_has_three_stages(mock_split):
    model = quick("ract", epochs=3, patience=9).fit(mock_split)
    curve = pd.DataFrame(model.curve)
    assert curve["stage"].tolist() == ["actor"] * 3 + ["critic"] * 2 + ["joint"] * 2
    assert curve["epoch"].tolist() == list(range(1, 8))
    assert curve["seconds"].is_monotonic_increasing
    critic = curve.loc[curve["stage"] == "critic", "ndcg@10"]
    assert critic.tolist() == [curve.loc[curve["stage"] == "actor", "ndcg@10"].max()] * 2
    assert model.stopped_by_budget is False


def test_a_stage_trains_its_own_part(mock_split, monkeypatch):
    weights, noted = [], RaCT._noted

    def copying(model, stage, curve, before):
        weights.append({name: value.clone() for name, value in model._module.named_parameters()})
        return noted(model, stage, curve, before)

    monkeypatch.setattr(RaCT, "_noted", copying)
    quick("ract").fit(mock_split)
    for stage, before, after in zip(["critic", "joint"], weights, weights[1:], strict=False):
        moved = {name.split(".")[0] for name, value in after.items() if not torch.equal(value, before[name])}
        assert moved == set(ract.STAGES[stage][1])


def test_a_stage_begins_to_anneal_anew_and_the_last_has_a_fixed_critic(mock_split):
    module = pair("ract", mock_split)[0]
    for stage in ract.STAGES:
        module.update = 7
        module.enter(stage)
        module.train()
        assert module.update == 0
        assert (module.training, module.critic_net.training) == (True, stage != "joint")


def test_ract_refits_each_stage_for_its_own_passes(mock_split, monkeypatch):
    trained, train = [], training.train

    def noted(module, loss, rows, plan, validation=None, passes=None):
        curve = train(module, loss, rows, plan, validation, passes)
        trained.append((module.train_stage, passes, len(curve)))
        return curve

    monkeypatch.setattr("aicine_utils.models.neural.base.train", noted)
    monkeypatch.setattr(ract, "train", noted)
    model = quick("ract", epochs=4, joint_epochs=3).fit(mock_split.for_test())
    assert [(stage, passes) for stage, passes, _ in trained[:3]] == [(name, None) for name, _ in ract.STAGES.values()]
    parts = [[row for row in model.curve if row["stage"] == stage] for stage in ract.STAGES]
    best = [training.best_epoch(parts[0], "ndcg@10"), 2, training.best_epoch(parts[2], "ndcg@10")]
    assert [length for _, _, length in trained[3:]] == best


def test_ract_says_which_time_was_too_short(mock_split):
    model = quick("ract", epochs=50, patience=50, minutes=1e-6).fit(mock_split)
    assert pd.DataFrame(model.curve)["stage"].tolist() == ["actor", "critic", "joint"]
    assert model.stopped_by_budget is True


# Models


@pytest.mark.parametrize("name", NAMES)
def test_files_chunks_and_candidates(name, mock_split, tmp_path):
    model = quick(name).fit(mock_split)
    stays_the_same(model, mock_split, tmp_path)
    assert not list(tmp_path.glob("*.p*t"))


def test_item_knn_files(mock_split, tmp_path):
    stays_the_same(ItemKNN(k=20).fit(mock_split), mock_split, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_lists(name, mock_split):
    users = mock_split.user_ids
    first, second = (quick(name).fit(mock_split) for _ in range(2))
    pd.testing.assert_frame_equal(first.recommend(users), second.recommend(users))
    other = MODELS[name][0](seed=1, **first.params).fit(mock_split)
    assert not np.array_equal(first.score(users), other.score(users))


@pytest.mark.parametrize("name", NAMES)
def test_validation_is_that_of_the_weights_kept(name, mock_split):
    model = quick(name, epochs=4, patience=4).fit(mock_split)
    held = mock_split.for_validation()
    model.seen_ = held.matrix(held.train)
    values = evaluate.means(evaluate.evaluate(lists(model, held, 10)[0], held.relevant(held.test), ks=(10,)))
    last = [row["ndcg@10"] for row in model.curve if row.get("stage", "joint") == "joint"]
    assert max(last) == pytest.approx(values["ndcg@10"], rel=1e-5)


@pytest.mark.parametrize(("name", "params"), [("bpr", {"batch": 128}), ("lightgcn", {"batch": 128}),
                                              ("simplex", {"batch": 256, "negatives": 20, "margin": 0.5, "epochs": 8}),
                                              ("multivae", {}), ("ract", {})])  # fmt: skip
def test_lists_beat_chance(name, params, mock_split):
    final, values = mock_split.for_test(), []
    for model in (quick(name, **{"epochs": 15, "patience": 5, **params}), Random()):
        topk, _ = lists(model.fit(final), final, 10)
        values.append(
            evaluate.means(evaluate.evaluate(topk, mock_split.relevant(mock_split.test), ks=(10,)))["ndcg@10"]
        )
    assert values[0] > 1.3 * values[1]


@pytest.mark.parametrize("name", ["multivae", "ract", "item_knn"])
def test_own_history_gives_own_scores_and_strangers_get_some(name, mock_split):
    split = replace(mock_split, train=mock_split.train[mock_split.train[c.MOVIE] > mock_split.movie_ids[3]])
    model = ItemKNN().fit(split) if name == "item_knn" else quick(name).fit(split)
    own = split.train.groupby(c.USER)[c.MOVIE].apply(list)
    np.testing.assert_allclose(model.score_histories(list(own)), model.score(own.index), atol=1e-5)
    never = set(model.movie_ids_[~model.known_])
    assert never
    nothing, unknown = model.score_histories([[], [10**9, *never]])
    assert np.array_equal(nothing, unknown)
    assert model.score_histories([]).shape == (0, len(model.movie_ids_))


@pytest.mark.parametrize("name", NAMES)
def test_a_movie_is_not_near_itself_and_some_are_near(name, mock_split):
    model = quick(name).fit(mock_split)
    movie = int(model.movie_ids_[model.known_][0])
    near = model.similar(movie, 5)
    assert len(near) == 5
    assert movie not in near[c.MOVIE].tolist()
    assert near[c.SCORE].between(0, 1 + 1e-6).all()


def test_no_user_is_alone_in_ract_s_batches():
    parts = quick("ract", batch=4)._batches((torch.arange(9),))
    assert sorted(map(len, sum(parts, ()))) == [4, 5]
    assert sorted(torch.cat(sum(parts, ())).tolist()) == list(range(9))
    assert [len(part) for (part,) in quick("ract", batch=4)._batches((torch.arange(6),))] == [4, 2]


def test_without_advice_ract_has_no_critic_and_its_last_stage_the_first_one_s_loss(mock_split):
    told, alone = (pd.DataFrame(quick("ract", advice=advice).fit(mock_split).curve) for advice in (True, False))
    assert told["stage"].unique().tolist() == ["actor", "critic", "joint"]
    assert alone["stage"].unique().tolist() == ["actor", "joint"]
    first = [curve.loc[curve["stage"] == "actor", "loss"].tolist() for curve in (told, alone)]
    assert first[0] == first[1]
    assert told["loss"].iloc[-1] < 10 < alone["loss"].iloc[-1]  # an estimate of NDCG against a likelihood


def test_with_and_without_advice_ract_s_last_stage_sees_the_same_batches(mock_split, monkeypatch):
    drawn, own = [], RaCT._batches

    def noted(self, data):
        drawn.append((torch.get_rng_state(), own(self, data)))
        return drawn[-1][1]

    monkeypatch.setattr(RaCT, "_batches", noted)
    begins = []
    for advice in (True, False):
        drawn.clear()
        stages = [row["stage"] for row in quick("ract", advice=advice, batch=16).fit(mock_split).curve]
        assert len(drawn) == len(stages)
        begins.append(drawn[stages.index("joint")])
    (state, batches), (same_state, same_batches) = begins
    assert torch.equal(state, same_state)  # of which the films are drawn that a batch hides
    assert [part.tolist() for (part,) in batches] == [part.tolist() for (part,) in same_batches]


def test_ract_counts_its_steps_and_says_when_time_ended_its_critic(mock_split):
    model = quick("ract", batch=16, critic_steps=20).fit(mock_split)
    critic = pd.DataFrame(model.curve).query("stage == 'critic'")
    users = (np.diff(model.histories_.indptr) > 0).sum()
    assert critic["steps"].iloc[-1] == len(critic) * len(model._batches((torch.arange(users),)))
    assert not model.stopped_by_budget
    plan = training.Plan(epochs=5, learning_rate=0.1, patience=1)
    assert model._ended_by_time("critic", model.curve[:4], plan)
    assert not model._ended_by_time("critic", model.curve[:5], plan)


@pytest.mark.parametrize(("model", "params"), [(MultiVAE, {"latent_dimension": 59}), (SASRec, {"hidden_size": 33})])
def test_sizes_that_recbole_can_not_divide_are_refused(model, params):
    with pytest.raises(AicineError, match="can't be divided by 2"):
        model(**params)
