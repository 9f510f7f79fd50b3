"""Seams for tests: who wants to know of each switch, and of each greenlet that gevent starts.

Nobody pays for them while nobody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gevent import Greenlet
from greenlet import settrace

__all__ = ["telling_starts", "telling_switches"]


@contextmanager
def telling_switches(tell: Callable[[Any, Any], object]) -> Iterator[None]:
    """Have `tell(origin, target)` called after each switch between greenlets of this thread.

    It runs in the target, which goes on when it returns: it must not switch, and not raise.
    """
    before: Callable[..., object] | None = None

    def on_event(event: str, pair: tuple[Any, Any]) -> None:
        if before is not None:
            before(event, pair)
        tell(*pair)

    before = settrace(on_event)
    try:
        yield
    finally:
        settrace(before)


@contextmanager
def telling_starts(tell: Callable[[Any], object]) -> Iterator[None]:
    """Have `tell(greenlet)` called for each greenlet of gevent's own that is started.

    Those are what libraries spawn, and after the patch the threads of `threading`.
    """
    Greenlet.add_spawn_callback(tell)
    try:
        yield
    finally:
        Greenlet.remove_spawn_callback(tell)
