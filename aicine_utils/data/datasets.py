"""One door to data: ``load("ml-100k")``, ``load("ml-1m")``, ``load("mock")`` or ``load("path/to/your/folder")``."""

import hashlib
import importlib.util
import logging
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data import cache, download, mock, readers, repairs, schemas
from aicine_utils.data.catalogue import FILES_URL, MOCK, NAMES, OWN, PAGES_URL, SOURCES, folder_name
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import AicineError, unknown
from aicine_utils.settings import data_dir

log = logging.getLogger(__name__)


def load(name_or_dir: str, rating_scale: tuple[float, float] | None = None) -> MovieLens:
    """A published data set by name, the synthetic ``mock``, or the ratings in a folder; validated, kept as Parquet.

    ``rating_scale`` is (lowest, highest), by default what AICINE_RATING_SCALE says; without either a folder's ratings
    must be 1-5, or 0.5-5 where there are halves.
    Raises AicineError for an unknown name, a folder without ratings, and data that breaks a rule.
    """
    rating_scale = rating_scale or _scale_asked_for()
    if rating_scale is not None and not rating_scale[0] < rating_scale[1]:
        raise AicineError(f"Rating scale {rating_scale[0]} {rating_scale[1]}: the lowest must come first, as in 1 5.")
    if name_or_dir == MOCK:
        return mock.make()
    if name_or_dir in SOURCES:
        return _published(name_or_dir, rating_scale)
    return _own(name_or_dir, rating_scale)


def _scale_asked_for() -> tuple[float, float] | None:
    """The scale that ``--rating-scale`` left in the environment, for every process of a run."""
    asked = os.environ.get("AICINE_RATING_SCALE")
    if asked is None:
        return None
    try:
        low, high = (float(end) for end in asked.split())
    except ValueError:
        message = f"Rating scale {asked!r} is not two numbers. Write for example --rating-scale 1 10."
        raise AicineError(message) from None
    return low, high


def _published(name: str, scale: tuple[float, float] | None) -> MovieLens:
    source = SOURCES[name]
    form = _local(name) or _embedded(name) or _downloaded(name)
    _complete(name, form)
    about = {"name": name, "source": f"GroupLens, {PAGES_URL}/{source.page}/", "licence": source.licence}
    return _load(form, about, scale or source.scale, source.ratings_md5)


def _own(place: str, scale: tuple[float, float] | None) -> MovieLens:
    folder = Path(place).expanduser()
    if not folder.is_dir() and "/" not in place and "\\" not in place and not place.startswith((".", "~")):
        raise unknown("data set", place, NAMES)
    form = readers.detect(folder)
    about = {"name": folder_name(place), "source": f"own data, {form.ratings.name}", "licence": OWN}
    return _load(form, about, scale)


def places(name: str) -> list[Path]:
    """Folders in which a copy of one's own is looked for, the first that has a ratings file wins."""
    shared = os.environ.get("AICINE_DATA")
    return [data_dir() / "raw" / name, *([Path(shared) / name] if shared else [])]


def _local(name: str) -> readers.Format | None:
    found = (readers.find(place) for place in places(name) if place.is_dir())
    return next((form for form in found if form), None)


def _embedded(name: str) -> readers.Format | None:
    """The ml-100k that RecBole's wheel carries as package data; RecBole is not imported, since that takes seconds."""
    spec = importlib.util.find_spec("recbole") if name == "ml-100k" else None
    folders = spec.submodule_search_locations if spec else None
    place = Path(next(iter(folders))) / "dataset_example" / name if folders else None
    return readers.find(place) if place and place.is_dir() else None


def _downloaded(name: str) -> readers.Format:
    url, folder = f"{FILES_URL}/{name}.zip", data_dir() / "raw" / name
    if folder.is_dir() and any(folder.iterdir()):
        raise AicineError(f"{folder}: no ratings file in it. Complete it, or remove it so that {name} is downloaded.")
    md5 = SOURCES[name].archive_md5 or download.published_md5(url)
    archive = download.fetch(url, folder.with_name(f"{name}.zip"), md5)
    download.unpack(archive, folder)
    archive.unlink()
    return readers.detect(folder)


def _complete(name: str, form: readers.Format) -> None:
    needed = [form.movies, *([form.users] if SOURCES[name].users else [])]
    for path in needed:
        if not path.is_file():
            raise AicineError(f"{path.name}: the file is missing from {path.parent}. Put it there; {name} has one.")


