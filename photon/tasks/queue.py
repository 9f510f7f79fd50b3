"""What keeps jobs until somebody runs them: the interface, and what passes through it.

    fn.send(1, 2) ──▶ Call ──▶ Queue.enqueue ──▶ ... ──▶ QueueWorker ──▶ Arrivals.run ──▶ fn(1, 2)

`inprocess.py` keeps them in this process; `adapters/` hands them to engines that exist, each with a
server that keeps them and with workers on other machines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Protocol

from msgspec import Meta, Struct

from photon.runtime.settings import Settings

if TYPE_CHECKING:
    from photon.tasks.queued import QueuedTask
    from photon.tasks.registry import Tasks


class Call(Struct, frozen=True, kw_only=True):
    """A call of a task's function, on its way into a queue.

    Attributes:
        arguments: by parameter, of what JSON has.
        delay_s: how long it shall not run yet.
        connection: whose transaction it shall be a part of; None for none.
    """

    task: QueuedTask[..., Any]
    arguments: dict[str, Any]
    delay_s: float = 0.0
    connection: Any = None


class Queue(Protocol):
    """Takes calls. What it promises about them is in the docstring of each.

    Attributes: name: for people, such as "dramatiq (redis://localhost)".
    """

    if not TYPE_CHECKING:  # for who meant another kind of queue

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            if cls is Queue:
                raise TypeError(
                    "Queue is what takes the calls of tasks, and only says what that has to do: "
                    "InProcessQueue(), DramatiqQueue(url) and ProcrastinateQueue(url) do it. "
                    "Between greenlets items go through open_channel(capacity)"
                )
            return super().__new__(cls)

    @property
    def name(self) -> str: ...

    def enqueue(self, call: Call) -> str:
        """Take a call; it is kept from here on.

        Returns: the job's id, by which logs and the engine's own tools name it.
        Raises: QueueUnavailable; QueueFull; QueueError.
        """

    def worker(self, tasks: Tasks, settings: WorkerSettings) -> QueueWorker:
        """What runs the jobs.   Raises: QueueError, when it needs no worker or cannot have one."""

    def close(self, drain_s: float = 0.0, cancel_s: float = 3.0) -> int:
        """Let go of connections; jobs that run in this process are waited for, then cut off.

        Returns: how many jobs were lost by it.
        """


class QueueWorker(Protocol):
    """Runs the jobs of a queue in this process.

    Attributes: busy: how many jobs run now.
    """

    @property
    def busy(self) -> int: ...

    def start(self) -> None:
        """Begin to take jobs; does not wait for them.   Raises: QueueUnavailable; QueueError."""

    def stop(self) -> int:
        """Take no further jobs and wait for those that run, as long as the settings allow.

        Returns: how many were cut off; they are run again.
        """

    def hurry(self) -> None:
        """Cut off what runs; from the hub, while `stop` waits."""


class WorkerSettings(Settings, frozen=True, kw_only=True):
    """How a worker works.

    Attributes: queues: names of those it takes jobs of; empty for all.
    """

    queues: tuple[str, ...] = ()
    # Greenlets are cheap, but each job taken is one that other workers cannot have.
    concurrency: Annotated[
        int, Meta(ge=1, le=10_000, description="how many jobs run at once in this process")
    ] = 16
    # As the server's own: gunicorn's and Kubernetes' figure.
    drain_s: Annotated[
        float, Meta(ge=0, description="what running jobs get to end when the worker is stopped")
    ] = 30.0
    cancel_s: Annotated[
        float, Meta(ge=0, description="what jobs that were cut off then get for their cleanup")
    ] = 3.0
