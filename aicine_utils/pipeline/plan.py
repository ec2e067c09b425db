"""Which notebooks there are, what each builds on, and where its files lie."""

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aicine_utils import parameters, settings
from aicine_utils.errors import AicineError, unknown

# Those with the most work, longest first: begun in that order, or one core waits for another at the end.
LONGEST = ("09_recbole_sequential", "08_recbole_general", "11_feedback_loop", "06_hybrid_lightfm", "07_neural",
           "05_matrix_factorisation")  # fmt: skip
FOLDER = Path(os.environ.get("AICINE_NOTEBOOKS", settings.ROOT / "notebooks"))
REPEATS = "repeats"  # the trainings beyond one a model
COMPARISON = "10_comparison"  # makes the leaderboard that the index shows
TRY_IT = "12_try_it"  # trains nothing, but shows the blend, which those trainings make with the rest
REPEATED = (COMPARISON, TRY_IT, "13_measuring")  # read those trainings; a run of 13 alone does not make them ahead
ORIGINAL = "14_original_study"  # makes the evidence on the original study's claims, which the index shows, too
MODELS = re.compile(r"0[2-9]_")  # the notebooks that train
BUILDS_ON = dict.fromkeys((*REPEATED, ORIGINAL), MODELS)
PUBLISHED = re.compile(r"0[89]_recbole_")  # show the committed table of published quality


@dataclass(frozen=True)
class Notebook:
    """One notebook by its name, such as ``05_matrix_factorisation``."""

    name: str

    @property
    def number(self) -> str:
        """The two digits at the start of the name."""
        return self.name[:2]

    @property
    def source(self) -> Path:
        """The text notebook."""
        return FOLDER / f"{self.name}.py"

    @cached_property
    def title(self) -> str:
        """Its first heading."""
        found = re.search(r"^# # (.+)$", self.source.read_text(encoding="utf-8"), re.MULTILINE)
        return found.group(1) if found else self.name

    @property
    def priority(self) -> int:
        """Which of two that could begin does: the higher one. Pages have 0, for when a core has nothing else to do.

        The longest first; of the others, what another notebook waits for before what nothing waits for, among which
        the comparison is the longest.
        """
        if self.name in LONGEST:
            return len(LONGEST) + 2 - LONGEST.index(self.name)
        awaited = any(self.name in other.builds_on for other in notebooks())
        return 2 if awaited or self.name == COMPARISON else 1

    @property
    def builds_on(self) -> list[str]:
        """Names of the notebooks whose results this one reads."""
        pattern = BUILDS_ON.get(self.name)
        return [other.name for other in notebooks() if pattern and pattern.match(other.name)]

    @property
    def shows(self) -> list[Path]:
        """Committed tables that this one shows, where they exist."""
        from aicine_utils import published  # here, since it needs pandas, which a step that renders a page does without

        return [published.path()] if PUBLISHED.match(self.name) and published.path().exists() else []


def notebooks() -> list[Notebook]:
    """All notebooks in the order of the report."""
    return [Notebook(path.stem) for path in sorted(FOLDER.glob("[0-9][0-9]_*.py"))]


def find(name: str) -> Notebook:
    """A notebook by its number (``05``, ``5``) or name; AicineError names the nearest when there is none."""
    for notebook in notebooks():
        if name in {notebook.name, notebook.number, notebook.number.lstrip("0")}:
            return notebook
    raise unknown("notebook", name, [n for book in notebooks() for n in (book.number, book.name)])


def executed(dataset: str, name: str) -> Path:
    """The notebook with its outputs."""
    return settings.output_dir(dataset) / "runs" / "notebooks" / f"{name}.ipynb"


def repeats_file(dataset: str) -> Path:
    """Which runs the trainings beyond one a model made."""
    return settings.output_dir(dataset) / "runs" / f"{REPEATS}.json"


def status_file(dataset: str, name: str) -> Path:
    """How the last execution went: state, seconds, memory, error."""
    return executed(dataset, name).with_suffix(".json")


def tables_of(dataset: str, name: str) -> list[Path]:
    """The tables that a notebook left: those that begin with its number, and the leaderboard of the comparison."""
    folder = settings.output_dir(dataset) / "tables"
    named = [folder / "leaderboard.csv"] if name == COMPARISON else []
    return [path for path in [*sorted(folder.glob(f"{find(name).number}_*.csv")), *named] if path.exists()]


def costs_table(dataset: str) -> Path:
    """What each notebook cost, committed with the pages."""
    return settings.output_dir(dataset) / "tables" / "notebooks.csv"


def page(dataset: str, name: str) -> Path:
    """The HTML page of a notebook."""
    return settings.output_dir(dataset) / "report" / f"{name}.html"


def parse_parameter(text: str) -> tuple[str, object]:
    """``name=value`` with the value read as :func:`aicine_utils.parameters.read` does; "a: b" is a text."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise AicineError(f"Parameter {text!r} is not of the form name=value. Write for example -p seed=1.")
    read = parameters.read(value)
    return name, value if isinstance(read, dict) else read
