"""Run by a notebook's bootstrap cell on Colab: install what is missing, without restarting the runtime.

Packages that are there already stay at their version, since they may be imported. RecBole comes without its
dependencies: it asks for ray, which has no wheel for Colab's Python. Standard library only.
"""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALONE = {"recbole", "torch"}


def missing() -> list[str]:
    """Direct dependencies of the project, as locked, that are not installed here."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted = tomllib.load(file)["project"]["dependencies"]
    names = [re.split(r"[<>=!~ ;]", requirement)[0] for requirement in wanted]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return [f"{name}=={_locked(name, lock)}" for name in names if not _installed(name)]


def _locked(name: str, lock: str) -> str:
    """The locked version; the newest where it depends on the version of Python."""
    return re.findall(rf"^{re.escape(name)}==([^ \n]+)", lock, re.MULTILINE)[0]


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def install() -> None:
    """Install what is missing and make the project importable."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    absent = missing()
    for options in (
        [r for r in absent if r.startswith("torch==")],
        [r for r in absent if r.split("==")[0] not in ALONE],
    ):
        if options:
            subprocess.run([*pip, *options], check=True)
    recbole = [r for r in absent if r.startswith("recbole==")]
    if recbole:
        subprocess.run([*pip, "--no-deps", *recbole], check=True)
    importlib.invalidate_caches()
    sys.path.insert(0, str(ROOT))


if __name__ == "__main__":
    install()
