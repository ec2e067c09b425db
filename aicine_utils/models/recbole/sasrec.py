"""SASRec (Kang & McAuley 2018): self-attention over what came before, on whole windows."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from aicine_utils.errors import AicineError
from aicine_utils.models.neural.training import device
from aicine_utils.models.recbole.attention import Rows, embed, encode, looks
from aicine_utils.models.recbole.base import library_class, multiple
from aicine_utils.models.recbole.sequential import NextMovie


def windowed() -> type[nn.Module]:
    """RecBole's SASRec with the states of all positions; ``forward`` is the library's, the last of them."""

    class Windowed(library_class("SASRec")):
        def states(self, items: Tensor) -> Tensor:
            """[n, length, hidden_size] after each item of [n, length]; 0 is padding on the right."""
            rows = Rows.of(items)
            return rows.spread(encode(self.trm_encoder, embed(self, items, rows), rows, causal=True))

    return Windowed


class SASRec(NextMovie):
    """Blocks of causal self-attention; the next movie by the same embeddings that are read."""

    recbole = "SASRec"
    defaults: ClassVar[dict[str, Any]] = {
        **NextMovie.defaults, "learning_rate": 0.002, "hidden_size": 64, "inner_size": 256,
        "n_layers": 2, "n_heads": 2, "hidden_dropout_prob": 0.2, "attn_dropout_prob": 0.0,
    }  # fmt: skip

    def __init__(self, seed: int = 0, **params: Any) -> None:
        super().__init__(seed, **params)
        multiple(self, "hidden_size", self.params["n_heads"])

    def _module_class(self) -> type[nn.Module]:
        return windowed()

    def attention(self, history: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """movie_ids [n] of the last known movies of a history; and shares [n_layers, n_heads, n], each head's sum 1.

        They say how much each head looks at each movie when it asks what comes next. AicineError without a known movie.
        """
        columns = self._columns(history)[-self.params["window"] :]
        if not len(columns):
            raise AicineError("Attention needs a history with at least one movie that the model knows.")
        items = torch.from_numpy(columns + 1).to(device())[None]
        return self.movie_ids_[columns], self._answer(lambda m: looks(m.trm_encoder, embed(m, items, Rows.of(items))))
