"""LightGCN (He et al. 2020): BPR on vectors that are averaged over the graph of who watched what."""

from typing import Any, ClassVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from aicine_utils.models.base import cosine
from aicine_utils.models.recbole.base import library_class
from aicine_utils.models.recbole.general import PairModel
from aicine_utils.models.recbole.graph import Product, to_torch


def propagating() -> type[nn.Module]:
    """RecBole's LightGCN on a CSR graph, which it builds without a dictionary and multiplies without sorting."""

    class Propagating(library_class("LightGCN")):
        def get_norm_adj_mat(self) -> Tensor:
            return to_torch(normalised(self.interaction_matrix))

        def forward(self) -> tuple[Tensor, Tensor]:
            layers = [self.get_ego_embeddings()]
            for _ in range(self.n_layers):
                layers.append(Product.apply(self.norm_adj_matrix, self.norm_adj_matrix, layers[-1]))
            return torch.stack(layers).mean(0).split([self.n_users, self.n_items])

        def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
            self.restore_user_e = self.restore_item_e = None  # kept for scoring, and of other weights
            return super().load_state_dict(*args, **kwargs)

    return Propagating


def normalised(ratings: sparse.coo_matrix) -> sparse.csr_matrix:
    """D^-½ A D^-½ (equation 8), where A joins users [n_users] and movies [n_movies] who have a rating, both ways."""
    joined = sparse.block_array([[None, ratings], [ratings.T, None]], format="csr")
    scale = sparse.diags_array((np.diff(joined.indptr) + 1e-7) ** -0.5)  # RecBole's guard for whoever has no rating
    return sparse.csr_matrix(scale @ joined @ scale)


class LightGCN(PairModel):
    """score(u, i) = e_u · e_i, where e is the mean over the layers of ``n_layers`` averagings over neighbours."""

    recbole = "LightGCN"
    defaults: ClassVar[dict[str, Any]] = {
        **PairModel.defaults, "batch": 8192, "patience": 10, "embedding_size": 64, "n_layers": 1, "reg_weight": 0.02,
    }  # fmt: skip

    def _module_class(self) -> type[nn.Module]:
        return propagating()

    def _similarity(self, column: int) -> np.ndarray:
        return cosine(self._answer(lambda module: module()[1][1:]), column)
