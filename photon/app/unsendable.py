"""Values that a handler must not return, each with what was probably meant."""

from __future__ import annotations

import functools
import inspect
import reprlib
import types
from collections.abc import Awaitable
from typing import Any, NoReturn

_CALLABLES = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    functools.partial,
)


class Unsendable(TypeError):
    """A value that cannot be sent. The message goes on where "the handler x (app.py:7)" ends."""


def is_never_sent(kind: type) -> bool:
    """Whether values of this class are mistakes, whatever msgspec makes of them."""
    return issubclass(kind, (*_CALLABLES, type, BaseException, Awaitable, types.AsyncGeneratorType))


def refuse(value: Any, status: int | None = None, request: object = None) -> NoReturn:
    """Raises: Unsendable, always. It is a responder for classes that `is_never_sent` names."""
    if inspect.iscoroutine(value):
        value.close()  # or Python warns that it was never awaited, which is not the point
    raise Unsendable(f"returned {_what(value)}")


def _what(value: Any) -> str:
    if isinstance(value, (Awaitable, types.AsyncGeneratorType)):
        return f"{_name(value)} ({type(value).__name__}): drop async and await"
    if isinstance(value, BaseException):
        arguments = [reprlib.repr(part) for part in value.args if part is not None]
        return f"{type(value).__name__}({', '.join(arguments)}): raise it"
    if isinstance(value, type):
        way_out = "raise it" if issubclass(value, BaseException) else "make an object of it"
        return f"the class {value.__name__}: {way_out}"
    kind = "method" if isinstance(value, types.MethodType) else "function"
    return f"the {kind} {_name(value)}: call it"


def _name(value: Any) -> str:
    value = value.func if isinstance(value, functools.partial) else value
    return getattr(value, "__qualname__", None) or reprlib.repr(value)
