"""Torch and RecBole models after new interactions: read the longer history, or a few passes with replay.

A model of histories (sequences, autoencoders) scores what a person watched, so it needs no new weights: it reads more.
A model with a vector for each person has to learn: it is trained on the new ratings and, so that it doesn't forget, on
old ones drawn at random (experience replay, Rolnick et al. 2019).
"""

import copy
import math

import numpy as np
import torch
from torch import Tensor, nn

from aicine_utils import columns as c
from aicine_utils.feedback.updates.change import Change
from aicine_utils.feedback.updates.growing import histories, matrix, plus
from aicine_utils.models.neural.base import TorchModel, _attribute
from aicine_utils.models.neural.training import Plan, device, seeded, train
from aicine_utils.models.recbole.autoencoders import Autoencoder
from aicine_utils.models.recbole.base import RecBoleModel
from aicine_utils.models.recbole.general import PairModel, Unwatched
from aicine_utils.models.recbole.ratings import Ratings
from aicine_utils.protocols import time_order
from aicine_utils.splits import Split

PASSES = 5  # over the new ratings and the replayed
REPLAYED = 4  # old ratings for each new one


def sequence(model: TorchModel, old: TorchModel, change: Change) -> None:
    """The same network reads the longer sequences, movies without weights passed over; a new person is a stranger."""
    _carry(model, old, change)
    ratings = change.after.train if change.after.valid.empty else change.after.history
    ratings = ratings[np.isin(ratings[c.MOVIE].to_numpy(), model.movie_ids_[model.known_])]
    model.watched_ = np.searchsorted(model.movie_ids_, ratings[c.MOVIE].to_numpy())
    model.starts_ = np.searchsorted(ratings[c.USER].to_numpy(), np.append(model.user_ids_, model.user_ids_[-1] + 1))


def whole(model: Autoencoder, old: Autoencoder, change: Change) -> None:
    """The same network reads the longer histories; movies without weights are passed over."""
    delta = change.delta(model.params["liked"]).multiply(model.known_).tocsr()
    delta.eliminate_zeros()
    model.histories_ = plus(matrix(old.histories_, change), delta)
    _carry(model, old, change)
    model._module = copy.copy(model._module)  # shares the weights, not the histories
    model._module.histories = Ratings(model.histories_).inter_matrix(form="csr")


def _carry(model: TorchModel, old: TorchModel, change: Change) -> None:
    """The network of ``old``; where its shape follows users or movies that came, a larger one, zeros for these."""
    network = old._loaded()
    movies = len(change.after.movie_ids) > len(change.before.movie_ids)
    users = len(change.after.user_ids) > len(change.before.user_ids)
    if not (movies or (users and any("user" in name for name in network.state_dict()))):
        return
    model._module = _built(model, network, change, zeros=True)
    _note(model)


def tuned(model: TorchModel, old: TorchModel, change: Change) -> None:
    """All weights move by a few passes over the new ratings and some old; who is new begins as in a fit."""
    if hasattr(old, "histories_"):
        model.histories_ = histories(old, change)
    part = replayed(change, model.seed)
    with seeded(model.seed):
        module = model._module = _built(model, old._loaded(), change, zeros=False)
        data = tuple(tensor.to(device()) for tensor in model._examples(part))
        if isinstance(model, PairModel):
            model._unwatched = Unwatched(change.after.matrix(change.after.train))
        if len(data[0]):
            plan = Plan(PASSES, model.params["learning_rate"], PASSES, math.inf)
            train(module, model._loss, lambda: model._batches(data), plan)
    _note(model)


def replayed(change: Change, seed: int) -> Split:
    """The split of after, its training ratings the new ones and, for each, some old ones drawn at random."""
    old = change.after.train
    count = min(REPLAYED * len(change.rows), len(old))
    drawn = old.iloc[np.random.default_rng(seed).choice(len(old), count, replace=False)]
    both = np.concatenate([change.rows[c.RATINGS].to_records(index=False), drawn.to_records(index=False)])
    rows = type(old)(both)[c.RATINGS].drop_duplicates([c.USER, c.MOVIE])
    return change.after.divided(rows.iloc[time_order(rows)].reset_index(drop=True), change.after.valid.iloc[:0])


def _built(model: TorchModel, network: nn.Module, change: Change, zeros: bool) -> nn.Module:
    """A network for all users and movies of after with the weights of ``network``; zeros or first weights elsewhere."""
    with seeded(model.seed):
        module = model._build().to(device())
    first, weights = module.state_dict(), network.state_dict()
    lead = 1 if isinstance(model, RecBoleModel) else 0  # RecBole's padding comes before all others
    grown = {name: _spread(weights[name], first[name], _axis(name, change), lead, zeros) for name in first}
    module.load_state_dict(grown)
    return module


def _axis(name: str, change: Change) -> tuple[np.ndarray, int]:
    """What a tensor that grew has a row for, by its name: places of users or of movies, and how many there are."""
    users = "user" in name
    return change.places[0 if users else 1], len(change.after.user_ids if users else change.after.movie_ids)


def _spread(old: Tensor, new: Tensor, axis: tuple[np.ndarray, int], lead: int, zeros: bool) -> Tensor:
    """``old`` in the shape of ``new``: along the axis that grew, ``lead`` rows, those of the places, and the last."""
    if old.shape == new.shape:
        return old
    places, size = axis
    along = next(at for at in range(old.ndim) if old.shape[at] != new.shape[at])
    trail = np.arange(old.shape[along] - lead - len(places)) + lead + size
    at = torch.from_numpy(np.concatenate([np.arange(lead), lead + places, trail])).to(old.device)
    return (torch.zeros_like(new) if zeros else new.clone()).index_copy(along, at, old)


def _note(model: TorchModel) -> None:
    """Keep the weights as a fit does, so that they are saved."""
    for name, tensor in model._module.state_dict().items():
        setattr(model, _attribute(name), tensor.cpu().numpy())
