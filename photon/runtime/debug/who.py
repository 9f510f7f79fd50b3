"""Who a greenlet is: what it does for whom, as its job says itself."""

from __future__ import annotations

import threading
from types import FrameType
from typing import Any, Protocol

from photon.runtime.carriers import Carrier
from photon.runtime.debug.frames import around, file_of
from photon.runtime.hub import Hub

_LONGEST = 100


class Described(Protocol):
    """A job that can say what it is. Nothing is noted for it beforehand: it is asked."""

    def described(self, frame: FrameType | None) -> dict[str, Any]:
        """What it is; JSON-able, and short. It must not wait, and may be asked by any thread.

        Args: frame: the innermost one of the greenlet that runs it.
        Returns: "kind" such as "request", "name" such as "GET /items/{id}", "age_s" in seconds if
            that is known, and whatever else helps.
        """
        ...


def who_is(greenlet: Any, frame: FrameType | None) -> dict[str, Any]:
    """What a greenlet is: at least "kind" and "name"."""
    if isinstance(greenlet, Carrier):
        return what_is(greenlet.job, frame)
    name = getattr(greenlet, "name", "")
    function = getattr(greenlet, "_run", None) or getattr(greenlet, "run", None)
    thread = _thread_of(greenlet)
    if thread is not None and not isinstance(thread, threading._DummyThread):
        return {"kind": "thread", "name": f"thread {thread.name}"}
    called = getattr(function, "__qualname__", "")
    return {"kind": "gevent", "name": called or name or type(greenlet).__name__}


def what_is(job: Any, frame: FrameType | None) -> dict[str, Any]:
    """What a carrier does."""
    if job is None:
        return {"kind": "idle", "name": "an idle carrier"}
    # PERF: not by isinstance, which takes 5 us for a Protocol.
    describe: Described | None = job if hasattr(job, "described") else None
    if describe is None:
        has_name = "__repr__" in vars(type(job))
        return {"kind": "job", "name": repr(job)[:_LONGEST] if has_name else type(job).__name__}
    try:
        return describe.described(frame)
    except Exception as error:  # amid a change, seen from another thread
        return {"kind": "job", "name": type(job).__name__, "undescribed": repr(error)}


def told(who: dict[str, Any]) -> str:
    """In a few words: "GET /items/{id} (request 7f3a)"."""
    request_id = who.get("request_id")
    return f"{who['name']} (request {request_id})" if request_id else str(who["name"])


def running_in(hub: Hub, frame: FrameType | None) -> dict[str, Any] | None:
    """Who has the hub now, seen from another thread.

    Args: frame: the innermost one of the hub's thread.
    Returns: None when nobody does: the hub waits for something to happen.
    """
    if frame is None or _is_poll(frame):
        return None
    for carrier in list(hub.carriers.all):
        # The frames of a greenlet that runs are those of its thread.
        if carrier and carrier.gr_frame is None:
            return who_is(carrier, frame)
    if any(_is_poll(each) for each in around(frame)):
        return {"kind": "callback", "name": "a callback of the hub"}
    main = hub.native.parent
    if main is not None and not main.dead and main.gr_frame is None:
        return {"kind": "main", "name": "the main greenlet"}
    return {"kind": "gevent", "name": "a greenlet of gevent's"}


def _is_poll(frame: FrameType) -> bool:
    """Whether it is the one in which the hub waits and calls callbacks."""
    return frame.f_code.co_name == "run" and file_of(frame.f_code)[1] == "gevent/hub.py"


def _thread_of(greenlet: Any) -> threading.Thread | None:
    """After the patch each thread of `threading` is a greenlet, and goes by its address."""
    threads: dict[int, threading.Thread] = getattr(threading, "_active", {})
    return threads.get(id(greenlet))
