"""SimpleX (Mao et al. 2021): cosines to watched movies against many drawn ones; users are what they watched."""

from typing import Any, ClassVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import embedding, normalize

from aicine_utils.models.base import cosine
from aicine_utils.models.recbole.base import library_class
from aicine_utils.models.recbole.general import PairModel
from aicine_utils.models.recbole.graph import Product, to_torch
from aicine_utils.parameters import Range

AT_ONCE = 512  # pairs whose drawn movies are compared at a time: small enough for the processor's cache


def pooling() -> type[nn.Module]:
    """RecBole's SimpleX with the mean aggregator; nothing is as large as pairs x movies x embedding_size.

    Histories are averaged by one sparse product for all users, the penalty is counted instead of gathered, and only
    drawn movies above the margin, which alone have a gradient, enter the graph of the loss.
    """

    class Pooling(library_class("SimpleX")):
        def __init__(self, config: Any, dataset: Any) -> None:
            super().__init__(config, dataset)
            self.means = averaging(self.history_item_id.cpu().numpy(), self.n_items)

        def people(self) -> Tensor:
            """Vectors [n_users, embedding_size] of all users, what they watched mixed in."""
            watched = Product.apply(*self.means, self.item_emb.weight)
            return self.gamma * self.user_emb.weight + (1 - self.gamma) * self.UI_map(watched)

        def batch_loss(self, user: Tensor, movie: Tensor, drawn: Tensor) -> Tensor:
            """The library's ``forward`` for users [n], their movies [n] and drawn movies [n, n_drawn]."""
            people = normalize(self.dropout(embedding(user, self.people())), dim=1)
            movies = normalize(self.item_emb.weight, dim=1)
            near = torch.relu(1 - (people * embedding(movie, movies)).sum(1)).mean()
            far = self.beyond(people, movies, drawn).sum() / drawn.numel()
            return near + self.negative_weight * far + self.reg_weight * self.penalty(user, movie, drawn)

        def beyond(self, people: Tensor, movies: Tensor, drawn: Tensor) -> Tensor:
            """What the cosines to drawn movies exceed the margin by; those that don't are left out."""
            with torch.no_grad():
                parts = zip(people.split(AT_ONCE), drawn.split(AT_ONCE), strict=True)
                cosines = torch.cat([(movies[other] @ person[:, :, None])[:, :, 0] for person, other in parts])
            row, place = (cosines > self.margin).nonzero(as_tuple=True)
            return (embedding(row, people) * embedding(drawn[row, place], movies)).sum(1) - self.margin

        def penalty(self, user: Tensor, movie: Tensor, drawn: Tensor) -> Tensor:
            """Summed lengths of the vectors that a batch uses, each as often as it is used, over the batch's size."""
            own, square = (table.weight.square().sum(1) for table in (self.user_emb, self.item_emb))
            used = [(own, user), *((square, ids.flatten()) for ids in (movie, self.history_item_id[user], drawn))]
            return sum((size * torch.bincount(ids, minlength=len(size))).sum().sqrt() for size, ids in used) / len(user)

        def full_sort_predict(self, interaction: Any) -> Tensor:
            people = self.people()[interaction[self.USER_ID]]
            return normalize(people, dim=1) @ normalize(self.item_emb.weight, dim=1).T

    return Pooling


def averaging(items: np.ndarray, n_items: int) -> tuple[Tensor, Tensor]:
    """The matrix that averages histories, [n_users, n_items], and its transpose.

    ``items`` [n_users, longest] are RecBole's, 0 where padding.
    """
    user, place = np.nonzero(items)
    read = sparse.csr_matrix((np.ones(len(user)), (user, items[user, place])), shape=(len(items), n_items))
    lengths = np.diff(read.indptr)[:, None] + 1e-10  # RecBole's guard for whoever read nothing
    means = sparse.csr_matrix(read.multiply(1 / lengths))
    return to_torch(means), to_torch(means.T.tocsr())


class SimpleX(PairModel):
    """score(u, i) = cos(g p_u + (1 - g) V · mean of q over at most ``history_len`` watched movies, q_i).

    The loss is 1 - cos for a watched movie, and ``negative_weight`` times the mean over ``negatives`` drawn movies of
    what their cosine exceeds ``margin`` by (equation 2).
    """

    recbole = "SimpleX"
    ranges: ClassVar[dict[str, Range]] = {"margin": Range(-1, 1)}  # a cosine
    defaults: ClassVar[dict[str, Any]] = {
        **PairModel.defaults, "learning_rate": 0.003, "embedding_size": 64, "gamma": 0.7, "margin": 0.9,
        "negative_weight": 50.0, "negatives": 50, "history_len": 50, "reg_weight": 1e-5, "dropout_prob": 0.1,
    }  # fmt: skip

    def _settings(self) -> dict[str, Any]:
        drawing = {"distribution": "uniform", "sample_num": self.params["negatives"]}
        return {**super()._settings(), "train_neg_sample_args": drawing, "aggregator": "mean"}

    def _module_class(self) -> type[nn.Module]:
        return pooling()

    def _loss(self, module: nn.Module, users: Tensor, movies: Tensor) -> Tensor:
        drawn = self._unwatched.draw(users - 1, self.params["negatives"]) + 1
        return module.batch_loss(users, movies, drawn)

    def _similarity(self, column: int) -> np.ndarray:
        return cosine(self.item_emb__weight_[1:], column)
