"""What an application opens before its first request and closes after its last."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import Any

from photon.runtime.source import place_of
from photon.runtime.sync import RLock

Lifespan = Callable[..., Any]
"""A generator function that yields once, or one that returns a context manager; it may take the
application as its only argument."""


@contextmanager
def running(application: object, lifespans: list[Lifespan]) -> Iterator[None]:
    """Enter each lifespan in order, and leave them in reverse, whatever happens between."""
    with ExitStack() as stack:
        for lifespan in lifespans:
            stack.enter_context(_open(lifespan, application))
        yield


class Life:
    """A time that several enter, and that is over when the last one has left.

    Args: whose: for messages. open_: what is entered by the first of them.
    """

    def __init__(self, whose: object, open_: Callable[[], AbstractContextManager[None]]) -> None:
        self._whose = whose
        self._open = open_
        self._changing = RLock()
        self._is_opening = False
        self._count = 0
        self._opened: AbstractContextManager[None] | None = None

    @property
    def is_on(self) -> bool:
        return self._is_opening or self._count > 0

    def __enter__(self) -> None:
        with self._changing:
            if self._is_opening:
                raise RuntimeError(f"{self._whose!r} would start itself: it is mounted in itself")
            if self._count == 0:
                self._is_opening = True
                try:
                    opened = self._open()
                    opened.__enter__()
                    self._opened = opened
                finally:
                    self._is_opening = False
            self._count += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        with self._changing:
            self._count -= 1
            if self._count > 0:
                return None
            opened, self._opened = self._opened, None
            assert opened is not None
            return opened.__exit__(kind, error, traceback)


def _open(lifespan: Lifespan, application: object) -> AbstractContextManager[Any]:
    takes_application = bool(inspect.signature(lifespan).parameters)
    arguments = (application,) if takes_application else ()
    opened: Any = lifespan(*arguments)
    if inspect.isgenerator(opened):
        return _once(lifespan, opened)
    if isinstance(opened, AbstractContextManager):
        return opened
    if hasattr(opened, "__aenter__"):
        raise TypeError(f"{_named(lifespan)} is async: write def")
    raise TypeError(
        f"{_named(lifespan)} gave {type(opened).__name__}; it shall be a generator function that "
        "yields once, or give a context manager"
    )


@contextmanager
def _once(lifespan: Lifespan, generator: Generator[Any, Any, Any]) -> Iterator[None]:
    """As contextlib's own, which does not say whose generator did not stop."""
    try:
        next(generator)
    except StopIteration:
        raise RuntimeError(f"{_named(lifespan)} did not yield; it yields once") from None
    try:
        yield
    except BaseException as error:
        try:
            generator.throw(error)
        except StopIteration:
            return
    else:
        try:
            next(generator)
        except StopIteration:
            return
    generator.close()
    raise RuntimeError(f"{_named(lifespan)} yielded twice; it yields once")


def _named(lifespan: Lifespan) -> str:
    name = getattr(lifespan, "__qualname__", repr(lifespan))
    return f"the lifespan {name} ({place_of(lifespan)})"
