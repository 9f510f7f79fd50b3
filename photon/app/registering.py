"""What is refused at once when it is registered, and not by the first request that meets it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from photon.app.respond import is_status
from photon.http.response import Response
from photon.runtime.source import place_of


def check_path(decorator: str, path: object, word: str = "app") -> None:
    """Raises: TypeError, when `path` is not one, as after `@app.get` without parentheses."""
    if not isinstance(path, str):
        name = f"@{word}.{decorator}"
        raise TypeError(f'{name} needs a path: {name}("/..."); it was given {shown(path)}')


def check_route_status(status: object) -> None:
    """Raises: TypeError, when a route cannot answer with that."""
    if status is not None and not is_status(status):
        raise TypeError(f"status={status!r}: a status is a whole number from 200 to 599")


def check_middleware(wrapper: Any) -> None:
    """Raises: TypeError, for what cannot be called with a request and an application."""
    if wrapper is None or isinstance(wrapper, str):
        raise TypeError("@app.middleware stands without parentheses, above a function")
    _check(wrapper, "middleware", 2, "the request and the application")


def check_exception_handler(handler: Any) -> None:
    """Raises: TypeError, for what cannot be called with a request and an error."""
    _check(handler, "exception handler", 2, "the request and the error")


def check_application(application: Any) -> None:
    """Raises: TypeError, for what cannot be called with a request."""
    if isinstance(application, type):
        raise TypeError(
            f"{application.__name__} is a class, not an application: give an object of it"
        )
    if not callable(application):
        raise TypeError(f"{application!r} is no application; give one, or a function")
    _check(application, "application", 1, "a request")


def check_lifespan(function: Any) -> None:
    """Raises: TypeError, for what cannot be called with the application, or with nothing."""
    if function is None or inspect.isasyncgenfunction(inspect.unwrap(function)):
        _check_kind(inspect.unwrap(function), "lifespan")
    arguments, _ = _counts(function)
    _check(function, "lifespan", min(arguments, 1), "the application or nothing")


def check_responder_kind(kind: object) -> None:
    """Raises: TypeError, for what no responder is asked for."""
    if not isinstance(kind, type):
        raise TypeError(f"@app.responder(...) takes a class, not {shown(kind)}")
    if kind in (object, tuple) or issubclass(kind, Response):
        raise TypeError(
            f"@app.responder({kind.__name__}): what is done with these stays as it is; "
            "name a class of your own"
        )


def check_responder(function: Any) -> None:
    """Raises: TypeError, for what cannot be called with a value."""
    _check(function, "responder", 1, "the value")


def shown(value: object) -> str:
    """A value in a message: a function with its place."""
    if callable(value) and not isinstance(value, type):
        return f"{getattr(value, '__qualname__', repr(value))} ({place_of(value)})"
    return repr(value)


def _check(function: Any, role: str, count: int, what: str) -> None:
    _check_kind(function, role)
    least, most = _counts(function)
    if not least <= count <= most:
        raise TypeError(
            f"the {role} {shown(function)} cannot be called with {what}: it takes "
            f"{_counted(least, most)}"
        )


def _check_kind(function: Any, role: str) -> None:
    if isinstance(function, type):
        name = function.__name__
        raise TypeError(
            f"the {role} {name} is a class; give an object of it, {name}(...), or a function"
        )
    if not callable(function):
        raise TypeError(f"{function!r} is no {role}; give a function")
    call: Callable[..., Any] = type(function).__call__
    if any(
        inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn) for fn in (function, call)
    ):
        raise TypeError(f"the {role} {shown(function)} is async: write def")


def _counts(function: Callable[..., Any]) -> tuple[int, float]:
    """How many positional arguments a function needs, and how many it takes."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # C functions may have none
        return 0, float("inf")
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    # A keyword that must be given never is: that is as if it needed too many.
    named = sum(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters)
    least = sum(p.default is p.empty for p in positional) + named * 100
    rest = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return least, float("inf") if rest else len(positional)


def _counted(least: int, most: float) -> str:
    if least >= 100:
        return "keywords that nobody gives"
    if most == float("inf"):
        return f"at least {least}"
    return f"{most:g}" if least == most else f"{least} to {most:g}"
