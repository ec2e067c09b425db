"""What a key sees of the source, what a block costs, where settings come from."""

import inspect
import re
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from aicine_utils import errors, provenance, settings
from aicine_utils.models import popularity

POPULARITY, MODELS = "aicine_utils.models.popularity", "aicine_utils.models"


@pytest.fixture
def digest_after(monkeypatch, tmp_path):
    """(module, edit) -> digest of a module's source when ``edit`` changes the text of one module of the project."""
    real = provenance.importlib.util.find_spec

    def digest(edited, edit, module=POPULARITY, within=MODELS):
        copy = tmp_path / "edited.py"
        copy.write_text(edit(Path(real(edited).origin).read_text(encoding="utf-8")), encoding="utf-8")
        find = lambda name: SimpleNamespace(origin=copy) if name == edited else real(name)  # noqa: E731
        monkeypatch.setattr(provenance.importlib.util, "find_spec", find)
        monkeypatch.setattr(provenance, "_code", inspect.unwrap(provenance._code))
        return provenance.source_of.__wrapped__(module, within=within)

    return digest


def same(text):
    return text


def another_docstring(text):
    return text.replace(popularity.__doc__, "Another text.").replace(popularity.Views.__doc__, "And another.")


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text + "\n# a remark\n",
        another_docstring,
        lambda text: text.replace("\n\n\n", "\n\n\n\n"),
        lambda text: re.sub(r"^import numpy as np$", "import numpy as np  # for arrays", text, flags=re.M),
    ],
)
def test_words_about_the_code_do_not_change_the_digest(digest_after, edit):
    before = provenance.source_of.__wrapped__(POPULARITY, within=MODELS)
    source = Path(popularity.__file__).read_text(encoding="utf-8")
    assert edit(source) != source
    assert digest_after(POPULARITY, edit) == before


@pytest.mark.parametrize(
    ("module", "changes"),
    [
        (POPULARITY, True),
        ("aicine_utils.models.base", True),
        ("aicine_utils.models.factorisation", False),
        ("aicine_utils.splits", False),
    ],
)
def test_code_of_the_module_and_of_what_it_imports_changes_the_digest(digest_after, module, changes):
    before = digest_after(module, same)
    assert (digest_after(module, lambda text: text + "\nEXTRA = 1\n") != before) is changes


def test_digest_of_a_package_covers_its_modules_at_any_depth(digest_after):
    metrics = {"module": "aicine_utils.metrics", "within": "aicine_utils"}
    for module in ("aicine_utils.metrics.ranking", "aicine_utils.splits"):
        assert digest_after(module, lambda text: text + "\nEXTRA = 1\n", **metrics) != digest_after(
            module, same, **metrics
        )


def test_digest_keeps_parts_apart():
    assert provenance.digest(["ab", "c"]) != provenance.digest(["a", "bc"])
    assert re.fullmatch("[0-9a-f]{12}", provenance.digest(["a"]))


def test_cost_sees_memory_that_is_gone_at_the_end():
    with provenance.Cost() as cost:
        held = np.ones(8_000_000)  # 64 MB, every page touched
        time.sleep(0.1)
        del held
    assert 60 < cost.peak_mb < 100
    assert 0.1 <= cost.seconds < 5


def test_cost_of_a_tree_is_all_that_the_process_holds():
    with provenance.Cost(tree=True) as cost:
        pass
    assert cost.peak_mb > 20  # an interpreter with numpy


def test_environment_names_versions_and_host():
    found = provenance.environment()
    assert found["packages"]["numpy"] == np.__version__
    assert re.fullmatch(r"\w+ \w+, \d+ cores, \d+ GB", found["host"])
    assert provenance._version("no-such-package") == "not installed"


def test_revision_is_that_of_the_code_wherever_home_lies(monkeypatch, tmp_path):
    before = provenance.revision()
    monkeypatch.setenv("AICINE_HOME", str(tmp_path))
    assert provenance.revision() == before
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    assert provenance.revision() == "unknown"


def test_presets_grow():
    mock, quick, full = (settings.preset(name) for name in ("mock", "quick", "full"))
    assert [p.dataset for p in (mock, quick, full)] == ["mock", "ml-100k", "ml-1m"]
    assert mock.trials < quick.trials
    with pytest.raises(errors.AicineError, match="Did you mean 'quick'"):
        settings.preset("quik")


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [("mock", "mock"), ("ml-100k", "quick"), ("ml-latest-small", "quick"), ("ml-1m", "full"), ("mine", "full")],
)
def test_preset_for_a_data_set(dataset, expected):
    assert settings.preset_for(dataset) == expected


def test_yaml_that_can_not_be_read_names_its_file(tmp_path):
    path = tmp_path / "svd.yaml"
    path.write_text("params: {n_factors: [", encoding="utf-8")
    with pytest.raises(errors.AicineError, match=r"svd\.yaml: not valid YAML"):
        settings.read_yaml(path)


def test_home_moves_what_is_written(monkeypatch, tmp_path):
    monkeypatch.setenv("AICINE_HOME", str(tmp_path))
    assert settings.output_dir("mock") == tmp_path / "outputs" / "mock"
    assert settings.data_dir() == tmp_path / "data"


def test_fingerprint_sees_configurations_and_no_code(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "__file__", str(tmp_path / "settings.py"))
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "a.yaml").write_text("x: 1", encoding="utf-8")
    before = settings.fingerprint("configs")
    (tmp_path / "configs" / "b.py").write_text("x = 1", encoding="utf-8")
    assert settings.fingerprint("configs") == before
    (tmp_path / "configs" / "a.yaml").write_text("x: 2", encoding="utf-8")
    assert settings.fingerprint("configs") != before


@pytest.mark.parametrize(
    ("imported", "packages"),
    [
        ("aicine_utils.models.registry", ["models"]),
        ("aicine_utils.feedback.service", ["models", "feedback/updates"]),
        ("aicine_utils.data.readers", []),
    ],
)
def test_what_is_found_by_name_counts_as_imported_with_its_finder(monkeypatch, tmp_path, imported, packages):
    script, asked = tmp_path / "script.py", []
    script.write_text(f"import {imported}\n")
    monkeypatch.setattr(provenance, "source_of_package", lambda folder: asked.append(folder) or "")
    provenance.source_of_script(script)
    assert asked == packages


def test_a_package_s_digest_is_of_all_its_modules(monkeypatch):
    asked = []
    monkeypatch.setattr(provenance, "source_of", lambda module: asked.append(module) or "")
    provenance.source_of_package("feedback/updates")
    assert {"aicine_utils.feedback.updates.counts", "aicine_utils.feedback.updates.rules"} <= set(asked)


def test_memory_that_was_freed_before_counts_when_it_is_filled_again():
    def fill():
        return [np.ones(2_000) for _ in range(4_000)]  # 64 MB in pieces that the C library keeps when they are freed

    kept = fill()
    last = kept[-1]  # above the others, so that nothing falls off the end by itself
    del kept
    with provenance.Cost() as cost:
        again = fill()
    assert cost.peak_mb > 50, (len(again), last.sum())
