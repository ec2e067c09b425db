"""BERT4Rec (Sun et al. 2019): hidden movies from what was watched before and after them.

Each pass cuts histories into windows anew and hides movies in them as RecBole's transform ``mask_itemseq`` does: each
with probability ``mask_ratio``, or, in a share ``ft_ratio`` of the windows, the last one alone, which is what is asked
at the end. RecBole's loops over samples and movies are one comparison of a random table here.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from aicine_utils.models.neural.losses import catalogue_cross_entropy
from aicine_utils.models.neural.sequences import cut, ends
from aicine_utils.models.neural.training import Batch, batches
from aicine_utils.models.recbole.attention import Rows, embed, encode
from aicine_utils.models.recbole.base import library_class, multiple
from aicine_utils.models.recbole.sequential import NO_LOSS, NextMovie
from aicine_utils.parameters import Range


def packed() -> type[nn.Module]:
    """RecBole's BERT4Rec without rows for padding, and without a loop where it appends the mask."""

    class Packed(library_class("BERT4Rec")):
        def forward(self, item_seq: Tensor) -> Tensor:
            """[n, length, hidden_size] of RecBole items [n, length], as the library's; zeros where there is padding."""
            rows = Rows.of(item_seq)
            hidden = encode(self.trm_encoder, embed(self, item_seq, rows), rows, causal=False)
            return rows.spread(self.output_ln(self.output_gelu(self.output_ffn(hidden))))

        def reconstruct_test_data(self, item_seq: Tensor, item_seq_len: Tensor) -> Tensor:
            """Items [n, length] without the first, and the mask token after the last, as the library's."""
            longer = functional.pad(item_seq, (0, 1))
            return longer.scatter(1, item_seq_len[:, None], self.mask_token)[:, 1:]

    return Packed


class BERT4Rec(NextMovie):
    """Cross-entropy of each hidden movie over all movies; the next movie is a hidden one after the last.

    ``mask_ratio``: share of movies hidden. ``ft_ratio``: share of windows in which the last one alone is.
    """

    recbole = "BERT4Rec"
    ranges: ClassVar[dict[str, Range]] = {"window": Range(2)}  # a movie and the mask
    defaults: ClassVar[dict[str, Any]] = {
        **NextMovie.defaults, "epochs": 50, "patience": 10, "batch": 64, "learning_rate": 0.002,
        "hidden_size": 64, "inner_size": 256, "n_layers": 2, "n_heads": 2, "hidden_dropout_prob": 0.1,
        "attn_dropout_prob": 0.0, "mask_ratio": 0.3, "ft_ratio": 0.1,
    }  # fmt: skip

    def __init__(self, seed: int = 0, **params: Any) -> None:
        super().__init__(seed, **params)
        multiple(self, "hidden_size", self.params["n_heads"])

    def _module_class(self) -> type[nn.Module]:
        return packed()

    def _batches(self, data: Batch) -> Iterator[Batch]:
        """Windows with hidden movies [n, window], and what is hidden in them (NO_LOSS elsewhere)."""
        watched, wanted, starts = data
        rows = self._windows(starts.cpu().numpy()).to(watched.device)
        for (part,) in batches((rows,), self.params["batch"]):
            part = part[:, : int((part >= 0).sum(1).max())]
            items = torch.where(part < 0, 0, watched[part])
            hidden = hide(items > 0, self.params["mask_ratio"], self.params["ft_ratio"])
            targets = torch.where(hidden, wanted[part], NO_LOSS)
            if targets.any():  # a mean over nothing is not a number
                yield items.masked_fill(hidden, len(self.movie_ids_) + 1), targets

    def _windows(self, starts: np.ndarray) -> Tensor:
        """Rows of ``watched`` [n, window], -1 is padding: steps, with the movie that each window's last leads to."""
        length = self.params["window"] - 1
        steps = torch.from_numpy(cut(starts, length, torch.randint(length, (len(starts) - 1,)).numpy()))
        return torch.cat([steps[:, :1], torch.where(steps < 0, -1, steps + 1)], 1)

    def _loss(self, module: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
        hidden = targets != NO_LOSS
        return catalogue_cross_entropy(module(inputs)[hidden], *self._catalogue(module), targets[hidden])

    def _read(self, watched: np.ndarray, starts: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One movie less than the window holds, behind a padding item: RecBole drops the first to append the mask.

        It does so for short histories too, which here lose nothing.
        """
        at = ends(starts, rows, self.params["window"] - 1)
        items = np.where(at < 0, 0, np.append(watched, 0)[at] + 1)
        return np.pad(items, ((0, 0), (1, 0))), 1 + (at >= 0).sum(axis=1)

    def _catalogue(self, module: nn.Module) -> tuple[Tensor, Tensor]:
        return module.item_embedding.weight[: module.n_items], module.output_bias


def hide(filled: Tensor, mask_ratio: float, ft_ratio: float) -> Tensor:
    """Which of the ``filled`` cells [n, length], padding on the right, are hidden: some, or the last alone.

    The last is it too where chance hid nothing: RecBole learns nothing from such a window.
    """
    last = filled & ~functional.pad(filled, (0, 1))[:, 1:]
    some = filled & (torch.rand(filled.shape, device=filled.device) < mask_ratio)
    alone = (torch.rand(len(filled), 1, device=filled.device) < ft_ratio) | ~some.any(1, keepdim=True)
    return torch.where(alone, last, some)
