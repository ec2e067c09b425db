import numpy as np
import pandas as pd
import pytest
from data_cases import GOOD, SAME, dat, put

from aicine_utils import columns as c
from aicine_utils.data import datasets, labels
from aicine_utils.errors import AicineError


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("AICINE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AICINE_DATA", raising=False)


def load(folder, **kwargs):
    return datasets.load(str(folder), **kwargs)


@pytest.mark.parametrize("form", SAME)
def test_each_format_gives_the_same_data(tmp_path, form):
    data = load(put(tmp_path / "own", SAME[form]))
    assert data.ratings.to_dict("list") == {
        c.USER: [1, 1, 2],
        c.MOVIE: [10, 20, 10],
        c.RATING: [5, 3, 4],
        c.TIMESTAMP: list(pd.to_datetime([978300760, 978300761, 978300762], unit="s")),
    }
    assert data.movies.to_dict("list") == {
        c.MOVIE: [10, 20],
        c.TITLE: ["The Matrix", "Alien: Resurrection:"],
        c.YEAR: [1999, 1997],
        c.GENRES: [["Action", "Sci-Fi"], ["Horror"]],
    }
    assert data.users.to_dict("list") == {
        c.USER: [1, 2],
        c.GENDER: ["F", "M"],
        c.AGE: ["Under 18", "56+"],
        c.OCCUPATION: ["K-12 student", "self-employed"],
        c.ZIP: ["48067", "70072"],
    }
    assert data.info["files"] == dict(zip(SAME[form], [3, 2, 2], strict=True))


def test_formats_share_a_fingerprint_and_types(tmp_path):
    sets = [load(put(tmp_path / form / "own", SAME[form])) for form in SAME]
    assert len({data.info["fingerprint"] for data in sets}) == 1
    types = {**sets[0].ratings.dtypes.astype(str), **sets[0].movies.dtypes.astype(str)}
    assert types == {c.USER: "int64", c.MOVIE: "int64", c.RATING: "float32", c.TIMESTAMP: "datetime64[s]",
                     c.TITLE: "object", c.YEAR: "Int16", c.GENRES: "object"}  # fmt: skip


def test_info_of_own_data(tmp_path):
    info = load(put(tmp_path / "My Ratings (2024)", GOOD)).info
    assert info["name"] == "my-ratings-2024"
    assert info["rating_scale"] == [1.0, 5.0]
    assert info["repairs"] == {"users with fewer than 5 ratings, kept": 2}
    assert info["warnings"] == []


@pytest.mark.parametrize(
    ("stars", "scale", "expected"), [("3.5", None, [0.5, 5]), ("3", None, [1, 5]), ("9", (0, 10), [0, 10])]
)
def test_scale(tmp_path, stars, scale, expected):
    assert load(dat(tmp_path, ratings=f"1::10::{stars}::1\n"), rating_scale=scale).info["rating_scale"] == expected


def test_a_single_folder_inside_is_looked_into(tmp_path):
    put(tmp_path / "zip" / "ml-x", GOOD)
    assert len(load(tmp_path / "zip").ratings) == 3


def test_byte_order_mark_windows_line_ends_and_blank_lines(tmp_path):
    ratings = b"\xef\xbb\xbf" + GOOD["ratings.dat"].replace("\n", "\r\n\r\n").encode()
    data = load(dat(tmp_path, ratings=ratings, movies=b"\xef\xbb\xbf" + GOOD["movies.dat"].encode()))
    assert data.ratings[c.USER].tolist() == [1, 1, 2]
    assert data.movies[c.MOVIE].tolist() == [10, 20]


def test_latin1_titles_are_read_and_counted_by_line(tmp_path):
    movies = "10::Café (1999)::Drama\n".encode("latin-1") + "20::Amélie (2001)::Drama\n".encode()
    data = load(dat(tmp_path, movies=movies))
    assert data.movies[c.TITLE].tolist() == ["Café", "Amélie"]
    assert data.info["repairs"]["lines that are not UTF-8, read as latin-1"] == 1


