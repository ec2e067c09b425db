"""The one form in which data travels through the project."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class MovieLens:
    """Ratings with the users and movies they speak of, validated.

    ratings: user_id (int64), movie_id (int64), rating (float32), timestamp (datetime64[s], UTC without zone),
        in the order of the source file.
    movies: movie_id, title, year (Int16, missing allowed), genres (list of str); one row a movie.
    users: user_id, gender, age_group, occupation, zip_code; None where the data set has no such file.
    info: name, source, licence, rating_scale [low, high], repairs {rule: count}, checksum, fingerprint (sha256 of
        the content, which names caches made from it).
    """

    ratings: pd.DataFrame
    movies: pd.DataFrame
    users: pd.DataFrame | None
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the data set, also the name of its folder below ``outputs/``."""
        return self.info["name"]
