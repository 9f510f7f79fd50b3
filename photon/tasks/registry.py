"""The tasks of an application that can be sent, and the queue that takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar, overload

from photon.runtime.hints import meant
from photon.tasks.choosing import queue_of
from photon.tasks.elsewhere import OF_TASKS
from photon.tasks.errors import DuplicateTask, TaskError
from photon.tasks.options import OnFailure, task_options
from photon.tasks.periods import Period
from photon.tasks.queue import Queue
from photon.tasks.queued import QueuedTask

P = ParamSpec("P")
T = TypeVar("T")


class Tasks:
    """Tasks by name, and their queue.

    Args:
        queue: a `Queue`, or the URL of one: redis://, postgresql://. None takes the environment
            variable PHOTON_QUEUE, and without it the one of this process.
    """

    def __init__(self, queue: Queue | str | None = None) -> None:
        # Not when the first job is sent: a URL that cannot be is said at the start.
        self._queue = queue_of(queue)
        self._tasks: dict[str, QueuedTask[..., Any]] = {}

    @property
    def queue(self) -> Queue:
        """What takes the jobs."""
        return self._queue

    @overload
    def task(self, fn: Callable[P, T], /) -> QueuedTask[P, T]: ...
    @overload
    def task(
        self,
        /,
        *,
        name: str | None = None,
        queue: str = "default",
        priority: int = 0,
        timeout: Period | None = None,
        retries: int = 0,
        backoff: Period | Callable[[int], float] = 1.0,
        max_backoff: Period = 300.0,
        retry_on: type[Exception] | tuple[type[Exception], ...] = Exception,
        on_failure: OnFailure | None = None,
    ) -> Callable[[Callable[P, T]], QueuedTask[P, T]]: ...
    def task(self, fn: Any = None, /, **options: Any) -> Any:
        """Make a function one that can be sent; a decorator, with options or without.

        Args:
            name: what queues and logs call it; "module.qualname" when left out. Jobs that wait
                are lost to a function that was renamed, so give one before you rename.
            queue: the name of its queue among the engine's.
            priority: of the jobs that wait the one with the highest runs first.
            timeout: what each attempt may take, in seconds or such as "5m"; None for any time.
            retries: how often it is tried again after a failure or a time-out.
            backoff: seconds before the second attempt, doubled before each further one, with
                full jitter; or a function of the number of the attempt that failed.
            max_backoff: the longest of these waits.
            retry_on: the exceptions that are worth another attempt.
            on_failure: called as `on_failure(job, error)`, where the job ran, when no attempt
                is left.
        Raises: TaskError; DuplicateTask.
        """
        unknown = next((name for name in options if name not in _OPTIONS), None)
        if unknown is not None:
            hint = meant(unknown, _OPTIONS, OF_TASKS)
            raise TaskError(f"a task has no option {unknown}{hint}")
        if fn is None:
            return lambda fn: self._add(fn, **options)
        if isinstance(fn, str):
            raise TaskError(f"a task's name is a keyword: task(name={fn!r})")
        return self._add(fn, **options)

    def _add(
        self,
        fn: Callable[P, T],
        *,
        name: str | None = None,
        queue: str = "default",
        priority: int = 0,
        **options: Any,
    ) -> QueuedTask[P, T]:
        checked = task_options("a task", **options)
        task = QueuedTask(fn, home=self, name=name, queue=queue, priority=priority, options=checked)
        former = self._tasks.get(task.name)
        if former is not None:
            raise DuplicateTask(
                f"two tasks are called {task.name!r}, by which a worker finds the function: "
                f"{former.place} and {task.place}; name one of them: task(name=...)"
            )
        self._tasks[task.name] = task
        return task

    def check(self) -> None:
        """Read the annotations of all tasks.   Raises: TaskError, for what cannot be sent."""
        for task in self:
            task.arguments.check()

    @property
    def queues(self) -> list[str]:
        """The names of the queues that the tasks are of, sorted."""
        return sorted({task.queue for task in self})

    def get(self, name: str) -> QueuedTask[..., Any] | None:
        """The task of that name."""
        return self._tasks.get(name)

    def __iter__(self) -> Iterator[QueuedTask[..., Any]]:
        return iter(list(self._tasks.values()))

    def __len__(self) -> int:
        return len(self._tasks)

    def __repr__(self) -> str:
        return f"<Tasks {len(self)} into {self._queue.name}>"


_OPTIONS = (
    "name",
    "queue",
    "priority",
    "timeout",
    "retries",
    "backoff",
    "max_backoff",
    "retry_on",
    "on_failure",
)
