"""The benchmarks' common ground; what they measure is not a matter for tests."""

import importlib

import pandas as pd
import pytest

from aicine_utils import settings
from aicine_utils.errors import AicineError
from benchmarks import record

NAMES = sorted(path.stem for path in (settings.ROOT / "benchmarks").glob("*.py") if path.stem not in {"record"})


def test_rows_of_the_same_name_are_replaced_and_others_kept(home):
    record.keep(pd.DataFrame({"dataset": ["a", "b"], "value": [1, 2]}), "speed")
    record.keep(pd.DataFrame({"dataset": ["b"], "value": [3]}), "speed")
    kept = pd.read_csv(home / "outputs" / "benchmarks" / "speed.csv")
    assert kept[["dataset", "value"]].values.tolist() == [["a", 1], ["b", 3]]
    assert {"cores", "load", "revision"} <= set(kept.columns)


def test_exit_codes(capsys):
    def mistaken():
        raise AicineError("No such row. Name a known one.")

    for main, code in ((lambda: 0, 0), (lambda: 1, 1), (mistaken, 2)):
        with pytest.raises(SystemExit) as stop:
            record.run(main)
        assert stop.value.code == code
    assert capsys.readouterr().err == "Error: No such row. Name a known one.\n"


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_says_what_it_measures_and_has_a_door(name):
    module = importlib.import_module(f"benchmarks.{name}")
    assert module.__doc__
    assert callable(module.main)
