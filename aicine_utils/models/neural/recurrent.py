"""The next movie from the sequence of watched ones: a gated recurrent unit (GRU4Rec's idea, Hidasi et al. 2016).

A training example is a window of a user's sequence, and every position in it is a prediction: one pass through the
network gives the loss of all prefixes, where one row a prefix would read the same movies again and again.
"""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from aicine_utils.models.base import cosine
from aicine_utils.models.neural.base import TorchModel
from aicine_utils.models.neural.factorisation import movie_table
from aicine_utils.models.neural.histories import ReadsHistories
from aicine_utils.models.neural.losses import catalogue_cross_entropy
from aicine_utils.models.neural.sequences import sequences, tails, windows
from aicine_utils.models.neural.training import Batch, device
from aicine_utils.splits import Split

NO_LOSS = -1  # target of a position that is padding, or that is not to be learned


class Recurrent(nn.Module):
    """Embeddings, a GRU, and scores by the same embeddings (tied, so that a movie is learned once).

    The last two embeddings stand for padding and for the beginning of a sequence.
    """

    def __init__(self, known: np.ndarray, factors: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.movies = movie_table(np.append(known, [False, True]), factors)
        self.gru = nn.GRU(factors, hidden, batch_first=True)
        self.narrow, self.bias = nn.Linear(hidden, factors), nn.Parameter(torch.zeros(len(known)))
        self.dropout = nn.Dropout(dropout)

    def forward(self, sequences: Tensor) -> Tensor:
        """States [n, length, hidden] after each position of the input."""
        return self.dropout(self.gru(self.dropout(self.movies(sequences)))[0])

    def tied(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """States in the space of the movies [n, factors], the movies' vectors, and their biases."""
        return self.narrow(states), self.movies.weight[: len(self.bias)], self.bias

    def scores(self, states: Tensor) -> Tensor:
        """Scores [n, n_movies] of the next movie."""
        return nn.functional.linear(*self.tied(states))


class GRU(ReadsHistories, TorchModel):
    """Cross-entropy of each next movie over all movies; scores are those after a user's last ``window`` movies.

    Ratings below ``liked``, a place on the rating scale, are read but not predicted. Someone with no history gets what
    usually comes first.
    """

    serves_unknown = True
    defaults: ClassVar[dict[str, Any]] = {
        **TorchModel.defaults, "batch": 32, "factors": 64, "hidden": 128, "dropout": 0.5, "window": 100, "liked": 0.0,
    }  # fmt: skip

    def _build(self) -> Recurrent:
        p = self.params
        return Recurrent(self.known_, p["factors"], p["hidden"], p["dropout"])

    def _examples(self, split: Split) -> Batch:
        watched, starts, stars = sequences(split, split.train)
        inputs, rows = windows(watched, starts, self.params["window"], len(self.movie_ids_))
        wanted = np.append(np.where(stars >= split.stars_at(self.params["liked"]), watched, NO_LOSS), NO_LOSS)[rows]
        learned = (wanted != NO_LOSS).any(axis=1)
        return torch.from_numpy(inputs[learned]), torch.from_numpy(wanted[learned])

    def _loss(self, module: Recurrent, inputs: Tensor, targets: Tensor) -> Tensor:
        learned = targets != NO_LOSS
        length = int(learned.any(0).nonzero().max()) + 1  # what lies behind is padding for this whole batch
        states = module(inputs[:, :length])[learned[:, :length]]
        return catalogue_cross_entropy(*module.tied(states), targets[learned])

    def _next(
        self, module: Recurrent, watched: np.ndarray, starts: np.ndarray, rows: np.ndarray, users: Tensor
    ) -> Tensor:
        inputs, length = tails(watched, starts, rows, self.params["window"], len(self.movie_ids_))
        states = module(torch.from_numpy(inputs).to(device()))
        return module.scores(states[torch.arange(len(rows)), torch.from_numpy(length) - 1])

    def _similarity(self, column: int) -> np.ndarray:
        return cosine(self.movies__weight_[: len(self.movie_ids_)], column)
