"""Sequential models of RecBole on whole windows of histories, with a loss at every position.

RecBole trains on one row a prefix: a history of 200 movies is read 199 times. Here a window of it is read once, and the
state after each movie predicts the next. The same module, asked at one position or at all, computes the same.
"""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from aicine_utils.models.base import cosine
from aicine_utils.models.neural.histories import ReadsHistories
from aicine_utils.models.neural.losses import catalogue_cross_entropy
from aicine_utils.models.neural.sequences import cut, ends, sequences
from aicine_utils.models.neural.training import Batch, batches, device
from aicine_utils.models.recbole.base import RecBoleModel, interaction
from aicine_utils.splits import Split

NO_LOSS = 0  # target of a position that is padding, or that is not to be learned: RecBole's padding item


class NextMovie(ReadsHistories, RecBoleModel):
    """Cross-entropy of each next movie over all movies.

    ``window``: movies read before a prediction, at most. Ratings below ``liked``, a place on the rating scale, are read
    but not predicted. A subclass gives a module with ``states(inputs)``, [n, length, size] after each position of
    RecBole items [n, length] padded with 0 on the right, and with ``item_embedding``.
    """

    renamed: ClassVar[dict[str, str]] = {"window": "MAX_ITEM_LIST_LENGTH"}
    defaults: ClassVar[dict[str, Any]] = {**RecBoleModel.defaults, "batch": 128, "window": 50, "liked": 0.0}

    @abstractmethod
    def _module_class(self) -> type[nn.Module]: ...

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "train_neg_sample_args": None}  # cross-entropy draws nothing

    def _examples(self, split: Split) -> Batch:
        """RecBole items in order of time, those to predict (NO_LOSS where not), and where each user starts."""
        watched, starts, stars = sequences(split, split.train)
        wanted = np.where(stars >= split.stars_at(self.params["liked"]), watched + 1, NO_LOSS)
        return torch.from_numpy(watched + 1), torch.from_numpy(wanted), torch.from_numpy(starts)

    def _batches(self, data: Batch) -> Iterator[Batch]:
        """Windows cut anew for each pass, shuffled: inputs and what follows each of them, [n, window]."""
        watched, wanted, starts = data
        offsets = torch.randint(self.params["window"], (len(starts) - 1,)).numpy()
        rows = torch.from_numpy(cut(starts.cpu().numpy(), self.params["window"], offsets)).to(watched.device)
        for (part,) in batches((rows,), self.params["batch"]):
            part = part[:, : int((part >= 0).sum(1).max())]  # what lies behind is padding for this whole batch
            targets = torch.where(part < 0, NO_LOSS, wanted[part + 1])
            if targets.any():  # a mean over nothing is not a number
                yield torch.where(part < 0, 0, watched[part]), targets

    def _loss(self, module: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
        learned = targets != NO_LOSS
        states = module.states(inputs)[learned]
        return catalogue_cross_entropy(states, *self._catalogue(module), targets[learned])

    def _catalogue(self, module: nn.Module) -> tuple[Tensor, Tensor]:
        """Vectors of all RecBole items, padding included, and their biases."""
        weight = module.item_embedding.weight
        return weight, weight.new_zeros(len(weight))

    def _next(
        self, module: nn.Module, watched: np.ndarray, starts: np.ndarray, rows: np.ndarray, users: Tensor
    ) -> Tensor:
        """By RecBole's own prediction; its numbers of users are ours."""
        items, lengths = self._read(watched, starts, rows)
        fields = {module.ITEM_SEQ: torch.from_numpy(items), module.ITEM_SEQ_LEN: torch.from_numpy(lengths)}
        asked = {name: values.to(device()) for name, values in fields.items()}
        return module.full_sort_predict(interaction(**asked, **{module.USER_ID: users}))[:, 1:]

    def _read(self, watched: np.ndarray, starts: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """RecBole items [len(rows), longest] of the last movies of each, padded on the right; how many, at least 1."""
        at = ends(starts, rows, self.params["window"])
        return np.where(at < 0, 0, np.append(watched, 0)[at] + 1), (at >= 0).sum(axis=1).clip(min=1)

    def _similarity(self, column: int) -> np.ndarray:
        return cosine(self.item_embedding__weight_[1 : len(self.movie_ids_) + 1], column)
