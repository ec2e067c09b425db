"""BPR (Rendle et al. 2009): vectors of users and movies that put watched movies above others."""

from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn

from aicine_utils.models.base import cosine
from aicine_utils.models.recbole.general import PairModel


class BPR(PairModel):
    """score(u, i) = p_u · q_i, trained by -log σ of the difference to one drawn movie j (section 4).

    RecBole's loss is that alone; the paper's BPR-OPT adds ``reg_weight`` times the squares of the vectors used.
    """

    recbole = "BPR"
    defaults: ClassVar[dict[str, Any]] = {
        **PairModel.defaults,
        "patience": 8,
        "embedding_size": 64,
        "reg_weight": 0.003,
    }

    def _compared(self, module: nn.Module, users: Tensor, movies: Tensor, drawn: Tensor) -> Tensor:
        used = (module.user_embedding(users), module.item_embedding(movies), module.item_embedding(drawn))
        size = sum(vectors.square().sum() for vectors in used) / len(users)
        return super()._compared(module, users, movies, drawn) + self.params["reg_weight"] * size

    def _similarity(self, column: int) -> np.ndarray:
        return cosine(self.item_embedding__weight_[1:], column)
