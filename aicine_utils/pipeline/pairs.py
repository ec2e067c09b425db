"""Keep each ``NN_name.py`` and its ``NN_name.ipynb`` equal, with the same Colab cells at the top of all.

The text notebook is the source. An .ipynb here has no outputs and its cell ids follow from their place, so that the
pair made from the same text is the same to the byte.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

import jupytext
import nbformat

from aicine_utils import settings
from aicine_utils.errors import AicineError
from aicine_utils.pipeline import plan

BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
BOOTSTRAP = """\
# On Colab: fetch the project and what Colab lacks (a minute or two). Anywhere else this cell does nothing.
import os

if "COLAB_RELEASE_TAG" in os.environ or "AICINE_BOOTSTRAP" in os.environ:
    import subprocess

    repository = os.environ.get("AICINE_REPOSITORY", "{repository}")
    reference = os.environ.get("AICINE_REF", "{ref}")
    if not os.path.exists("ai-cine"):
        clone = ["git", "clone", "--quiet", "--depth=1", f"--branch={{reference}}", repository, "ai-cine"]
        subprocess.run(clone, check=True)
    os.chdir("ai-cine/notebooks")
    get_ipython().run_line_magic("run", "../aicine_utils/pipeline/colab.py")"""


@cache
def project() -> dict[str, str]:
    """``repository`` and ``ref`` from pyproject.toml."""
    with (settings.ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["tool"]["aicine"]


def badge(name: str) -> str:
    """The markdown badge that opens a notebook in Colab."""
    path = re.sub(r"^https://github\.com/", "", project()["repository"])
    link = f"https://colab.research.google.com/github/{path}/blob/{project()['ref']}/notebooks/{name}.ipynb"
    return f"[![Open in Colab]({BADGE})]({link})"


def bootstrap() -> str:
    """Source of the bootstrap cell, with the repository filled in."""
    return BOOTSTRAP.format(**project())


def as_ipynb(source: Path) -> str:
    """The .ipynb text of a text notebook: no outputs, ids by place."""
    notebook = jupytext.read(source)
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{place:03d}"
        if cell.cell_type == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return nbformat.writes(notebook) + "\n"


def with_shared_cells(source: Path) -> str:
    """The text of a notebook with its badge and bootstrap cells, found by their tags, filled in."""
    text = source.read_text(encoding="utf-8")
    bodies = {"badge": f"# {badge(source.stem)}", "bootstrap": bootstrap()}
    for tag, body in bodies.items():
        pattern = rf'(^# %%[^\n]*tags=\["{tag}"[^\]]*\]\n).*?(?=\n\n# %%)'
        text, found = re.subn(pattern, lambda match, body=body: match[1] + body, text, flags=re.MULTILINE | re.DOTALL)
        if found != 1:
            raise AicineError(f"{source.name}: {found} cells tagged {tag!r}, need one. Copy it from another notebook.")
    return text


def sync(check: bool = False) -> list[str]:
    """Make every pair equal; names of the notebooks that were not. With ``check`` nothing is written.

    Where an .ipynb holds other cells than its .py and is the newer file, the .py takes its cells (someone worked in
    JupyterLab); else the .ipynb is made from the .py.
    """
    changed = []
    for notebook in plan.notebooks():
        pair = notebook.source.with_suffix(".ipynb")
        if not check and _edited_in_jupyter(notebook.source, pair):
            jupytext.write(jupytext.read(pair), notebook.source, fmt="py:percent")
        shared = with_shared_cells(notebook.source)
        if not check and shared != notebook.source.read_text(encoding="utf-8"):
            notebook.source.write_text(shared, encoding="utf-8")
        text = as_ipynb(notebook.source)
        if not pair.exists() or pair.read_text(encoding="utf-8") != text:
            changed.append(notebook.name)
            if not check:
                pair.write_text(text, encoding="utf-8")
    return changed


def _edited_in_jupyter(source: Path, pair: Path) -> bool:
    if not pair.exists() or pair.stat().st_mtime <= source.stat().st_mtime:
        return False
    try:
        ours, theirs = jupytext.read(source), jupytext.read(pair)
    except Exception as error:
        raise AicineError(f"{pair.name}: not a notebook ({error}). Restore the file or delete it.") from error
    return [(c.cell_type, c.source) for c in ours.cells] != [(c.cell_type, c.source) for c in theirs.cells]
