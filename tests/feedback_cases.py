"""A PostgreSQL of the tests' own, and the table of version 1."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

VERSION_1 = (
    "CREATE TABLE about (name VARCHAR(40) NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    "INSERT INTO about VALUES ('version', '1')",
    'CREATE TABLE events (seq {serial} NOT NULL, event_id VARCHAR(200) NOT NULL, "user" VARCHAR(200) NOT NULL, '
    "kind VARCHAR(20) NOT NULL, movie BIGINT, value FLOAT, text TEXT, time BIGINT NOT NULL, "
    "PRIMARY KEY (seq), UNIQUE (event_id))",
    """INSERT INTO events (event_id, "user", kind, movie, value, time) VALUES ('old', 'me', 'rate', 3, 4.5, 1000)""",
)
SERIAL = {"sqlite": "INTEGER", "postgresql": "BIGSERIAL"}


def binaries():
    """Folder of PostgreSQL's programs, or None."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "postgres").exists()), None)


def someone():
    """Who runs the server, as arguments of subprocess: PostgreSQL refuses to be root."""
    if os.geteuid():
        return {}
    who = next((pwd.getpwnam(n) for n in ("postgres", "nobody") if n in {p.pw_name for p in pwd.getpwall()}), None)
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


@contextmanager
def postgresql():
    """URL of an empty database on a socket of a server that lives as long as the context; skips where there is none."""
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt-get install postgresql)")
    place, who = Path(tempfile.mkdtemp(prefix="pg")), someone()
    if who:
        os.chown(place, who["user"], who["group"])

    def call(program, *words):
        subprocess.run([programs / program, *words], check=True, stdout=subprocess.DEVNULL, cwd=place, **who)

    data, options = place / "data", f"-k {place} -c listen_addresses='' -c fsync=off"
    try:
        call("initdb", "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync")
        call("pg_ctl", "-D", data, "-w", "-l", place / "log", "-o", options, "start")
        yield f"postgresql://tests@/postgres?host={place}"
        call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)
