"""Work on blocks of rows, on as many threads as BLAS has: numpy itself has one for all but products.

BLAS has one meanwhile, and should have one before, too: its threads spin for some hundredths of a second after each
product, in which they take the cores from ours.
"""

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import RLock

import scipy.linalg  # noqa: F401 - so that its BLAS is among those below
from threadpoolctl import ThreadpoolController

BLAS = ThreadpoolController().select(user_api="blas")
THREADS = max((library["num_threads"] for library in BLAS.info()), default=1)
ROWS = 512  # of a block at most: what it needs fits into a processor's own memory
_alone = RLock()  # the number of threads is the whole process's: two at once would leave it at one


@contextmanager
def blas_alone() -> Iterator[None]:
    """One thread of BLAS inside, in this process."""
    with _alone, BLAS.limit(limits=1):
        yield


def in_blocks(work: Callable[[slice], None], rows: int) -> None:
    """Call ``work`` once for each block of so many rows; blocks must not write to the same places."""
    size = max(min(ROWS, math.ceil(rows / THREADS)), 1)
    blocks = [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
    with blas_alone():
        list(_pool().map(work, blocks))  # the list raises what a block raised


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS)  # kept: to begin threads takes as long as a block


if hasattr(os, "register_at_fork"):  # where processes fork, a child has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
