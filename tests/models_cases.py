"""Small splits for the tests of models, and the checks that every model must pass."""

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.splits import Split

DAY = 86_400


def ratings(rows):
    """Rows of (user, movie, stars) or (user, movie, stars, day) as a table of ratings."""
    frame = pd.DataFrame([(*row, 0) if len(row) == 3 else row for row in rows], columns=c.RATINGS)
    when = pd.to_datetime(frame[c.TIMESTAMP] * DAY, unit="s").astype("datetime64[s]")
    frame = frame.astype({c.USER: np.int64, c.MOVIE: np.int64}).assign(**{c.TIMESTAMP: when})
    return frame.assign(**{c.RATING: frame[c.RATING].astype(np.float32)})


def split_of(train, test=(), movies=None, users=None):
    """A split with these training and test rows; movies are (id, title, year, genres)."""
    train, test = ratings(train), ratings(test)
    ids = np.unique([*train[c.MOVIE], *test[c.MOVIE]])
    movies = movies or [(movie, f"Film {movie}", 2000, ["Drama"]) for movie in ids]
    table = pd.DataFrame(movies, columns=c.MOVIES).astype({c.YEAR: "Int16"})
    info = {"dataset": "tiny", "rating_scale": [1, 5]}
    return Split(train, train.iloc[:0], test, "user_temporal", info, "tiny", table, users)


def stays_the_same(model, split, folder):
    """Saved and loaded scores are equal to the bit, one user's equal those in a crowd, and seen movies stay out."""
    whole = model.score(split.user_ids)
    assert whole.shape == (len(split.user_ids), len(split.movie_ids))
    assert whole.dtype == np.float32
    assert np.isfinite(whole).all()
    model.save(folder)
    loaded = type(model).load(folder)
    assert np.array_equal(loaded.score(split.user_ids), whole)
    assert loaded.n_parameters == model.n_parameters
    np.testing.assert_allclose(model.score(split.user_ids[[3, 1]]), whole[[3, 1]], atol=1e-5)
    lists = loaded.recommend(split.user_ids, k=5)
    assert not lists.merge(split.train, on=[c.USER, c.MOVIE]).size
    assert set(lists[c.MOVIE]) <= set(split.train[c.MOVIE])
