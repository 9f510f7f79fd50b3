"""The control socket of a process that has no supervisor: served by its own hub.

    with serve_control(path, {"stats": stats, "dump": dump}, about=lambda: {"app": "app:app"}):
        ...

A command is a plain function of its arguments that may wait: each runs in a greenlet of its own.
Its answer has the shape of a supervisor's, which asks many workers: here there is one.

While the hub stands still nobody is answered; for that there is `--health-port`.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from photon.runtime.clock import now
from photon.runtime.hub import READ, WRITE, Hub, current_hub
from photon.runtime.workers.commanding import Command, CommandJob, run_command
from photon.runtime.workers.control import ControlError, ControlServer, ControlSession
from photon.runtime.workers.messages import Message
from photon.runtime.workers.polled import READABLE, WRITABLE, PolledServer

logger = logging.getLogger("photon.runtime")

_TICK_S = 1.0

_BY_SUPERVISOR = {
    "reload": "replace its workers",
    "scale": "have more workers or fewer",
}


@contextmanager
def serve_control(
    path: str,
    commands: Mapping[str, Command],
    *,
    about: Callable[[], Message] = dict,
    state: Callable[[], str] = lambda: "ready",
) -> Iterator[ControlServer]:
    """Answer at `path` while the block runs.

    Args:
        commands: functions of (arguments) to a value of JSON, by name; looked up at each request.
        about: see `ControlServer`.
        state: of this process: "booting", "ready" or "draining".
    Raises: ControlError, if the socket cannot be opened.
    """
    hub = current_hub()
    running: set[CommandJob] = set()

    def on_request(session: ControlSession, message: Message) -> None:
        _start(running, commands, state, session, message)

    server = ControlServer(path, on_request, about=lambda: {"supervised": False, **about()})
    try:
        with driven_by_hub(hub, server):
            yield server
    finally:
        server.close()
        for job in list(running):
            hub.run_soon(job.interrupt)


def _start(
    running: set[CommandJob],
    commands: Mapping[str, Command],
    state: Callable[[], str],
    session: ControlSession,
    message: Message,
) -> None:
    arguments = {**message}
    number, name, which = arguments.pop("id"), arguments.pop("do"), arguments.pop("worker", None)
    arguments.pop("timeout", None)  # for how long a supervisor waits for its workers
    if which not in (None, 0, os.getpid()):
        raise ControlError(f"there is no worker {which!r}: this process is the only one, worker 0")
    one = {"index": 0, "pid": os.getpid(), "generation": 1, "state": state()}
    if name == "workers":
        session.answer(number, _answer(one))
    elif name in ("stop", "drain"):
        # As from outside: whoever serves knows what SIGTERM means to him.
        os.kill(os.getpid(), signal.SIGTERM)
        session.answer(number, _answer(one))
    elif name in _BY_SUPERVISOR:
        raise ControlError(
            f"this process has no supervisor that could {_BY_SUPERVISOR[name]}: start it with "
            "--workers, as in: photon run app:app --workers 4"
        )
    elif name not in commands:
        raise ControlError(unknown(name, [*commands, "workers", "stop", "drain", "who"]))
    else:

        def answered(answer: Message) -> None:
            running.discard(job)
            session.answer(number, _answer({**one, **answer}))

        job = run_command(name, commands[name], arguments, answered)
        running.add(job)


def unknown(name: str, known: list[str]) -> str:
    """The sentence for a command that is not there."""
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}"
    return f"there is no command {name!r}; {hint}"


def _answer(worker: Message) -> Message:
    return {"supervisor": None, "workers": [worker]}


# A polled server on the hub...


@contextmanager
def driven_by_hub(hub: Hub, server: PolledServer[Any]) -> Iterator[None]:
    """Have the hub call `server` while the block runs."""
    driver = _Driver(hub, server)
    try:
        yield
    finally:
        driver.close()


class _Driver:
    """A watcher for each descriptor, and a timer while anybody is connected."""

    def __init__(self, hub: Hub, server: PolledServer[Any]) -> None:
        self._hub = hub
        self._server = server
        self._watchers: dict[int, Any] = {}
        self._tick_timer: Any = None
        for fd, events in server.watched():
            self._watch(fd, events)
        server.on_interest = self._watch

    def _watch(self, fd: int, events: int) -> None:
        former = self._watchers.pop(fd, None)
        if former is not None:
            former.close()
        if events:
            wanted = (READ if events & READABLE else 0) | (WRITE if events & WRITABLE else 0)
            # It must not keep a hub alive that has nothing else to do.
            watcher = self._watchers[fd] = self._hub.loop.io(fd, wanted, ref=False)
            watcher.start(self._on_ready, fd, watcher, pass_events=True)

    def _on_ready(self, events: int, fd: int, watcher: Any) -> None:
        if self._watchers.get(fd) is not watcher:
            return  # of a descriptor that was closed in this round, and is another's by now
        found = (READABLE if events & READ else 0) | (WRITABLE if events & WRITE else 0)
        self._server.handle(fd, found)
        self._keep_time()

    def _keep_time(self) -> None:
        if self._tick_timer is None and not self._server.is_idle:
            self._tick_timer = self._hub.deadlines.add(now() + _TICK_S, self._tick)

    def _tick(self) -> None:
        self._tick_timer = None
        self._server.tick()
        self._keep_time()

    def close(self) -> None:
        """Let go of everything; the server may be closed then."""
        self._server.on_interest = None
        for watcher in self._watchers.values():
            watcher.close()
        self._watchers.clear()
        if self._tick_timer is not None:
            self._tick_timer.cancel()
            self._tick_timer = None
