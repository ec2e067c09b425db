"""Five protocols that divide ratings into train, validation and test.

A protocol is a function from ratings to one label a rating: TRAIN, VALID, TEST or LEFT_OUT. Everything is sorted
stably by (user, timestamp, original row) first: half of MovieLens' neighbouring ratings carry the same second.
In the grids below a row is a user, time runs to the right: ``.`` train, ``v`` validation, ``T`` test, blank left out.
"""

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import AicineError, unknown
from aicine_utils.settings import data_dir

LEFT_OUT, TRAIN, VALID, TEST = -1, 0, 1, 2
RECBOLE_SEED = 2020
LIKED = 0.75  # place on the scale from which a rating says "liked": 4 of 1-5, 8 of 1-10


@dataclass(frozen=True)
class Split:
    """Ratings divided by one protocol, with the features that models may use.

    train, valid, test: user_id, movie_id, rating, timestamp; sorted by user and time; no (user, movie) in two parts.
    refits: whether the final model learns from train and validation together (see :meth:`for_test`).
    min_relevant: a test rating of so many stars or more is relevant.
    """

    train: pd.DataFrame
    valid: pd.DataFrame
    test: pd.DataFrame
    protocol: str
    info: dict[str, Any]
    hash: str
    movies: pd.DataFrame
    users: pd.DataFrame | None
    refits: bool = True
    min_relevant: float = 4.0

    @cached_property
    def user_ids(self) -> np.ndarray:
        """All users of the split, ascending; row i of every matrix is ``user_ids[i]``."""
        return np.unique(np.concatenate([p[c.USER].to_numpy() for p in (self.train, self.valid, self.test)]))

    @cached_property
    def movie_ids(self) -> np.ndarray:
        """All movies of the split, ascending; column j of every matrix is ``movie_ids[j]``."""
        return np.unique(np.concatenate([p[c.MOVIE].to_numpy() for p in (self.train, self.valid, self.test)]))

    @property
    def history(self) -> pd.DataFrame:
        """What is known of each user before the test: train and validation. Never recommended again."""
        parts = pd.concat([self.train, self.valid], ignore_index=True)
        return parts.sort_values([c.USER, c.TIMESTAMP], kind="stable", ignore_index=True)

    def matrix(self, part: pd.DataFrame, values: str = "ones") -> sparse.csr_matrix:
        """``part`` as float32 [n_users, n_movies]; ``values`` is "ones" or "ratings"."""
        rows = np.searchsorted(self.user_ids, part[c.USER].to_numpy())
        cols = np.searchsorted(self.movie_ids, part[c.MOVIE].to_numpy())
        cell = part[c.RATING].to_numpy(np.float32) if values == "ratings" else np.ones(len(part), np.float32)
        return sparse.csr_matrix((cell, (rows, cols)), shape=(len(self.user_ids), len(self.movie_ids)))

    def stars_at(self, share: float) -> float:
        """Stars at a place on the rating scale: 0 its lowest, 1 its highest, ``LIKED`` where liking begins."""
        return stars_at(self.info["rating_scale"], share)

    def relevant(self, part: pd.DataFrame) -> pd.DataFrame:
        """user_id, movie_id of the relevant rows of ``part``."""
        return part.loc[part[c.RATING] >= self.min_relevant, [c.USER, c.MOVIE]]

    def for_validation(self) -> "Split":
        """The split that tuning sees: measured on validation, the test ratings gone from it."""
        nothing = self.test.iloc[:0]
        return replace(self, test=self.valid, valid=nothing, hash=f"{self.hash}-valid", refits=False)

    def for_test(self) -> "Split":
        """The split that the final model is fitted on: train and validation together where the protocol refits."""
        if not self.refits or self.valid.empty:
            return self
        return replace(self, train=self.history, valid=self.valid.iloc[:0])


@dataclass(frozen=True)
class Protocol:
    """How a protocol labels ratings, and how its test is read: ``relevant_from`` is a place on the rating scale."""

    assign: Callable[[pd.DataFrame], np.ndarray]
    refits: bool
    relevant_from: float


def stars_at(scale: Sequence[float], share: float) -> float:
    """Stars at a place on a scale [low, high]: 4.0 for [1, 5] and .75."""
    low, high = scale
    return low + share * (high - low)


