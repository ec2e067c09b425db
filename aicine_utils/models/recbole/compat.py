"""What RecBole 1.2.1 needs to run on today's libraries. Every mend is here, and has a test that fails without it.

RecBole is imported below this package only; its ``quick_start``, which needs ray, is never imported.
"""

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from scipy import sparse

# Names that left NumPy (Config reads the first three), and those that Config writes into it for the library to use.
NUMPY_NAMES = {
    "float_": np.float64, "complex_": np.complex128, "unicode_": np.str_,
    "bool": np.bool_, "int": np.int_, "float": np.float64, "complex": np.complex128,
    "object": np.object_, "str": np.str_, "long": np.int_, "unicode": np.str_,
}  # fmt: skip


@contextlib.contextmanager
def mended() -> Iterator[None]:
    """Inside, RecBole finds what today's libraries no longer have; afterwards everything is as it was.

    NumPy: its old names. ``sys.argv``: the program's name alone, since Config reads settings from the command line.
    SciPy: ``dok_matrix._update``, with which LightGCN, NGCF and others fill their graphs. torch: ``load`` reads whole
    objects, as the trainer and RaCT expect of files that they wrote themselves; importing one of RecBole's models turns
    anomaly detection on for the whole process, which costs a third of every later step. The environment: Config sets
    CUDA_VISIBLE_DEVICES.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_replaced(np, **NUMPY_NAMES))
        stack.enter_context(_replaced(sys, argv=sys.argv[:1] or [""]))
        stack.enter_context(_replaced(sparse.dok_matrix, _update=_fill))
        stack.enter_context(_replaced(torch, load=functools.partial(torch.load, weights_only=False)))
        stack.enter_context(torch.autograd.set_detect_anomaly(torch.is_anomaly_enabled()))
        stack.enter_context(mock.patch.dict(os.environ))
        yield


@contextlib.contextmanager
def stock(folder: Path) -> Iterator[None]:
    """:func:`mended` for RecBole's own trainer, which writes ``saved/``, ``log/`` and ``log_tensorboard/`` wherever it
    stands: inside, that is ``folder``.
    """
    with mended(), contextlib.chdir(folder):
        yield


def config(model: str, params: dict[str, Any]) -> Any:
    """RecBole's Config of one of its models: the library's defaults, then ``params``; no file of ours is read."""
    with mended():
        from recbole.config import Config

        quiet = {"show_progress": False, "state": "ERROR", "worker": 0}
        return Config(model=model, dataset="none", config_dict={**quiet, **params})


@contextlib.contextmanager
def _replaced(owner: Any, **values: Any) -> Iterator[None]:
    """``owner`` has these attributes inside, and its own afterwards."""
    own = {name: vars(owner)[name] for name in values if name in vars(owner)}
    for name, value in values.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name in values:
            setattr(owner, name, own[name]) if name in own else delattr(owner, name)


def _fill(matrix: sparse.dok_matrix, cells: dict[tuple[int, int], Any]) -> None:
    """What ``dok_matrix._update`` was: cells set without a check of each."""
    matrix._dict.update(cells)
