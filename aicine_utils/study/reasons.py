"""Why a movie stands in a list, for any model: the watched movies nearest to it, and the genres that they share.

A nearness is the first of these that a model has:

- :data:`WEIGHTS`: the part that a watched movie has in the score, where a score is a sum over the history (item k-NN,
  EASE). This is how the list came about.
- :data:`VECTORS`: the model's own likeness of two movies, as its ``similar`` shows it. The model knows it, though
  its score need not go by it.
- :data:`AUDIENCE`: cosine between the people who watched the one and the other before the test,
  |A ∩ B| / √(|A| |B|). It says nothing of the model, and is there for every pair.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import inspection
from aicine_utils.errors import AicineError
from aicine_utils.models.base import Recommender, top_columns

WEIGHTS, VECTORS, AUDIENCE = "part of the score", "own likeness", "people in common"
BECAUSE = inspection.BECAUSE
NEARNESS, BY, SHARED = "nearness", "by", "shared"


def nearest(
    model: Recommender, movies: Sequence[int], watched: Sequence[int], user: int | None = None, n: int = 1,
    by: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """For each of ``movies`` the ``n`` nearest of the ``watched``: movie_id, because (a movie_id), nearness, by.

    Nearest first; what is no nearer than zero is left out. movies: of the model's; watched: any, those that the model
    does not know say nothing; user: whose history it is, if the model was trained with it; by: a nearness to use in
    place of the first that the model has, :data:`AUDIENCE` alone being there for all.
    """
    known = np.array([movie for movie in dict.fromkeys(watched) if movie in model.movie_ids_], np.int64)
    listed, at = (np.searchsorted(model.movie_ids_, ids) for ids in (np.asarray(movies, np.int64), known))
    if not len(listed) or not len(at):
        return pd.DataFrame({c.MOVIE: [], BECAUSE: [], NEARNESS: [], BY: []}).astype({c.MOVIE: int, BECAUSE: int})
    near, kind = (_audience(model, listed, at), AUDIENCE) if by == AUDIENCE else _own(model, listed, at, known, user)
    first = top_columns(near, min(n, len(at)))
    rows = np.repeat(np.asarray(movies, np.int64), first.shape[1])
    values = np.take_along_axis(near, first, 1).ravel()
    table = pd.DataFrame({c.MOVIE: rows, BECAUSE: known[first.ravel()], NEARNESS: values, BY: kind})
    return table[table[NEARNESS] > 0].reset_index(drop=True)


def _own(
    model: Recommender, listed: np.ndarray, at: np.ndarray, watched: np.ndarray, user: int | None
) -> tuple[np.ndarray, str]:
    """The model's first nearness, float [len(listed), len(at)], and its kind."""
    if inspection.sums_weights(model):
        return _parts(model, listed, at, watched, user), WEIGHTS
    try:
        return np.stack([np.asarray(model._similarity(column))[at] for column in listed]), VECTORS
    except AicineError:  # it has no notion of similar movies
        return _audience(model, listed, at), AUDIENCE


def _parts(model: Recommender, listed: np.ndarray, at: np.ndarray, watched: np.ndarray, user: int | None) -> np.ndarray:
    """Parts [len(listed), len(at)] of all positive weights in the score of each listed movie; zeros where none is."""
    read = model.histories_matrix([watched]) if user is None else model.histories_[model.rows_of([user])]
    weights = inspection.contributions(model, read[np.zeros(len(listed), int)], listed)
    total = np.asarray(weights.sum(axis=1))
    return np.divide(weights[:, at].toarray(), total, out=np.zeros((len(listed), len(at))), where=total > 0)


def _audience(model: Recommender, listed: np.ndarray, at: np.ndarray) -> np.ndarray:
    """|A ∩ B| / √(|A| |B|), [len(listed), len(at)]; zeros for a movie that nobody watched."""
    by_movie = model.seen_.T.tocsr()
    both, sizes = (by_movie[listed] @ by_movie[at].T).toarray(), np.diff(by_movie.indptr)
    scale = np.sqrt(np.outer(sizes[listed], sizes[at]).astype(float))
    return np.divide(both, scale, out=np.zeros(scale.shape), where=scale > 0)


def with_genres(table: pd.DataFrame, movies: pd.DataFrame) -> pd.DataFrame:
    """``table`` (movie_id, because) with ``shared``: the genres of the first that the second has too, as text."""
    genres = dict(zip(movies[c.MOVIE], movies[c.GENRES], strict=True))
    pairs = zip(table[c.MOVIE], table[BECAUSE], strict=True)
    return table.assign(**{SHARED: [", ".join(_common(genres.get(a, ()), genres.get(b, ()))) for a, b in pairs]})


def _common(first: Iterable[str], second: Iterable[str]) -> list[str]:
    second = set(second)
    return [genre for genre in first if genre in second]
