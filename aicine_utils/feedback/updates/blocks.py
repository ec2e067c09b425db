"""Work on blocks of rows, on as many threads as BLAS has: numpy itself has one for all but products.

BLAS has one meanwhile, and should have one before, too: its threads spin for some hundredths of a second after each
product, in which they take the cores from ours.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import scipy.linalg  # noqa: F401 - so that its BLAS is among those below
from threadpoolctl import ThreadpoolController

BLAS = ThreadpoolController().select(user_api="blas")
THREADS = max((library["num_threads"] for library in BLAS.info()), default=1)
ROWS = 512  # of a block at most: what it needs fits into a processor's own memory


def in_blocks(work: Callable[[slice], None], rows: int) -> None:
    """Call ``work`` once for each block of so many rows; blocks must not write to the same places."""
    size = max(min(ROWS, math.ceil(rows / THREADS)), 1)
    blocks = [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
    with BLAS.limit(limits=1):
        list(_pool().map(work, blocks))  # the list raises what a block raised


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS)  # kept: to begin threads takes as long as a block
