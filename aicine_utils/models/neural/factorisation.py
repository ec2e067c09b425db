"""Matrix factorisation in torch: one module, trained on stars or on choices.

Notation: μ mean of the training ratings, b_u and b_i biases, p_u and q_i vectors.
"""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from aicine_utils import columns as c
from aicine_utils.errors import unknown
from aicine_utils.metrics.rating import rmse
from aicine_utils.models.base import cosine
from aicine_utils.models.neural.base import TorchModel, places
from aicine_utils.models.neural.training import Batch, device
from aicine_utils.splits import Split

LOSSES = ("softmax", "bpr")


def user_table(n_users: int, size: int) -> nn.Embedding:
    """Vectors of users, all zero at first: who has no training rating is scored as nobody in particular."""
    return nn.Embedding(n_users, size, _weight=torch.zeros(n_users, size))


def movie_table(known: np.ndarray, size: int) -> nn.Embedding:
    """Vectors of movies, small and random; zero, and so they stay, for those without training ratings."""
    vectors = torch.randn(len(known), size) * 0.1
    return nn.Embedding(len(known), size, _weight=vectors * torch.from_numpy(known)[:, None])


def draw(known: np.ndarray, n: int) -> Tensor:
    """Columns of ``n`` movies that have training ratings, all equally likely."""
    columns = torch.from_numpy(np.flatnonzero(known))
    return columns[torch.randint(len(columns), (n,))]


class Factors(nn.Module):
    """b_u + b_i + q_i·p_u, for pairs or for whole rows."""

    def __init__(self, n_users: int, known: np.ndarray, factors: int) -> None:
        super().__init__()
        self.users, self.movies = user_table(n_users, factors), movie_table(known, factors)
        self.user_bias, self.movie_bias = user_table(n_users, 1), user_table(len(known), 1)

    def forward(self, users: Tensor, movies: Tensor) -> Tensor:
        """Scores [n] of pairs."""
        product = (self.users(users) * self.movies(movies)).sum(-1)
        return product + (self.user_bias(users) + self.movie_bias(movies)).squeeze(-1)

    def rows(self, users: Tensor, movies: Tensor | slice = slice(None)) -> Tensor:
        """Scores [len(users), len(movies)] of every pair; by default of all movies."""
        product = self.users(users) @ self.movies.weight[movies].T
        return product + self.user_bias(users) + self.movie_bias.weight[movies].T

    def size(self, users: Tensor, movies: Tensor) -> Tensor:
        """Squared length of what a pair uses, on average: the penalty of Koren et al. 2009, equation 5."""
        used = (self.users(users), self.movies(movies), self.user_bias(users), self.movie_bias(movies))
        return sum(values.square().sum() for values in used) / len(users)


class StarsModel(TorchModel):
    """μ plus the module's score, penalised least squares on the stars (Koren et al. 2009, equation 5)."""

    rates = True
    stops_on = "rmse"

    def _examples(self, split: Split) -> Batch:
        return (*places(split, split.train), torch.from_numpy(split.train[c.RATING].to_numpy(np.float32)))

    def _loss(self, module: nn.Module, users: Tensor, movies: Tensor, stars: Tensor) -> Tensor:
        errors = stars - self.mean_ - module(users, movies)
        return errors.square().mean() + self.params["regularisation"] * module.size(users, movies)

    def _grid(self, module: nn.Module, rows: Tensor) -> Tensor:
        return self.mean_ + module.rows(rows)

    def _validate(self, split: Split) -> float:
        """RMSE of the stars in ``split.valid``."""
        pairs = [tensor.to(device()) for tensor in places(split, split.valid)]
        stars = np.clip(self.mean_ + self._answer(lambda module: module(*pairs)), *self.scale_)
        return rmse(split.valid.assign(**{c.PREDICTED: stars}))


class RatingFactorisation(StarsModel):
    """μ + b_u + b_i + q_i·p_u (Koren et al. 2009, equation 4), by Adam on batches."""

    defaults: ClassVar[dict[str, Any]] = {**TorchModel.defaults, "factors": 64, "regularisation": 0.04}

    def _build(self) -> Factors:
        return Factors(len(self.user_ids_), self.known_, self.params["factors"])

    def _similarity(self, column: int) -> np.ndarray:
        return cosine(self.movies__weight_, column)


class RankingFactorisation(TorchModel):
    """b_i + q_i·p_u, trained to tell what a user watched from movies drawn at random.

    ``loss`` is "softmax", the cross-entropy of the watched movie among ``negatives`` drawn movies that a batch shares
    (sampled softmax, Bengio & Senécal 2008; uniform draws need no correction), or "bpr", -log σ of the difference to
    one drawn movie (Rendle et al. 2009, section 4). Ratings below ``liked``, a place on the rating scale, are no
    examples.
    """

    defaults: ClassVar[dict[str, Any]] = {
        **TorchModel.defaults, "factors": 64, "regularisation": 0.001, "loss": "softmax", "negatives": 256,
        "liked": 0.0,
    }  # fmt: skip

    def _build(self) -> Factors:
        return Factors(len(self.user_ids_), self.known_, self.params["factors"])

    def _examples(self, split: Split) -> Batch:
        if self.params["loss"] not in LOSSES:
            raise unknown("loss", self.params["loss"], LOSSES)
        return places(split, split.rated_from(self.params["liked"]))

    def _loss(self, module: Factors, users: Tensor, movies: Tensor) -> Tensor:
        compare = self._softmax if self.params["loss"] == "softmax" else self._bpr
        return compare(module, users, movies) + self.params["regularisation"] * module.size(users, movies)

    def _softmax(self, module: Factors, users: Tensor, movies: Tensor) -> Tensor:
        drawn = draw(self.known_, self.params["negatives"]).to(users.device)
        others = module.rows(users, drawn).masked_fill(drawn == movies[:, None], -torch.inf)
        watched = module(users, movies)
        return (torch.cat([watched[:, None], others], 1).logsumexp(1) - watched).mean()

    def _bpr(self, module: Factors, users: Tensor, movies: Tensor) -> Tensor:
        drawn = draw(self.known_, len(users)).to(users.device)
        return nn.functional.softplus(module(users, drawn) - module(users, movies)).mean()

    def _grid(self, module: Factors, rows: Tensor) -> Tensor:
        return module.rows(rows)

    def _similarity(self, column: int) -> np.ndarray:
        return cosine(self.movies__weight_, column)
