"""The store of feedback, in SQLite and, where it is installed, in PostgreSQL."""

import multiprocessing
import os
import signal
import time

import pandas as pd
import pytest
import sqlalchemy as sa
from feedback_cases import SERIAL, VERSION_1, postgresql

from aicine_utils.errors import AicineError
from aicine_utils.feedback import schema, store
from aicine_utils.feedback.events import Event, Rules
from aicine_utils.feedback.store import Receipt, Store

NOW = 2_000
RULES = Rules(frozenset(range(100)), (1.0, 5.0), lambda: NOW)


@pytest.fixture(scope="session")
def server():
    with postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/events.sqlite"
    url = request.getfixturevalue("server")
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS events, refusals, about"))
    engine.dispose()
    return url


@pytest.fixture
def opened(url):
    with Store(url, RULES, "mock") as one:
        yield one


def rated(name, movie=1, stars=4.0, user="me", at=1_000):
    return Event(user, "rate", movie, stars, time=at, event_id=name)


def test_an_event_comes_back_as_it_was_sent(opened):
    events = [
        Event("me", "comment", 7, text="좋다 👍 'quoted'", time=5, event_id="b", list_id="l", model_version="ease-1"),
        Event("1", "stop", 8, 0.1, time=4, event_id="a"),
        Event("1", "search", text="heat", time=6, event_id="c"),
    ]
    assert opened.append(events) == Receipt(3, 0, {})
    rows = opened.events().astype(object)
    assert rows["seq"].tolist() == [2, 1, 3]
    back = [{k: None if pd.isna(v) else v for k, v in row.items()} for row in rows.to_dict("records")]
    for row, event in zip(back, [events[1], events[0], events[2]], strict=True):
        row["time"] = int(row["time"].timestamp())
        row.pop("seq")
        assert Event(**row) == event
    assert opened.events(user="1")["event_id"].tolist() == ["a", "c"]
    assert opened.events(after=2)["event_id"].tolist() == ["c"]
    assert opened.counts().to_dict() == {"comment": 1, "search": 1, "stop": 1}
    assert opened.n_users() == 2


def test_an_id_that_is_sent_again_is_taken_and_the_first_event_stands(opened):
    assert opened.append([rated("a", stars=4), rated("a", stars=1), rated("b")]) == Receipt(2, 1, {})
    assert opened.append([rated("b", stars=2), rated("c")]) == Receipt(1, 1, {})
    assert opened.events()["value"].tolist() == [4, 4, 4]


def test_what_is_refused_is_counted_by_reason_and_keeps_no_other_out(opened):
    bad = [rated("x", movie=500), rated("y", at=NOW + 61), rated("z", stars=6), {"user": "me"}, rated("w", movie=501),
           Event("me", "comment", 1, text="x" * 10_000_000, time=5)]  # fmt: skip
    expected = {"unknown movie": 2, "future time": 1, "stars": 1, "fields": 1, "text too long": 1}
    assert opened.append([*bad, rated("a")]) == Receipt(1, 0, expected)
    assert opened.append(bad) == Receipt(0, 0, expected)
    assert opened.refusals().to_dict() == {reason: 2 * n for reason, n in expected.items()}
    assert opened.events()["event_id"].tolist() == ["a"]
    assert opened.append([]) == Receipt(0, 0, {})


def test_a_batch_that_fails_half_way_leaves_nothing(opened, monkeypatch):
    monkeypatch.setattr(Store, "_count", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        opened.append([rated("a"), rated("b", movie=500)])
    assert opened.events().empty


def test_the_export_holds_all_in_order_of_arrival(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "BATCH", 2)
    opened.append([rated("c", at=9), rated("a", at=5), Event("me", "search", text="x", time=7, event_id="b")])
    path = tmp_path / "new" / "out.parquet"
    assert opened.export(path) == 3
    table = pd.read_parquet(path, dtype_backend="pyarrow")
    assert table["event_id"].tolist() == ["c", "a", "b"]
    assert table["movie"].isna().tolist() == [False, False, True]
    assert [when.timestamp() for when in table["time"]] == [9, 5, 7]
    assert [file.name for file in path.parent.iterdir()] == ["out.parquet"]


@pytest.mark.parametrize("name", ["", "events.csv"])
def test_the_export_needs_the_name_of_a_parquet_file(opened, tmp_path, name):
    with pytest.raises(AicineError, match=r"no name for a Parquet file\. Write for example"):
        opened.export(tmp_path / name)


def test_a_single_event_is_no_batch(opened):
    with pytest.raises(AicineError, match="Put a single one in a list"):
        opened.append({"user": "me", "kind": "finish", "movie": 1})


def test_what_is_forgotten_is_of_one_user_alone(opened):
    opened.append([rated("a"), rated("b", movie=2), rated("c", user="you")])
    assert (opened.forget("me"), opened.forget("me")) == (2, 0)
    assert opened.events()["event_id"].tolist() == ["c"]


def test_a_reader_misses_nothing_after_the_last_event_was_erased(opened):
    opened.append([rated("a", user="you"), rated("b")])
    last = int(opened.events()["seq"].max())
    opened.forget("me")
    opened.append([rated("c", user="you")])
    assert opened.events(after=last)["event_id"].tolist() == ["c"]


def test_an_empty_store_is_exported_and_counted(opened, tmp_path):
    assert opened.export(tmp_path / "out.parquet") == 0
    assert list(pd.read_parquet(tmp_path / "out.parquet")) == store.COLUMNS
    assert opened.counts().empty
    assert opened.events("nobody").empty


def described(url):
    """Columns, keys and indexes of every table of a database."""
    engine = store._engine(url)
    look = sa.inspect(engine)
    found = {
        name: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in look.get_columns(name)],
            look.get_pk_constraint(name)["constrained_columns"],
            sorted(index["name"] for index in look.get_indexes(name) if not index.get("duplicates_constraint")),
            [key["column_names"] for key in look.get_unique_constraints(name)],
        )
        for name in look.get_table_names()
    }
    engine.dispose()
    return found


