"""Where feedback is kept: one table of events, in SQLite here, in PostgreSQL where a service has one.

A batch is one transaction: after :meth:`Store.append` returns, all of it is on the disk. If it does not return (the
process was killed, the disk is full), none of it is, or all of it: send it again, for an event whose id is there
already is not stored twice. Any number of processes may write at once. One batch is written at a time, so ``seq`` is
the order of commits, and a reader that goes on after the last ``seq`` it saw misses none.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd
import sqlalchemy as sa
from filelock import FileLock
from sqlalchemy.dialects import postgresql, sqlite

from aicine_utils import settings
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import AicineError
from aicine_utils.feedback import schema
from aicine_utils.feedback.events import FIELDS, Event, Rules, judge
from aicine_utils.feedback.schema import EVENTS, REFUSALS

URL = "AICINE_FEEDBACK_URL"
PATIENCE = 60_000  # milliseconds that a writer waits for its turn
LOCK = 0x41494349  # names the lock of the store's writers among those of a PostgreSQL
BATCH = 50_000  # events held at once while exporting
INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
COLUMNS = ["seq", *FIELDS]


@dataclass(frozen=True)
class Receipt:
    """What became of a batch: events stored now, events that were stored already, and refusals by reason."""

    stored: int
    repeated: int
    refused: Mapping[str, int]


class Store:
    """The events of one data set at a database URL; made, or brought up to date, when it is opened.

    Raises AicineError where the database can't be reached, is no database, or is of a later version.
    """

    def __init__(self, url: str, rules: Rules | None = None, dataset: str = "") -> None:
        self.rules, self.dataset = rules or Rules(), dataset
        self.engine = _engine(url)
        with self._telling(), _alone(self.engine.url):
            with self.engine.connect() as connection:
                current = schema.is_current(connection, dataset)
            if not current:
                with self._writing() as connection:
                    schema.prepare(connection, dataset)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()

    def append(self, events: Iterable[Event | Mapping[str, Any]]) -> Receipt:
        """Store a batch in one transaction and count what is refused; when it returns, it is on the disk.

        A refused event does not keep the others out. A batch that is sent again is refused, and counted, again.
        """
        if isinstance(events, Event | Mapping):
            raise AicineError("append takes several events. Put a single one in a list.")
        judged = [judge(event, self.rules) for event in events]
        rows = [_row(event) for event, _ in judged if event]
        refused = Counter(reason for _, reason in judged if reason)
        with self._telling(), self._writing() as connection:
            stored = self._insert(connection, rows)
            self._count(connection, refused)
        return Receipt(stored, len(rows) - stored, dict(refused))

    def _insert(self, connection: sa.Connection, rows: list[dict[str, Any]]) -> int:
        """Rows that were not there before, written; how many these are."""
        if not rows:
            return 0
        insert = INSERT[self.engine.dialect.name](EVENTS).on_conflict_do_nothing(index_elements=["event_id"])
        return connection.execute(insert, rows, execution_options={"preserve_rowcount": True}).rowcount

    def _count(self, connection: sa.Connection, refused: Mapping[str, int]) -> None:
        insert = INSERT[self.engine.dialect.name](REFUSALS)
        more = REFUSALS.c.count + insert.excluded.count
        upsert = insert.on_conflict_do_update(index_elements=["reason"], set_={"count": more})
        if refused:
            connection.execute(upsert, [{"reason": reason, "count": n} for reason, n in sorted(refused.items())])

    def events(self, user: str | None = None, after: int = 0) -> pd.DataFrame:
        """Events of one user or of all, those with a ``seq`` above ``after``, in order of time, then of arrival.

        Columns: seq, and the fields of :class:`Event` with movie as Int64, value as float, time as datetime64[s].
        """
        found = sa.select(*(EVENTS.c[name] for name in COLUMNS)).where(EVENTS.c.seq > after)
        found = found if user is None else found.where(EVENTS.c.user == user)
        with self._telling(), self.engine.connect() as connection:
            rows = connection.execute(found.order_by(EVENTS.c.time, EVENTS.c.seq)).all()
        return _frame(rows)

    def forget(self, user: str) -> int:
        """Erase all events of one user, as they may ask; how many these were. Sent again, they are stored again."""
        with self._telling(), self._writing() as connection:
            return connection.execute(sa.delete(EVENTS).where(EVENTS.c.user == user)).rowcount

    def counts(self) -> pd.Series:
        """Events stored, by kind."""
        return self._series(sa.select(EVENTS.c.kind, sa.func.count()).group_by(EVENTS.c.kind), "events")

    def refusals(self) -> pd.Series:
        """Events refused, by reason."""
        return self._series(sa.select(REFUSALS.c.reason, REFUSALS.c.count), "refused")

    def n_users(self) -> int:
        """People with at least one event."""
        with self._telling(), self.engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count(EVENTS.c.user.distinct()))).scalar_one()

    def _series(self, query: sa.Select, name: str) -> pd.Series:
        with self._telling(), self.engine.connect() as connection:
            found = dict(connection.execute(query).tuples().all())
        return pd.Series(found, name=name, dtype="int64").sort_index()

    def export(self, path: Path) -> int:
        """Write every event to a Parquet file, in order of arrival, as it stands at one moment; how many they are.

        The file is whole or absent. Memory stays flat. AicineError for a folder, and for a name of another format.
        """
        import pyarrow.parquet as pq

        if path.is_dir() or path.suffix != ".parquet":
            raise AicineError(f"{path} is no name for a Parquet file. Write for example --export events.parquet.")
        part, written = path.with_name(f".{path.name}.{os.getpid()}"), 0
        _make_folder(path)
        try:
            with self._telling(), pq.ParquetWriter(part, _arrow_schema()) as writer:
                for frame in self._batches():
                    writer.write_table(_arrow(frame))
                    written += len(frame)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return written

    def _batches(self) -> Iterator[pd.DataFrame]:
        query = sa.select(*(EVENTS.c[name] for name in COLUMNS)).order_by(EVENTS.c.seq)
        with self.engine.connect() as connection:
            streamed = connection.execution_options(stream_results=True, max_row_buffer=BATCH).execute(query)
            for rows in streamed.partitions(BATCH):
                yield _frame(rows)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction that holds the one write lock: taken at its start, so that it can't fail half-way for it."""
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            if self.engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            yield connection

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Errors of the database as a sentence; the password of the URL is not told."""
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            where = self.engine.url.render_as_string(hide_password=True)
            raise AicineError(
                f"The feedback store {where} failed: {cause}. Mend it, or name another in {URL}, and do this again; "
                "an event with the same event_id is not stored twice."
            ) from error


def url_for(dataset: str) -> str:
    """``$AICINE_FEEDBACK_URL``, in which ``{dataset}`` stands for the data set's name; else a file of SQLite's."""
    asked = os.environ.get(URL)
    path = settings.output_dir(dataset) / "feedback" / "events.sqlite"
    return asked.replace("{dataset}", dataset) if asked else f"sqlite:///{path}"


def open_for(data: MovieLens) -> Store:
    """The store of a data set's feedback, which takes events on its movies with stars on its scale."""
    low, high = data.info["rating_scale"]
    return Store(url_for(data.name), Rules(frozenset(data.movies["movie_id"].tolist()), (low, high)), data.name)


