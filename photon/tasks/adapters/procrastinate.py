"""Jobs through procrastinate, kept in PostgreSQL.

    app = Photon(queue="postgresql://localhost/shop")   # or queue=ProcrastinateQueue(url)
    $ photon worker app:app --apply-schema              # on any machine; the flag once

    with connection.transaction():
        connection.execute("INSERT INTO orders ...")
        send_mail.send(order.id, connection=connection)     # sent if, and when, it is committed

What it promises: at least once, as durably as the database. The job of a worker that was killed is
taken over by another one when nothing was heard of the former for `redelivery_s`. A job that failed
for good, or whose name no worker knew, keeps its row with the status "failed", for
`procrastinate shell` or SQL to look at; rows of jobs that succeeded are deleted.

procrastinate's worker is asyncio. It runs as it is in a native thread of its own, and each job in a
greenlet of the hub, like a request: functions wait for each other's sockets and not for each
other, find no event loop in their way, and may compute for a minute while the worker goes on to
tell the database that it lives. (In the hub's own thread the loop would be seen by all jobs, and a
job that computes would look like a dead worker to others, who would run it again.)

Source: https://procrastinate.readthedocs.io
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

from photon.runtime.cancel import fail_after
from photon.runtime.errors import DeadlineExceeded
from photon.runtime.sync import RLock
from photon.tasks.adapters.servers import need, shown_url
from photon.tasks.queue import Call, WorkerSettings
from photon.tasks.queue_errors import ArgumentError, QueueError, QueueUnavailable

if TYPE_CHECKING:
    import procrastinate
    import psycopg
    import psycopg_pool

    from photon.tasks.adapters.procrastinate_worker import ProcrastinateWorker
    from photon.tasks.registry import Tasks

_NO_SCHEMA = (
    "has no tables of procrastinate: run `photon worker app:app --apply-schema` once, or "
    "`procrastinate schema --apply`"
)


class ProcrastinateQueue:
    """Sends jobs to PostgreSQL for procrastinate's workers; see above for what it promises.

    Args:
        url: such as postgresql://user:password@localhost/shop.
        connections: how many `send` uses at most, without `connection=`; who needs one more waits.
        patience_s: how long `send` waits for PostgreSQL.
        redelivery_s: how long nothing is heard of a worker before others take over its jobs.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = 4,
        patience_s: float = 5.0,
        redelivery_s: float = 30.0,
    ) -> None:
        need("procrastinate", "procrastinate", "ProcrastinateQueue")
        need("psycopg", "procrastinate", "ProcrastinateQueue")
        if "://" not in url or url.partition(":")[0] not in ("postgresql", "postgres"):
            raise QueueError(
                "the URL of a ProcrastinateQueue begins with postgresql://, and not with "
                f"{url.partition(':')[0][:20]!r}"
            )
        self._url = url
        self._connections = connections
        self._patience_s = patience_s
        self._redelivery_s = redelivery_s
        self._opening = RLock()

    @property
    def name(self) -> str:
        return f"procrastinate ({shown_url(self._url)})"

    @property
    def _where(self) -> str:
        return f"PostgreSQL ({shown_url(self._url)})"

    # Sending...

    def enqueue(self, call: Call) -> str:
        """Insert a row.   Raises: QueueUnavailable; QueueError; ArgumentError."""
        from datetime import timedelta

        from procrastinate import exceptions, jobs, utils

        later = utils.utcnow() + timedelta(seconds=call.delay_s) if call.delay_s > 0 else None
        job = jobs.Job(
            queue=call.task.queue,
            task_name=call.task.name,
            task_kwargs=call.arguments,
            priority=call.task.priority,
            scheduled_at=later,
            lock=None,
            queueing_lock=None,
        )
        _check_connection(call.connection)
        # In a transaction of the caller's the wait is the caller's, too.
        patience_s = math.inf if call.connection is not None else self._patience_s
        try:
            with fail_after(patience_s):
                # Not by its `App.configure_task`, which logs a line for each.
                sent = self._sender.job_manager.defer_job(job, connection=call.connection)
        except exceptions.ConnectorException as error:
            raise self._fault(error.__cause__ or error, call) from error
        except DeadlineExceeded as error:
            raise QueueUnavailable(self._where, str(error), may_be_enqueued=True) from error
        return str(sent.id)

    @cached_property
    def _pool(self) -> psycopg_pool.ConnectionPool[Any]:
        import psycopg_pool

        return psycopg_pool.ConnectionPool(
            self._url,
            min_size=1,
            max_size=self._connections,
            timeout=self._patience_s / 2,  # so that what it says is heard before ours
            open=False,
            # A transaction for one statement would be two more round trips.
            kwargs={"autocommit": True, "connect_timeout": max(2, round(self._patience_s))},
            check=psycopg_pool.ConnectionPool.check_connection,
        )

    @cached_property
    def _opened(self) -> procrastinate.App:
        import procrastinate

        app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
        self._pool.open()
        app.open(self._pool)
        return app

    @property
    def _sender(self) -> procrastinate.App:
        # One pool, also when the first jobs are sent at once.
        with self._opening:
            return self._opened

    def _fault(self, error: BaseException, call: Call) -> Exception:
        import psycopg
        import psycopg_pool

        if isinstance(error, _no_schema_errors()):
            return QueueError(f"{self._where} {_NO_SCHEMA}")
        if isinstance(error, psycopg.DataError):
            return ArgumentError(f"PostgreSQL takes no such arguments of {call.task.name}: {error}")
        if isinstance(error, psycopg.OperationalError) and call.connection is None:
            had_connection = not isinstance(error, psycopg_pool.PoolTimeout)
            return QueueUnavailable(self._where, str(error), may_be_enqueued=had_connection)
        return QueueError(f"{self._where} did not take the job: {error}")

    # The rest...

    def apply_schema(self) -> bool:
        """Make procrastinate's tables, if there are none.   Returns: whether they were made.

        Those of an older version are not brought up to date: procrastinate's migrations are, see
        `procrastinate schema --migrations-path`.
        Raises: QueueUnavailable.
        """
        import psycopg
        from procrastinate import schema

        with self._connect() as connection, connection.transaction():
            # One of many workers that start at once makes them.
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('photon: apply schema'))")
            if _has_schema(connection):
                return False
            try:
                connection.execute(schema.SchemaManager.get_schema())
            except psycopg.Error as error:
                raise QueueError(f"{self._where} did not take the schema: {error}") from error
            return True

    def check(self) -> None:
        """Raises: QueueUnavailable; QueueError, when there are no tables."""
        with self._connect() as connection:
            if not _has_schema(connection):
                raise QueueError(f"{self._where} {_NO_SCHEMA}")

    def _connect(self) -> psycopg.Connection[Any]:
        import psycopg

        try:
            timeout = max(2, round(self._patience_s))
            return psycopg.connect(self._url, connect_timeout=timeout, autocommit=True)
        except psycopg.OperationalError as error:
            raise QueueUnavailable(self._where, str(error), enqueues=False) from error

    def worker(self, tasks: Tasks, settings: WorkerSettings) -> ProcrastinateWorker:
        """procrastinate's worker for these tasks."""
        from photon.tasks.adapters.procrastinate_worker import ProcrastinateWorker

        return ProcrastinateWorker(
            self._url, tasks, settings, check=self.check, redelivery_s=self._redelivery_s
        )

    def close(self, drain_s: float = 0.0, cancel_s: float = 3.0) -> int:
        """Close the connections; the jobs are in PostgreSQL."""
        if "_opened" in vars(self):
            del self._opened
            self._pool.close()
            del self._pool
        return 0

    def __repr__(self) -> str:
        return f"<ProcrastinateQueue {shown_url(self._url)}>"


def _check_connection(connection: Any) -> None:
    import psycopg

    if connection is not None and not isinstance(connection, psycopg.Connection):
        raise QueueError(
            f"connection= is {type(connection).__qualname__}; give the psycopg.Connection itself "
            "(of SQLAlchemy: session.connection().connection.driver_connection)"
        )


def _has_schema(connection: psycopg.Connection[Any]) -> bool:
    found = connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone()
    return found is not None and found[0] is not None


def _no_schema_errors() -> tuple[type[Exception], ...]:
    from psycopg import errors

    return (errors.UndefinedTable, errors.UndefinedFunction, errors.UndefinedObject)
