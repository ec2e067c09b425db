"""Five protocols: functions from ratings to one label a rating, TRAIN, VALID, TEST or LEFT_OUT.

Everything is sorted stably by (user, timestamp, original row) first: half of MovieLens' neighbouring ratings carry the
same second. In the grids below a row is a user, time runs to the right: ``.`` train, ``v`` validation, ``T`` test,
blank left out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aicine_utils import columns as c

LEFT_OUT, TRAIN, VALID, TEST = -1, 0, 1, 2
RECBOLE_SEED = 2020
FEWEST = 5  # ratings of a user of whom one is validation: with fewer, none is test either
LIKED = 0.75  # place on the scale from which a rating says "liked": 4 of 1-5, 8 of 1-10


@dataclass(frozen=True)
class Protocol:
    """How a protocol labels ratings, and how its test is read: ``relevant_from`` is a place on the rating scale."""

    assign: Callable[[pd.DataFrame], np.ndarray]
    refits: bool
    relevant_from: float


def time_order(ratings: pd.DataFrame) -> np.ndarray:
    """Row numbers sorted stably by (user, timestamp, original row)."""
    return np.lexsort((ratings[c.TIMESTAMP].to_numpy(), ratings[c.USER].to_numpy()))


def _places(ratings: pd.DataFrame, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row in ``order``: its place within its user (from 0), and how many rows that user has."""
    users = ratings[c.USER].to_numpy()[order]
    _, first, inverse, count = np.unique(users, return_index=True, return_inverse=True, return_counts=True)
    return np.arange(len(users)) - first[inverse], count[inverse]


def user_temporal(ratings: pd.DataFrame, test: float = 0.2, valid: float = 0.1) -> np.ndarray:
    """Each user's last 20 % are test, the 10 % before that validation, one at least for users with 5 ratings.

    ::

        user 1  . . . . . . . v T T
        user 2      . . . . . . . . . . . . . . v v T T T T
        user 3                    . . . v T
        user 4                    . . . .

    Without that least one, data of people with fewer than 10 ratings each would have nothing to choose settings by.
    """
    order = time_order(ratings)
    place, count = _places(ratings, order)
    n_test = np.floor(count * test)
    n_valid = np.maximum(np.floor(count * valid), count >= FEWEST)
    labels = np.full(len(ratings), TRAIN, np.int8)
    labels[order] = np.select([place >= count - n_test, place >= count - n_test - n_valid], [TEST, VALID], TRAIN)
    return labels


def global_temporal(ratings: pd.DataFrame, test: float = 0.9, valid: float = 0.8) -> np.ndarray:
    """Two cuts in time, at 80 % and 90 % of all ratings: what a model in service would see.

    ::

        user 1  . . . . . .    |    |
        user 2      . . . . .  | v  | T T
        user 3                 |  v | T T T   (new after the cut: has no history)
    """
    seconds = ratings[c.TIMESTAMP].to_numpy("datetime64[s]").astype(np.int64)
    cut_valid, cut_test = np.quantile(seconds, [valid, test], method="lower")
    return np.select([seconds > cut_test, seconds > cut_valid], [TEST, VALID], TRAIN).astype(np.int8)


def k_core(ratings: pd.DataFrame, k: int, keep: np.ndarray | None = None) -> np.ndarray:
    """Mask of the rows left when users and movies with fewer than ``k`` ratings are removed until none is left."""
    keep = np.ones(len(ratings), bool) if keep is None else keep.copy()
    codes = [pd.factorize(ratings[name])[0] for name in (c.USER, c.MOVIE)]
    while True:
        counts = [np.bincount(code[keep], minlength=code.max(initial=-1) + 1) for code in codes]
        rare = keep & ((counts[0][codes[0]] < k) | (counts[1][codes[1]] < k))
        if not rare.any():
            return keep
        keep &= ~rare


def _last_two(ratings: pd.DataFrame, keep: np.ndarray) -> np.ndarray:
    """The last kept row of each user is test, the last but one validation."""
    labels = np.full(len(ratings), LEFT_OUT, np.int8)
    rows = np.flatnonzero(keep)
    order = rows[time_order(ratings.iloc[rows])]
    place, count = _places(ratings, order)
    labels[order] = np.select([place == count - 1, place == count - 2], [TEST, VALID], TRAIN)
    return labels


def leave_one_out(ratings: pd.DataFrame) -> np.ndarray:
    """5-core of all ratings; each user's last is test, the last but one validation (the sequential literature).

    ::

        user 1  . . . . . . v T
        user 2      . . . v T
    """
    return _last_two(ratings, k_core(ratings, 5))


def recbole_sequential(ratings: pd.DataFrame) -> np.ndarray:
    """As ``leave_one_out``, on ratings of at least 3 and their 10-core (S-LOO-RB, RecBole's sequential table).

    RecBole scales times to 0…1 and holds them in 32 bits, which can't tell some neighbouring seconds apart; rounded
    alike, the parts equal its own to the row.
    """
    keep = _recbole_core(ratings)
    seconds = ratings[c.TIMESTAMP].to_numpy("datetime64[s]").astype(np.int64).astype(np.float64)
    low, high = seconds[keep].min(initial=np.inf), seconds[keep].max(initial=-np.inf)
    scaled = ((seconds - low) / max(high - low, 1.0)).astype(np.float32)
    return _last_two(ratings.assign(**{c.TIMESTAMP: scaled}), keep)


def recbole_general(ratings: pd.DataFrame) -> np.ndarray:
    """Random 8:1:1 within each user, on ratings of at least 3 and their 10-core (G-RS, RecBole's general table).

    ::

        user 1  . T . . v . . . . .
        user 2      . . v . . . T . . .

    The shuffle is torch's, seeded as RecBole seeds it, so the parts equal RecBole's own to the row.
    """
    import torch  # only here: the order of RecBole's shuffle can't be had from numpy

    rows = np.flatnonzero(_recbole_core(ratings))
    generator = torch.Generator().manual_seed(RECBOLE_SEED)
    shuffled = rows[torch.randperm(len(rows), generator=generator).numpy()]
    users = ratings[c.USER].to_numpy()[shuffled]
    order = shuffled[np.argsort(users, kind="stable")]
    place, count = _places(ratings, order)
    n_test, n_valid = (count * 0.1).astype(int), (count * 0.1).astype(int)
    n_train = count - n_test - n_valid
    labels = np.full(len(ratings), LEFT_OUT, np.int8)
    labels[order] = np.select([place < n_train, place < n_train + n_valid], [TRAIN, VALID], TEST)
    return labels


def _recbole_core(ratings: pd.DataFrame) -> np.ndarray:
    return k_core(ratings, 10, keep=ratings[c.RATING].to_numpy() >= 3)


PROTOCOLS = {
    "user_temporal": Protocol(user_temporal, refits=True, relevant_from=LIKED),
    "global_temporal": Protocol(global_temporal, refits=True, relevant_from=LIKED),
    "leave_one_out": Protocol(leave_one_out, refits=False, relevant_from=0.0),
    "recbole_general": Protocol(recbole_general, refits=False, relevant_from=0.0),
    "recbole_sequential": Protocol(recbole_sequential, refits=False, relevant_from=0.0),
}
