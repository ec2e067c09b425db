"""What users watched, as sequences: cut into windows for training, and their ends for scoring.

::

    watched  A B C D E F            windows of four:
    inputs   begin A B C     D E -  -
    to learn A     B C D     E F -  -        (``-`` is padding and has no loss)
"""

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.protocols import time_order
from aicine_utils.splits import Split


def sequences(split: Split, ratings: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of watched movies, all users one after another in order of time; where each user starts; the stars.

    The user at row u has ``watched[starts[u]:starts[u + 1]]``.
    """
    rows = ratings.iloc[time_order(ratings)]
    watched = np.searchsorted(split.movie_ids, rows[c.MOVIE].to_numpy())
    starts = np.searchsorted(rows[c.USER].to_numpy(), np.append(split.user_ids, split.user_ids[-1] + 1))
    return watched, starts, rows[c.RATING].to_numpy()


def windows(watched: np.ndarray, starts: np.ndarray, length: int, n_movies: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [n, length] of the windows that cover every sequence once, and the rows of ``watched`` to predict.

    A window begins with what came before it: ``n_movies + 1`` at the beginning of a sequence. Padding is ``n_movies``
    in the inputs and ``len(watched)`` in the rows.
    """
    counts = np.diff(starts)
    place, end = np.arange(len(watched)) - np.repeat(starts[:-1], counts), np.repeat(starts[1:], counts)
    first = np.flatnonzero(place % length == 0)
    rows = first[:, None] + np.arange(length)
    rows = np.where(rows < end[first][:, None], rows, len(watched))
    before = np.where(place[first] == 0, n_movies + 1, watched[first - 1])
    return np.column_stack([before, np.append(watched, n_movies)[rows[:, :-1]]]), rows


def cut(starts: np.ndarray, length: int, offsets: np.ndarray) -> np.ndarray:
    """Windows over the steps from one movie to the next, [n, length] rows of ``watched``; -1 is padding on the right.

    A row r stands for the step from ``watched[r]`` to ``watched[r + 1]`` of the same user; every step is in one window.
    ``offsets`` [n_users], from 0 to ``length - 1``, shift where a user's windows begin, so that another pass may read
    the same step with another past::

        steps   AB BC CD DE EF      windows of three, offset 1:  AB BC -   CD DE EF
    """
    counts = np.maximum(np.diff(starts) - 1, 0)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = step + np.repeat(starts[:-1], counts)
    begins = np.flatnonzero((step == 0) | ((step + np.repeat(offsets, counts)) % length == 0))
    sizes = np.diff(np.append(begins, len(rows)))
    place = np.arange(length)
    return np.where(place < sizes[:, None], rows[begins][:, None] + place, -1)


def ends(starts: np.ndarray, users: np.ndarray, length: int) -> np.ndarray:
    """Rows of ``watched`` with the last ``length`` movies of each user, [n, longest]; -1 is padding on the right."""
    used = np.minimum(starts[users + 1] - starts[users], length)
    place = np.arange(used.max(initial=1))
    return np.where(place < used[:, None], (starts[users + 1] - used)[:, None] + place, -1)


def tails(
    watched: np.ndarray, starts: np.ndarray, users: np.ndarray, length: int, n_movies: int
) -> tuple[np.ndarray, np.ndarray]:
    """The last inputs of each user, at most ``length``, padded on the right; and how many there are.

    As in :func:`windows` a sequence begins with ``n_movies + 1``.
    """
    start, end = starts[users][:, None], starts[users + 1][:, None]
    used = np.minimum(end - start + 1, length)
    place = np.arange(used.max(initial=1))
    rows = end - used + place
    inputs = np.where(rows < start, n_movies + 1, np.append(watched, n_movies).take(rows, mode="clip"))
    return np.where(place < used, inputs, n_movies), used[:, 0]
