"""A PostgreSQL of the tests' own, and the table of version 1."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
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
# Runs a server until nobody holds the other end of its input: tests that are killed leave none behind.
UNTIL_LEFT = 'exec 3<&0; "$0" "$@" </dev/null 2>log & read -r _ <&3; kill -QUIT $!; wait'
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
        return subprocess.run([programs / program, *words], stdout=subprocess.DEVNULL, cwd=place, **who).returncode

    try:
        call("initdb", "-D", place / "data", "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = ["-D", place / "data", "-k", place, "-c", "listen_addresses=", "-c", "fsync=off"]
        server = subprocess.Popen(
            ["sh", "-c", UNTIL_LEFT, programs / "postgres", *options], stdin=subprocess.PIPE, cwd=place, **who
        )
        deadline = time.monotonic() + 60
        while call("pg_isready", "-q", "-h", place) and server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        yield f"postgresql://tests@/postgres?host={place}"
        server.stdin.close()
        server.wait()
    finally:
        shutil.rmtree(place, ignore_errors=True)
