"""Things that drift apart unless something looks: notebooks and their pairs, dependencies and reasons, lock, README."""

import re
import tomllib

import nbformat
import pytest
import yaml
from command_line import aicine
from packaging.requirements import Requirement

from aicine_utils import settings
from aicine_utils.pipeline import doctor, pairs, plan

ROOT = settings.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def direct():
    """Names of all direct dependencies."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    return {Requirement(r).name for r in [*PROJECT["project"]["dependencies"], *(r for e in extras for r in e)]}


def test_environment_yml_names_every_direct_dependency_with_a_reason():
    text = (ROOT / "environment.yml").read_text()
    pip = yaml.safe_load(text)["dependencies"][-1]["pip"]
    assert set(pip[1:]) == direct()
    lines = [line for line in text.splitlines() if re.match(r"\s+- [a-z]", line) and not line.endswith("pip:")]
    assert all("# " in line or "conda-forge" in line for line in lines), lines


def test_the_lock_holds_every_direct_dependency_and_satisfies_it():
    locked = doctor.locked()
    wanted = [Requirement(r) for r in PROJECT["project"]["dependencies"]]
    assert all(r.specifier.contains(locked[r.name]) for r in wanted)
    assert direct() <= set(locked)


def test_the_lock_keeps_out_ray_and_cuda():
    lock = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"^(ray|triton|nvidia|cuda)[a-z0-9-]*==", lock, re.MULTILINE)
    assert "://" not in lock


def test_this_environment_satisfies_the_lock():
    assert doctor.differences() == []


@pytest.mark.parametrize("book", plan.notebooks(), ids=lambda book: book.name)
def test_pairs_are_equal_to_the_byte_and_hold_no_outputs(book):
    assert pairs.with_shared_cells(book.source) == book.source.read_text()
    pair = book.source.with_suffix(".ipynb")
    assert pair.read_text() == pairs.as_ipynb(book.source)
    cells = nbformat.read(pair, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


@pytest.mark.parametrize("book", plan.notebooks(), ids=lambda book: book.name)
def test_notebooks_follow_the_anatomy(book):
    cells = nbformat.read(book.source.with_suffix(".ipynb"), as_version=4).cells
    tags = [tag for cell in cells for tag in cell.metadata.get("tags", [])]
    for tag in ("badge", "bootstrap", "parameters", "answer"):
        assert tags.count(tag) == 1, tag
    code = [cell for cell in cells if cell.cell_type == "code" and "bootstrap" not in cell.metadata.get("tags", [])]
    prose = [cell for cell in cells if cell.cell_type == "markdown"]
    assert len(prose) >= len(code) * 0.7
    assert cells[0].source.startswith("# ")
    for cell in code:
        assert not re.search(r"^\s*(class |try:|from .+ import \*|!)", cell.source, re.MULTILINE), cell.source


def test_notebooks_are_numbered_as_planned():
    names = [book.name for book in plan.notebooks()]
    assert names[:3] == ["00_data", "01_eda", "02_non_personalised"]
    assert len({name[:2] for name in names}) == len(names)


def test_the_repository_address_is_held_once():
    address = PROJECT["tool"]["aicine"]["repository"]
    assert address in pairs.bootstrap()
    assert "github.com" not in (ROOT / "aicine_utils" / "pipeline" / "pairs.py").read_text().replace(
        "https://github\\.com/", ""
    ).replace("colab.research.google.com/github/", "")


def test_every_model_has_a_commented_configuration():
    from aicine_utils.models import registry

    for row in registry.ENTRIES:
        config = settings.model_config(row.name)
        defaults = row.model_class.defaults
        assert set(config["params"]) | set(row.fixed) == set(defaults), row.name
        assert set(config["search"]) <= set(config["params"])
        path = settings.CONFIGS / "models" / f"{row.name}.yaml"
        lines = path.read_text().splitlines() if path.exists() else []
        params = [line for line in lines if re.match(r"  \w+: [^{\[]", line)]
        assert all("#" in line for line in params), row.name


def test_commands_of_the_readme_are_accepted(home):
    """Options that the README shows exist: every combination is parsed, and the plan made where there is one."""
    shown = re.findall(r"`(--(?:only|from|force|jobs|list|dry-run)[^`]*)`", (ROOT / "README.md").read_text())
    assert len(shown) > 5
    for options in shown:
        words = options.replace("N", "2").split()
        plan_only = ("--dry-run", *(word for word in words if word != "--dry-run"))
        done = aicine(home, "run", "--preset", "mock", *plan_only, counted=False)
        assert done.returncode == 0, (options, done.stderr)
