"""`BackgroundTasks`: what a request puts off until its response was written.

    def create(item: ItemIn, tasks: BackgroundTasks) -> Item:
        tasks.add(send_mail, item.name)

They run one after the other, in the order in which they were added, in the region of the
application, as what `spawn` starts: the connection takes its next request meanwhile (uvicorn with
Starlette holds it until they are done), and an application that stops waits for them. Where the
region takes no more, they run before the connection goes on, which holds back who causes them.

They begin when the request's providers were left: what a transaction wrote is there for them, and
when it could not be committed they do not run. As with Starlette they run only if the handler
returned; those that were added with `always=True` run in any case.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextvars import copy_context
from types import FrameType
from typing import TYPE_CHECKING, Any, ParamSpec

from photon.http.request import Request
from photon.runtime.errors import Cancelled, RegionClosed, RegionFull
from photon.runtime.greenlets import Turn, spawn
from photon.runtime.hints import no_such_attribute
from photon.tasks.elsewhere import OF_BACKGROUND_TASKS
from photon.tasks.options import OnFailure, TaskOptions, task_options
from photon.tasks.periods import Period
from photon.tasks.places import caller
from photon.tasks.task import Job, Task, run_job

P = ParamSpec("P")

logger = logging.getLogger("photon.tasks")

_PLAIN = TaskOptions()
_MOST_NAMES = 20


def background_tasks(request: Request) -> Iterator[BackgroundTasks]:
    """The provider of a handler's `BackgroundTasks`, which run when the request is over.

    A handler that raises is thrown in here by the binding, as into any provider.
    """
    tasks = BackgroundTasks(request)
    try:
        yield tasks
    except BaseException as error:
        tasks.request_failed(error)
        request.on_done(tasks.start)
        raise

    def start() -> None:
        failure = request.ended_by or request.failure
        if failure is not None:  # the stream, or another provider
            tasks.request_failed(failure)
        tasks.start()

    # What is put off while others are on their way out comes right after these, and all of the
    # handler's providers are left together.
    request.on_done(start)


class BackgroundTasks:
    """Functions to run after the response.

    Handlers ask for one by type. By hand, in an application without handlers, it is
    `tasks = BackgroundTasks(request); request.on_done(tasks.start)`; and in a test of a handler
    `tasks = BackgroundTasks(); create(item, tasks); tasks.run()`.
    """

    __slots__ = ("_extra", "_is_over", "_request", "_waiting")

    def __init__(self, request: Request | None = None) -> None:
        self._request = request
        self._extra: Mapping[str, object] | None = None
        self._waiting: deque[tuple[Job, bool]] = deque()
        self._is_over = False

    # What handlers call...

    def add(self, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Have `fn(*args, **kwargs)` called after the response, after those added before.

        It sees the context variables as they are now. What it raises is logged with the id of the
        request and the place of this call, and keeps none of the others from running.

        Raises: TaskError; RuntimeError, when they have all run already.
        """
        self._add(fn, args, kwargs, _PLAIN, False)

    def with_options(
        self,
        *,
        timeout: Period | None = None,
        retries: int = 0,
        backoff: Period | Callable[[int], float] = 1.0,
        on_failure: OnFailure | None = None,
        always: bool = False,
    ) -> Adding:
        """The same with options: `tasks.with_options(timeout=5, retries=2).add(send_mail, name)`.

        While one of them waits for its next attempt, those after it wait, too.

        Args:
            timeout: what each attempt may take; retries, backoff, on_failure: see `TaskOptions`.
            always: run it also if the handler raised.
        Raises: TaskError, ScheduleError.
        """
        options = task_options(
            "with_options",
            timeout=timeout,
            retries=retries,
            backoff=backoff,
            on_failure=on_failure,
        )
        return Adding(self, options, always)

    def _add(
        self,
        fn: Callable[..., object],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        options: TaskOptions,
        always: bool,
    ) -> None:
        if self._is_over:
            raise RuntimeError(
                f"{fn!r} comes too late: the background tasks of this request have run; "
                "spawn(fn, ...) starts it at once"
            )
        job = Job(Task(fn, options=options), args, kwargs, context=copy_context())
        job.extra = {**self._names(), "added_at": caller(2)}
        self._waiting.append((job, always))

    def _names(self) -> Mapping[str, object]:
        if self._extra is None:
            request = self._request
            self._extra = (
                {}
                if request is None
                else {"request_id": request.id, "method": request.method, "path": request.path}
            )
        return self._extra

    # What happens with them...

    def request_failed(self, error: BaseException) -> None:
        """The request failed: only those that were added with `always` will run."""
        kept = deque(each for each in self._waiting if each[1])
        if len(kept) < len(self._waiting):
            logger.info(
                "%d background tasks do not run, as their request failed: %s",
                len(self._waiting) - len(kept),
                type(error).__qualname__,
                extra=dict(self._names()),
            )
        self._waiting = kept

    def start(self) -> None:
        """Hand them over to the application, which runs them; here and now when it cannot."""
        request, self._request = self._request, None
        if not self._waiting:
            self._is_over = True
            return
        try:
            handle = spawn(self.run)
            if request is not None:
                request.background = handle
        except (RegionFull, RegionClosed):
            self.run()
        except Cancelled as error:  # while it waited for room
            self._lose(error)
            raise

    def run(self) -> None:
        """Run them here, one after the other. Never raises but Cancelled.

        What one of them adds runs after the others.
        """
        try:
            turn = Turn()
            while self._waiting:
                # There may be thousands, none of which ever waits.
                turn.give_way()
                run_job(self._waiting.popleft()[0])
        except Cancelled as error:
            self._lose(error)
            raise
        finally:
            self._is_over = True

    def _lose(self, error: Cancelled) -> None:
        """Those that are left will never run."""
        if self._waiting:
            names = ", ".join(job.name for job in self.jobs[:_MOST_NAMES])
            logger.warning(
                "%d background tasks never ran: %s (%s)",
                len(self._waiting),
                names,
                error,
                extra=dict(self._names()),
            )
            self._waiting.clear()
        self._is_over = True

    @property
    def jobs(self) -> list[Job]:
        """Those that have not begun, in their order."""
        return [job for job, _ in self._waiting]

    def described(self, frame: FrameType | None) -> dict[str, Any]:
        """For dumps: see `runtime.debug.who.Described`."""
        from photon.runtime.debug.frames import local  # hardly ever asked for

        job = local(frame, "tasks/task.py", "run_job", "job")
        names = "background tasks" if job is None else f"background task {job.name}"
        return {"kind": "background", "name": names, "waiting": len(self._waiting)}

    def __len__(self) -> int:
        return len(self._waiting)

    def __bool__(self) -> bool:
        return True

    if not TYPE_CHECKING:  # a checker shall see that these do not exist

        def __getattr__(self, name: str) -> Any:
            return no_such_attribute(self, name, OF_BACKGROUND_TASKS)

    def __repr__(self) -> str:
        names = ", ".join(job.name for job in self.jobs[:_MOST_NAMES])
        return f"<BackgroundTasks {'over' if self._is_over else f'[{names}]'}>"


class Adding:
    """Adds functions to `BackgroundTasks` with options."""

    __slots__ = ("_always", "_options", "_tasks")

    def __init__(self, tasks: BackgroundTasks, options: TaskOptions, always: bool) -> None:
        self._tasks = tasks
        self._options = options
        self._always = always

    def add(self, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """As `BackgroundTasks.add`, with the options."""
        self._tasks._add(fn, args, kwargs, self._options, self._always)

    def __repr__(self) -> str:
        return f"<Adding to {self._tasks!r}>"
