"""Ratings divided into train, validation and test, hashed and kept; the protocols themselves are in ``protocols``."""

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Sequence
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
from aicine_utils.protocols import LEFT_OUT, PROTOCOLS, TEST, TRAIN, VALID, time_order
from aicine_utils.settings import data_dir


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

    def divided(self, train: pd.DataFrame, valid: pd.DataFrame) -> "Split":
        """The same users, movies and test, with other training and validation ratings."""
        other = replace(self, train=train, valid=valid)
        vars(other).update(user_ids=self.user_ids, movie_ids=self.movie_ids)  # not only those of the parts
        return other

    def stars_at(self, share: float) -> float:
        """Stars at a place on the rating scale: 0 its lowest, 1 its highest, ``LIKED`` where liking begins."""
        return stars_at(self.info["rating_scale"], share)

    def rated_from(self, share: float) -> pd.DataFrame:
        """The training ratings from this place on the rating scale up."""
        return self.train[self.train[c.RATING] >= self.stars_at(share)]

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


def stars_at(scale: Sequence[float], share: float) -> float:
    """Stars at a place on a scale [low, high]: 4.0 for [1, 5] and .75."""
    low, high = scale
    return low + share * (high - low)


def make(data: MovieLens, protocol: str = "user_temporal") -> Split:
    """Divide ``data`` by one of :data:`PROTOCOLS`; the labels are also kept below ``data/splits/``, so that a
    run elsewhere can show that it used the same.

    Raises AicineError for an unknown protocol, or when nothing is left to train on or to test with.
    """
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    chosen = PROTOCOLS[protocol]
    return divide(data, chosen.assign(data.ratings), protocol, chosen.refits, chosen.relevant_from)


def divide(data: MovieLens, labels: np.ndarray, protocol: str, refits: bool, relevant_from: float) -> Split:
    """The split that ``labels`` [n_ratings] make of ``data``; ``protocol`` is its name in files and messages.

    Raises AicineError when nothing is left to train on or to test with, or nobody can have liked anything.
    """
    parts = {part: _part(data.ratings, labels, part) for part in (TRAIN, VALID, TEST)}
    if parts[TRAIN].empty or parts[TEST].empty:
        raise AicineError(
            f"{data.name}: protocol {protocol} leaves {len(parts[TRAIN]):,} ratings to train on and "
            f"{len(parts[TEST]):,} to test with. "
            "Users need at least 5 ratings, and a cut in time different times; use another protocol."
        )
    liked, highest = stars_at(data.info["rating_scale"], relevant_from), data.ratings[c.RATING].max()
    if highest < liked:
        raise AicineError(
            f"{data.name}: no rating reaches {liked:g} stars, from which on a film counts as liked; the highest is "
            f"{highest:g}. If the stars are on another scale, name it: --rating-scale 0 {highest:g}."
        )
    digest = hashlib.sha256(f"{data.info['fingerprint']}{protocol}".encode() + labels.tobytes()).hexdigest()[:12]
    info = {"dataset": data.name, "rating_scale": data.info["rating_scale"], **_counts(labels, parts)}
    _keep(data.name, protocol, digest, labels, info)
    return Split(parts[TRAIN], parts[VALID], parts[TEST], protocol, info, digest, data.movies, data.users,
                 refits, stars_at(data.info["rating_scale"], relevant_from))  # fmt: skip


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
