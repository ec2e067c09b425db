"""The tables of the store, their version, and what brings an older one up to date.

Plain SQL, one tuple of statements a version, for both databases and for SQLite alone: what a migration does must not
change when the tables below do. Each runs within the transaction of :func:`prepare`: all of it or nothing.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    select,
    text,
    update,
)

from aicine_utils.errors import AicineError
from aicine_utils.feedback.events import NAME_LENGTH

VERSION = 3
MIGRATIONS: dict[int, tuple[str, ...]] = {
    2: (  # which list an event answers, and what is refused
        f"ALTER TABLE events ADD COLUMN list_id VARCHAR({NAME_LENGTH})",
        f"ALTER TABLE events ADD COLUMN model_version VARCHAR({NAME_LENGTH})",
        'CREATE INDEX events_by_user ON events ("user", time)',
        "CREATE TABLE refusals (reason VARCHAR(40) NOT NULL PRIMARY KEY, count BIGINT NOT NULL)",
    ),
    3: (),
}
SQLITE: dict[int, tuple[str, ...]] = {
    3: (  # AUTOINCREMENT: without, the place of an event that was erased is given away again, and readers miss the next
        "ALTER TABLE events RENAME TO events_2",
        "DROP INDEX events_by_user",
        f"CREATE TABLE events (seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, event_id VARCHAR({NAME_LENGTH}) "
        f'NOT NULL, "user" VARCHAR({NAME_LENGTH}) NOT NULL, kind VARCHAR(20) NOT NULL, movie BIGINT, '
        f"value FLOAT, text TEXT, time BIGINT NOT NULL, list_id VARCHAR({NAME_LENGTH}), "
        f"model_version VARCHAR({NAME_LENGTH}), UNIQUE (event_id))",
        'INSERT INTO events SELECT seq, event_id, "user", kind, movie, value, text, time, list_id, model_version '
        "FROM events_2",
        "DROP TABLE events_2",
        'CREATE INDEX events_by_user ON events ("user", time)',
    ),
}

TABLES = MetaData()
EVENTS = Table(
    "events",
    TABLES,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),  # order of arrival
    Column("event_id", String(NAME_LENGTH), nullable=False, unique=True),
    Column("user", String(NAME_LENGTH), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("movie", BigInteger),
    Column("value", Float(53)),
    Column("text", Text),
    Column("time", BigInteger, nullable=False),  # seconds since 1970, UTC
    Column("list_id", String(NAME_LENGTH)),
    Column("model_version", String(NAME_LENGTH)),
    Index("events_by_user", "user", "time"),
    sqlite_autoincrement=True,
)
REFUSALS = Table(
    "refusals", TABLES, Column("reason", String(40), primary_key=True), Column("count", BigInteger, nullable=False)
)
ABOUT = Table("about", TABLES, Column("name", String(40), primary_key=True), Column("value", Text, nullable=False))


def is_current(connection: Connection, dataset: str) -> bool:
    """Whether the tables are there at :data:`VERSION`. AicineError if they are newer, or hold another data set's."""
    about = _about(connection)
    if int(about.get("version", 0)) > VERSION:
        raise AicineError(
            f"The feedback store has schema version {about['version']}; this program knows {VERSION}. "
            "Update the program, or name another store in AICINE_FEEDBACK_URL."
        )
    if about.get("dataset", dataset) != dataset:
        raise AicineError(
            f"The feedback store holds feedback on {about['dataset']}, not on {dataset}. "
            "Name another in AICINE_FEEDBACK_URL; {dataset} in it stands for the data set's name."
        )
    return about.get("version") == str(VERSION) and "dataset" in about


def prepare(connection: Connection, dataset: str) -> None:
    """Make the tables, or bring older ones to :data:`VERSION`; nothing where they are current.

    The caller holds the write lock, so that two processes do not both migrate.
    """
    if is_current(connection, dataset):
        return
    about, on_sqlite = _about(connection), connection.dialect.name == "sqlite"
    if not about:
        TABLES.create_all(connection)
        connection.execute(ABOUT.insert(), [{"name": "version", "value": str(VERSION)}])
    for version in range(int(about.get("version", VERSION)) + 1, VERSION + 1):
        for statement in (*MIGRATIONS[version], *(SQLITE.get(version, ()) if on_sqlite else ())):
            connection.execute(text(statement))
    connection.execute(update(ABOUT).where(ABOUT.c.name == "version").values(value=str(VERSION)))
    if "dataset" not in about:
        connection.execute(ABOUT.insert(), [{"name": "dataset", "value": dataset}])


def _about(connection: Connection) -> dict[str, str]:
    if not inspect(connection).has_table(ABOUT.name):
        return {}
    return dict(connection.execute(select(ABOUT.c.name, ABOUT.c.value)).tuples().all())
