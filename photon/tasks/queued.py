"""`fn.send(1, 2)`: a function whose calls can be put into a queue."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from photon.runtime.hints import no_such_attribute
from photon.tasks.arguments import Arguments
from photon.tasks.checking import name_of, shown
from photon.tasks.elsewhere import OF_QUEUED_TASKS
from photon.tasks.errors import TaskError
from photon.tasks.options import TaskOptions
from photon.tasks.periods import Period, seconds_of
from photon.tasks.queue import Call
from photon.tasks.task import Task

if TYPE_CHECKING:
    from photon.tasks.registry import Tasks

P = ParamSpec("P")
T = TypeVar("T")

# What dramatiq takes, which is less than what PostgreSQL does; it keeps .DQ and .XQ for itself.
_QUEUE_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9._-]{0,99}", re.ASCII)
_RESERVED_ENDS = (".DQ", ".XQ")

# PostgreSQL's integer; a priority needs no more.
_MOST_URGENT = 2**31 - 1


class QueuedTask(Task[P, T]):
    """A function that can be called here and now, or sent into the application's queue.

        @app.task(retries=3)
        def send_mail(to: str) -> None: ...

        send_mail("a@example.com")                  # runs here
        send_mail.send("a@example.com")             # runs where and when the queue has it run
        send_mail.send_after("10m", "a@example.com")

    What the function returns when it was sent is kept by nobody: have it store what it found.

    Args:
        home: the tasks that it is one of, whose queue takes its calls.
        queue: the name of the queue among those of the engine; workers may be told to take some.
        priority: of the jobs that wait the one with the highest runs first.
    Attributes: arguments: how they travel; all of `Task`.
    """

    def __init__(
        self,
        fn: Callable[P, T],
        *,
        home: Tasks,
        name: str | None = None,
        queue: str = "default",
        priority: int = 0,
        options: TaskOptions | None = None,
    ) -> None:
        super().__init__(fn, name=name or _name_for_others(fn), options=options)
        if name is None:
            _check_findable(fn)
        _check_queue(queue)
        if type(priority) is not int or abs(priority) > _MOST_URGENT:
            raise TaskError(f"priority is a whole number up to {_MOST_URGENT}, not {priority!r}")
        self.queue = queue
        self.priority = priority
        self.arguments = Arguments(fn, self.name)
        if "connection" in self.arguments.names:
            raise TaskError(
                f"{shown(fn)} has a parameter `connection`, which send(..., connection=) is for; "
                "nobody can send a connection, so name it otherwise if it is something else"
            )
        self._home = home
        update_wrapper(self, fn)

    def send(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Have the function called with these arguments, soon.

        With `connection=` of a psycopg connection it is a part of that transaction: it runs when
        that is committed, and never if not (ProcrastinateQueue only).

        Returns: the job's id.
        Raises: ArgumentError; QueueFull; QueueError; then nothing was enqueued. QueueUnavailable,
            whose `may_be_enqueued` says whether that is known.
        """
        connection = kwargs.pop("connection", None)
        return self._send(0.0, connection, args, kwargs)

    def send_after(self, seconds: Period, /, *args: P.args, **kwargs: P.kwargs) -> str:
        """Have the function called no sooner than in `seconds`, a number or such as "10m".

        Returns, raises: as `send`.
        """
        connection = kwargs.pop("connection", None)
        # Zero is as good as `send`.
        delay_s = seconds_of(seconds, f"{self.name}.send_after: seconds", least=0.0)
        return self._send(delay_s, connection, args, kwargs)

    def within(self, connection: Any) -> Sender[P]:
        """`send` and `send_after` in the transaction of a connection, for type checkers:
        `fn.within(connection).send(1, 2)` is `fn.send(1, 2, connection=connection)`."""
        return Sender(self, connection)

    def _send(
        self, delay_s: float, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> str:
        arguments = self.arguments.encode(args, kwargs)
        call = Call(task=self, arguments=arguments, delay_s=delay_s, connection=connection)
        return self._home.queue.enqueue(call)

    if not TYPE_CHECKING:  # a checker shall see that these do not exist

        def __getattr__(self, name: str) -> Any:
            return no_such_attribute(self, name, OF_QUEUED_TASKS)

    def __repr__(self) -> str:
        return f"<QueuedTask {self.name} of {self.queue!r}>"


class Sender(Generic[P]):
    """A task within a transaction."""

    def __init__(self, task: QueuedTask[P, Any], connection: Any) -> None:
        self._task = task
        self._connection = connection

    def send(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """As `QueuedTask.send`."""
        return self._task._send(0.0, self._connection, args, kwargs)

    def send_after(self, seconds: Period, /, *args: P.args, **kwargs: P.kwargs) -> str:
        """As `QueuedTask.send_after`."""
        delay_s = seconds_of(seconds, f"{self._task.name}.send_after: seconds", least=0.0)
        return self._task._send(delay_s, self._connection, args, kwargs)


def _name_for_others(fn: Any) -> str:
    """The function's name as a process knows it that imports its module."""
    name = name_of(fn)
    module, _, rest = name.partition("__main__.")
    return f"{_main_module()}.{rest}" if not module and rest else name


def _main_module() -> str:
    """What the module is called that runs as a script."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:  # python -m
        return str(spec.name).removesuffix(".__main__")
    path = getattr(main, "__file__", None)
    return Path(path).stem if path else "__main__"


def _check_findable(fn: Any) -> None:
    name = name_of(fn)
    if "<lambda>" in name:
        raise TaskError(
            f"{shown(fn)} is a lambda, which no other process can tell from the next one: write def"
        )
    if "<locals>" in name:
        raise TaskError(
            f"{shown(fn)} is defined in a function, so a worker, which is another process, may "
            "not have it: define it at the top of its module. If the worker calls that function, "
            "too, as it does with the factory of an application, give the task a name: "
            f'@app.task(name="{name.rpartition(".")[2]}")'
        )


def _check_queue(queue: str) -> None:
    if not isinstance(queue, str) or not _QUEUE_NAME.fullmatch(queue):
        raise TaskError(
            f"queue is {queue!r}, but the name of a queue begins with a letter or _, and has "
            "letters, digits and . _ - (at most 100)"
        )
    if queue.endswith(_RESERVED_ENDS):
        raise TaskError(f"queue is {queue!r}, but dramatiq keeps names with that end for itself")
