"""What RecBole's models ask of its Dataset, answered from a sparse matrix.

RecBole counts users and movies from 1; 0 is padding. So row u of our matrices is its user u + 1, column i its item
i + 1, and its tables have one row more than ours.
"""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

USER, ITEM = "user_id", "item_id"  # RecBole's own names of the fields


class Ratings:
    """Training ratings [n_users, n_movies], ones where watched, in the shape that RecBole's models expect."""

    def __init__(self, seen: sparse.csr_matrix) -> None:
        self.seen = seen
        self.user_num, self.item_num = seen.shape[0] + 1, seen.shape[1] + 1

    def num(self, field: str) -> int:
        """Users or items, padding included."""
        return {USER: self.user_num, ITEM: self.item_num}[field]

    def inter_matrix(self, form: str = "coo", value_field: str | None = None) -> sparse.spmatrix:
        """Ones [user_num, item_num], "coo" or "csr"."""
        found = self.seen.tocoo()
        shape = (self.user_num, self.item_num)
        return sparse.coo_matrix((found.data, (found.row + 1, found.col + 1)), shape).asformat(form)

    def history_item_matrix(
        self, value_field: str | None = None, max_history_len: int | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Items [user_num, longest] watched by each user, ones beside them (0 where padding), and how many there are.

        With ``max_history_len`` a longer history is cut to so many, evenly spaced.
        """
        counts = np.concatenate([[0], np.diff(self.seen.indptr)])
        kept = np.minimum(counts, max_history_len or counts.max())
        place = np.arange(kept.max(initial=1))
        inside = place < kept[:, None]
        at = place * counts[:, None] // np.maximum(kept, 1)[:, None]
        starts = np.concatenate([[0], self.seen.indptr[:-1]])
        columns = np.append(self.seen.indices, 0)  # one more, for whoever has nothing
        items = np.where(inside, columns.take(starts[:, None] + at, mode="clip") + 1, 0)
        return torch.from_numpy(items), torch.from_numpy(inside.astype(np.float32)), torch.from_numpy(kept)
