"""Perceptrons over embeddings: one for stars, and NeuMF, which sets one beside a product, for lists."""

import itertools
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from aicine_utils.models.neural.base import TorchModel, places
from aicine_utils.models.neural.factorisation import StarsModel, draw, movie_table, user_table
from aicine_utils.models.neural.training import Batch
from aicine_utils.splits import Split

AT_ONCE = 16  # users whose hidden layers over all movies are held at a time


class Tower(nn.Module):
    """Dense layers with ReLU, each half as wide as the last, over a user's and a movie's embedding side by side."""

    def __init__(self, n_users: int, known: np.ndarray, factors: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.users, self.movies = user_table(n_users, factors), movie_table(known, factors)
        sizes = [2 * factors, *(max(hidden // 2**depth, 1) for depth in range(layers))]
        self.dense = nn.ModuleList(nn.Linear(*pair) for pair in itertools.pairwise(sizes))
        self.dropout, self.last = nn.Dropout(dropout), nn.Linear(sizes[-1], 1)

    def forward(self, users: Tensor, movies: Tensor) -> Tensor:
        """Scores [n] of pairs."""
        both = torch.cat([self.users(users), self.movies(movies)], -1)
        return self._upwards(self.dense[0](self.dropout(both)))

    def rows(self, users: Tensor) -> Tensor:
        """Scores [len(users), n_movies] of every pair.

        The first layer is linear in both halves of its input: each half is multiplied once, and only the sums are made
        for pairs.
        """
        left, right = self.dense[0].weight.tensor_split(2, 1)
        of_users, of_movies = self.users(users) @ left.T, self.movies.weight @ right.T + self.dense[0].bias
        return torch.cat([self._upwards(part[:, None] + of_movies) for part in of_users.split(AT_ONCE)])

    def _upwards(self, values: Tensor) -> Tensor:
        for layer in self.dense[1:]:
            values = layer(self.dropout(values.relu()))
        return self.last(self.dropout(values.relu())).squeeze(-1)

    def size(self, users: Tensor, movies: Tensor) -> Tensor:
        """Squared length of a pair's embeddings, on average."""
        return (self.users(users).square().sum() + self.movies(movies).square().sum()) / len(users)


class NeuralFactors(nn.Module):
    """A weighed product of embeddings plus a tower with embeddings of its own (He et al. 2017, equation 12)."""

    def __init__(self, n_users: int, known: np.ndarray, factors: int, tower: Tower) -> None:
        super().__init__()
        self.users, self.movies = user_table(n_users, factors), movie_table(known, factors)
        self.weights, self.tower = nn.Linear(factors, 1, bias=False), tower

    def forward(self, users: Tensor, movies: Tensor) -> Tensor:
        """Scores [n] of pairs."""
        return self.weights(self.users(users) * self.movies(movies)).squeeze(-1) + self.tower(users, movies)

    def rows(self, users: Tensor) -> Tensor:
        """Scores [len(users), n_movies] of every pair."""
        return (self.users(users) * self.weights.weight) @ self.movies.weight.T + self.tower.rows(users)

    def size(self, users: Tensor, movies: Tensor) -> Tensor:
        """Squared length of a pair's embeddings, on average."""
        own = self.users(users).square().sum() + self.movies(movies).square().sum()
        return own / len(users) + self.tower.size(users, movies)


class MLP(StarsModel):
    """μ plus what a perceptron makes of both embeddings, least squares on the stars."""

    defaults: ClassVar[dict[str, Any]] = {
        **TorchModel.defaults, "factors": 32, "hidden": 64, "layers": 2, "dropout": 0.1, "regularisation": 0.01,
    }  # fmt: skip

    def _build(self) -> nn.Module:
        p = self.params
        return Tower(len(self.user_ids_), self.known_, p["factors"], p["hidden"], p["layers"], p["dropout"])


class NeuMF(TorchModel):
    """What a user watched against ``negatives`` movies drawn anew for each, by binary cross-entropy (He et al. 2017).

    Trained in one piece, without the paper's pre-training. Ratings below ``liked``, a place on the rating scale, are
    no examples.
    """

    defaults: ClassVar[dict[str, Any]] = {**MLP.defaults, "negatives": 4, "liked": 0.0}

    def _build(self) -> nn.Module:
        return NeuralFactors(len(self.user_ids_), self.known_, self.params["factors"], MLP._build(self))

    def _examples(self, split: Split) -> Batch:
        return places(split, split.rated_from(self.params["liked"]))

    def _loss(self, module: NeuralFactors, users: Tensor, movies: Tensor) -> Tensor:
        drawn = draw(self.known_, len(users) * self.params["negatives"]).to(users.device)
        others = module(users.repeat(self.params["negatives"]), drawn)
        watched = nn.functional.softplus(-module(users, movies)).mean()
        unwatched = nn.functional.softplus(others).mean() * self.params["negatives"]
        return watched + unwatched + self.params["regularisation"] * module.size(users, movies)

    def _grid(self, module: NeuralFactors, rows: Tensor) -> Tensor:
        return module.rows(rows)
