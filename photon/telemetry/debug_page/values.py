"""What variables hold, as text: in bounded time and length, whatever they are.

Containers, dataclasses and Structs are walked here, so that of a list of ten million only the
first are looked at, and a secret deep inside is left out. What has a `__repr__` of its own is
asked, for a moment: one that waits is cancelled, one that computes is stopped at its next line,
and when the time for all of them is over no other is asked.
"""

from __future__ import annotations

import dataclasses
import reprlib
import sys
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from time import monotonic
from types import FrameType
from typing import Any

import msgspec

from photon.runtime.cancel import move_on_after
from photon.runtime.errors import Cancelled
from photon.runtime.hub import getcurrent
from photon.telemetry.debug_page.secrets import REDACTED, Redactor

_MOST_CHARS = 1200
_MOST_ITEMS = 16
_MOST_TEXT = 300
_DEEPEST = 4
_ONE_S = 0.025
_ALL_S = 0.06

_BRACKETS: dict[Any, tuple[str, str]] = {
    list.__repr__: ("[", "]"),
    tuple.__repr__: ("(", ")"),
    set.__repr__: ("{", "}"),
    frozenset.__repr__: ("frozenset({", "})"),
    deque.__repr__: ("deque([", "])"),
    UserList.__repr__: ("[", "]"),
}
_MAPPINGS = {
    dict.__repr__,
    OrderedDict.__repr__,
    defaultdict.__repr__,
    Counter.__repr__,
    UserDict.__repr__,
    ChainMap.__repr__,
    type(vars(type)).__repr__,
}
_PLAIN = {float.__repr__, complex.__repr__, type(None).__repr__, bool.__repr__, type.__repr__}
_GENERATED = {"<string>", dataclasses.__file__, reprlib.__file__}


class _TooLong(BaseException):
    """Raised within a repr that computes for too long."""


