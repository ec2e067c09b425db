"""Validated data kept as Parquet, so that a data set is read and judged once.

A folder ``data/parquet/NAME`` holds ratings, movies and perhaps users, and ``info.json`` with the key of the source
(names, sizes and dates of its files). It is written under another name and renamed when it is whole: a reader finds
all of it or nothing, however many processes load the same data at once.
"""

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from aicine_utils import columns as c
from aicine_utils.data.movielens import MovieLens
from aicine_utils.data.schemas import VERSION
from aicine_utils.settings import data_dir

log = logging.getLogger(__name__)
KEY = "source_key"


def key(paths: Sequence[Path], *settings: Any) -> str:
    """Changes when a file changes its name, size or date, with ``settings``, and with the version of the schema."""
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    return hashlib.sha256(json.dumps([VERSION, stats, *settings]).encode()).hexdigest()[:16]


def folder(name: str) -> Path:
    """Where the Parquet copy of a data set lies."""
    return data_dir() / "parquet" / name


def read(name: str, source_key: str) -> MovieLens | None:
    """The copy made from the source with this key; None when there is none or it is damaged."""
    place = folder(name)
    try:
        data = _read(place, source_key)
        # Another process may have put a copy of another source here between two of the files.
        return data if data and _info(place).get(KEY) == source_key else None
    except (OSError, ValueError, KeyError, pa.ArrowException):
        return None


def _read(place: Path, source_key: str) -> MovieLens | None:
    info = _info(place)
    if info.pop(KEY) != source_key:
        return None
    movies = pq.read_table(place / "movies.parquet")
    genres = movies.column(c.GENRES).to_pylist()
    movies = movies.drop_columns([c.GENRES]).to_pandas().assign(**{c.GENRES: pd.Series(genres, dtype=object)})
    users = pq.read_table(place / "users.parquet").to_pandas() if (place / "users.parquet").exists() else None
    ratings = pq.read_table(place / "ratings.parquet").to_pandas()
    ratings = ratings.assign(**{c.TIMESTAMP: ratings[c.TIMESTAMP].astype("datetime64[s]")})  # Parquet has no seconds
    return MovieLens(ratings, movies, users, info)


def _info(place: Path) -> dict[str, Any]:
    return json.loads((place / "info.json").read_text(encoding="utf-8"))


def write(data: MovieLens, source_key: str) -> None:
    """Keep ``data``; on a disk that can't be written to, only a line in the log says so."""
    place = folder(data.name)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{data.name}-", dir=place.parent))
        _fill(made, data, source_key)
        _swap(made, place, source_key)
    except OSError as error:
        log.warning("%s: no Parquet copy could be kept (%s); it is read anew each time", data.name, error)


def _fill(made: Path, data: MovieLens, source_key: str) -> None:
    data.ratings.to_parquet(made / "ratings.parquet", index=False)
    data.movies.to_parquet(made / "movies.parquet", index=False)
    if data.users is not None:
        data.users.to_parquet(made / "users.parquet", index=False)
    info = json.dumps({**data.info, KEY: source_key}, indent=1, ensure_ascii=False)
    (made / "info.json").write_text(info, encoding="utf-8")
    made.chmod(0o755)  # mkdtemp makes it private


def _swap(made: Path, place: Path, source_key: str) -> None:
    """Rename ``made`` to ``place``; a copy of the same source that another process put there first stays."""
    for _ in range(5):
        try:
            made.rename(place)
            return
        except OSError:
            if read(place.name, source_key) is not None:
                break
            _remove(place)
    shutil.rmtree(made, ignore_errors=True)


def _remove(place: Path) -> None:
    """Move aside, then delete: nobody sees half a folder."""
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}-old-", dir=place.parent))
    try:
        place.rename(aside / "old")
    except FileNotFoundError:
        pass  # another process was faster
    finally:
        shutil.rmtree(aside, ignore_errors=True)
