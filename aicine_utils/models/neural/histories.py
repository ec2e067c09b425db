"""What models of sequences share: a history is read in order, that of someone in training or any other."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from aicine_utils.models.base import CHUNK
from aicine_utils.models.neural.sequences import sequences
from aicine_utils.models.neural.training import device
from aicine_utils.splits import Split


class ReadsHistories(ABC):
    """Goes before :class:`TorchModel` in a model's bases; the model gives ``_next``."""

    def _remember(self, split: Split, history: pd.DataFrame) -> None:
        super()._remember(split, history)
        self.watched_, self.starts_, _ = sequences(split, history)

    @abstractmethod
    def _next(
        self, module: nn.Module, watched: np.ndarray, starts: np.ndarray, rows: np.ndarray, users: Tensor
    ) -> Tensor:
        """Scores [len(rows), n_movies] of what follows the sequences at these rows.

        watched: columns of movies, one sequence after another; starts: where each begins, and the end; users: 1 + the
        row of each user in ``user_ids_``, 0 for someone who was not in training.
        """

    def _grid(self, module: nn.Module, rows: Tensor) -> Tensor:
        return self._next(module, self.watched_, self.starts_, rows.cpu().numpy(), rows + 1)

    def score_histories(self, histories: Sequence[Sequence[int]], users: Sequence[int] | None = None) -> np.ndarray:
        """Scores after any sequences, in the order watched; movies that the model does not know are passed over.

        users: whose histories these are, user_ids of the training, for a model that also knows the person; without
        them everyone is a stranger.
        """
        columns = [self._columns(history) for history in histories]
        watched, starts = np.concatenate([*columns, np.empty(0, np.int64)]), np.cumsum([0, *map(len, columns)])
        people = np.zeros(len(histories), np.int64) if users is None else 1 + self.rows_of(users)
        parts = np.split(np.arange(len(histories)), range(CHUNK, len(histories), CHUNK))
        return np.concatenate([self._answer(self._reader(watched, starts, rows, people[rows])) for rows in parts])

    def _reader(
        self, watched: np.ndarray, starts: np.ndarray, rows: np.ndarray, people: np.ndarray
    ) -> Callable[[nn.Module], Tensor]:
        numbers = torch.from_numpy(people).to(device())
        return lambda module: self._next(module, watched, starts, rows, numbers)

    def _columns(self, history: Sequence[int]) -> np.ndarray:
        """Columns of the known movies of a history, in its order."""
        ids = np.asarray(history, np.int64)
        return np.searchsorted(self.movie_ids_, ids[np.isin(ids, self.movie_ids_[self.known_])])
