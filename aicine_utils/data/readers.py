"""Four formats of rating data, found out by looking into a folder, read into columns with this project's names.

===========  ========================================  =====================================
format       files                                     separator
===========  ========================================  =====================================
dat          ratings.dat, movies.dat, users.dat        ``::`` (MovieLens 1M and 10M)
u            u.data, u.item, u.user                    tab, ``|``, ``|`` (MovieLens 100K)
csv          ratings.csv, movies.csv, users.csv        comma, with a header (MovieLens today)
atomic       NAME.inter, NAME.item, NAME.user          tab, with typed headers (RecBole)
===========  ========================================  =====================================

Only the ratings file must be there. Values are parsed and labelled here, judged in ``schemas``, mended in ``repairs``.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data import labels
from aicine_utils.data import textfiles as tf
from aicine_utils.data.textfiles import Table
from aicine_utils.errors import AicineError

RATING_KINDS = {c.USER: int, c.MOVIE: int, c.RATING: float, c.TIMESTAMP: float}
U_GENRES = ["unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
            "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War",
            "Western"]  # fmt: skip
# Names that data sets give to a column, in lower case without anything but letters.
ALIASES = {
    c.USER: ["userid", "user", "uid"],
    c.MOVIE: ["movieid", "itemid", "movie", "item", "iid"],
    c.RATING: ["rating", "stars", "score"],
    c.TIMESTAMP: ["timestamp", "time", "ts"],
    c.TITLE: ["title", "movietitle", "name"],
    c.YEAR: ["year", "releaseyear"],
    c.GENRES: ["genres", "genre", "class"],
    c.GENDER: ["gender", "sex"],
    c.AGE: ["agegroup", "age"],
    c.OCCUPATION: ["occupation", "job"],
    c.ZIP: ["zipcode", "zip", "postcode"],
}
NO_TIME = (
    "Ratings are divided by time, so each needs its second since 1970. "
    "Where only their order is known, add a column timestamp that numbers them in that order."
)
LATIN1 = "lines that are not UTF-8, read as latin-1"


@dataclass(frozen=True)
class Raw:
    """What the files say, not yet judged: ratings as numbers, movies and users labelled; None where there is no file.

    repairs: {what was mended: how many rows}.
    """

    ratings: Table
    movies: Table | None
    users: Table | None
    repairs: Counter[str] = field(default_factory=Counter)

    @property
    def files(self) -> dict[str, int]:
        """Rows by file name."""
        return {table.path.name: len(table.frame) for table in (self.ratings, self.movies, self.users) if table}


@dataclass(frozen=True)
class Format:
    """Paths of one data set and how its three files are read."""

    name: str
    ratings: Path
    movies: Path
    users: Path

    @property
    def paths(self) -> list[Path]:
        """The files that exist, ratings first."""
        return [path for path in (self.ratings, self.movies, self.users) if path.is_file()]


def find(folder: Path) -> Format | None:
    """The format of a folder, by its ratings file; the only folder inside it is looked into too. None if there is none.

    Raises AicineError when several RecBole sets lie side by side and none has the folder's name.
    """
    inside = [path for path in folder.iterdir() if path.is_dir()]
    for place in [folder, *inside] if len(inside) == 1 else [folder]:
        if (place / "ratings.dat").is_file():
            return Format("dat", *(place / f"{kind}.dat" for kind in ("ratings", "movies", "users")))
        if (place / "u.data").is_file():
            return Format("u", *(place / f"u.{kind}" for kind in ("data", "item", "user")))
        if (place / "ratings.csv").is_file():
            return Format("csv", *(place / f"{kind}.csv" for kind in ("ratings", "movies", "users")))
        if atomic := sorted(place.glob("*.inter")):
            path = _one_of(atomic, place)
            return Format("atomic", *(path.with_suffix(f".{kind}") for kind in ("inter", "item", "user")))
    return None


def _one_of(atomic: list[Path], folder: Path) -> Path:
    chosen = [path for path in atomic if path.stem == folder.name or len(atomic) == 1]
    if not chosen:
        names = ", ".join(path.name for path in atomic)
        raise AicineError(f"{folder.name}: several data sets ({names}). Keep one, or name it {folder.name}.inter.")
    return chosen[0]


def detect(folder: Path) -> Format:
    """As :func:`find`; raises AicineError when the folder is missing or holds no ratings file."""
    if folder.is_file():
        raise AicineError(f"{folder}: a file, not a folder. Name the folder that it lies in.")
    if not folder.is_dir():
        raise AicineError(f"{folder}: no such folder. Check the path or make it and put the ratings file there.")
    form = find(folder)
    if form is None:
        looked = "ratings.dat, u.data, ratings.csv, *.inter"
        raise AicineError(f"{folder}: no ratings file found; looked for {looked}. Put one of them there.")
    return form


def read(form: Format) -> Raw:
    """All files of one data set. Raises AicineError for whatever can't be parsed, with file, line and rule."""
    tf.check_text(form.ratings)
    repairs: Counter[str] = Counter()
    ratings, movies, users = READERS[form.name]
    movie_table = movies(form.movies, repairs) if form.movies.is_file() else None
    user_table = users(form.users, repairs) if form.users.is_file() else None
    return Raw(ratings(form.ratings), movie_table, user_table, +repairs)


