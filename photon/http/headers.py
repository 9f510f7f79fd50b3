"""Header fields: the request's, parsed when first read, and the response's, checked when set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, overload

T = TypeVar("T")

Pairs = Iterable[tuple[str, str]]

# RFC 9110 §5.6.2 token and §5.5 field-value. A line break in a value would let whoever supplied
# it write headers, or a whole response, of his own.
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class Headers(Mapping[str, str]):
    """The header fields of a request: a mapping whose names ignore case, and read-only.

    Several fields of one name read as one, joined by a comma (RFC 9110 §5.3), or by a semicolon
    for Cookie (RFC 6265 §5.4); `get_all` gives them singly.

    Args: raw: the lines as on the wire, each ended by CRLF, or pairs of (name, value).
    """

    __slots__ = ("_index", "_raw")

    def __init__(self, raw: bytes | Pairs = b"") -> None:
        self._index: dict[str, list[str]] | None = None
        if isinstance(raw, bytes):
            self._raw = raw
        else:
            self._raw = b""
            self._index = {}
            for name, value in raw:
                self._index.setdefault(name.lower(), []).append(value)

    @property
    def _fields(self) -> dict[str, list[str]]:
        # PERF: most handlers look at no header at all; 12 of them cost 4 us to take apart.
        if self._index is None:
            index: dict[str, list[str]] = {}
            # RFC 9110 §5.5: octets beyond ASCII are opaque; latin-1 keeps each of them.
            for line in self._raw.decode("latin-1").split("\r\n"):
                name, colon, value = line.partition(":")
                if colon:
                    index.setdefault(name.lower(), []).append(value.strip(" \t"))
            self._index = index
        return self._index

    def fold(self) -> None:
        """Take less memory, 1 KB for ten fields, until somebody asks for one of them again.

        For requests that last long.
        """
        if not self._raw:
            lines = [f"{name}:{value}\r\n" for name, value in self.pairs()]
            self._raw = "".join(lines).encode("latin-1")
        self._index = None

    def __getitem__(self, name: str) -> str:
        name = name.lower()
        values = self._fields[name]
        if len(values) == 1:
            return values[0]
        return ("; " if name == "cookie" else ", ").join(values)

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str) -> str: ...
    @overload
    def get(self, name: str, /, default: T) -> str | T: ...
    def get(self, name: str, /, default: Any = None) -> Any:
        """The value of this name."""
        # PERF: names are mostly asked for in lower case; Mapping's own takes three calls.
        index = self._index if self._index is not None else self._fields
        values = index.get(name)
        if values is not None and len(values) == 1:
            return values[0]
        return super().get(name, default)

    def get_all(self, name: str) -> list[str]:
        """The values of all fields of this name, in wire order; [] when there is none."""
        return list(self._fields.get(name.lower(), ()))

    def pairs(self) -> list[tuple[str, str]]:
        """Pairs of (name, value), lower-case; fields of one name stand together."""
        return [(name, value) for name, values in self._fields.items() for value in values]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({self.pairs()!r})"


class ResponseHeaders:
    """The header fields of a response, in order; names ignore case, what is set is checked.

    Raises: ValueError, from whatever sets, for a name that is no token and for a value with a
    line break, a control character or a character beyond latin-1.
    """

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Mapping[str, str] | Pairs = ()) -> None:
        self._pairs: list[tuple[str, str]] = []
        for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
            self.append(name, value)

    def copy(self) -> ResponseHeaders:
        """The same fields, to be changed apart."""
        copied = ResponseHeaders()
        copied._pairs = self._pairs.copy()  # PERF: they were checked: 0.3 us instead of 1 a field
        return copied

    def __setitem__(self, name: str, value: str) -> None:
        """Set the one field of this name, in place of all there were."""
        pair = _checked(name, value)
        for place, (other, _) in enumerate(self._pairs):
            if other == pair[0]:
                self._pairs[place + 1 :] = [p for p in self._pairs[place + 1 :] if p[0] != other]
                self._pairs[place] = pair
                return
        self._pairs.append(pair)

    def append(self, name: str, value: str) -> None:
        """Add a field beside those of the same name, as Set-Cookie and Link need it."""
        self._pairs.append(_checked(name, value))

    def setdefault(self, name: str, value: str) -> str:
        """The first value of this name; sets it when there is none."""
        current = self.get(name)
        if current is None:
            self.append(name, value)
            return value
        return current

    def add_vary(self, *names: str) -> None:
        """Name request headers that the response depends on (RFC 9110 §12.5.5); none twice."""
        there = [name.strip() for name in (self.get("vary") or "").split(",") if name.strip()]
        seen = {name.lower() for name in there}
        self["vary"] = ", ".join(there + [name for name in names if name.lower() not in seen])

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of this name."""
        name = name.lower()
        return next((value for other, value in self._pairs if other == name), default)

    def get_all(self, name: str) -> list[str]:
        """All values of this name, in order."""
        name = name.lower()
        return [value for other, value in self._pairs if other == name]

    def __delitem__(self, name: str) -> None:
        """Remove all fields of this name; there need not be one."""
        name = name.lower()
        self._pairs = [pair for pair in self._pairs if pair[0] != name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Pairs of (name, value), lower-case, in order."""
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __repr__(self) -> str:
        return f"ResponseHeaders({self._pairs!r})"


def wire_field(name: str, value: str) -> tuple[bytes, bytes]:
    """One field as bytes.   Raises: ValueError, as `ResponseHeaders`."""
    name, value = _checked(name, value)
    return name.encode("ascii"), value.encode("latin-1")


def _checked(name: str, value: str) -> tuple[str, str]:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a header: use letters, digits and '-'")
    if not _VALUE.fullmatch(value):
        raise ValueError(
            f"the value of {name!r} has a line break, a control character or one beyond latin-1: "
            f"{value!r}; encode it first (urllib.parse.quote)"
        )
    return name.lower(), value.strip(" \t")
