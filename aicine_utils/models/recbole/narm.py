"""NARM (Li et al. 2017): a GRU whose states are also attended to by the last of them, on whole windows.

After position t the model's local context is the sum over s <= t of a weight times the state h_s; the weight is
``v . sigmoid(A1 h_s + A2 h_t)`` and needs no normalising (eq. 8). RecBole gives padding the weight 0.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from aicine_utils.models.recbole.attention import Rows, dropped
from aicine_utils.models.recbole.base import library_class
from aicine_utils.models.recbole.sequential import NextMovie


def windowed() -> type[nn.Module]:
    """RecBole's NARM with the states of all positions; ``forward`` is the library's, the last of them."""

    class Windowed(library_class("NARM")):
        def states(self, items: Tensor) -> Tensor:
            """[n, length, embedding_size] after each item of [n, length]; 0 is padding on the right."""
            lengths = (items > 0).sum(1)
            order = lengths.argsort(descending=True, stable=True)
            return self._longest_first(items[order], lengths[order])[order.argsort()]

        def _longest_first(self, items: Tensor, lengths: Tensor) -> Tensor:
            hidden = self.gru(dropped(self.item_embedding(items), self.emb_dropout))[0]
            weights = _Weights.apply(self.a_1(hidden), self.a_2(hidden), self.v_t.weight[0], lengths)
            rows = Rows.of(items)
            context = torch.cat([rows.pack(weights @ hidden), rows.pack(hidden)], 1)
            return rows.spread(self.b(dropped(context, self.ct_dropout)))

    return Windowed


class _Weights(torch.autograd.Function):
    """Weights [n, length, length]: at [t, s] v . sigmoid(own_s + asking_t) for s <= t inside a window, else 0.

    One t at a time, for the windows that are so long: the longest come first. The sigmoids of all pairs, 80 MB for 128
    windows of 50, are computed again for the gradients rather than kept.
    """

    @staticmethod
    def forward(ctx: Any, own: Tensor, asking: Tensor, v: Tensor, lengths: Tensor) -> Tensor:
        ctx.save_for_backward(own, asking, v)
        ctx.longer = (lengths[:, None] > torch.arange(own.shape[1], device=own.device)).sum(0).tolist()
        weights = own.new_zeros(*own.shape[:2], own.shape[1])
        for t, n in enumerate(ctx.longer):
            weights[:n, t, : t + 1] = _sigmoids(own, asking, t, n) @ v
        return weights

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        own, asking, v = ctx.saved_tensors
        by_own, by_asking, by_v = torch.zeros_like(own), torch.zeros_like(asking), torch.zeros_like(v)
        for t, n in enumerate(ctx.longer):
            values, share = _sigmoids(own, asking, t, n), outer[:n, t, : t + 1].contiguous()
            by_v += share.flatten() @ values.flatten(0, 1)
            slopes = values.addcmul_(values, values, value=-1)
            by_asking[:n, t] = (share[:, None] @ slopes)[:, 0]
            by_own[:n, : t + 1].addcmul_(slopes, share[:, :, None])
        return by_own * v, by_asking * v, by_v, None


def _sigmoids(own: Tensor, asking: Tensor, t: int, n: int) -> Tensor:
    """[n, t + 1, size]: of the first windows, what state t asks of itself and each state before it."""
    return (own[:n, : t + 1] + asking[:n, t, None]).sigmoid_()


class NARM(NextMovie):
    """What the sequence is about (attention) beside where it stands (the last state); the next movie by its embedding.

    Dropout of the embeddings and of the two contexts are ``dropout_in`` and ``dropout_out``.
    """

    recbole = "NARM"
    defaults: ClassVar[dict[str, Any]] = {
        **NextMovie.defaults, "batch": 128, "learning_rate": 0.004, "embedding_size": 64, "hidden_size": 128,
        "dropout_in": 0.1, "dropout_out": 0.2,
    }  # fmt: skip

    def _module_class(self) -> type[nn.Module]:
        return windowed()

    def _settings(self) -> dict[str, Any]:
        told = super()._settings()
        return {**told, "dropout_probs": [told.pop("dropout_in"), told.pop("dropout_out")]}