def _ratings_plain(separator: str) -> Callable[[Path], Table]:
    """A reader of ratings without a header: user, movie, rating, timestamp."""

    def read_ratings(path: Path) -> Table:
        tf.check_separator(path, separator)
        return tf.numbers(path, separator, c.RATINGS, RATING_KINDS)

    return read_ratings


def _ratings_headed(separator: str) -> Callable[[Path], Table]:
    """A reader of ratings whose first line names the columns."""

    def read_ratings(path: Path) -> Table:
        tf.check_separator(path, separator)
        _, line = next(tf.lines_of(path))
        names = _renamed(path, line.decode("latin-1").split(separator), c.RATINGS)
        table = tf.numbers(path, separator, names, RATING_KINDS, header=1)
        return replace(table, frame=table.frame[c.RATINGS])

    return read_ratings


def _renamed(path: Path, header: list[str], needed: list[str]) -> list[str]:
    """Our names for the columns of a header; AicineError when one of ``needed`` is missing."""
    bare = [name.strip().strip('"').split(":")[0] for name in header]
    ours = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
    names = [ours.get(re.sub(r"[^a-z]", "", name.lower()), name) for name in bare]
    for name in needed:
        if name not in names:
            remedy = f"The first line must name the columns, for example {','.join(needed)}."
            remedy = NO_TIME if name == c.TIMESTAMP else remedy
            raise AicineError(f"{tf.where(path, 1)}: no column {name} among {', '.join(bare)}. {remedy}")
    return names


def _lines(path: Path, repairs: Counter[str]) -> list[str]:
    lines, latin1 = tf.text_lines(path)
    repairs[LATIN1] += latin1
    return lines


def _movies(table: Table, separator: str) -> Table:
    """movie_id, title, year, genres from text columns; an own year column comes before the one in the title."""
    text = table.frame
    title, year = labels.titles(text[c.TITLE])
    if c.YEAR in text:
        year = labels.years(text[c.YEAR]).fillna(year)
    genres = labels.genres(text.get(c.GENRES, pd.Series("", index=text.index)), separator)
    ids = tf.whole_numbers(table, c.MOVIE)
    return replace(table, frame=pd.DataFrame({c.MOVIE: ids, c.TITLE: title, c.YEAR: year, c.GENRES: genres}))