def test_html_and_formulas_in_titles_stay_as_they_are(tmp_path):
    movies = "10::<script>alert(1)</script> (1999)::Drama\n20::=1+1::Drama\n"
    data = load(dat(tmp_path, movies=movies))
    assert data.movies[c.TITLE].tolist() == ["<script>alert(1)</script>", "=1+1"]


def test_csv_with_own_names_order_and_more_columns(tmp_path):
    files = {"ratings.csv": 'timestamp,note,"user_id",item_id,rating\n5,"a",1,10,4\n', "movies.csv": None}
    data = load(put(tmp_path / "own", files))
    assert data.ratings.iloc[0, :3].tolist() == [1, 10, 4]
    assert data.users is None


def test_duplicates_the_latest_wins(tmp_path):
    data = load(dat(tmp_path, ratings="1::10::1::300\n1::20::2::100\n1::10::5::200\n1::20::4::100\n2::10::3::1\n"))
    assert data.ratings[[c.MOVIE, c.RATING]].to_numpy().tolist() == [[10, 1], [20, 4], [10, 3]]
    assert data.ratings.index.tolist() == [0, 1, 2]
    rule = "earlier ratings of the same movie by the same user, removed (the latest wins)"
    assert data.info["repairs"][rule] == 2


def test_movies_and_users_without_a_row_are_added(tmp_path):
    data = load(dat(tmp_path, ratings=GOOD["ratings.dat"] + "7::123::4::5\n"))
    assert data.movies.iloc[-1].tolist()[:2] == [123, "Movie 123"]
    assert data.movies[c.GENRES].iloc[-1] == []
    assert data.users.iloc[-1].tolist() == [7, "unknown", "unknown", "unknown", ""]
    assert data.info["repairs"]["movies without a row, added as 'Movie NUMBER'"] == 1
    assert data.info["repairs"]["users without a row, added as unknown"] == 1


def test_own_data_may_lack_movies_and_users(tmp_path):
    data = load(dat(tmp_path, movies=None, users=None))
    assert data.movies[c.TITLE].tolist() == ["Movie 10", "Movie 20"]
    assert data.movies[c.YEAR].isna().all()
    assert data.users is None
    assert data.info["repairs"]["movies without a row, added as 'Movie NUMBER'"] == 2


def test_second_rows_of_a_movie_are_removed(tmp_path):
    data = load(dat(tmp_path, movies=GOOD["movies.dat"] + "10::Other (2000)::Drama\n"))
    assert data.movies[c.TITLE].tolist() == ["The Matrix", "Alien: Resurrection:"]
    assert data.info["repairs"]["second rows of one movie, removed (the first stays)"] == 1


def test_milliseconds_and_fractions(tmp_path):
    data = load(dat(tmp_path, ratings="1::10::5::978300760999\n1::20::3::978300761000\n"))
    assert data.ratings[c.TIMESTAMP].astype("int64").tolist() == [978300760, 978300761]
    assert data.info["repairs"]["timestamps in milliseconds, turned into seconds"] == 2
    data = load(put(tmp_path / "b", {"ratings.csv": "user,movie,rating,timestamp\n1,1,3,7.9\n"}))
    assert data.ratings[c.TIMESTAMP].astype("int64").tolist() == [7]
    assert data.info["repairs"]["timestamps with a fraction of a second, cut to whole seconds"] == 1


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Matrix, The (1999)", ("The Matrix", 1999)),
        ("Umbrellas, The (Parapluies, Les) (1964)", ("The Umbrellas (Les Parapluies)", 1964)),
        ("Star Maker, The (Uomo delle stelle, L') (1995)", ("The Star Maker (L'Uomo delle stelle)", 1995)),
        ("Crook, the Thief, A (1989)", ("A Crook, the Thief", 1989)),
        ("Show (2006–2007)", ("Show", 2006)),
        ("1984 (1956)", ("1984", 1956)),
        ("(1995)", ("(1995)", 1995)),
        ("Blade Runner 2049", ("Blade Runner 2049", None)),
        ("Odd (9999)", ("Odd", None)),
    ],
)
def test_titles_and_years(title, expected):
    titles, years = labels.titles(pd.Series([title]))
    assert (titles[0], None if years.isna()[0] else years[0]) == expected


