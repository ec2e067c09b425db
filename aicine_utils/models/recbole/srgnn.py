"""SR-GNN (Wu et al. 2019): the graph of a session's steps from movie to movie, for all prefixes of a window at once.

Where no movie comes twice, the graph of a session is a chain, and after one step of the network a movie's state is made
of itself, the movie before it and the one after it. All prefixes of a window then share the states of its movies, but
for the last movie of each prefix, which has nothing after it. Other windows are read one prefix a row.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from aicine_utils.models.recbole.base import library_class
from aicine_utils.models.recbole.sequential import NextMovie

QUERIES = 10  # prefixes that look back at a time, over no more movies than the longest of them has


def chained() -> type[nn.Module]:
    """RecBole's SRGNN with its session graphs made in tensors, and the states of all prefixes."""

    class Chained(library_class("SRGNN")):
        def _get_slice(self, items: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
            """Session graphs of sequences [n, length]: see :func:`graphs`; and where they are not padding."""
            return *graphs(items), items > 0

        def states(self, items: Tensor) -> Tensor:
            """[n, length, embedding_size] after each item of [n, length]; 0 is padding on the right."""
            states, apart = self._chains(items), comes_back(items) | (self.gnn.step > 1)
            return states.index_put((apart,), self._prefixes(items[apart])) if apart.any() else states

        def _prefixes(self, items: Tensor) -> Tensor:
            """The same from the library's ``forward``, one row a prefix."""
            n, length = items.shape
            lengths = torch.arange(1, length + 1, device=items.device)
            prefixes = items[:, None] * (lengths <= lengths[:, None])
            return self(prefixes.flatten(0, 1), lengths.repeat(n)).view(n, length, -1)

        def _chains(self, items: Tensor) -> Tensor:
            """The same where no movie comes twice and the network takes one step."""
            embedded, before = self.item_embedding(items), steps(items.shape[1]).to(items.device)
            inner = self.gnn(torch.cat([before, before.T], 1)[None], embedded)
            last = self.gnn(torch.cat([before, torch.zeros_like(before)], 1)[None], embedded)
            return self.linear_transform(torch.cat([self._looked_back(inner, last), last], 2))

        def _looked_back(self, inner: Tensor, last: Tensor) -> Tensor:
            """Attention of the last movie of each prefix to all movies of the prefix, [n, length, embedding_size]."""
            query, own = self.linear_one(last), self._weight(self.linear_one(last) + self.linear_two(last)) * last
            key, parts = self.linear_two(inner), []
            for at in torch.arange(query.shape[1]).split(QUERIES):
                part, earlier = slice(int(at[0]), int(at[-1]) + 1), slice(int(at[-1]))
                weight = self._weight(query[:, part, None] + key[:, None, earlier])[..., 0]
                parts.append(weight.tril(int(at[0]) - 1) @ inner[:, earlier])
            return own + torch.cat(parts, 1)

        def _weight(self, sums: Tensor) -> Tensor:
            """Weights [..., 1] of queries plus keys [..., embedding_size]."""
            return self.linear_three(torch.sigmoid(sums))

    return Chained


class SRGNN(NextMovie):
    """A gated network over the graph of what followed what, and attention from the last movie to all."""

    recbole = "SRGNN"
    defaults: ClassVar[dict[str, Any]] = {
        **NextMovie.defaults, "epochs": 12, "batch": 32, "learning_rate": 0.003, "embedding_size": 64, "step": 1,
    }  # fmt: skip

    def _module_class(self) -> type[nn.Module]:
        return chained()


def graphs(items: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Graphs of the steps in sequences [n, length] padded with 0 on the right, as RecBole's ``_get_slice`` gives them.

    Returns the node of each place [n, length]; connections [n, length, 2 * length], of each node with those before it
    and with those after it, each as shares that sum to one; and the item of each node [n, length], ascending.
    """
    ordered, place = items.sort(1)
    node = nn.functional.pad(ordered.diff(dim=1) != 0, (1, 0)).cumsum(1)
    nodes, alias = torch.zeros_like(items).scatter(1, node, ordered), torch.empty_like(items).scatter(1, place, node)
    step = torch.zeros(*items.shape, items.shape[1], device=items.device)
    n, at = (items[:, 1:] > 0).nonzero(as_tuple=True)
    step[n, alias[n, at], alias[n, at + 1]] = 1
    before, after = (part / part.sum(2, keepdim=True).clamp(min=1) for part in (step.mT, step))
    return alias, torch.cat([before, after], 2), nodes


def comes_back(items: Tensor) -> Tensor:
    """Whether a movie comes twice in each of the sequences [n, length]; 0 is padding."""
    ordered = items.sort(1).values
    return ((ordered.diff(dim=1) == 0) & (ordered[:, 1:] > 0)).any(1)


def steps(length: int) -> Tensor:
    """The chain's connections of each place with the one before it, [length, length]."""
    return torch.ones(max(length - 1, 0)).diag(-1)
