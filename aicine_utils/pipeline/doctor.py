"""What is missing on this machine, and the remedy. Standard library only: it must run where nothing is installed."""

import argparse
import importlib
import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ((3, 11), (3, 14))
DISK_GB = 4


def locked() -> dict[str, str]:
    """Package and version of every line of the lock that holds on this machine."""
    wanted = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        if "==" in requirement and not requirement.startswith("#") and _holds(marker):
            name, version = requirement.split("==")
            wanted[name] = version
    return wanted


def _holds(marker: str) -> bool:
    if not marker:
        return True
    return _packaging("markers").Marker(marker).evaluate()


def _packaging(module: str) -> ModuleType:
    """A module of `packaging`, which pip brings along where it is not installed itself."""
    try:
        return importlib.import_module(f"packaging.{module}")
    except ImportError:
        return importlib.import_module(f"pip._vendor.packaging.{module}")


def differences() -> list[str]:
    """What the lock wants and this environment lacks, one sentence each."""
    found, parse = [], _packaging("version").Version
    for name, version in locked().items():
        try:
            here = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} {version} is not installed")
            continue
        if parse(here).public != parse(version).public:
            found.append(f"{name} is {here}, the lock has {version}")
    return found


def check_python() -> str | None:
    """Python 3.11 to 3.13."""
    low, high = PYTHONS
    if low <= sys.version_info[:2] < high:
        return None
    return f"Python {platform.python_version()} is not one of 3.11, 3.12, 3.13. Install one of these."


def check_compiler() -> str | None:
    """A C compiler, for lightfm-next, which has no wheels."""
    if any(shutil.which(name) for name in ("gcc", "cc", "clang")):
        return None
    return "No C compiler. Install gcc (Debian: apt-get install gcc) or Xcode's command line tools (macOS)."


def check_disk() -> str | None:
    """Room for the environment and the runs."""
    free = shutil.disk_usage(ROOT).free / 2**30
    return None if free >= DISK_GB else f"Only {free:.1f} GB free; the environment and the runs need {DISK_GB} GB."


def check_packages() -> str | None:
    """The packages of the lock."""
    found = differences()
    if not found:
        return None
    return f"{len(found)} packages differ from requirements.lock ({found[0]}). ./run_all.sh installs them in .venv."


def check_chromium() -> str | None:
    """Chromium, for the browser tests only."""
    if any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return None
    return "No Chromium: the browser tests of ./run_all.sh test need it (Debian: apt-get install chromium)."


CHECKS: list[Callable[[], str | None]] = [check_python, check_compiler, check_disk, check_packages, check_chromium]


def main() -> int:
    """Print one line a check; 0 when nothing is missing, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--satisfied", action="store_true", help="say nothing; exit 0 when the lock is satisfied")
    if parser.parse_args().satisfied:
        return 1 if check_python() or differences() else 0
    problems = [(check.__doc__ or "", check()) for check in CHECKS]
    for title, problem in problems:
        print(f"{'missing' if problem else 'ok     '}  {title}" + (f"\n         {problem}" if problem else ""))
    return 1 if any(problem for _, problem in problems) else 0


if __name__ == "__main__":
    sys.exit(main())
