"""Options of middleware, checked when it is made: what is wrong is told where it was written."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from photon.http.headers import ResponseHeaders
from photon.runtime.hints import meant

T = TypeVar("T")

Fields = tuple[tuple[str, str], ...]


def called_elsewhere(**names: str) -> Callable[[type[T]], type[T]]:
    """Have a class answer keywords that it does not know with those that were meant.

    Args: names: what others call them, and the name here.
    """

    def decorate(cls: type[T]) -> type[T]:
        init: Callable[..., None] = cls.__init__
        known = list(inspect.signature(init).parameters)[1:]

        @functools.wraps(init)
        def __init__(self: T, *args: object, **options: object) -> None:
            for name in options:
                if name not in known:
                    hint = meant(name, known, names)
                    raise TypeError(f"{cls.__name__} has no option {name!r}{hint}")
            init(self, *args, **options)

        cls.__init__ = __init__  # type: ignore[assignment]
        return cls

    return decorate


def checked_strings(owner: str, option: str, value: Iterable[str]) -> tuple[str, ...]:
    """The strings of an option.   Raises: TypeError, for a lone string and for other things."""
    if isinstance(value, str):
        raise TypeError(f"{owner}({option}={value!r}): give a list, as in {option}=[{value!r}]")
    strings = tuple(value) if isinstance(value, Iterable) else None
    if strings is None or not all(isinstance(each, str) for each in strings):
        raise TypeError(f"{owner}({option}={value!r}): give a list of strings")
    return strings


def checked_number(owner: str, option: str, value: object, least: int = 0) -> int:
    """A whole number of at least `least`.   Raises: TypeError, ValueError."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{owner}({option}={value!r}): give a whole number")
    if value < least:
        raise ValueError(f"{owner}({option}={value!r}): give {least} or more")
    return value


def checked_flag(owner: str, option: str, value: object) -> bool:
    """True or False.   Raises: TypeError, as for "false", which is true."""
    if not isinstance(value, bool):
        raise TypeError(f"{owner}({option}={value!r}): give True or False")
    return value


def checked_paths(owner: str, option: str, value: Iterable[str]) -> tuple[str, ...]:
    """Beginnings of paths.   Raises: TypeError; ValueError, for one that begins no path."""
    paths = checked_strings(owner, option, value)
    for path in paths:
        if not path.startswith("/"):
            raise ValueError(f"{owner}({option}=...): {path!r} begins no path; write '/{path}'")
    return paths


def checked_fields(owner: str, fields: Mapping[str, str] | Fields) -> Fields:
    """Header fields, with names in lower case.   Raises: ValueError, for what cannot be sent."""
    try:
        return tuple(ResponseHeaders(fields))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{owner}(...): {error}") from None


def shown_options(owner: object, options: Mapping[str, object]) -> str:
    """A call that makes such an object, for `__repr__`."""
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return f"{type(owner).__name__}({given})"
