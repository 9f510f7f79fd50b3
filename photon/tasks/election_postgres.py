"""`PostgresElector`: one worker of all that share a PostgreSQL does a run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from photon.runtime.clock import wall
from photon.tasks.election import Release
from photon.tasks.errors import ElectionError
from photon.tasks.schedule import CORRECTION_S

if TYPE_CHECKING:
    from psycopg import Connection

_TABLE = """
CREATE TABLE IF NOT EXISTS photon_last_runs (
    app text NOT NULL,
    task text NOT NULL,
    due double precision NOT NULL,
    PRIMARY KEY (app, task)
)
"""
# The row is locked while it is compared, so of many who ask one sees it change.
_CLAIM = """
INSERT INTO photon_last_runs AS known (app, task, due) VALUES (%(app)s, %(task)s, %(due)s)
ON CONFLICT (app, task) DO UPDATE SET due = excluded.due
WHERE known.due < excluded.due OR known.due > %(latest)s
RETURNING due
"""
_LAST = "SELECT due FROM photon_last_runs WHERE app = %s AND task = %s AND due <= %s"

# Any number that no other program takes for its own locks.
_TABLE_LOCK = 7_021_186_204_417_903_115


class PostgresElector:
    """Notes runs in the table `photon_last_runs`, which it makes, and holds advisory locks.

    A lock belongs to a connection that is open while the run goes on, so the server releases it
    when the process dies or the network is cut. Needs `pip install photon-web[postgres]`.

    Args:
        url: of the database; any that libpq knows.
        app: names the application among others that use the same database.
    """

    def __init__(self, url: str, app: str) -> None:
        self._url = url
        self.app = app
        self._has_table = False

    def enter(self, task: str) -> Release | None:
        connection = self._connect()
        try:
            row = connection.execute(
                "SELECT pg_try_advisory_lock(%s)", [self._number(task)]
            ).fetchone()
        except BaseException:
            connection.close()
            raise
        if row is not None and row[0]:
            return connection.close
        connection.close()
        return None

    def claim(self, task: str, due: float) -> bool:
        latest = wall() + CORRECTION_S
        values = {"app": self.app, "task": task, "due": due, "latest": latest}
        with self._connect() as connection:
            return connection.execute(_CLAIM, values).fetchone() is not None

    def last(self, task: str) -> float | None:
        with self._connect() as connection:
            latest = wall() + CORRECTION_S
            row = connection.execute(_LAST, [self.app, task, latest]).fetchone()
        return None if row is None else float(row[0])

    def _connect(self) -> Connection[Any]:
        """A connection of its own, in autocommit.   Raises: ElectionError, psycopg.Error."""
        try:
            import psycopg
        except ImportError as error:
            raise ElectionError(
                f"PostgresElector needs psycopg: pip install photon-web[postgres] ({error})"
            ) from error
        connection = psycopg.connect(
            self._url, autocommit=True, connect_timeout=10, application_name="photon tasks"
        )
        if not self._has_table:
            try:
                # Two that make it at the same time would both find that it is not there.
                with connection.transaction():
                    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_TABLE_LOCK])
                    connection.execute(_TABLE)
            except BaseException:
                connection.close()
                raise
            self._has_table = True
        return connection

    def _number(self, task: str) -> int:
        digest = hashlib.sha256(f"{self.app}\0{task}".encode("utf-8", "replace")).digest()
        return int.from_bytes(digest[:8], signed=True)

    def __repr__(self) -> str:
        return f"<PostgresElector {self.app}>"
