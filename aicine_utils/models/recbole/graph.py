"""Sparse products in torch whose gradients are sparse products too."""

import warnings
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from aicine_utils.models.neural.training import device


def to_torch(matrix: sparse.csr_matrix) -> Tensor:
    """The same matrix as float32 in torch's CSR layout."""
    parts = (torch.from_numpy(matrix.indptr), torch.from_numpy(matrix.indices))
    values = torch.from_numpy(matrix.data.astype(np.float32))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse", UserWarning)  # a beta, and unchecked: SciPy's arrays are in order
        return torch.sparse_csr_tensor(*parts, values, matrix.shape).to(device())


class Product(torch.autograd.Function):
    """``matrix @ dense`` for constant CSR ``matrix`` and its transpose; torch would transpose it at every step."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="cuda", cast_inputs=torch.float32)  # autocast knows no sparse products
    def forward(ctx: Any, matrix: Tensor, transposed: Tensor, dense: Tensor) -> Tensor:
        """``matrix @ dense``."""
        ctx.transposed = transposed
        return matrix @ dense

    @staticmethod
    @torch.amp.custom_bwd(device_type="cuda")
    def backward(ctx: Any, outer: Tensor) -> tuple[None, None, Tensor]:
        """The gradient by ``dense``."""
        return None, None, ctx.transposed @ outer.contiguous()
