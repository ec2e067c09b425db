"""The interface of every model: fit on a split, score movies for users, recommend the best."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils import parameters
from aicine_utils.errors import AicineError, unknown
from aicine_utils.splits import Split

NOT_LEARNED = {"user_ids_", "movie_ids_", "seen_", "known_", "views_"}
LIST_LENGTH = 100  # movies kept for each test user
CHUNK = 128  # users scored at a time: small enough for the processor's cache


class Recommender(ABC):
    """A model with parameters ``params``, fitted by :meth:`fit`.

    A subclass names its parameters with defaults in ``defaults``, implements ``_fit(split)`` and ``_score(rows)``, and
    keeps what it learned in attributes that end with an underscore (numpy arrays, CSR matrices, numbers, strings):
    these are saved and loaded for it. Scores are higher for better movies; for a model that ``rates`` they are stars.
    Someone whose history says nothing to the model, if there is any, gets the most watched movies, unless the model
    ``serves_unknown`` people by itself.
    ``libraries`` are imported before a run's clock starts. ``ranges`` of parameters come before the rules that
    :mod:`aicine_utils.parameters` has for all models. One that ``counts_passes`` stops on validation ratings, and tells
    by ``search_outcome()`` its best value on them and the parameters that train for as many passes without them. One
    that ``refits_itself`` gets validation ratings also where the final model learns from them. ``curve`` has a row for
    each pass of a training that has passes; ``stopped_by_budget`` says whether time ended it.
    """

    rates: ClassVar[bool] = False
    serves_unknown: ClassVar[bool] = False
    counts_passes: ClassVar[bool] = False
    refits_itself: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[dict[str, Any]] = {}
    ranges: ClassVar[dict[str, parameters.Range]] = {}
    curve: list[dict[str, Any]] | None = None
    stopped_by_budget: bool = False

    def __init__(self, seed: int = 0, **params: Any) -> None:
        owner = type(self).__name__
        parameters.check(owner, "seed", seed, 0)
        for name, value in params.items():
            if name not in self.defaults:
                raise unknown(f"parameter of {owner}", name, self.defaults)
            parameters.check(owner, name, value, self.defaults[name], self.ranges.get(name))
        self.seed = seed
        self.params = {**self.defaults, **params}

    def members(self, split: Split) -> Sequence["Recommender"]:
        """The models, unfitted, that this one is made of."""
        return ()

    def fit(self, split: Split) -> Self:
        """Learn from ``split.train``. ``split.valid`` may be used to stop early, ``split.test`` never."""
        self.user_ids_, self.movie_ids_ = split.user_ids, split.movie_ids
        self.seen_ = split.matrix(split.history)
        self.views_ = np.asarray(split.matrix(split.train).sum(axis=0), np.float32).ravel()
        self.known_ = self.views_ > 0
        self.scale_ = np.asarray(split.info["rating_scale"], np.float32)
        self._fit(split)
        return self

    @abstractmethod
    def _fit(self, split: Split) -> None: ...

    @abstractmethod
    def _score(self, rows: np.ndarray) -> np.ndarray:
        """Scores [len(rows), n_movies] of the users at these rows of ``user_ids_``."""

    def score(self, users: Sequence[int]) -> np.ndarray:
        """float32 [len(users), n_movies]; columns follow ``movie_ids_``. Raises AicineError for an unknown user."""
        return np.asarray(self._score(self.rows_of(users)), np.float32)

    def iter_scores(self, users: Sequence[int], chunk: int = CHUNK) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(rows of ``user_ids_``, scores) for ``chunk`` users at a time, so that memory stays flat."""
        rows = self.rows_of(users)
        for start in range(0, len(rows), chunk):
            part = rows[start : start + chunk]
            yield part, np.asarray(self._score(part), np.float32)

    def recommend(self, users: Sequence[int], k: int = 10, exclude_seen: bool = True) -> pd.DataFrame:
        """The best ``k`` movies for each user: user_id, movie_id, rank (from 1), score.

        Candidates are the movies seen in training, minus the user's own history when ``exclude_seen``. Equal scores
        are ordered by movie_id. A user with fewer than ``k`` candidates gets a shorter list.
        """
        parts = [self.best_of(rows, scores, k, exclude_seen) for rows, scores in self.iter_scores(users)]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=c.TOPK)

    def best_of(self, rows: np.ndarray, scores: np.ndarray, k: int, exclude_seen: bool = True) -> pd.DataFrame:
        """The lists of :meth:`recommend`, from scores of the users at these rows as :meth:`iter_scores` has them."""
        scores = np.where(self.known_, scores, -np.inf)
        if not self.serves_unknown:
            # Their scores are equal or arbitrary, and a list by movie_id would pass for the model's choice.
            nothing = (np.diff(self.seen_.indptr)[rows] == 0) | self._undecided(scores)
            scores[nothing] = np.where(self.known_, self.views_, -np.inf)
        if exclude_seen:
            seen = self.seen_[rows].tocoo()
            scores[seen.row, seen.col] = -np.inf
        return ranked(scores, k, self.user_ids_[rows], self.movie_ids_)

    def _undecided(self, scores: np.ndarray) -> np.ndarray:
        """Which rows [n_rows] of ``scores`` are the same for all known movies: none of the history was read."""
        known = np.flatnonzero(self.known_)
        flat = np.ptp(scores[:, known[:: max(1, len(known) // 8)]], axis=1) == 0  # a few movies tell nearly all apart
        flat[flat] = np.ptp(scores[np.ix_(flat, known)], axis=1) == 0
        return flat

    def predict(self, pairs: pd.DataFrame) -> np.ndarray:
        """Stars, float32 [len(pairs)], for user_id and movie_id, clipped to the scale.

        Unknown users and movies get the mean that the model knows. Raises AicineError if the model does not rate.
        """
        self._must_rate()
        found = pairs[c.USER].isin(self.user_ids_).to_numpy() & pairs[c.MOVIE].isin(self.movie_ids_).to_numpy()
        stars = np.full(len(pairs), self.mean_, np.float32)
        known = pairs[found]
        users, place = np.unique(known[c.USER].to_numpy(), return_inverse=True)
        cols = np.searchsorted(self.movie_ids_, known[c.MOVIE].to_numpy())
        target, start = np.flatnonzero(found), 0
        for rows, scores in self.iter_scores(users):
            here = (place >= start) & (place < start + len(rows))
            stars[target[here]] = scores[place[here] - start, cols[here]]
            start += len(rows)
        return np.clip(stars, *self.scale_)

    def _must_rate(self) -> None:
        if not self.rates:
            raise AicineError(f"{type(self).__name__} ranks movies but does not predict stars. Use a rating model.")

    def score_histories(self, histories: Sequence[Sequence[int]]) -> np.ndarray:
        """float32 [len(histories), n_movies] for people who were not in training, from the movie_ids they watched."""
        raise AicineError(f"{type(self).__name__} can't score someone who was not in training. Use another model.")

    def similar(self, movie_id: int, k: int = 10) -> pd.DataFrame:
        """The ``k`` movies nearest to one: movie_id, rank, score."""
        column = self._column(movie_id)
        scores = np.where(self.known_, np.asarray(self._similarity(column), np.float32), -np.inf)
        scores[column] = -np.inf
        scores[scores <= 0] = -np.inf  # nothing in common is not near
        return ranked(scores[None, :], k, np.array([movie_id]), self.movie_ids_).drop(columns=c.USER)

    def _similarity(self, column: int) -> np.ndarray:
        """Nearness [n_movies] of every movie to the one in this column."""
        raise AicineError(f"{type(self).__name__} has no notion of similar movies. Use another model.")

    def histories_matrix(self, histories: Sequence[Sequence[int]]) -> sparse.csr_matrix:
        """Ones [len(histories), n_movies]; movies that the model does not know are left out."""
        rows = np.repeat(np.arange(len(histories)), [len(h) for h in histories])
        ids = np.concatenate([np.asarray(h, np.int64) for h in histories]) if len(rows) else np.empty(0, np.int64)
        known = np.isin(ids, self.movie_ids_)
        cols = np.searchsorted(self.movie_ids_, ids[known])
        shape = (len(histories), len(self.movie_ids_))
        return sparse.csr_matrix((np.ones(known.sum(), np.float32), (rows[known], cols)), shape=shape)

    def rows_of(self, users: Sequence[int]) -> np.ndarray:
        """Their rows in ``user_ids_``. Raises AicineError for an unknown user."""
        return _positions(self.user_ids_, users, "user")

    def _column(self, movie_id: int) -> int:
        return int(_positions(self.movie_ids_, [movie_id], "movie")[0])

    @property
    def n_parameters(self) -> int:
        """Numbers learned in training, the vocabulary and the users' histories aside."""
        learned = {name: value for name, value in self._state().items() if name not in NOT_LEARNED}
        return int(sum(v.nnz if sparse.issparse(v) else np.size(v) for v in learned.values()))

    def _state(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name.endswith("_")}

    def save(self, folder: Path) -> None:
        """Write the fitted model to ``folder``: ``model.json`` and ``arrays.npz``, no pickle."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays, plain, sparse_names = {}, {}, []
        for name, value in self._state().items():
            if sparse.issparse(value):
                csr = value.tocsr()
                sparse_names.append(name)
                arrays |= {f"{name}.data": csr.data, f"{name}.indices": csr.indices, f"{name}.indptr": csr.indptr,
                           f"{name}.shape": np.array(csr.shape)}  # fmt: skip
            elif isinstance(value, np.ndarray):
                arrays[name] = value
            else:
                plain[name] = value.item() if isinstance(value, np.generic) else value
        np.savez(folder / "arrays.npz", **arrays)
        header = {"class": type(self).__name__, "seed": self.seed, "params": self.params, "plain": plain}
        (folder / "model.json").write_text(json.dumps({**header, "sparse": sparse_names}), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote; scores are equal to the saved model's to the bit."""
        header = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        if header["class"] != cls.__name__:
            raise AicineError(f"{folder} holds a {header['class']}, not a {cls.__name__}. Name the right model.")
        model = cls(seed=header["seed"], **header["params"])
        with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
            state = {name: arrays[name] for name in arrays.files if "." not in name}
            for name in header["sparse"]:
                parts = tuple(arrays[f"{name}.{p}"] for p in ("data", "indices", "indptr"))
                state[name] = sparse.csr_matrix(parts, shape=tuple(arrays[f"{name}.shape"]))
        vars(model).update(state, **header["plain"])
        return model


def lists(model: Recommender, split: Split, k: int = LIST_LENGTH) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """The best ``k`` for every test user and, from the same scores, predicted stars where the model rates."""
    test = split.test
    columns = np.searchsorted(model.movie_ids_, test[c.MOVIE].to_numpy())
    rows_of_test = np.searchsorted(model.user_ids_, test[c.USER].to_numpy())
    parts, stars = [], np.empty(len(test), np.float32)
    for rows, scores in model.iter_scores(test[c.USER].unique()):
        parts.append(model.best_of(rows, scores, k))
        if model.rates:
            here = np.flatnonzero((rows_of_test >= rows[0]) & (rows_of_test <= rows[-1]))
            stars[here] = scores[np.searchsorted(rows, rows_of_test[here]), columns[here]]
    topk = pd.concat(parts, ignore_index=True)
    if not model.rates:
        return topk, None
    predictions = test[[c.USER, c.MOVIE, c.RATING]].assign(**{c.PREDICTED: np.clip(stars, *model.scale_)})
    return topk, predictions


def top_columns(scores: np.ndarray, k: int) -> np.ndarray:
    """Columns [n_rows, k] of the ``k`` largest scores of each row, best first; ties go to the smaller column.

    Score and column are packed into one int64 (the score's bits, made to sort as integers, above the column counted
    down), so that one partition settles both.
    """
    n_cols = scores.shape[1]
    bits = (np.ascontiguousarray(scores, np.float32) + np.float32(0)).view(np.int32)  # -0.0 becomes 0.0
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    keys = (ordered.astype(np.int64) << 32) | (n_cols - 1 - np.arange(n_cols, dtype=np.int64))
    top = np.argpartition(keys, n_cols - k, axis=1)[:, n_cols - k :]
    return np.take_along_axis(top, np.argsort(-np.take_along_axis(keys, top, 1), axis=1), 1)


def cosine(vectors: np.ndarray, column: int) -> np.ndarray:
    """Cosine [n] of every row of ``vectors`` with one of them; 0 where a vector is all zeros."""
    norms = np.linalg.norm(vectors, axis=1)
    dots = vectors @ vectors[column]
    return np.divide(dots, norms * norms[column], out=np.zeros_like(dots), where=norms * norms[column] > 0)


def ranked(scores: np.ndarray, k: int, user_ids: np.ndarray, movie_ids: np.ndarray) -> pd.DataFrame:
    """The ``k`` best columns of each row as user_id, movie_id, rank, score; -inf is never recommended."""
    if np.isnan(scores).any():
        raise AicineError("A model gave a score that is not a number. Check its settings (learning rate too high?).")
    k = min(k, scores.shape[1])
    top = top_columns(scores, k)
    best = np.take_along_axis(scores, top, 1)
    keep = np.isfinite(best)
    rank = np.broadcast_to(np.arange(1, k + 1, dtype=np.int32), top.shape)
    users = np.broadcast_to(np.asarray(user_ids)[:, None], top.shape)
    return pd.DataFrame({c.USER: users[keep], c.MOVIE: movie_ids[top[keep]], c.RANK: rank[keep], c.SCORE: best[keep]})


def _positions(vocabulary: np.ndarray, ids: Sequence[int], kind: str) -> np.ndarray:
    ids = np.asarray(ids)
    place = np.searchsorted(vocabulary, ids).clip(max=len(vocabulary) - 1)
    wrong = vocabulary[place] != ids
    if wrong.any():
        raise AicineError(
            f"Unknown {kind} {ids[wrong][0]}: the model was not trained with it. "
            f"Known ids run from {vocabulary[0]} to {vocabulary[-1]}."
        )
    return place