def test_version_1_is_migrated_and_then_equals_a_new_store(url):
    engine = store._engine(url)
    with engine.begin() as connection:
        for statement in VERSION_1:
            connection.execute(sa.text(statement.format(serial=SERIAL[engine.dialect.name])))
    for _ in range(2):  # the second time there is nothing to do
        with Store(url, RULES, "mock") as one:
            assert one.append([rated("old", stars=1), rated("new", movie=500)]) == Receipt(0, 1, {"unknown movie": 1})
            old = one.events().iloc[0]
            assert (old["event_id"], old["movie"], old["value"], old["list_id"]) == ("old", 3, 4.5, None)
    migrated = described(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE events"))
        connection.execute(sa.text("DROP TABLE refusals"))
        connection.execute(sa.text("DROP TABLE about"))
    engine.dispose()
    Store(url, RULES, "mock").close()
    assert described(url) == migrated


def test_a_migration_that_fails_leaves_version_1(url, monkeypatch):
    engine = store._engine(url)
    with engine.begin() as connection:
        for statement in VERSION_1:
            connection.execute(sa.text(statement.format(serial=SERIAL[engine.dialect.name])))
    before = described(url)
    monkeypatch.setitem(schema.MIGRATIONS, 2, (*schema.MIGRATIONS[2], "NO SUCH STATEMENT"))
    with pytest.raises(AicineError, match=r"feedback store .* failed"):
        Store(url, RULES, "mock")
    assert described(url) == before
    engine.dispose()


def test_a_later_version_and_another_data_set_are_refused(opened, url):
    with pytest.raises(AicineError, match="holds feedback on mock, not on ml-100k"):
        Store(url, RULES, "ml-100k")
    with opened._writing() as connection:
        connection.execute(sa.text("UPDATE about SET value = '4' WHERE name = 'version'"))
    with pytest.raises(AicineError, match=r"schema version 4; this program knows 3\. Update the program"):
        Store(url, RULES, "mock")


def _write(url, number, n, told):
    """Batches of ten until n events; the number acknowledged is told after each."""
    with Store(url, RULES, "mock") as one:
        for start in range(0, n, 10):
            one.append([rated(f"{number}-{i}") for i in range(start, start + 10)])
            told.value = start + 10


def test_processes_that_open_and_write_at_once_lose_nothing(url):
    context = multiprocessing.get_context("fork")
    told = [context.Value("i", 0) for _ in range(4)]
    writers = [context.Process(target=_write, args=(url, n, 100, told[n])) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    with Store(url, RULES, "mock") as one:
        assert set(one.events()["event_id"]) == {f"{n}-{i}" for n in range(4) for i in range(100)}
        assert len(one.events()) == 400


def test_what_was_acknowledged_survives_kill_9(url):
    context = multiprocessing.get_context("fork")
    told = context.Value("i", 0, lock=False)
    writer = context.Process(target=_write, args=(url, 0, 10**9, told))
    writer.start()
    deadline = time.monotonic() + 30
    while told.value < 50 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    acknowledged = told.value
    assert acknowledged >= 50
    with Store(url, RULES, "mock") as one:
        stored = len(one.events())
        assert stored in (acknowledged, acknowledged + 10)  # whole batches, at most one that was not acknowledged
        one.append([rated(f"0-{i}") for i in range(acknowledged + 10)])
        assert len(one.events()) == acknowledged + 10


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("no url", "Write for example sqlite"),
        ("sqlite://", "without a file forgets"),
        ("sqlite:///:memory:", "without a file forgets"),
        ("mysql+nothing://here", "Write for example sqlite"),
        ("postgresql://me:secret@127.0.0.1:1/none", r"me:\*\*\*@127.0.0.1:1/none failed"),
    ],
)
def test_a_url_that_leads_nowhere_names_the_remedy(url, expected):
    with pytest.raises(AicineError, match=expected):
        Store(url)


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "a.sqlite").write_text("ratings " * 1000)
    with pytest.raises(AicineError, match=r"below.sqlite can't be written: .*a.sqlite"):
        Store(f"sqlite:///{tmp_path}/a.sqlite/below.sqlite")
    with pytest.raises(AicineError, match="file is not a database"):
        Store(f"sqlite:///{tmp_path}/a.sqlite")


def test_the_place_of_the_store(home, monkeypatch, mock_data):
    assert not store.exists("mock")
    assert not home.exists()
    with store.open_for(mock_data) as one:
        assert one.append([rated("a", movie=int(mock_data.movies["movie_id"].max()) + 1)]).refused
    assert (home / "outputs" / "mock" / "feedback" / "events.sqlite").exists()
    assert store.exists("mock")
    monkeypatch.setenv("AICINE_FEEDBACK_URL", "postgresql://me@host/{dataset}")
    assert store.url_for("ml-1m") == "postgresql://me@host/ml-1m"
    assert store.exists("ml-1m")
