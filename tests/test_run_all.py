"""The door: run_all.sh finds or makes an environment, hands on what was asked, and keeps the exit code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aicine_utils import settings
from aicine_utils.pipeline import plan

BASICS = ("bash", "cat", "cksum", "dirname", "grep", "sed")


def door(*words, folder=settings.ROOT, **env):
    """Run the script with the environment of this Python active."""
    active = {"VIRTUAL_ENV": sys.prefix, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        [str(folder / "run_all.sh"), *words], capture_output=True, text=True, env={**os.environ, **active, **env}
    )


@pytest.fixture
def elsewhere(tmp_path):
    """The script and what it reads, in a folder without an environment."""
    for name in ("run_all.sh", "requirements.lock", "pyproject.toml"):
        shutil.copy(settings.ROOT / name, tmp_path / name)
    package = tmp_path / "aicine_utils" / "pipeline"
    package.mkdir(parents=True)
    for name in ("__init__.py", "pipeline/__init__.py", "pipeline/doctor.py"):
        shutil.copy(settings.ROOT / "aicine_utils" / name, tmp_path / "aicine_utils" / name)
    return tmp_path


def test_it_lists_the_notebooks_with_the_active_environment():
    done = door("--list")
    assert done.returncode == 0, done.stderr
    assert all(book.name in done.stdout for book in plan.notebooks())


def test_a_mistake_keeps_its_exit_code():
    done = door("--dataset", "ml-10k")
    assert done.returncode == 2
    assert "Did you mean" in done.stderr


def test_a_word_that_is_no_command_is_told(elsewhere):
    done = door("tset")
    assert done.returncode == 2
    assert "tset is no command. There are test, lab" in done.stderr


def test_help_needs_no_environment(elsewhere):
    done = door("--help", folder=elsewhere)
    assert done.returncode == 0
    assert "--dataset ml-1m" in done.stdout
    assert not (elsewhere / ".venv").exists()


def test_doctor_tells_what_is_missing(elsewhere):
    done = door("doctor", folder=elsewhere)
    assert "Python 3.11 to 3.13" in done.stdout
    (elsewhere / "requirements.lock").write_text("surely-not-installed==1.0\n")
    done = door("doctor", folder=elsewhere)
    assert done.returncode == 1
    assert "surely-not-installed 1.0 is not installed" in done.stdout


def test_without_a_fitting_python_it_says_what_to_install(elsewhere, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in BASICS:
        (tools / name).symlink_to(shutil.which(name))
    done = door("--list", folder=elsewhere, PATH=str(tools), VIRTUAL_ENV="")
    assert done.returncode == 2
    assert "no Python 3.11, 3.12 or 3.13" in done.stderr


def test_it_sets_up_once_and_goes_on(elsewhere):
    (elsewhere / "requirements.lock").write_text("torch==0\n")
    (elsewhere / ".venv" / "bin").mkdir(parents=True)
    for name in ("pip", "python"):  # stand-ins that record what they are asked
        tool = elsewhere / ".venv" / "bin" / name
        tool.write_text(f'#!/usr/bin/env bash\necho "{name} $*" >> "{elsewhere}/asked"\n')
        tool.chmod(0o755)
    first = door("--list", folder=elsewhere, VIRTUAL_ENV="", CONDA_PREFIX="")
    asked = (elsewhere / "asked").read_text()
    assert first.returncode == 0, first.stderr
    assert "Setting up .venv" in first.stderr
    order = [
        asked.index(part) for part in ("torch==0", "--no-deps -r requirements.lock", "-e .", "-m aicine_utils run")
    ]
    assert order == sorted(order)
    second = door("--list", folder=elsewhere, VIRTUAL_ENV="", CONDA_PREFIX="")
    assert "Setting up" not in second.stderr
    assert (elsewhere / "asked").read_text().count("torch==0") == 1
