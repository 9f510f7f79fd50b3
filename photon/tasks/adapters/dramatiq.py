"""Jobs through dramatiq, kept in Redis.

    app = Photon(queue="redis://localhost")         # or queue=DramatiqQueue("redis://localhost")
    $ photon worker app:app                         # on any machine

What it promises: at least once. A job is in Redis from `send` on, and leaves it when its last
attempt is over. That of a worker that was killed is taken over by another one when nothing was
heard of the former for `redelivery_s`, and then runs a second time from its beginning; so does one
whose worker computed that long without letting its hub run. Redis itself loses the last second of
writes with its usual settings (appendfsync everysec), and all without persistence. A job that
failed for good, or whose name no worker knew, lies in its queue's dead letters for seven days
(`dramatiq:<queue>.XQ`).

dramatiq's worker runs in this patched process as under its own `dramatiq-gevent`: its worker
threads are greenlets, so functions wait for each other's sockets and not for each other. Of its
middleware only what keeps and retries messages is used: deadlines, log lines and hooks are
Photon's own, which know the place where a function waits, and are the same for every queue.

Source: https://dramatiq.io/advanced.html
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from photon.runtime.cancel import fail_after, move_on_after
from photon.runtime.errors import DeadlineExceeded
from photon.runtime.greenlets import spawn
from photon.tasks.adapters.servers import need, shown_url
from photon.tasks.arrivals import Arrivals
from photon.tasks.queue import Call, WorkerSettings
from photon.tasks.queue_errors import QueueError, QueueUnavailable
from photon.tasks.queued import QueuedTask

if TYPE_CHECKING:
    from dramatiq import Actor, Worker
    from dramatiq.brokers.redis import RedisBroker

    from photon.tasks.registry import Tasks

logger = logging.getLogger("photon.tasks")

# Longer than that and a message may be gone with dramatiq's delay queue: its own limit.
_LONGEST_DELAY_S = 7 * 86400.0

# How often a worker with nothing to do asks Redis, and how long its end may take it to notice.
_LOOK_MS = 200

# How often an idle worker looks for those that died, in each time of `redelivery_s`. (With
# dramatiq's own figure, one of a thousand commands, it would every three minutes. Not at each
# command: to look takes Redis's KEYS when there is a dead one.)
_LOOKS = 4


class DramatiqQueue:
    """Sends jobs to Redis for dramatiq's workers; see above for what it promises.

    Args:
        url: such as redis://:password@localhost:6379/0, rediss:// or unix:///run/redis.sock.
        namespace: how the names of its keys begin.
        connections: how many at most; who needs one more waits.
        patience_s: how long `send` waits for Redis.
        redelivery_s: how long nothing is heard of a worker before others take over its jobs.
    """

    def __init__(
        self,
        url: str,
        *,
        namespace: str = "dramatiq",
        connections: int = 20,
        patience_s: float = 5.0,
        redelivery_s: float = 60.0,
    ) -> None:
        need("dramatiq", "dramatiq", "DramatiqQueue")
        need("redis", "dramatiq", "DramatiqQueue")
        if "://" not in url or url.partition(":")[0] not in ("redis", "rediss", "unix"):
            raise QueueError(
                "the URL of a DramatiqQueue begins with redis://, rediss:// or unix://, and not "
                f"with {url.partition(':')[0][:20]!r}"
            )
        self._url = url
        self._namespace = namespace
        self._connections = connections
        self._patience_s = patience_s
        self._redelivery_s = redelivery_s

    @property
    def name(self) -> str:
        return f"dramatiq ({shown_url(self._url)})"

    @cached_property
    def _broker(self) -> RedisBroker:
        from dramatiq.brokers.redis import RedisBroker

        return RedisBroker(  # type: ignore[no-untyped-call]
            client=self._client(),
            middleware=[],
            namespace=self._namespace,
            heartbeat_timeout=int(self._redelivery_s * 1000),
            maintenance_chance=self._looks_in_a_million,
        )

    @property
    def _looks_in_a_million(self) -> int:
        """Of a million commands so many look for workers that died."""
        commands = self._redelivery_s * 1000 / _LOOK_MS  # of an idle worker, for each queue
        return min(1_000_000, int(1_000_000 * _LOOKS / max(commands, 1)))

    def _client(self) -> Any:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        only_tcp: dict[str, Any] = {
            "socket_connect_timeout": self._patience_s,
            "socket_keepalive": True,
        }
        if self._url.startswith("unix"):
            only_tcp = {}
        # Its default pool raises when all connections are in use, instead of waiting for one.
        pool = redis.BlockingConnectionPool.from_url(
            self._url,
            max_connections=self._connections,
            timeout=self._patience_s,
            socket_timeout=self._patience_s,
            # Once more: a connection of the pool may have been closed by the server meanwhile.
            retry=Retry(NoBackoff(), 1),
            **only_tcp,
        )
        return redis.Redis(connection_pool=pool)

    def enqueue(self, call: Call) -> str:
        """Put a message into Redis.   Raises: QueueUnavailable; QueueError."""
        if call.connection is not None:
            raise QueueError(
                "a job cannot be put into Redis by a transaction of a database; connection= works "
                "with ProcrastinateQueue"
            )
        if call.delay_s > _LONGEST_DELAY_S:
            raise QueueError(
                f"{call.task.name} was to run in {call.delay_s:g} s, and dramatiq puts off for "
                "seven days at most; keep the date, and look for what is due with @app.cron"
            )
        from dramatiq import Message

        message: Message[Any] = Message(
            queue_name=call.task.queue,
            actor_name=call.task.name,
            args=(),
            kwargs=call.arguments,
            options={},
        )
        self._put(message, int(call.delay_s * 1000) or None)
        return message.message_id

    def _put(self, message: Any, delay_ms: int | None) -> None:
        import redis

        is_told = False
        try:
            with fail_after(self._patience_s):
                pool = self._broker.client.connection_pool
                pool.release(pool.get_connection())  # so it is known whether there is one
                is_told = True
                self._broker.enqueue(message, delay=delay_ms)
        except (redis.RedisError, OSError, DeadlineExceeded) as error:
            where = f"Redis ({shown_url(self._url)})"
            raise QueueUnavailable(where, str(error), may_be_enqueued=is_told) from error

    def worker(self, tasks: Tasks, settings: WorkerSettings) -> DramatiqWorker:
        """dramatiq's worker for these tasks."""
        return DramatiqWorker(self._broker, tasks, settings, shown_url(self._url))

    def close(self, drain_s: float = 0.0, cancel_s: float = 3.0) -> int:
        """Close the connections; the jobs are in Redis."""
        if "_broker" in vars(self):
            self._broker.client.close()
            self._broker.client.connection_pool.disconnect()
            del self._broker
        return 0

    def __repr__(self) -> str:
        return f"<DramatiqQueue {shown_url(self._url)}>"


