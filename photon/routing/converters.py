"""Converters: how the text of a placeholder becomes a value, and a value becomes text again.

`{id:int}` names the converter `int`. One that fails does not fail the request: its template does
not match, and the next one is tried.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

# The longest integer one meets in a path is a UUID in decimal: 39 digits, and a sign. The cost of
# int() grows with the square of the digits, so text of any length would be a way to burn our time.
MAX_NUMBER_CHARS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Converter:
    """One kind of placeholder.

    Args:
        name: what follows the colon in a template; one name, one converter in a router.
        type: of the values it yields.
        parse: text to value; None or a ValueError says that the text is no such value, so that
            `date.fromisoformat` will do. It is called with 1 to `max_chars` decoded characters.
            No parse at all: the text, of any length, is the value, and costs nothing.
        format: value to text. What `parse` does not accept is refused by the caller, not here.
        precedence: the lower is tried first where several placeholders match the same segment.
        max_chars: longer text is no match, and `parse` never sees it.
        spans: takes the rest of the path, slashes included; may then be empty.

    Attributes: read: a text to its value, with the limits kept; None when it is no such value.
    """

    name: str
    type: type[Any]
    parse: Callable[[str], Any] | None = None
    format: Callable[[Any], str] = str
    precedence: int = 50
    max_chars: int = 255
    spans: bool = False

    read: Callable[[str], Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "read", _reader(self))


def _reader(converter: Converter) -> Callable[[str], Any]:
    # PERF: a closure, as it is called for every typed value: 0.1 us less than a method.
    parse, least, most = converter.parse, 0 if converter.spans else 1, converter.max_chars
    if parse is None:
        return lambda text: text if len(text) >= least else None

    def read(text: str) -> Any:
        if least <= len(text) <= most:
            try:
                return parse(text)
            except ValueError:
                return None
        return None

    return read


# Reading and writing the built-in kinds...


def _parse_int(text: str) -> int | None:
    # int() takes much more than a path should: " 1", "+1", "1_000", "١".
    digits = text[1:] if text[0] == "-" else text
    return int(text) if digits.isdecimal() and digits.isascii() else None


def _parse_float(text: str) -> float | None:
    whole, dot, fraction = text.removeprefix("-").partition(".")
    digits = whole + fraction if fraction else whole
    if not digits.isdecimal() or not digits.isascii() or not whole or (dot and not fraction):
        return None
    return float(text)


def _format_float(value: Any) -> str:
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    # repr is the shortest text that reads back as the same float; Decimal writes it without "e".
    return format(Decimal(repr(float(value))), "f")


_UUID = re.compile("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def _parse_uuid(text: str) -> UUID | None:
    # UUID() takes braces, "urn:uuid:" and hyphens anywhere: many paths for one thing.
    return UUID(int=int(text.replace("-", ""), 16)) if _UUID.fullmatch(text) else None


BUILT_IN: Mapping[str, Converter] = MappingProxyType(
    {
        converter.name: converter
        for converter in (
            Converter("int", int, _parse_int, precedence=10, max_chars=MAX_NUMBER_CHARS),
            Converter("uuid", UUID, _parse_uuid, precedence=20, max_chars=36),
            Converter(
                "float",
                float,
                _parse_float,
                _format_float,
                precedence=30,
                max_chars=MAX_NUMBER_CHARS,
            ),
            Converter("str", str, precedence=100),
            # May hold "..", "//" and a leading "/": whoever opens a file with it has to look.
            Converter("path", str, precedence=1000, spans=True),
        )
    }
)


class Converters(Mapping[str, Converter]):
    """The built-in converters and an application's own, by name."""

    def __init__(self, *converters: Converter) -> None:
        self._by_name = dict(BUILT_IN)
        for converter in converters:
            self.register(converter)

    def register(self, converter: Converter) -> None:
        """Let templates that are read from now on say `{name:<converter.name>}`.

        Raises: ValueError: the name is taken, or could not be written in a template.
        """
        if not converter.name.isidentifier():
            raise ValueError(f"a converter's name is an identifier, not {converter.name!r}")
        if converter.name in self._by_name:
            raise ValueError(f"there is a converter {converter.name!r} already: take another name")
        self._by_name[converter.name] = converter

    def __getitem__(self, name: str) -> Converter:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"<Converters {', '.join(self)}>"
