"""What is refused at once when a task is registered, and not by the first run of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

from photon.runtime.hints import meant
from photon.runtime.source import place_of
from photon.tasks.elsewhere import OF_SCHEDULES
from photon.tasks.errors import TaskError

P = ParamSpec("P")
T = TypeVar("T")

_RUNS_LATER = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def name_of(fn: Any) -> str:
    """Such as "shop.jobs.sweep": module and qualified name; of a partial those of its function."""
    while isinstance(fn, partial):
        fn = fn.func
    if not hasattr(fn, "__qualname__"):  # an object with a __call__
        fn = type(fn)
    module = getattr(fn, "__module__", None)
    return f"{module}.{fn.__qualname__}" if module else str(fn.__qualname__)


def shown(value: object) -> str:
    """A value in a message: a function with its place."""
    if callable(value) and not isinstance(value, type):
        return f"{getattr(value, '__qualname__', repr(value))} ({place_of(value)})"
    return repr(value)


def check_function(fn: Any, role: str) -> None:
    """Raises: TaskError, for what does no work when it is called.

    Args: role: what it is to be, such as "a task".
    """
    # PERF: what holds of most functions, 0.3 us; the long way takes 5.
    if type(fn) is FunctionType and not fn.__dict__ and not fn.__code__.co_flags & _RUNS_LATER:
        return
    if not callable(fn):
        hint = "; name the function, do not call it" if not isinstance(fn, str) else ""
        raise TaskError(f"{role} is a function, and {fn!r} is none{hint}")
    inner = fn
    while isinstance(inner, partial):
        inner = inner.func
    inner = inspect.unwrap(inner)
    if isinstance(inner, type):
        return  # to make an object of it is work like any other
    for each in (inner, type(inner).__call__):
        if inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each):
            raise TaskError(
                f"{shown(fn)} is async, and to call it runs none of it: write def, and what waits "
                "in it lets others run"
            )
        if inspect.isgeneratorfunction(each):
            raise TaskError(
                f"{shown(fn)} has a yield, so to call it runs none of it: take the yield out"
            )


def known_options(decorator: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Have a method answer keywords that it does not know with those that were meant.

    Raises: TaskError, by what is decorated.
    """

    def decorate(method: Callable[P, T]) -> Callable[P, T]:
        known = [*inspect.signature(method).parameters][1:]

        @wraps(method)
        def checked(*args: P.args, **options: P.kwargs) -> T:
            for name in options:
                if name not in known:
                    hint = meant(name, known, OF_SCHEDULES)
                    raise TaskError(f"{decorator} has no option {name!r}{hint}")
            return method(*args, **options)

        return checked

    return decorate


def check_no_arguments(fn: Callable[..., Any], decorator: str) -> None:
    """Raises: TaskError, when `fn` cannot be called without arguments, as a schedule does."""
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):  # C functions may have none
        return
    missing = [
        p.name
        for p in parameters
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if missing:
        names = ", ".join(missing)
        raise TaskError(
            f"{decorator}: nobody gives {shown(fn)} its argument{'s' * (len(missing) > 1)} "
            f"{names}; give defaults, or write functools.partial({fn.__name__}, {missing[0]}=...)"
            if hasattr(fn, "__name__")
            else f"{decorator}: nobody gives {shown(fn)} its arguments {names}; give defaults"
        )
