import numpy as np
import pandas as pd
import pytest

from aicine_utils import columns as c
from aicine_utils import splits
from aicine_utils.data import datasets, labels, mock, schemas


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("AICINE_HOME", str(tmp_path))


@pytest.fixture(scope="module")
def data():
    return mock.make()


def test_load_gives_it_and_the_seed_decides(data):
    loaded = datasets.load("mock")
    assert loaded.info == data.info
    pd.testing.assert_frame_equal(loaded.ratings, data.ratings)
    assert mock.make(seed=1).info["fingerprint"] != data.info["fingerprint"]


def test_it_is_valid_data(data):
    raw = data.ratings.astype({c.RATING: "float64", c.TIMESTAMP: "int64"}).astype({c.TIMESTAMP: "float64"})
    schemas.check(raw, schemas.ratings_schema(1, 5), str, (1, 5))
    schemas.check(data.movies, schemas.movies_schema(), str, (1, 5))
    schemas.check(data.users, schemas.users_schema(), str, (1, 5))
    assert data.ratings.dtypes.astype(str).to_dict() == {
        c.USER: "int64", c.MOVIE: "int64", c.RATING: "float32", c.TIMESTAMP: "datetime64[s]"}  # fmt: skip
    assert not data.ratings.duplicated([c.USER, c.MOVIE]).any()
    assert data.ratings[c.MOVIE].isin(data.movies[c.MOVIE]).all()
    assert data.movies[c.TITLE].is_unique
    assert labels.titles(data.movies[c.TITLE])[0].equals(data.movies[c.TITLE])


def test_sizes(data):
    assert (len(data.users), len(data.movies)) == (60, 150)
    assert data.ratings[c.USER].value_counts().min() >= 20
    small = mock.make(n_users=10, n_movies=500)
    assert (len(small.users), len(small.movies), small.movies[c.TITLE].nunique()) == (10, 500, 500)


def test_movie_ids_have_gaps(data):
    assert data.movies[c.MOVIE].is_monotonic_increasing
    assert data.movies[c.MOVIE].max() > len(data.movies)


def test_popularity_has_a_long_tail(data):
    counts = data.ratings[c.MOVIE].value_counts()
    assert counts.head(30).sum() > 0.3 * counts.sum()


def test_four_and_five_stars_are_common_and_all_stars_occur(data):
    assert 0.4 < (data.ratings[c.RATING] >= 4).mean() < 0.75
    assert set(data.ratings[c.RATING]) == {1, 2, 3, 4, 5}


def test_time_runs_over_three_years_with_ties(data):
    when = data.ratings[c.TIMESTAMP]
    assert 900 < (when.max() - when.min()).days < 3 * 365
    gaps = data.ratings.groupby(c.USER)[c.TIMESTAMP].diff().dropna().dt.total_seconds()
    assert (gaps >= 0).all()
    assert (gaps == 0).mean() > 0.4
    assert (gaps > 86_400).mean() > 0.05


def test_taste_has_structure_beyond_chance(data):
    """The largest singular value after the popularity one exceeds what the same rows shuffled give."""
    watched = pd.crosstab(data.ratings[c.USER], data.ratings[c.MOVIE]).to_numpy().astype(float)
    rng = np.random.default_rng(0)
    chance = np.array([rng.permutation(row) for row in watched])
    values = [np.linalg.svd(m - m.mean(0), compute_uv=False)[0] for m in (watched, chance)]
    assert values[0] > 1.2 * values[1]


def test_every_protocol_leaves_data(data):
    for protocol in splits.PROTOCOLS:
        split = splits.make(data, protocol)
        assert len(split.train) > 1000, protocol
        assert len(split.valid) >= 60, protocol
        assert split.relevant(split.test)[c.USER].nunique() >= 15, protocol