def time_order(ratings: pd.DataFrame) -> np.ndarray:
    """Row numbers sorted stably by (user, timestamp, original row)."""
    return np.lexsort((ratings[c.TIMESTAMP].to_numpy(), ratings[c.USER].to_numpy()))


def _places(ratings: pd.DataFrame, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row in ``order``: its place within its user (from 0), and how many rows that user has."""
    users = ratings[c.USER].to_numpy()[order]
    _, first, inverse, count = np.unique(users, return_index=True, return_inverse=True, return_counts=True)
    return np.arange(len(users)) - first[inverse], count[inverse]


def user_temporal(ratings: pd.DataFrame, test: float = 0.2, valid: float = 0.1) -> np.ndarray:
    """Each user's last 20 % are test, the 10 % before that validation.

    ::

        user 1  . . . . . . . v T T
        user 2      . . . . . . . . . . . . . . v v T T T T
        user 3                    . . . . T
    """
    order = time_order(ratings)
    place, count = _places(ratings, order)
    n_test, n_valid = np.floor(count * test), np.floor(count * valid)
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


def make(data: MovieLens, protocol: str = "user_temporal") -> Split:
    """Divide ``data`` by one of :data:`PROTOCOLS`; the labels are also kept below ``data/splits/``, so that a
    run elsewhere can show that it used the same.

    Raises AicineError for an unknown protocol, or when nothing is left to train on or to test with.
    """
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    chosen = PROTOCOLS[protocol]
    labels = chosen.assign(data.ratings)
    parts = {part: _part(data.ratings, labels, part) for part in (TRAIN, VALID, TEST)}
    if parts[TRAIN].empty or parts[TEST].empty:
        raise AicineError(
            f"{data.name}: protocol {protocol} leaves {len(parts[TRAIN]):,} ratings to train on and "
            f"{len(parts[TEST]):,} to test with. "
            "Users need at least 5 ratings, and a cut in time different times; use another protocol."
        )
    digest = hashlib.sha256(f"{data.info['fingerprint']}{protocol}".encode() + labels.tobytes()).hexdigest()[:12]
    info = {"dataset": data.name, "rating_scale": data.info["rating_scale"], **_counts(labels, parts)}
    _keep(data.name, protocol, digest, labels, info)
    return Split(parts[TRAIN], parts[VALID], parts[TEST], protocol, info, digest, data.movies, data.users,
                 chosen.refits, stars_at(data.info["rating_scale"], chosen.relevant_from))  # fmt: skip


def possible(data: MovieLens, protocol: str) -> bool:
    """Whether a protocol leaves something to train on and to test with: one cut in time needs different times."""
    labels = PROTOCOLS[protocol].assign(data.ratings)
    return bool((labels == TRAIN).any() and (labels == TEST).any())


def _part(ratings: pd.DataFrame, labels: np.ndarray, part: int) -> pd.DataFrame:
    rows = ratings[labels == part]
    return rows.iloc[time_order(rows)].reset_index(drop=True)


def _counts(labels: np.ndarray, parts: dict[int, pd.DataFrame]) -> dict[str, int]:
    names = {TRAIN: "n_train", VALID: "n_valid", TEST: "n_test"}
    used = pd.concat(parts.values())
    return {
        **{names[part]: len(rows) for part, rows in parts.items()},
        "n_left_out": int((labels == LEFT_OUT).sum()),
        "n_users": used[c.USER].nunique(),
        "n_movies": used[c.MOVIE].nunique(),
    }


def _keep(dataset: str, protocol: str, digest: str, labels: np.ndarray, info: dict[str, Any]) -> None:
    """Write the labels once, so that a run elsewhere can show that it used the same split."""
    folder = data_dir() / "splits" / dataset / f"{protocol}-{digest}"
    if (folder / "split.json").exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        partial = Path(place) / "split"
        partial.mkdir()
        pd.DataFrame({"part": labels}).to_parquet(partial / "parts.parquet")
        (partial / "split.json").write_text(json.dumps(info, indent=1), encoding="utf-8")
        with contextlib.suppress(OSError):  # another process made it meanwhile
            partial.rename(folder)
