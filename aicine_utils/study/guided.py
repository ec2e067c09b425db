"""A guided start: which ten movies should a service ask a new person about?

A person can answer for movies that they watched before they came: the earlier half of their ratings. What they watched
later is what the lists should find, so whatever is asked, all lists are measured against the same movies. EASE's scores
are a sum over the history, so an answer adds a row of its weights; the most liked movies stand behind it
(:func:`cold.backed`), as at a service that knows nothing yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.metrics import ranking
from aicine_utils.models.base import top_columns
from aicine_utils.models.linear import EASE
from aicine_utils.splits import Split
from aicine_utils.study import cold

QUESTIONS = 10
POOL = 200  # questions are chosen among the movies most rated in training
CHOOSERS = 500  # people at most on whom questions are chosen
DRAWS = 10  # random choices whose mean is taken
PAIRS = 1024  # (person, question) pairs scored at a time
GREEDY, POPULAR, RANDOM = "Chosen by gain", "Most rated", "At random"


@dataclass(frozen=True)
class Room:
    """Hidden people who are asked about movies, and what EASE makes of their answers so far.

    answers: bool CSR [n_users, n_movies], what they would say yes to; seen: CSR, what no list may hold; wanted: bool
    [n_users, n_movies]; scores: float32 [n_users, n_movies] from ``n`` [n_users] answers.
    """

    model: EASE
    popular: np.ndarray
    user_ids: np.ndarray
    answers: sparse.csr_matrix
    seen: sparse.csr_matrix
    wanted: np.ndarray
    scores: np.ndarray
    n: np.ndarray

    @classmethod
    def of(cls, model: EASE, split: Split, users: np.ndarray) -> Self:
        """People of ``users`` who want something that training knows; none of them has been asked anything."""
        wanted = split.matrix(split.test[split.test[c.RATING] >= split.min_relevant]).toarray() > 0
        rows = np.flatnonzero(np.isin(split.user_ids, users) & wanted.any(axis=1))
        liked = split.valid[split.valid[c.RATING] >= split.stars_at(model.params["liked"])]
        start = np.zeros((len(rows), len(split.movie_ids)), np.float32)
        popular = cold.Newcomers(split).popular
        return cls(model, popular, split.user_ids[rows], split.matrix(liked)[rows], split.matrix(split.valid)[rows],
                   wanted[rows], start, np.zeros(len(rows), np.int64))  # fmt: skip

    def ask(self, column: int) -> Self:
        """After everybody has been asked about the movie in this column."""
        yes = self.answers[:, [column]].toarray().ravel() > 0
        return replace(self, scores=self.scores + yes[:, None] * self.model.weights_[column], n=self.n + yes)

    def ndcg(self) -> np.ndarray:
        """NDCG@10 of everyone's list now, [n_users]."""
        everyone = np.arange(len(self.n))
        parts = np.split(everyone, np.arange(PAIRS, len(everyone), PAIRS))
        return np.concatenate([self._ndcg(rows, self.scores[rows], self.n[rows]) for rows in parts])

    def _ndcg(self, rows: np.ndarray, scores: np.ndarray, n: np.ndarray) -> np.ndarray:
        scores = cold.backed(scores, n, self.popular, self.model.known_)
        scores[:, ~self.model.known_] = -np.inf
        seen = self.seen[rows].tocoo()
        scores[seen.row, seen.col] = -np.inf
        hits = self.wanted[rows[:, None], top_columns(scores, cold.K)]
        return ranking.ndcg(hits, self.wanted[rows].sum(axis=1), cold.K)

    def gains(self, columns: np.ndarray) -> np.ndarray:
        """What asking about each movie would add to the mean NDCG@10, [len(columns)].

        Only those who would say yes get another list, so their (person, question) pairs alone are scored.
        """
        pairs = self.answers[:, columns].tocoo()
        now, total = self.ndcg(), np.zeros(len(columns))
        for part in np.split(np.arange(pairs.nnz), np.arange(PAIRS, pairs.nnz, PAIRS)):
            rows, asked = pairs.row[part], pairs.col[part]
            scores = self.scores[rows] + self.model.weights_[columns[asked]]
            gained = self._ndcg(rows, scores, self.n[rows] + 1) - now[rows]
            total += np.bincount(asked, gained, minlength=len(columns))
        return total / len(self.n)


def pool(model: EASE, split: Split, size: int = POOL) -> np.ndarray:
    """Columns of the movies with the most training ratings, most first; ties go to the smaller movie_id."""
    views = np.asarray(split.matrix(split.train).sum(axis=0)).ravel()
    return np.argsort(-views, kind="stable")[: min(size, int(model.known_.sum()))]


def choose(room: Room, columns: np.ndarray, n: int = QUESTIONS) -> pd.DataFrame:
    """Greedy: each question is the one whose answer adds most to the mean NDCG@10 of the people in the room.

    Returns question (from 1), movie_id, gain, answered (share of the people who say yes). At equal gains the earlier
    of ``columns`` is asked.
    """
    rows = []
    for question in range(1, min(n, len(columns)) + 1):
        gains = room.gains(columns)
        best = int(gains.argmax())
        answered = float((room.answers[:, [columns[best]]].toarray() > 0).mean())
        rows.append((question, int(room.model.movie_ids_[columns[best]]), float(gains[best]), answered))
        room, columns = room.ask(int(columns[best])), np.delete(columns, best)
    return pd.DataFrame(rows, columns=["question", c.MOVIE, "gain", "answered"])


def measure(room: Room, columns: Sequence[int]) -> pd.DataFrame:
    """asked (from 0), movie_id (asked last, 0 before the first), user_id, value (NDCG@10), answers; in this order."""
    parts = []
    for asked, column in enumerate([None, *columns]):
        room = room if column is None else room.ask(int(column))
        movie = 0 if column is None else int(room.model.movie_ids_[column])
        own = {c.USER: room.user_ids, c.VALUE: room.ndcg(), "answers": room.n}
        parts.append(pd.DataFrame({"asked": asked, c.MOVIE: movie, **own}))
    return pd.concat(parts, ignore_index=True)


def sides(split: Split, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The hidden users in two halves: those on whom questions are chosen, and those on whom they are measured."""
    users = np.unique(split.test[c.USER])
    order = np.random.default_rng(seed).permutation(users)
    return np.sort(order[: len(users) // 2][:CHOOSERS]), np.sort(order[len(users) // 2 :])


def compare(split: Split, seed: int = 0, questions: int = QUESTIONS) -> pd.DataFrame:
    """Questions chosen by gain, by popularity and at random, measured on people who had no part in the choice.

    ``split`` comes from :func:`cold.hide_users` with a share told. Returns choice and the columns of :func:`measure`;
    random choices are the mean of 10 draws from the same pool and name no movie (0).
    """
    model = cold.fitted(["ease"], split)["ease"]
    choosers, others = (Room.of(model, split, users) for users in sides(split, seed))
    columns, rng = pool(model, split), np.random.default_rng(seed)
    chosen = choose(choosers, columns, questions)[c.MOVIE]
    draws = [measure(others, rng.permutation(columns)[:questions]) for _ in range(DRAWS)]
    random = pd.concat(draws).groupby(["asked", c.USER], as_index=False)[[c.VALUE, "answers"]].mean()
    tables = {
        GREEDY: measure(others, np.searchsorted(model.movie_ids_, chosen)),
        POPULAR: measure(others, columns[:questions]),
        RANDOM: random.assign(**{c.MOVIE: 0}),
    }
    return pd.concat([table.assign(choice=choice) for choice, table in tables.items()], ignore_index=True)
