"""Caser (Tang & Wang 2018): convolutions over the last movies, on whole stretches of a history.

A filter gives the same output wherever it stands, so one pass of it over a history serves every window it lies in: what
a window adds is the largest output inside it. Windows end at the last movie, and a short history is padded in front, as
in the paper. RecBole's loader pads behind; its class is the same for both, but behind, the place of a movie in a window
says how long the history is instead of how long ago it was watched, and no output could be shared.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from aicine_utils.models.neural.losses import catalogue_cross_entropy
from aicine_utils.models.neural.sequences import cut
from aicine_utils.models.neural.training import Batch, Curve, Plan, batches
from aicine_utils.models.recbole.attention import dropped
from aicine_utils.models.recbole.base import library_class
from aicine_utils.models.recbole.sequential import NO_LOSS, NextMovie
from aicine_utils.splits import Split

STRETCH = 50  # movies predicted in a row of a batch, at most
HEIGHTS = 10  # filters of so many heights share a convolution: shorter ones are padded with zeros, which costs products


def shared() -> type[nn.Module]:
    """RecBole's Caser with the states of all positions; ``forward`` is the library's, for one window."""

    class Shared(library_class("Caser")):
        def __init__(self, config: Any, ratings: Any) -> None:
            super().__init__(config, ratings)
            self.user_embedding.weight.data[0] = 0  # a stranger, whom no training would move from a random taste

        def states(self, items: Tensor, users: Tensor) -> Tensor:
            """[n, length, embedding_size] of the windows that end at each of the last ``length`` items.

            items: [n, window - 1 + length], 0 is padding on either side; users: [n].
            """
            embedded = self.item_embedding(items)
            read = dropped(torch.cat([self._vertical(embedded), self._horizontal(embedded)], 2), self.dropout)
            wanted = self.ac_fc(self.fc1(read))
            own = self.user_embedding(users)[:, None].expand_as(wanted)
            return self.ac_fc(self.fc2(torch.cat([wanted, own], 2)))

        def _vertical(self, embedded: Tensor) -> Tensor:
            """Weighted sums of each window's vectors, [n, length, nv * embedding_size], by one matrix of bands."""
            weight, window = self.conv_v.weight[:, 0, :, 0], self.max_seq_length
            n, read, size = embedded.shape
            place = torch.arange(read) - torch.arange(read - window + 1)[:, None]
            place = place.to(weight.device)
            band = torch.where((place >= 0) & (place < window), weight[:, place.clamp(0, window - 1)], 0)
            sums = (band.flatten(0, 1) @ embedded).view(n, self.n_v, -1, size) + self.conv_v.bias[:, None, None]
            return sums.transpose(1, 2).flatten(2)

        def _horizontal(self, embedded: Tensor) -> Tensor:
            """The largest output of each filter inside each window, [n, length, window * nh]."""
            blocks = [self.conv_h[first : first + HEIGHTS] for first in range(0, self.max_seq_length, HEIGHTS)]
            best = [pooled for convs in blocks for pooled in self._block(convs, embedded.transpose(1, 2))]
            return self.ac_conv(torch.cat(best, 1)).transpose(1, 2)

        def _block(self, convs: nn.ModuleList, embedded: Tensor) -> Iterator[Tensor]:
            """Of each filter height: the largest output inside each window, [n, nh, length]."""
            lowest, highest = (convs[at].kernel_size[0] for at in (0, -1))
            pad = nn.functional.pad
            weight = torch.cat([pad(conv.weight[:, 0], (0, 0, highest - conv.kernel_size[0], 0)) for conv in convs])
            bias = torch.cat([conv.bias for conv in convs])
            outputs = nn.functional.conv1d(pad(embedded, (highest - lowest, 0)), weight.transpose(1, 2), bias)
            for at, part in enumerate(outputs.split(self.n_h, 1)):  # its first outputs would begin in the padding
                yield nn.functional.max_pool1d(part[:, :, at:], self.max_seq_length - lowest + 1 - at, stride=1)

    return Shared


class Caser(NextMovie):
    """Horizontal filters find a run of movies anywhere in the window, vertical ones weigh its places; and the user."""

    recbole = "Caser"
    defaults: ClassVar[dict[str, Any]] = {
        **NextMovie.defaults, "epochs": 12, "batch": 64, "window": 10, "learning_rate": 0.003, "embedding_size": 64,
        "nh": 8, "nv": 4, "dropout_prob": 0.4, "reg_weight": 1e-4,
    }  # fmt: skip

    def _module_class(self) -> type[nn.Module]:
        return shared()

    def _train(self, split: Split, plan: Plan, passes: int | None = None) -> Curve:
        with flushed():
            return super()._train(split, plan, passes)

    def _batches(self, data: Batch) -> Iterator[Batch]:
        """Stretches of histories after the ``window - 1`` movies before them; what follows each movie; whose it is."""
        watched, wanted, starts = data
        rows = torch.from_numpy(cut(starts.cpu().numpy(), STRETCH, np.zeros(len(starts) - 1, np.int64))).to(starts)
        users = torch.searchsorted(starts, rows[:, 0].contiguous(), right=True)  # RecBole's, from 1
        for part, own in batches((rows, users), self.params["batch"]):
            part = part[:, : int((part >= 0).sum(1).max())]
            read = torch.cat([self._before(part[:, :1], starts[own - 1][:, None]), part], 1)
            targets = torch.where(part < 0, NO_LOSS, wanted[part + 1])
            if targets.any():  # a mean over nothing is not a number
                yield torch.where(read < 0, 0, watched[read]), targets, own

    def _before(self, rows: Tensor, starts: Tensor) -> Tensor:
        """The ``window - 1`` rows before these, [n, window - 1]; -1 before the history starts."""
        before = rows - torch.arange(self.params["window"] - 1, 0, -1).to(rows)
        return torch.where(before < starts, -1, before)

    def _loss(self, module: nn.Module, inputs: Tensor, targets: Tensor, users: Tensor) -> Tensor:
        learned = targets != NO_LOSS
        states = module.states(inputs, users)[learned]
        return catalogue_cross_entropy(states, *self._catalogue(module), targets[learned]) + size(module)

    def _read(self, watched: np.ndarray, starts: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """RecBole items [len(rows), window] of the last movies of each, padded on the left; how many, at least 1."""
        at = starts[rows + 1][:, None] - np.arange(self.params["window"], 0, -1)
        inside = at >= starts[rows][:, None]
        return np.where(inside, np.append(watched, 0)[at.clip(min=0)] + 1, 0), inside.sum(axis=1).clip(min=1)


@contextlib.contextmanager
def flushed() -> Iterator[None]:
    """Inside, numbers below 1e-38 are zeros, and torch's default holds afterwards.

    RecBole's regularisation shrinks what belongs to a dead filter geometrically under Adam; a processor takes five
    times as long for a pass once such weights are too small for its usual arithmetic.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def size(module: nn.Module) -> Tensor:
    """RecBole's regularisation: the lengths of Caser's tables and filters, times ``reg_weight``."""
    tables = module.user_embedding, module.item_embedding, module.conv_v, module.fc1, module.fc2
    return module.reg_weight * module.reg_loss([table.weight for table in tables]) + module.reg_loss_conv_h()