# Working...


class DramatiqWorker:
    """dramatiq's `Worker`, whose actors are the tasks.

    Args: broker: without actors yet. where: the server, for messages.
    """

    def __init__(
        self, broker: RedisBroker, tasks: Tasks, settings: WorkerSettings, where: str
    ) -> None:
        self._broker = broker
        self._tasks = tasks
        self._settings = settings
        self._where = where
        self._arrivals = Arrivals()
        self._worker: Worker | None = None

    @property
    def busy(self) -> int:
        return self._arrivals.busy

    def start(self) -> None:
        import redis
        from dramatiq import Worker
        from dramatiq.middleware import CurrentMessage

        from photon.tasks.adapters.dramatiq_keeping import Keeping, quiet

        quiet({*self._tasks.queues, *self._settings.queues})
        try:
            self._broker.client.ping()
        except (redis.RedisError, OSError) as error:
            raise QueueUnavailable(f"Redis ({self._where})", str(error), enqueues=False) from error
        self._broker.add_middleware(CurrentMessage())
        self._broker.add_middleware(Keeping())
        for task in self._tasks:
            self._declare(task)
        for queue in self._settings.queues:
            self._broker.declare_queue(queue)  # whose tasks are all of another application
        self._worker = Worker(
            self._broker,
            queues=set(self._settings.queues) or None,
            worker_threads=self._settings.concurrency,
            worker_timeout=_LOOK_MS,
        )
        self._worker.start()

    def _declare(self, task: QueuedTask[..., Any]) -> Actor[..., None]:
        from dramatiq import Actor
        from dramatiq.middleware import CurrentMessage

        def run(**arguments: Any) -> None:
            message = CurrentMessage.get_current_message()
            assert message is not None
            failed = message.options.get("retries", 0)
            self._arrivals.run(task, message.message_id, arguments, failed)

        return Actor(
            run,
            broker=self._broker,
            actor_name=task.name,
            queue_name=task.queue,
            # dramatiq's lower numbers run first, among the messages that a worker took.
            priority=-task.priority,
            options={},
        )

    def stop(self) -> int:
        if self._worker is None:
            return 0
        # It joins the greenlets of its jobs, while its consumers go on to tell Redis of it. If that
        # is away they would try for ever.
        budget_s = self._settings.drain_s + self._settings.cancel_s
        stopping = spawn(self._worker.stop, timeout=int(budget_s * 1000))
        with move_on_after(self._settings.drain_s):
            self._arrivals.wait_idle()
        cut_off = self._arrivals.cut_off()
        with move_on_after(self._settings.cancel_s + 10 * _LOOK_MS / 1000):
            stopping.join()
        return cut_off

    def hurry(self) -> None:
        self._arrivals.cut_off()
