"""Which data sets are known by name, where they come from, and what a folder of one's own is called.

Steps of the report ask for a name only, so nothing here imports pandas, which takes seconds.
"""

import re
from dataclasses import dataclass
from pathlib import Path

MOCK = "mock"  # the synthetic one
FILES_URL = "https://files.grouplens.org/datasets/movielens"
PAGES_URL = "https://grouplens.org/datasets/movielens"
STRICT = "GroupLens: research use with a citation; no redistribution and no commercial use without permission."
SHARED = (
    "GroupLens: use with a citation; redistribution under the same conditions; no commercial use without permission."
)
OWN = "Your own data: its licence is for you to know and to keep."


@dataclass(frozen=True)
class Source:
    """A published data set.

    page: below ``PAGES_URL``; archive_md5 and ratings_md5: published checksums of the zip and of the ratings file in
    it, None where none is known for certain (then the ``.md5`` beside the zip is asked); users: whether it has them.
    """

    page: str
    licence: str
    scale: tuple[float, float]
    archive_md5: str | None = None
    ratings_md5: str | None = None
    users: bool = False


SOURCES = {
    "ml-100k": Source("100k", STRICT, (1, 5), "0e33842e24a9c977be4e0107933c0723", users=True),
    "ml-1m": Source("1m", STRICT, (1, 5), "c4d9eecfca2ab87c1945afe126590906", "a89aa3591bc97d6d4e0c89459ff39362", True),
    "ml-10m": Source("10m", STRICT, (0.5, 5), "ce571fd55effeba0271552578f2648bd", "3f317698625386f66177629fa5c6b2dc"),
    "ml-latest-small": Source("latest", SHARED, (0.5, 5)),
    "ml-25m": Source("25m", SHARED, (0.5, 5), "6b51fb2759a8657d3bfcbfc42b592ada"),
    "ml-32m": Source("32m", SHARED, (0.5, 5), "d472be332d4daa821edc399621853b57", "cf12b74f9ad4b94a011f079e26d4270a"),
}
NAMES = [*SOURCES, MOCK]


def slug(name: str) -> str:
    """A folder's name as the name of a data set: lower case, letters and digits of any script, hyphens between."""
    own = re.sub(r"[\W_]+", "-", name.lower()).strip("-") or "data"
    return f"own-{own}" if own in NAMES else own  # settings and runs of the published set are not for it


def folder_name(name_or_dir: str) -> str:
    """Name of a data set's folder below ``outputs/``: the name itself, or the slug of one's own folder."""
    return name_or_dir if name_or_dir in NAMES else slug(Path(name_or_dir).expanduser().resolve().name)