def test_age_groups_from_codes_ages_and_names():
    raw = pd.Series(["1", "17", "18", "24", "25", "35", "45", "49", "50", "55", "56", "99", "25-34", "old", ""])
    assert labels.age_groups(raw).tolist() == [
        "Under 18", "Under 18", "18-24", "18-24", "25-34", "35-44", "45-49", "45-49", "50-55", "50-55", "56+", "56+",
        "25-34", "unknown", "unknown",
    ]  # fmt: skip


def test_genres_without_a_name_are_none():
    raw = pd.Series(["(no genres listed)", "unknown", "", "Drama|Drama|War"])
    assert labels.genres(raw, "|").tolist() == [[], [], [], ["Drama", "War"]]


WRONG_RATINGS = {
    "1,10,5,978300760\n": "own/ratings.dat line 1: fields must be separated by '::', found ','",
    "1::10::5\n": "own/ratings.dat line 1: 3 fields where 4 (user_id, movie_id, rating, timestamp) are needed",
    "1::10::5::1\n\n1::20::x::2\n": "own/ratings.dat line 3: rating 'x' is not a number",
    "1::10::5::1\nAnn::20::3::2\n": "own/ratings.dat line 2: user_id 'Ann' is not a whole number",
    "1::10::5::1\n1::20::3::\n": "own/ratings.dat line 2: timestamp is missing",
    "1::10::5::1\n1::20::3::nan\n": "own/ratings.dat line 2: timestamp is missing",
    "1::10::5::1\n1::20::3::-5\n": "own/ratings.dat line 2: timestamp -5 is not in seconds since 1970",
    "1::10::5::1\n\n2::20::7::2\n": "own/ratings.dat line 3: rating 7 is outside 1-5. "
    "Fix the row or pass --rating-scale 1 10.",
    "1::10::0::1\n": "own/ratings.dat line 1: rating 0 is outside 1-5. Fix the row or pass --rating-scale 0 1.",
    "1::10::3::1\n1::20::0::1\n": "own/ratings.dat line 2: rating 0 is outside 1-5. "
    "Fix the row or pass --rating-scale 0 5.",
    "1::10::inf::1\n": "own/ratings.dat line 1: rating inf is outside 1-5. Fix the row.",
    "1::10::5::978300760\n1::20::5::978300760000\n": "own/ratings.dat line 2: timestamp 978300760000 is not",
    "1::10::5::978300760000\n1::20::5::978300760\n": "own/ratings.dat line 2: timestamp 978300760 is not in the unit",
    "-1::10::5::1\n": "own/ratings.dat line 1: user_id -1 is not allowed",
    "": "own/ratings.dat: the file is empty",
    " \n\n": "own/ratings.dat: the file is empty",
    "1::10::5::978300760\n".encode("utf-16"): "own/ratings.dat: not plain text (UTF-16 or a binary file)",
    b"\x89PNG\0\0": "own/ratings.dat: not plain text",
}


@pytest.mark.parametrize(("content", "message"), WRONG_RATINGS.items())
def test_wrong_ratings_name_line_rule_and_remedy(tmp_path, content, message):
    with pytest.raises(AicineError) as error:
        load(dat(tmp_path, ratings=content))
    assert str(error.value).startswith(message)
    assert str(error.value).endswith(".")


def test_the_line_number_has_thousands_separators(tmp_path):
    lines = [f"{i}::10::4::{i}" for i in range(1203)] + ["5000::10::7::1"]
    with pytest.raises(AicineError) as error:
        load(dat(tmp_path, ratings="\n".join(lines)))
    message = "own/ratings.dat line 1,204: rating 7 is outside 1-5. Fix the row or pass --rating-scale 1 10."
    assert str(error.value) == message


