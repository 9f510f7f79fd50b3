"""What `retry` and circuit breakers have in common: what they guard, what counts, what they say."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any, TypeAlias

logger = logging.getLogger("photon.runtime")

Errors: TypeAlias = type[Exception] | tuple[type[Exception], ...]

_LONGEST = 200


# What they guard...


def need_plain_function(fn: object, guard: str) -> None:
    """Refuse to guard what its call does not run yet.

    Raises: TypeError, for what is not callable, for generator functions and for `async def`.
    """
    if not callable(fn):
        raise TypeError(f"{guard} takes a function, not {fn!r}; pass it without calling it")
    kind = None
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        kind, way_out = "a generator function", "guard the function that does the work within it"
    elif inspect.iscoroutinefunction(fn):
        kind, way_out = "an async function", "write it with a plain def"
    if kind is not None:
        raise TypeError(
            f"{guard} cannot guard {name_of(fn)}, {kind}: calling it runs none of it; {way_out}"
        )


def name_of(fn: Callable[..., Any]) -> str:
    """What a callable is called, for people; of a partial what its function is."""
    name = getattr(fn, "__qualname__", None) or getattr(fn, "__name__", None)
    if name:
        return str(name)
    inner = getattr(fn, "func", None)  # a functools.partial
    return name_of(inner) if callable(inner) else type(fn).__qualname__


# Which exceptions...


def exception_classes(kinds: object, option: str, example: str) -> tuple[type[Exception], ...]:
    """What was given for `option` as a tuple.   Raises: TypeError, which says what to write."""
    classes = kinds if isinstance(kinds, tuple) else (kinds,)
    if not classes:
        raise TypeError(f"{option} names no exceptions; write {example}")
    for kind in classes:
        if not isinstance(kind, type) or not issubclass(kind, BaseException):
            raise TypeError(f"{option} takes classes of exceptions, not {kind!r}; write {example}")
        if not issubclass(kind, Exception):
            raise TypeError(
                f"{option}={kind.__qualname__} means also what was cancelled or told to exit; "
                f"name exceptions: {example}"
            )
    return classes


def is_wholly(error: BaseException, kinds: tuple[type[Exception], ...]) -> bool:
    """Whether it is one of these; a group (as of a nursery) is when all in it are."""
    if isinstance(error, kinds):
        return True
    return isinstance(error, ExceptionGroup) and error.split(kinds)[1] is None


def is_partly(error: BaseException, kinds: tuple[type[Exception], ...]) -> bool:
    """Whether it is one of these; a group is when any in it is."""
    if isinstance(error, kinds):
        return True
    return isinstance(error, BaseExceptionGroup) and error.subgroup(kinds) is not None


# What they say...


def brief(error: BaseException) -> str:
    """An exception in one line of at most 200 characters: "ConnectionError: refused"."""
    name = type(error).__qualname__
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "(its text cannot be made)"
    line = f"{name}: {text}" if text else name
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def tell(hook: Callable[..., object], *args: object) -> None:
    """Call a user's hook; if it fails, that is logged, and nothing else."""
    try:
        hook(*args)
    except Exception:
        logger.exception("the hook %s failed", name_of(hook))