class Values:
    """Shows values of one page.

    Args: redactor: says what is left out.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._left_s = _ALL_S
        self._left = 0
        self._around: set[int] = set()

    def shown(self, value: Any, name: str = "") -> str:
        """A value as text of at most about 1,500 characters. Never raises an Exception."""
        if name and self._redactor.hides(name, value):
            return REDACTED
        self._left = _MOST_CHARS
        self._around.clear()
        try:
            text = self._show(value, 0)
        except (Exception, RecursionError) as error:  # such as a dict that changes meanwhile
            text = f"<{_class_of(value)}, which cannot be shown: {type(error).__name__}>"
        return self._redactor.clean(text)

    def _show(self, value: Any, depth: int) -> str:
        how: Any = type(value).__repr__
        if how is str.__repr__:
            text = self._text(str.__str__(value))
        elif how is bytes.__repr__ or how is bytearray.__repr__:
            text = self._text(bytes(value[: _MOST_TEXT + 1]), len(value))
        elif how is int.__repr__:
            text = _number(value)
        elif how in _PLAIN:
            text = how(value)
        elif depth > _DEEPEST or self._left <= 0:
            text = "…"
        elif id(value) in self._around:
            text = "<this again>"
        else:
            self._around.add(id(value))
            text = self._show_larger(value, how, depth)
            self._around.discard(id(value))
        self._left -= len(text)
        return text

    def _show_larger(self, value: Any, how: Any, depth: int) -> str:
        kind = type(value)
        if how in _BRACKETS:
            return self._sequence(value, how, depth)
        if how in _MAPPINGS:
            return self._mapping(value, depth)
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            pairs = zip(kind._fields, tuple.__iter__(value), strict=False)
            return self._call(kind.__name__, pairs, depth)
        if how is msgspec.Struct.__repr__:
            names = kind.__struct_fields__
            return self._call(kind.__name__, ((n, getattr(value, n, None)) for n in names), depth)
        if dataclasses.is_dataclass(kind) and _file_of(how) in _GENERATED:
            names = tuple(f.name for f in dataclasses.fields(kind) if f.repr)
            return self._call(kind.__qualname__, ((n, getattr(value, n)) for n in names), depth)
        if how is object.__repr__:
            return self._bare(value, depth)
        return self._asked(value)

    # What is walked...

    def _text(self, text: str | bytes, length: int | None = None) -> str:
        length = len(text) if length is None else length
        if length <= _MOST_TEXT:
            return repr(text)
        what = "characters" if isinstance(text, str) else "bytes"
        return f"{text[:_MOST_TEXT]!r}… ({length:,} {what})"

    def _sequence(self, value: Any, how: Any, depth: int) -> str:
        opening, closing = _BRACKETS[how]
        size = len(value)
        if not size and closing == "}":
            return "set()"
        items = [self._show(item, depth + 1) for item in self._some(value)]
        if type(value) is tuple and size == 1:
            closing = ",)"
        return f"{opening}{self._joined(items, size)}{closing}"

    def _mapping(self, value: Any, depth: int) -> str:
        kind = type(value)
        named = "" if kind is dict else kind.__name__
        pairs = []
        for key, item in self._some(value.items()):
            name = key if type(key) is str else ""
            hidden = name and self._redactor.hides(name, item)
            told = repr(REDACTED) if hidden else self._show(item, depth + 1)
            pairs.append(f"{self._show(key, depth + 1)}: {told}")
        return f"{named}{{{self._joined(pairs, len(value))}}}"

    def _call(self, kind: str, pairs: Iterable[tuple[str, Any]], depth: int) -> str:
        shown = []
        for name, item in self._some(pairs):
            told = REDACTED if self._redactor.hides(name, item) else self._show(item, depth + 1)
            shown.append(f"{name}={told}")
        return f"{kind}({', '.join(shown)})"

    def _bare(self, value: Any, depth: int) -> str:
        """What would only say where in memory it is: its attributes tell more."""
        attributes = getattr(value, "__dict__", None)
        if type(attributes) is not dict or not attributes or depth > 1:
            return f"<{_class_of(value)}>"
        return self._call(_class_of(value), attributes.items(), depth)

    def _some(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in islice(items, _MOST_ITEMS):
            if self._left <= 0:
                return
            yield item

    def _joined(self, shown: list[str], size: int) -> str:
        more = size - len(shown)
        return ", ".join([*shown, f"… ({more:,} more)"] if more > 0 else shown)

    # What is asked...

    def _asked(self, value: Any) -> str:
        if self._left_s <= 0:
            return f"<{_class_of(value)}>"
        began = monotonic()
        given = min(_ONE_S, self._left_s)
        try:
            with move_on_after(given), _stopped_after(given):
                text = repr(value)
                return text if len(text) <= _MOST_TEXT * 2 else f"{text[: _MOST_TEXT * 2]}…"
            return f"<{_class_of(value)}, whose repr waits>"
        except _TooLong:
            return f"<{_class_of(value)}, whose repr takes too long>"
        except Cancelled:
            raise
        except BaseException as error:
            if type(error).__name__ == "GreenletExit":
                raise
            return f"<{_class_of(value)}, whose repr raised {type(error).__name__}>"
        finally:
            self._left_s -= monotonic() - began


@contextmanager
def _stopped_after(seconds: float) -> Iterator[None]:
    """Raise `_TooLong` at the first line of Python that is reached within the block after that.

    What C computes is out of reach. A debugger that traces already is left alone.
    """
    if sys.gettrace() is not None:
        yield
        return
    due = monotonic() + seconds
    here = getcurrent()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if monotonic() > due and getcurrent() is here:
            raise _TooLong
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)


def _class_of(value: Any) -> str:
    kind = type(value)
    module = kind.__module__ if isinstance(kind.__module__, str) else ""
    return (
        kind.__qualname__
        if module in ("builtins", "__main__", "")
        else (f"{module}.{kind.__qualname__}")
    )


def _file_of(function: Any) -> str:
    code = getattr(function, "__code__", None)
    return "" if code is None else code.co_filename


def _number(value: int) -> str:
    bits = value.bit_length()
    return int.__repr__(value) if bits <= 512 else f"<an integer of {bits:,} bits>"
