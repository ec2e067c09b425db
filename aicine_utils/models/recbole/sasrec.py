"""SASRec (Kang & McAuley 2018): self-attention over what came before, on whole windows."""

from typing import Any, ClassVar

from torch import Tensor, nn

from aicine_utils.models.recbole.attention import Rows, embed, encode
from aicine_utils.models.recbole.base import library_class
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

    def _module_class(self) -> type[nn.Module]:
        return windowed()