def _load(
    form: readers.Format, about: dict[str, str], scale: tuple[float, float] | None, md5: str | None = None
) -> MovieLens:
    """From Parquet when the source is unchanged, else read, validated and kept."""
    source_key = cache.key(form.paths, about, scale)
    data = cache.read(about["name"], source_key)
    if data is None:
        data = validated(readers.read(form), about, scale, _differs(form.ratings, md5))
        cache.write(data, source_key)
    return data


def _differs(path: Path, md5: str | None) -> list[str]:
    """A warning when a copy is not the published one; said once, when it is read, and kept with the data."""
    if md5 is None or download.md5_of(path) == md5:
        return []
    warning = f"{path.name} differs from the published file (checksum); results may differ from published ones."
    log.warning(warning)
    return [warning]


def validated(
    raw: readers.Raw, about: dict[str, str], scale: tuple[float, float] | None, warnings: list[str] | None = None
) -> MovieLens:
    """Judge and mend what was read. Raises AicineError for the first row that breaks a rule and can't be mended."""
    mended: Counter[str] = Counter(raw.repairs)
    ratings = repairs.seconds(raw.ratings.frame, raw.ratings.at, mended)
    scale = scale or _usual_scale(ratings[c.RATING])
    schemas.check(ratings, schemas.ratings_schema(*scale), raw.ratings.at, scale)
    ratings = _narrowed(repairs.latest_wins(ratings, mended))
    movies = repairs.add_movies(_movies(raw, mended), ratings[c.MOVIE].unique(), mended)
    users = repairs.add_users(_users(raw, mended), ratings[c.USER].unique(), mended)
    repairs.count_few(ratings, mended)
    info = {**about, "rating_scale": [float(end) for end in scale], "repairs": dict(+mended),
            "checksum": download.sha256_of(raw.ratings.path), "fingerprint": fingerprint(ratings, movies, users, scale),
            "files": raw.files, "warnings": warnings or []}  # fmt: skip
    return MovieLens(ratings, movies, users, info)


def _movies(raw: readers.Raw, mended: Counter[str]) -> pd.DataFrame | None:
    if raw.movies is None:
        return None
    movies = repairs.first_wins(raw.movies.frame, c.MOVIE, "movie", mended)
    schemas.check(movies, schemas.movies_schema(), raw.movies.at, (0, 0))
    return movies


def _users(raw: readers.Raw, mended: Counter[str]) -> pd.DataFrame | None:
    if raw.users is None:
        return None
    users = repairs.first_wins(raw.users.frame, c.USER, "user", mended)
    schemas.check(users, schemas.users_schema(), raw.users.at, (0, 0))
    return users


def _usual_scale(stars: pd.Series) -> tuple[float, float]:
    return (0.5, 5) if (stars % 1 > 0).any() else (1, 5)


def _narrowed(ratings: pd.DataFrame) -> pd.DataFrame:
    when = ratings[c.TIMESTAMP].astype("int64").astype("datetime64[s]")
    stars = ratings[c.RATING].astype("float32")
    return ratings.assign(**{c.RATING: stars, c.TIMESTAMP: when}).reset_index(drop=True)


def fingerprint(
    ratings: pd.DataFrame, movies: pd.DataFrame, users: pd.DataFrame | None, scale: tuple[float, float]
) -> str:
    """SHA-256 of the content, the same on every machine and for every format that the content came in."""
    digest = hashlib.sha256(np.asarray(scale, "<f8").tobytes())
    for name, kind in zip(c.RATINGS, ("<i8", "<i8", "<f4", "<i8"), strict=True):
        digest.update(ratings[name].to_numpy().astype(kind).tobytes())
    text: list[Any] = [movies[name].astype(object).where(movies[name].notna(), None).tolist() for name in c.MOVIES]
    text += [] if users is None else [users[name].tolist() for name in c.USERS]
    digest.update(repr(text).encode())
    return digest.hexdigest()


def signature(name_or_dir: str) -> str:
    """What tells that the source files changed, without reading them: their names, sizes and dates."""
    if name_or_dir == MOCK:
        return MOCK
    if name_or_dir in SOURCES:
        form = _local(name_or_dir) or _embedded(name_or_dir)
    else:
        form = readers.detect(Path(name_or_dir).expanduser())
    return cache.key(form.paths, {}, _scale_asked_for()) if form else "not downloaded yet"
