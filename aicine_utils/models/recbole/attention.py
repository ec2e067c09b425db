"""RecBole's transformer encoder on rows without padding: the same weights, the same function, a third of the time.

A batch of windows is padded to a table [n, length], of which a quarter is padding. Here everything but the attention
itself is computed on a row for each item, ``heads`` are attended to by torch's fused kernel, which needs no mask of
-10000s, and dropout draws its bits 16 at a time (torch's own takes a tenth of a training step on a CPU).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

BITS = 16  # random bits that decide whether a value is dropped: shares of 1/65,536 can be told apart
LOWEST = torch.iinfo(torch.int64).min


@dataclass(frozen=True)
class Rows:
    """Which cells of a table [n, length] hold an item: row ``at[i]`` of the flattened table is packed row i."""

    at: Tensor
    shape: tuple[int, int]

    @classmethod
    def of(cls, items: Tensor) -> "Rows":
        """The cells of RecBole items [n, length] that are not 0."""
        return cls(items.flatten().nonzero()[:, 0], tuple(items.shape))

    @property
    def places(self) -> Tensor:
        """Position in its window of each row."""
        return self.at % self.shape[1]

    def pack(self, table: Tensor) -> Tensor:
        """Rows [n_rows, size] of a table [n, length, size]."""
        return table.flatten(0, 1)[self.at]

    def spread(self, rows: Tensor) -> Tensor:
        """The table [n, length, size] of rows [n_rows, size], zeros where there is padding."""
        table = rows.new_zeros(math.prod(self.shape), rows.shape[1])
        return table.index_copy_(0, self.at, rows).unflatten(0, self.shape)

    def mask(self) -> Tensor:
        """True [n, 1, 1, length] where there is an item."""
        filled = torch.zeros(math.prod(self.shape), dtype=torch.bool, device=self.at.device)
        return filled.index_fill_(0, self.at, True).view(self.shape[0], 1, 1, self.shape[1])


def embed(module: nn.Module, items: Tensor, rows: Rows) -> Tensor:
    """Embedding of item and position of each row, as RecBole's transformers begin: [n_rows, hidden_size]."""
    embedded = module.item_embedding(items.flatten()[rows.at]) + module.position_embedding(rows.places)
    return dropped(module.LayerNorm(embedded), module.dropout)


def encode(encoder: nn.Module, hidden: Tensor, rows: Rows, causal: bool) -> Tensor:
    """RecBole's TransformerEncoder on packed rows [n_rows, hidden_size].

    ``causal``: each row sees itself and the rows before it in its window, which needs padding to be on the right;
    otherwise it sees its whole window.
    """
    mask = None if causal else rows.mask()
    for layer in encoder.layer:
        hidden = _feed(layer.feed_forward, _attend(layer.multi_head_attention, hidden, rows, mask))
    return hidden


def looks(encoder: nn.Module, hidden: Tensor) -> Tensor:
    """Shares [n_layers, n_heads, n_rows], each head's sum 1: what the last row of one window looks at.

    hidden: [n_rows, hidden_size], the packed rows of that window alone; attention is causal.
    """
    rows, shares = Rows(torch.arange(len(hidden), device=hidden.device), (1, len(hidden))), []
    for layer in encoder.layer:
        attention = layer.multi_head_attention
        keys = attention.key(hidden).unflatten(1, (attention.num_attention_heads, -1)).transpose(0, 1)
        asked = attention.query(hidden[-1]).unflatten(0, (attention.num_attention_heads, 1, -1))
        shares.append((asked @ keys.mT / math.sqrt(keys.shape[2])).softmax(2)[:, 0])
        hidden = _feed(layer.feed_forward, _attend(attention, hidden, rows, None))
    return torch.stack(shares)


def _attend(attention: nn.Module, hidden: Tensor, rows: Rows, mask: Tensor | None) -> Tensor:
    asked = (attention.query, attention.key, attention.value)
    weight, bias = torch.cat([part.weight for part in asked]), torch.cat([part.bias for part in asked])
    table = rows.spread(functional.linear(hidden, weight, bias))
    heads = table.unflatten(2, (3, attention.num_attention_heads, -1)).permute(2, 0, 3, 1, 4)
    share = attention.attn_dropout.p if attention.training else 0.0
    context = functional.scaled_dot_product_attention(*heads, mask, dropout_p=share, is_causal=mask is None)
    output = attention.dense(rows.pack(context.transpose(1, 2).flatten(2)))
    return attention.LayerNorm(dropped(output, attention.out_dropout) + hidden)


def _feed(feed: nn.Module, hidden: Tensor) -> Tensor:
    exact = feed.intermediate_act_fn == feed.gelu  # RecBole writes it out; torch's, one operation, is the same
    inner = (functional.gelu if exact else feed.intermediate_act_fn)(feed.dense_1(hidden))
    return feed.LayerNorm(dropped(feed.dense_2(inner), feed.dropout) + hidden)


def dropped(values: Tensor, dropout: nn.Dropout) -> Tensor:
    """What ``dropout`` makes of values, from cheaper random numbers on the CPU; the share is rounded to 1/65,536."""
    if not dropout.training or not dropout.p or values.is_cuda:
        return dropout(values)
    kept = _bits(values.shape) >= round(dropout.p * 2**BITS) - 2 ** (BITS - 1)
    return values * kept.to(values.dtype).div_(1 - dropout.p)


def _bits(shape: torch.Size) -> Tensor:
    """Integers of 16 random bits each, cut out of 64."""
    count = math.prod(shape)
    drawn = torch.empty(-(-count * BITS // 64), dtype=torch.int64).random_(LOWEST, None)
    return drawn.view(torch.int16)[:count].view(shape)
