"""Readable values from coded ones: titles, years, genres, genders, ages, occupations. Vectorised over columns."""

import re

import numpy as np
import pandas as pd

UNKNOWN = "unknown"
AGE_GROUPS = ["Under 18", "18-24", "25-34", "35-44", "45-49", "50-55", "56+"]
# MovieLens 1M codes a group by its lowest age, so codes and ages in years fall into the same bins.
AGE_FLOORS = [-np.inf, 18, 25, 35, 45, 50, 56, np.inf]
OCCUPATIONS = ["other", "academic/educator", "artist", "clerical/admin", "college/grad student", "customer service",
               "doctor/health care", "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer",
               "programmer", "retired", "sales/marketing", "scientist", "self-employed", "technician/engineer",
               "tradesman/craftsman", "unemployed", "writer"]  # fmt: skip
GENDERS = {"m": "M", "male": "M", "f": "F", "female": "F"}
NO_GENRE = {"", UNKNOWN, "(no genres listed)"}
FIRST_FILM, LAST_FILM = 1870, 2100

_YEAR_SUFFIX = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*\d{0,4})?\)\s*$")
_ARTICLES = "The|An|A|Les|Le|La|Los|Las|El|Lo|Il|Gli|Der|Die|Das|Den|Det|De|Une|Un|Een|Eine|Ein"
# "Matrix, The", and the same in a second title in brackets: "Hate (Haine, La)".
_TRAILING = re.compile(rf"(^|\()([^()]+), (?:({_ARTICLES})|(L'))(?=\s*(?:\(|\)|$))")


def titles(raw: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Titles without the year and with the article in front, and the years (Int16, missing allowed).

    "Matrix, The (1999)" gives "The Matrix" and 1999. A title that would become empty stays as it is.
    """
    raw = raw.str.strip()
    bare = raw.str.replace(_YEAR_SUFFIX, "", regex=True)
    bare = bare.where(bare != "", raw)
    return bare.str.replace(_TRAILING, _to_front, regex=True), years(raw.str.extract(_YEAR_SUFFIX, expand=False))


def _to_front(match: re.Match[str]) -> str:
    opening, rest, article, elided = match.groups()
    return f"{opening}{article} {rest}" if article else f"{opening}{elided}{rest}"


def years(raw: pd.Series) -> pd.Series:
    """Int16 years; what is no year between 1870 and 2100 is missing."""
    numbers = pd.to_numeric(raw, errors="coerce")
    return numbers.where(numbers.between(FIRST_FILM, LAST_FILM) & (numbers % 1 == 0)).astype("Int16")


def genres(raw: pd.Series, separator: str) -> pd.Series:
    """A list of genre names per movie, in the order of the source; empty where the source names none."""
    parts = (dict.fromkeys(name.strip() for name in text.split(separator)) for text in raw)
    return pd.Series(
        [[n for n in names if n.lower() not in NO_GENRE] for names in parts], index=raw.index, dtype=object
    )


def genders(raw: pd.Series) -> pd.Series:
    """M, F or unknown."""
    return raw.str.strip().str.lower().map(GENDERS).fillna(UNKNOWN)


def age_groups(raw: pd.Series) -> pd.Series:
    """The seven groups of MovieLens 1M from its codes or from ages in years; a group's own name stays; else unknown."""
    text = raw.str.strip()
    numbers = pd.to_numeric(text, errors="coerce")
    binned = pd.cut(numbers.where(numbers >= 0), AGE_FLOORS, right=False, labels=AGE_GROUPS).astype(object)
    return binned.where(binned.notna(), text.where(text.isin(AGE_GROUPS), UNKNOWN))


def occupations(raw: pd.Series) -> pd.Series:
    """Names instead of MovieLens 1M's codes 0-20 where every value is such a code; other values stay."""
    text = raw.str.strip().where(raw.str.strip() != "", UNKNOWN)
    names = dict(zip(map(str, range(len(OCCUPATIONS))), OCCUPATIONS, strict=True))
    return text.map(names) if text.isin(names).all() else text
