"""One notebook alone in an environment without the project, as on Colab: it fetches what it lacks and runs."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from aicine_utils import settings
from aicine_utils.pipeline import pairs, plan

RUN = """
import nbformat, nbclient
notebook = nbformat.read("alone.ipynb", as_version=4)
nbclient.NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
nbformat.write(notebook, "done.ipynb")
"""


def sh(*words, cwd, **env):
    """Run a command; its output is in the failure."""
    done = subprocess.run([str(w) for w in words], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def repository(tmp_path):
    """A repository of the working tree as it is, on a branch main."""
    folder = tmp_path / "origin"
    listed = sh("git", "ls-files", "-co", "--exclude-standard", cwd=settings.ROOT).splitlines()
    for name in listed:
        if (settings.ROOT / name).is_file() and not name.startswith("outputs/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(settings.ROOT / name, folder / name)
    sh("git", "init", "-q", "-b", "main", cwd=folder)
    sh("git", "add", "-A", cwd=folder)
    sh("git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "tree", cwd=folder)
    return folder


@pytest.mark.slow
def test_a_notebook_runs_alone_in_an_empty_environment(repository, tmp_path):
    sh(sys.executable, "-m", "venv", "empty", cwd=tmp_path)
    python = tmp_path / "empty" / "bin" / "python"
    sh(python, "-m", "pip", "install", "-q", "ipykernel", "nbclient", "nbformat", cwd=tmp_path)
    notebook = json.loads((plan.FOLDER / "02_non_personalised.ipynb").read_text())
    for cell in notebook["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = ['dataset, preset, seed = "mock", "mock", 0']
    (tmp_path / "alone.ipynb").write_text(json.dumps(notebook))
    clean = dict.fromkeys(("PYTHONPATH", "AICINE_HOME", "VIRTUAL_ENV"), "")
    clean |= {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "AICINE_HOME": str(tmp_path / "made")}
    colab = {"AICINE_BOOTSTRAP": "1", "AICINE_REPOSITORY": str(repository), "AICINE_REF": "main"}
    sh(python, "-c", RUN, cwd=tmp_path, **clean, **colab)
    done = json.loads((tmp_path / "done.ipynb").read_text())
    answers = [c for c in done["cells"] if "answer" in c["metadata"].get("tags", [])]
    assert "NDCG@10" in json.dumps(answers[0]["outputs"])
    assert not (repository / "outputs").exists()


def test_elsewhere_the_bootstrap_cell_does_nothing(tmp_path, monkeypatch):
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    monkeypatch.delenv("AICINE_BOOTSTRAP", raising=False)
    monkeypatch.chdir(tmp_path)
    exec(pairs.bootstrap(), {})
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_named_at_its_locked_version(monkeypatch):
    from aicine_utils.pipeline import colab

    monkeypatch.setattr(colab, "_installed", lambda name: name not in {"recbole", "gensim"})
    assert {name.split("==")[0] for name in colab.missing()} == {"recbole", "gensim"}
    assert all("==" in name for name in colab.missing())
