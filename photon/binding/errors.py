"""What can be wrong with a handler: found when it is registered, with its place and the way out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from photon.runtime.source import place_of


class HandlerError(TypeError):
    """A handler that cannot serve its route; the message names it and the way out."""


class Unfit(TypeError):
    """What is wrong with a function; the message goes on where "the handler x (app.py:7)" ends."""


def fault(role: str, fn: Any, what: object) -> HandlerError:
    """The error about `fn`, which is a `role` such as "handler" or "provider"."""
    # A class has no line of its own to lead to, its __init__ has.
    source = vars(fn).get("__init__", fn) if isinstance(fn, type) else fn
    return HandlerError(f"the {role} {name_of(fn)} ({place_of(source)}) {what}")


def name_of(fn: Any) -> str:
    """What a function is called in messages."""
    return getattr(fn, "__qualname__", None) or repr(fn)


def check_kind(role: str, fn: Any) -> None:
    """Raises: HandlerError, for what is no plain function, or cannot be called like one."""
    if not callable(fn):
        raise HandlerError(f"{fn!r} is no {role}; register a function")
    if is_async(fn) or (not isinstance(fn, type) and is_async(type(fn).__call__)):
        raise fault(role, fn, f"is async; {role}s here are plain functions: write `def`")


def is_async(fn: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine or an asynchronous generator."""
    while isinstance(fn, partial):
        fn = fn.func
    fn = inspect.unwrap(fn)
    return inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn)
