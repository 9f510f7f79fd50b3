"""What is no application is refused where it is given, and not at the first request."""

from __future__ import annotations

import inspect
from typing import Any

_SHAPE = "an application is a Photon object, or a function that takes a request"


def check_application(application: Any) -> None:
    """Refuse what cannot be called with a request.   Raises: TypeError, with the way out."""
    if isinstance(application, type):
        name = application.__name__
        raise TypeError(f"{name} is a class, not an application: give an object of it, {name}()")
    if not callable(application):
        raise TypeError(f"{_shown(application)} is no application: {_SHAPE}")
    least, most = _positional(application)
    if least == 3:
        raise TypeError(f"{_shown(application)} takes three arguments, as ASGI does: {_SHAPE}")
    if least == 2:
        raise TypeError(f"{_shown(application)} takes two arguments, as WSGI does: {_SHAPE}")
    if _is_async(application):
        raise TypeError(f"{_shown(application)} is async: write def, handlers here simply block")
    if most == 0:
        raise TypeError(
            f"{_shown(application)} takes no argument: it is a factory, give what it returns"
        )


def _is_async(application: Any) -> bool:
    called = getattr(type(application), "__call__", None)  # noqa: B004  # it is asked, not called
    return inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(called)


def _positional(application: Any) -> tuple[int, float]:
    """How many positional arguments it needs, and how many it takes."""
    try:
        parameters = inspect.signature(application).parameters.values()
    except (TypeError, ValueError):  # C functions may have none
        return 1, 1
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return sum(p.default is p.empty for p in plain), float("inf") if rest else len(plain)


def _shown(application: Any) -> str:
    name = getattr(application, "__qualname__", None)
    return name if isinstance(name, str) else repr(application)
