"""Native threads for what would hold the hub: C code, file systems, long computations."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import ParamSpec, TypeVar, cast

from photon.runtime.hub import current_hub

P = ParamSpec("P")
T = TypeVar("T")


def offload(fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `fn(*args, **kwargs)` in a native thread and wait for it; the hub goes on meanwhile.

    It sees a copy of the caller's context variables. About 40 us a call; ten run at once, more
    wait. A cancel ends the waiting, not the thread: no thread can be stopped from outside.

    Returns: what `fn` returns.   Raises: what `fn` raises.
    """
    context = copy_context()
    pool = current_hub().native.threadpool
    result, error = pool.spawn(context.run, _attempt, fn, args, kwargs).get()
    if error is not None:
        try:
            raise error
        finally:
            del error  # its traceback holds this frame
    return cast(T, result)


def _attempt(
    fn: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[T | None, BaseException | None]:
    """What `fn` returns, or raises: gevent's pool prints errors, and ends the process for some."""
    try:
        return fn(*args, **kwargs), None
    except BaseException as error:
        return None, error
