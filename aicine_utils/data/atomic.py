"""RecBole's atomic files, written from any data set: tab-separated, a typed header in each.

The names of the fields are those of the ml-100k that RecBole ships, so its configs fit. ``readers`` reads them back.
"""

from pathlib import Path

import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data.movielens import MovieLens

INTER = {c.USER: "user_id:token", c.MOVIE: "item_id:token", c.RATING: "rating:float", c.TIMESTAMP: "timestamp:float"}
ITEM = {c.MOVIE: "item_id:token", c.TITLE: "movie_title:token_seq", c.YEAR: "release_year:token",
        c.GENRES: "class:token_seq"}  # fmt: skip
USER = {c.USER: "user_id:token", c.AGE: "age:token", c.GENDER: "gender:token", c.OCCUPATION: "occupation:token",
        c.ZIP: "zip_code:token"}  # fmt: skip


def write(data: MovieLens, folder: Path) -> None:
    """Write NAME.inter, NAME.item and, if there are users, NAME.user into ``folder``; NAME is the folder's name.

    RecBole looks for the folder's name in its files. Genres are words divided by spaces; a space inside a genre
    becomes "_". Tabs and line ends in a title become a space, since the format has no quotes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_numbers(_inter(data.ratings), INTER, folder / f"{folder.name}.inter")
    _write_text(_item(data.movies), ITEM, folder / f"{folder.name}.item")
    if data.users is not None:
        _write_text(data.users, USER, folder / f"{folder.name}.user")


def _inter(ratings: pd.DataFrame) -> pd.DataFrame:
    stars = ratings[c.RATING]
    stars = stars.astype("int64") if (stars % 1 == 0).all() else stars
    return ratings.assign(**{c.RATING: stars, c.TIMESTAMP: ratings[c.TIMESTAMP].astype("int64")})


def _item(movies: pd.DataFrame) -> pd.DataFrame:
    genres = [" ".join("_".join(name.split()) for name in names) for names in movies[c.GENRES]]
    return movies.assign(**{c.GENRES: genres, c.YEAR: movies[c.YEAR].astype("string").fillna("")})


def _write_numbers(frame: pd.DataFrame, header: dict[str, str], path: Path) -> None:
    frame[list(header)].to_csv(path, sep="\t", header=list(header.values()), index=False, lineterminator="\n")


def _write_text(frame: pd.DataFrame, header: dict[str, str], path: Path) -> None:
    """Joined by hand: a CSV writer would put quotes around a title that has quotes inside."""
    columns = [frame[name].astype(str).str.replace(r"[\t\r\n]+", " ", regex=True) for name in header]
    rows = map("\t".join, zip(*columns, strict=True))
    path.write_text("\n".join(["\t".join(header.values()), *rows]) + "\n", encoding="utf-8", newline="\n")
