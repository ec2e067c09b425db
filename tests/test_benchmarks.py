"""The benchmarks' common ground; what they measure is not a matter for tests."""

import importlib

import pandas as pd
import pytest

from aicine_utils import settings
from aicine_utils.errors import AicineError
from aicine_utils.feedback.store import Store
from benchmarks import feedback_store, record

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


def test_the_store_under_fire_keeps_all_and_what_is_wrong_would_be_seen(tmp_path):
    url = f"sqlite:///{tmp_path}/events.sqlite"
    plans = [feedback_store.Plan(url, writer, 200, 10, tmp_path / f"{writer}.note") for writer in range(2)]
    _, killed = feedback_store.under_fire(plans, kills=2)
    assert killed <= 2
    assert feedback_store.check(plans) == {"sent": 400, "stored": 400, "lost": 0, "duplicated": 0, "changed": 0}
    with Store(url, feedback_store.RULES, "benchmark") as store, store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM events WHERE event_id IN ('0-3', '1-5')")
        connection.exec_driver_sql("UPDATE events SET value = 0.5 WHERE event_id = '0-7'")
        connection.exec_driver_sql("UPDATE events SET event_id = 'again', time = time + 1 WHERE event_id = '1-8'")
    found = feedback_store.check(plans)
    assert found == {"sent": 400, "stored": 398, "lost": 3, "duplicated": 1, "changed": 2}
