"""What an application opens before its first request and closes after its last."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

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


def _open(lifespan: Lifespan, application: object) -> AbstractContextManager[Any]:
    takes_application = bool(inspect.signature(lifespan).parameters)
    arguments = (application,) if takes_application else ()
    if inspect.isgeneratorfunction(lifespan):
        return contextmanager(lifespan)(*arguments)
    opened = lifespan(*arguments)
    if not isinstance(opened, AbstractContextManager):
        raise TypeError(
            f"the lifespan {lifespan!r} gave {type(opened).__name__}; it shall be a generator "
            "function that yields once, or give a context manager"
        )
    return opened