WRONG_FILES = [
    ({"movies.dat": "10::Matrix\n"}, "own/movies.dat line 1: must read id::title::genre|genre"),
    ({"movies.dat": "10,Matrix,Action\n"}, "own/movies.dat line 1: fields must be separated by '::', found ','"),
    ({"movies.dat": "x::Matrix::Action\n"}, "own/movies.dat line 1: movie_id 'x' is not a whole number"),
    ({"movies.dat": "10::A::B\n20:: ::Drama\n"}, "own/movies.dat line 2: the title is empty"),
    ({"movies.dat": ""}, "own/movies.dat: the file is empty"),
    ({"users.dat": "1::F::1::10::4\n2::M\n"}, "own/users.dat line 2: 2 fields where 5"),
    ({"users.dat": "::F::1::10::4\n"}, "own/users.dat line 1: user_id is missing"),
]


@pytest.mark.parametrize(("files", "message"), WRONG_FILES)
def test_wrong_movies_and_users(tmp_path, files, message):
    with pytest.raises(AicineError) as error:
        load(put(tmp_path / "own", {**GOOD, **files}))
    assert str(error.value).startswith(message)


WRONG_CSV = {
    "userId;movieId;rating;timestamp\n1;2;3;4\n": "own/ratings.csv line 1: fields must be separated by ',', found ';'",
    "userId,movieId,rating\n1,2,3\n": "own/ratings.csv line 1: no column timestamp among userId, movieId, rating",
    "1,2,3,4\n": "own/ratings.csv line 1: no column user_id among 1, 2, 3, 4",
    "userId,movieId,rating,timestamp\n": "own/ratings.csv: no rows after the header",
    "userId,movieId,rating,timestamp\n1,2,3,4\n1,5,3,2015-01-01\n": "own/ratings.csv line 3: timestamp '2015",
    "userId,movieId,rating,timestamp\n1,2,3,4\n1,5,8,4\n": "own/ratings.csv line 3: rating 8 is outside 1-5",
}


@pytest.mark.parametrize(("content", "message"), WRONG_CSV.items())
def test_wrong_csv(tmp_path, content, message):
    with pytest.raises(AicineError) as error:
        load(put(tmp_path / "own", {"ratings.csv": content}))
    assert str(error.value).startswith(message)


def test_wrong_places(tmp_path):
    with pytest.raises(AicineError, match=r"no such folder"):
        load(tmp_path / "nothing")
    with pytest.raises(AicineError, match=r"no ratings file found; looked for ratings.dat, u.data, ratings.csv"):
        load(put(tmp_path / "empty", {"notes.txt": "x"}))
    with pytest.raises(AicineError, match=r"a file, not a folder"):
        load(tmp_path / "empty" / "notes.txt")
    with pytest.raises(AicineError, match=r"Unknown data set 'ml-1n'. Did you mean 'ml-1m'"):
        datasets.load("ml-1n")
    with pytest.raises(AicineError, match=r"several data sets \(a.inter, b.inter\)"):
        load(put(tmp_path / "two", {"a.inter": "x", "b.inter": "x"}))
    with pytest.raises(AicineError, match=r"the lowest must come first"):
        load(tmp_path, rating_scale=(5, 1))


def test_large_ids_and_order_of_the_file_are_kept(tmp_path):
    rng = np.random.default_rng(0)
    users, movies = rng.integers(0, 2**40, 500), rng.integers(0, 2**40, 500)
    rows = "".join(f"{u}::{m}::4::7\n" for u, m in zip(users, movies, strict=True))
    data = load(dat(tmp_path, ratings=rows))
    assert (data.ratings[c.USER].to_numpy() == users).all()
    assert (data.ratings[c.MOVIE].to_numpy() == movies).all()