def _users(table: Table) -> Table:
    """user_id, gender, age_group, occupation, zip_code from text columns; what the file lacks is unknown."""
    text = table.frame
    blank = pd.Series("", index=text.index, dtype=object)
    frame = pd.DataFrame({
        c.USER: tf.whole_numbers(table, c.USER),
        c.GENDER: labels.genders(text.get(c.GENDER, blank)),
        c.AGE: labels.age_groups(text.get(c.AGE, blank)),
        c.OCCUPATION: labels.occupations(text.get(c.OCCUPATION, blank)),
        c.ZIP: text.get(c.ZIP, blank).str.strip(),
    })  # fmt: skip
    return replace(table, frame=frame)


def _movies_dat(path: Path, repairs: Counter[str]) -> Table:
    """id::title::genres; the title is all between the first and the last "::", so it may contain colons."""
    lines = _lines(path, repairs)
    tf.check_separator(path, "::")
    frame = pd.Series(lines, dtype=object).str.extract(r"^([^:]*)::(.*)::(.*)$")
    frame.columns = [c.MOVIE, c.TITLE, c.GENRES]
    table = Table(frame, path)
    wrong = frame[c.MOVIE].isna().to_numpy()
    if wrong.any():
        at = table.at(int(wrong.argmax()))
        raise AicineError(f"{at}: must read id::title::genre|genre. Fix or remove the line.")
    return _movies(table, "|")


def _users_dat(path: Path, repairs: Counter[str]) -> Table:
    names = [c.USER, c.GENDER, c.AGE, c.OCCUPATION, c.ZIP]
    return _users(tf.fields(path, _lines(path, repairs), "::", names))


def _movies_u(path: Path, repairs: Counter[str]) -> Table:
    names = [c.MOVIE, c.TITLE, "released", "video", "url", *U_GENRES]
    table = tf.fields(path, _lines(path, repairs), "|", names)
    flags = (table.frame[U_GENRES] == "1").to_numpy()
    genres = ["|".join(name for name, on in zip(U_GENRES, row, strict=True) if on) for row in flags]
    return _movies(replace(table, frame=table.frame.assign(**{c.GENRES: genres})), "|")


def _users_u(path: Path, repairs: Counter[str]) -> Table:
    names = [c.USER, c.AGE, c.GENDER, c.OCCUPATION, c.ZIP]
    return _users(tf.fields(path, _lines(path, repairs), "|", names))


def _headed(path: Path, repairs: Counter[str], separator: str, needed: list[str]) -> Table:
    lines = _lines(path, repairs)
    if separator == ",":
        table = tf.csv_fields(path, lines)
    else:
        table = tf.fields(path, lines, separator, lines[0].split(separator), header=1)
    return replace(table, frame=table.frame.set_axis(_renamed(path, list(table.frame), needed), axis=1))


def _movies_csv(path: Path, repairs: Counter[str]) -> Table:
    return _movies(_headed(path, repairs, ",", [c.MOVIE, c.TITLE]), "|")


def _users_csv(path: Path, repairs: Counter[str]) -> Table:
    return _users(_headed(path, repairs, ",", [c.USER]))


def _movies_atomic(path: Path, repairs: Counter[str]) -> Table:
    """Genres are words divided by spaces; "_" inside a word stands for a space of the name."""
    table = _movies(_headed(path, repairs, "\t", [c.MOVIE, c.TITLE]), " ")
    genres = [[name.replace("_", " ") for name in names] for names in table.frame[c.GENRES]]
    return replace(table, frame=table.frame.assign(**{c.GENRES: pd.Series(genres, table.frame.index, dtype=object)}))


def _users_atomic(path: Path, repairs: Counter[str]) -> Table:
    return _users(_headed(path, repairs, "\t", [c.USER]))


READERS = {
    "dat": (_ratings_plain("::"), _movies_dat, _users_dat),
    "u": (_ratings_plain("\t"), _movies_u, _users_u),
    "csv": (_ratings_headed(","), _movies_csv, _users_csv),
    "atomic": (_ratings_headed("\t"), _movies_atomic, _users_atomic),
}
