"""A PostgreSQL of our own with the shipped schema.

TimescaleDB is stood in for: its extension is left out and its functions do next to nothing, which
is all that the schema uses of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.deploy.files import SQL
from tests.deploy.ingest import Row, binary

STAND_IN = """
CREATE FUNCTION create_hypertable(text, text, chunk_time_interval interval, if_not_exists boolean)
    RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION add_retention_policy(text, interval, if_not_exists boolean)
    RETURNS void LANGUAGE sql AS '';
CREATE SCHEMA timescaledb_information;
CREATE TABLE timescaledb_information.jobs (proc_name name);
CREATE FUNCTION add_job(regproc, interval) RETURNS void LANGUAGE sql
    AS 'INSERT INTO timescaledb_information.jobs SELECT proname FROM pg_proc WHERE oid = $1';
"""
SCHEMA = SQL.replace("CREATE EXTENSION IF NOT EXISTS timescaledb;", "")


def find_programs() -> Path | None:
    """Where PostgreSQL's own programs are; Debian keeps them off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return folders[0] if folders else None


class Postgres:
    """A server with files of its own, reached through a socket in their folder."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        # The server refuses to be run by root.
        self._user = "postgres" if os.getuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-D", str(folder / "data"), "-U", "owner", "-A", "trust", "--no-sync")
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c timezone=UTC"
        self._run("pg_ctl", "-D", str(folder / "data"), "-o", options, "-w", "-s", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-s", "stop")

    def ask(self, sql: str, user: str = "owner", database: str = "postgres") -> list[list[str]]:
        """Run SQL; the rows of its answer, as texts."""
        asked = self._psql(user, database, "-f", "-", data=sql.encode())
        return [line.split("|") for line in asked.splitlines()]

    def write(self, rows: Iterable[Row]) -> str:
        """Copy rows into their landing tables, a batch for each; what the server said to that."""
        said, kept = "", list(rows)
        for kind in dict.fromkeys(one.kind for one in kept):
            columns, batch = binary(kind, (one for one in kept if one.kind == kind))
            names = ", ".join(f'"{name}"' for name in columns)
            copy = f"COPY {kind}_landing ({names}) FROM STDIN BINARY"
            said += self._psql("telegraf", "postgres", "-c", copy, data=batch)
        return said

    def _psql(self, user: str, database: str, *arguments: str, data: bytes) -> str:
        return self._run(
            "psql", "-h", str(self._folder), "-U", user, "-d", database, "-X", "-q", "-A", "-t",
            "-v", "ON_ERROR_STOP=1", *arguments, data=data,
        )  # fmt: skip

    def _run(self, program: str, *arguments: str, data: bytes = b"") -> str:
        # Into a file: a server that goes on running would keep a pipe open.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(
                [str(self._programs / program), *arguments],
                input=data,
                stdout=said,
                stderr=subprocess.STDOUT,
                user=self._user,
                cwd=self._folder,
            )
            said.seek(0)
            answer = said.read().decode()
        assert done.returncode == 0, answer
        return answer
