import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aicine_utils import columns as c
from aicine_utils.data import atomic, datasets, mock, readers
from aicine_utils.data.movielens import MovieLens

ABOUT = {"name": "own", "source": "", "licence": ""}


def back(folder, scale=(1, 5)):
    return datasets.validated(readers.read(readers.detect(folder)), ABOUT, scale)


def with_movies(data, **changes):
    return MovieLens(data.ratings, data.movies.assign(**changes), data.users, data.info)


def test_mock_comes_back_equal(tmp_path):
    data = mock.make()
    atomic.write(data, tmp_path / "mock")
    again = back(tmp_path / "mock")
    pd.testing.assert_frame_equal(again.ratings, data.ratings)
    pd.testing.assert_frame_equal(again.movies, data.movies)
    pd.testing.assert_frame_equal(again.users, data.users)
    assert again.info["fingerprint"] == data.info["fingerprint"]
    assert again.info["repairs"] == {}


def test_files_to_the_letter(tmp_path):
    data = mock.make(n_users=2, n_movies=100)
    movies = data.movies.head(2).assign(
        title=['He said "no",\tshe\nsaid', "<b>=1+1</b>"], genres=[["Science Fiction", "War"], []], movie_id=[3, 5]
    )
    movies[c.YEAR] = pd.Series([1999, None], dtype="Int16")
    when = pd.to_datetime([7, 9], unit="s").astype("datetime64[s]")
    ratings = pd.DataFrame({c.USER: [1, 2], c.MOVIE: [3, 5], c.RATING: [4.5, 3.0], c.TIMESTAMP: when})
    users = data.users.assign(gender=["F", "unknown"], age_group="56+", occupation="K-12 student", zip_code=["01", ""])
    atomic.write(MovieLens(ratings, movies, users, {}), tmp_path / "own")
    assert (tmp_path / "own" / "own.inter").read_text().split("\n") == [
        "user_id:token\titem_id:token\trating:float\ttimestamp:float", "1\t3\t4.5\t7", "2\t5\t3.0\t9", ""]  # fmt: skip
    assert (tmp_path / "own" / "own.item").read_text().split("\n") == [
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq",
        '3\tHe said "no", she said\t1999\tScience_Fiction War', "5\t<b>=1+1</b>\t\t", ""]  # fmt: skip
    assert (tmp_path / "own" / "own.user").read_text().split("\n") == [
        "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token",
        "1\t56+\tF\tK-12 student\t01", "2\t56+\tunknown\tK-12 student\t", ""]  # fmt: skip
    again = back(tmp_path / "own", scale=(0.5, 5))
    assert again.movies[c.GENRES].tolist() == [["Science Fiction", "War"], []]
    assert again.ratings[c.RATING].tolist() == [4.5, 3.0]


def test_no_users_no_user_file(tmp_path):
    data = mock.make()
    atomic.write(MovieLens(data.ratings, data.movies, None, data.info), tmp_path / "own")
    assert sorted(path.name for path in (tmp_path / "own").iterdir()) == ["own.inter", "own.item"]
    assert back(tmp_path / "own").users is None


DATA = mock.make(n_users=3, n_movies=100)


# Letters of every script, quotes and signs; no control characters, no comma (", The" would be moved to the front).
TITLES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=",()"), min_size=1)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(titles=st.lists(TITLES, min_size=100, max_size=100))
def test_any_title_comes_back(tmp_path, titles):
    data = with_movies(DATA, title=titles)
    atomic.write(data, tmp_path / "own")
    assert back(tmp_path / "own").movies[c.TITLE].tolist() == titles


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_recbole_reads_the_same_content(tmp_path, monkeypatch):
    """RecBole's own loader finds as many users, movies and ratings; its vocabulary has one padding entry more."""
    pytest.importorskip("recbole")
    for name, kind in {"float_": np.float64, "complex_": np.complex128, "unicode_": np.str_}.items():
        monkeypatch.setattr(np, name, kind, raising=False)
    monkeypatch.setattr("sys.argv", ["test"])
    monkeypatch.chdir(tmp_path)
    from recbole.config import Config
    from recbole.data.dataset import Dataset

    data = mock.make()
    atomic.write(data, tmp_path / "mock")
    columns = {"inter": ["user_id", "item_id", "rating", "timestamp"], "item": ["item_id", "class"]}
    settings = {"data_path": str(tmp_path), "load_col": columns, "use_gpu": False}
    dataset = Dataset(Config(model="Pop", dataset="mock", config_dict=settings))
    assert dataset.user_num == 61
    assert dataset.inter_num == len(data.ratings)
    assert dataset.item_num == data.movies[c.MOVIE].nunique() + 1
    ids = dataset.id2token("item_id", dataset.inter_feat["item_id"].to_numpy())
    assert ids.astype(int).tolist() == data.ratings[c.MOVIE].tolist()
    assert dataset.inter_feat["rating"].tolist() == data.ratings[c.RATING].tolist()
