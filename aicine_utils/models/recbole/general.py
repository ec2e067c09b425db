"""What RecBole's general models share: training histories without an order, and movies drawn against watched ones."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch import Tensor, nn

from aicine_utils.models.neural.base import places
from aicine_utils.models.neural.training import Batch, device
from aicine_utils.models.recbole.base import RecBoleModel, interaction
from aicine_utils.models.recbole.ratings import Ratings
from aicine_utils.splits import Split


class GeneralModel(RecBoleModel):
    """Learns from the training ratings of at least ``liked``, a place on the rating scale, and scores from the same.

    Like RecBole in its general benchmark, and EASE here, it reads no validation rating when it is asked for the test.
    """

    defaults: ClassVar[dict[str, Any]] = {**RecBoleModel.defaults, "liked": 0.0}

    def _remember(self, split: Split, history: pd.DataFrame) -> None:
        super()._remember(split, history)
        self.histories_ = split.matrix(split.rated_from(self.params["liked"]))

    def _ratings(self) -> Ratings:
        return Ratings(self.histories_)


class PairModel(GeneralModel):
    """Each liked movie against movies that its user did not watch in training, drawn anew for every batch."""

    def _examples(self, split: Split) -> Batch:
        """RecBole's numbers of the users and movies of the liked training ratings."""
        self._unwatched = Unwatched(split.matrix(split.train))
        users, movies = places(split, split.rated_from(self.params["liked"]))
        return users + 1, movies + 1

    def _loss(self, module: nn.Module, users: Tensor, movies: Tensor) -> Tensor:
        return self._compared(module, users, movies, self._unwatched.draw(users - 1, 1)[:, 0] + 1)

    def _compared(self, module: nn.Module, users: Tensor, movies: Tensor, drawn: Tensor) -> Tensor:
        """RecBole's loss of watched movies against drawn ones, all [n] and by RecBole's numbers."""
        fields = {module.USER_ID: users, module.ITEM_ID: movies, module.NEG_ITEM_ID: drawn}
        return module.calculate_loss(interaction(**fields))


class Unwatched:
    """Movies that users did not watch, all equally likely, drawn for any number of users in one call.

    As in RecBole, movies that nobody watched in training are among them.

    A user's j-th watched movie (from 0), in column c_j, has c_j - j unwatched ones before it. So before the k-th
    unwatched movie there are as many watched ones as there are j with c_j - j <= k, and its column is k plus that
    number: no draw is ever refused. One binary search finds it, among ``user * n_movies + c_j - j``, which ascend.
    """

    def __init__(self, watched: sparse.csr_matrix) -> None:
        counts = np.diff(watched.indptr)
        users = np.repeat(np.arange(len(counts)), counts)
        columns = np.sort(users * watched.shape[1] + watched.indices.astype(np.int64))
        keys = columns - (np.arange(len(users)) - watched.indptr[users])
        kind = np.int32 if watched.shape[0] * watched.shape[1] < 2**31 else np.int64  # the smaller fits the cache
        self.n_movies = watched.shape[1]
        arrays = (keys, watched.indptr[:-1], self.n_movies - counts)
        self.keys, self.starts, self.free = (torch.from_numpy(array.astype(kind)).to(device()) for array in arrays)

    def draw(self, users: Tensor, n: int) -> Tensor:
        """Columns [len(users), n] of movies for users at these rows; who watched everything gets the last movie."""
        free = self.free[users][:, None]
        places = (torch.rand(len(users), n, device=free.device) * free).to(free.dtype)
        return self.at(users, places.minimum(free - 1).clamp(min=0))

    def at(self, users: Tensor, places: Tensor) -> Tensor:
        """Columns of the users' unwatched movies at these places, both [len(users), n], counted from 0."""
        bounds = places + (users[:, None] * self.n_movies).to(places.dtype)
        before = torch.searchsorted(self.keys, bounds, right=True) - self.starts[users][:, None]
        return (places + before).clamp(max=self.n_movies - 1)