def exists(dataset: str) -> bool:
    """Whether there may be feedback: where SQLite's file is not there is none, and it need not be made to see that."""
    file = _file(_parsed(url_for(dataset)))
    return file is None or file.exists()


def _parsed(url: str) -> sa.URL:
    with _naming_the_url():
        parsed = sa.make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername in ("postgresql", "postgres") else parsed


@contextmanager
def _naming_the_url() -> Iterator[None]:
    try:
        yield
    except (sa.exc.ArgumentError, ModuleNotFoundError, ValueError) as error:
        # Only a missing driver is told in its own words: the others repeat the URL, and so its password.
        what = error if isinstance(error, ModuleNotFoundError) else "this is no URL of a database"
        raise AicineError(
            f"{URL}: {what}. Write for example sqlite:////data/events.sqlite or postgresql://user@host/name; "
            "PostgreSQL needs its driver: pip install 'psycopg[binary]'; in a password @ is %40 and : is %3A."
        ) from None


def _engine(url: str) -> sa.Engine:
    parsed = _parsed(url)
    with _naming_the_url():
        engine = sa.create_engine(parsed, pool_pre_ping=True)
    if engine.dialect.name not in INSERT:
        raise AicineError(f"{URL}: {engine.dialect.name} is no store for feedback. Use sqlite or postgresql.")
    if engine.dialect.name == "sqlite":
        if (file := _file(parsed)) is None:
            raise AicineError(f"{URL}: SQLite without a file forgets all. Write for example sqlite:////data/me.sqlite.")
        _make_folder(file)
        _as_sqlite_should(engine)
    return engine


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AicineError(
            f"{file} can't be written: {error.strerror} ({error.filename}). Name another place."
        ) from None


def _file(url: sa.URL) -> Path | None:
    elsewhere = url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:")
    return None if elsewhere else Path(url.database)


def _alone(url: sa.URL) -> AbstractContextManager:
    """Held while a store is opened: SQLite does not wait its turn when it turns a new file to WAL."""
    file = _file(url)
    return FileLock(file.with_name(f".{file.name}.lock")) if file else nullcontext()


def _as_sqlite_should(engine: sa.Engine) -> None:
    """WAL, a disk that is waited for at each commit, turns that are waited for, and transactions that begin when told.

    Source: SQLAlchemy 2.0, "Serializable isolation / Savepoints / Transactional DDL" of its SQLite dialect.
    """

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        connection.isolation_level = None  # Python's sqlite3 would begin by itself, and not before DDL
        for pragma in (f"busy_timeout={PATIENCE}", "journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _row(event: Event) -> dict[str, Any]:
    """Plain numbers: sqlite3 would keep one of numpy's as bytes."""
    movie = None if event.movie is None else int(event.movie)
    value = None if event.value is None else float(event.value)
    return {**vars(event), "movie": movie, "value": value, "time": int(event.time)}


def _frame(rows: Iterable[Any]) -> pd.DataFrame:
    frame = pd.DataFrame([tuple(row) for row in rows], columns=COLUMNS)
    seconds = frame["time"].astype("int64").astype("datetime64[s]")
    return frame.assign(time=seconds).astype({"seq": "int64", "movie": "Int64", "value": "float64"})


def _arrow_schema() -> Any:
    import pyarrow as pa

    own = {"seq": pa.int64(), "movie": pa.int64(), "value": pa.float64(), "time": pa.timestamp("ms", "UTC")}
    return pa.schema([(name, own.get(name, pa.string())) for name in COLUMNS])


def _arrow(frame: pd.DataFrame) -> Any:
    import pyarrow as pa

    return pa.Table.from_pandas(frame.assign(time=frame["time"].dt.tz_localize("UTC")), _arrow_schema(), safe=True,
                                preserve_index=False)  # fmt: skip
