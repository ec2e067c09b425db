"""Which movies someone means by what they typed."""

import difflib

import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data import labels
from aicine_utils.errors import AicineError

NEAREST, LISTED = 3, 10  # titles that an error names where none fits, and where several do


def find_movie(text: str, movies: pd.DataFrame) -> pd.Series:
    """The row of the movie with this id or title, else of the only one with the text in its title.

    The year may follow in brackets, and an article stand at either end: "Usual Suspects, The (1995)". Case does not
    matter. AicineError names the nearest titles when none fits, and those that fit when several do.
    """
    if not text.strip():
        raise AicineError("No movie is named. Give a title, a part of one, or a movie_id.")
    found = exactly(text, movies)
    if found.empty:
        found = movies[movies[c.TITLE].str.contains(text.strip(), case=False, regex=False)]
    if len(found) == 1:
        return found.iloc[0]
    if found.empty:
        near = _nearest(text, movies)
        hint = f"Nearest: {_listed(near)}. " if len(near) else ""
        hint += f"Ids go from {movies[c.MOVIE].min()} to {movies[c.MOVIE].max()}. " if text.strip().isdigit() else ""
        raise AicineError(f"Unknown movie {text!r}. {hint}Give a title, a part of one, or a movie_id.")
    raise AicineError(
        f"{len(found)} movies fit {text!r}: {_listed(found.head(LISTED))}. "
        "Give the whole title, its year in brackets, or the id."
    )


def exactly(text: str, movies: pd.DataFrame) -> pd.DataFrame:
    """Rows with this id, this title, or this title of this year."""
    title, year = (column.iloc[0] for column in labels.titles(pd.Series([text.title()])))
    names, whole = movies[c.TITLE].str.lower(), text.strip().lower()
    dated = names == title.lower()
    if not pd.isna(year):
        dated &= (movies[c.YEAR] == year).fillna(False).astype(bool)
    return movies[dated | (names == whole) | (movies[c.MOVIE].astype(str) == whole)]


def split_titles(text: str, movies: pd.DataFrame) -> list[str]:
    """The titles of a typed list. Semicolons separate them where there are any; else commas do.

    A comma within a title that is written whole ("Me, Myself & Irene", "Usual Suspects, The") separates nothing: from
    the left, the longest run of pieces that is a title or an id is taken.
    """
    if ";" in text:
        return [part.strip() for part in text.split(";") if part.strip()]
    pieces, names = text.split(","), []
    longest = int(movies[c.TITLE].str.count(",").max()) + 2  # one comma more where the article stands at the end
    while pieces:
        n = next((n for n in range(longest, 1, -1) if len(exactly(",".join(pieces[:n]), movies))), 1)
        names.append(",".join(pieces[:n]).strip())
        pieces = pieces[n:]
    return [name for name in names if name]


def find_movies(text: str, movies: pd.DataFrame) -> list[pd.Series]:
    """The row of each title of a typed list, in its order; none for an empty text."""
    return [find_movie(name, movies) for name in split_titles(text, movies)]


def named(movie: pd.Series) -> str:
    """Title and, where it is known, year: "Heat (1995)"."""
    return movie[c.TITLE] if pd.isna(movie[c.YEAR]) else f"{movie[c.TITLE]} ({movie[c.YEAR]})"


def _nearest(text: str, movies: pd.DataFrame) -> pd.DataFrame:
    names = movies[c.TITLE].str.lower()
    title = labels.titles(pd.Series([text]))[0].iloc[0].lower()
    near = difflib.get_close_matches(title, names.unique(), n=NEAREST, cutoff=0.5)
    return movies[names.isin(near)].head(LISTED)


def _listed(movies: pd.DataFrame) -> str:
    return ", ".join(f"{named(row)} [id {row[c.MOVIE]}]" for _, row in movies.iterrows())
