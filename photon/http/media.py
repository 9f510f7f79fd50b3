"""Media types, and what a client would rather have: `Content-Type`, `Accept` and their like.

`best_match` is the whole of content negotiation: what the client accepts against what the server
offers. The pieces of it are here for others: `MediaType`, `parse_accept`, and `parse_qualities`
for the lists of plain names (`Accept-Encoding`, `Accept-Language`).

What a client sends is never an error here: an element that cannot be read is passed over, and of
a list only the first 256 elements are read.

Source: RFC 9110 §8.3.1 (media types), §12.4.2 (quality values), §12.5.1 (Accept).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from msgspec import Struct

# Browsers send up to ten. A head of 32 KiB has room for 8,000, which would take 10 ms to read.
_MOST_ELEMENTS = 256
_MOST_PARAMETERS = 16
# What is longer is not remembered: no client repeats it, and somebody might fill us with it.
_REMEMBERED_CHARS = 512

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_QUOTED = r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]++|\\[\t\x20-\x7e\x80-\xff])*+)"'
_TYPE = re.compile(rf"[ \t]*+({_TOKEN})/({_TOKEN})")
# RFC 9110 §5.6.6: parameters = *( OWS ";" OWS [ parameter ] ).
_PARAMETER = re.compile(rf"[ \t]*+;[ \t]*+(?:({_TOKEN})=(?:({_TOKEN})|{_QUOTED}))?+")
_END = re.compile(r"[ \t]*+\Z")
# A comma in a quoted string is no end; a quoted string that has none goes to the end of the list.
_ELEMENT = re.compile(r'(?:[^,"]++|"(?:[^"\\]++|\\.)*+"?)++', re.DOTALL)
_NAMED = re.compile(rf"[ \t]*+({_TOKEN})(?:[ \t]*+;[ \t]*+[qQ]=([0-9.]++))?+[ \t]*+")
# Three digits are all that RFC 9110 §12.4.2 allows, and a leading 0 it demands; Java sends ".2".
_QUALITY = re.compile(r"0?\.[0-9]{1,20}|0\.?|1(?:\.0{0,20})?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_BARE = re.compile(_TOKEN)


class MediaType(Struct, frozen=True):
    """A media type, such as `application/problem+json; charset=utf-8`.

    Attributes:
        type, subtype: in lower case.
        parameters: pairs of (name, value), names in lower case and none twice.
    """

    type: str
    subtype: str
    parameters: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def parse(text: str) -> MediaType:
        """Read a media type.   Raises: ValueError, when it is none."""
        found = _read(text)
        if found is None:
            raise ValueError(
                f"{text!r} is no media type; write it as type/subtype, such as application/json"
            )
        return found

    @property
    def essence(self) -> str:
        """`type/subtype`, without the parameters."""
        return f"{self.type}/{self.subtype}"

    @property
    def suffix(self) -> str:
        """What the content is written in: "json" of application/problem+json; "" for no suffix.

        Source: RFC 6838 §4.2.8.
        """
        return self.subtype.rpartition("+")[2] if "+" in self.subtype else ""

    def parameter(self, name: str, default: str = "") -> str:
        """The value of a parameter; its name ignores case."""
        name = name.lower()
        return next((value for other, value in self.parameters if other == name), default)

    def __str__(self) -> str:
        return self.essence + "".join(
            f"; {name}={_quoted(value)}" for name, value in self.parameters
        )


class AcceptedRange(NamedTuple):
    """One element of an `Accept` header: a media type in which `*` stands for any, and its q."""

    media_type: MediaType
    q: float


# What is accepted...


def best_match(accept: str | None, offered: Sequence[str]) -> str | None:
    """Which of the media types that are offered the client would rather have.

    The most specific range that a type is in gives its quality, the highest quality wins, and
    among equals the one that is offered first.

    Args:
        accept: the `Accept` header; None when there is none. A client that sends none, or one
            with nothing readable in it, takes anything.
        offered: media types, the dearest to the server first.
    Returns: one of `offered`, as it is there; None when the client accepts none of them.
    Raises: ValueError, when what is offered is no media type.
    """
    ranges = _ranges_of(accept) if accept else {}
    if not ranges:
        return offered[0] if offered else None
    best, best_q = None, 0.0
    for text in offered:
        q = _quality_of(_offered(text), ranges)
        if q > best_q:
            best, best_q = text, q
    return best


def parse_accept(header: str) -> list[AcceptedRange]:
    """The ranges of an `Accept` header with their qualities, in the order of the header."""
    return list(_read_accept(header))


def parse_qualities(header: str) -> list[tuple[str, float]]:
    """The names of a list such as `Accept-Encoding` or `Accept-Language` with their qualities.

    Returns: pairs of (name in lower case, quality from 0 to 1), in the order of the header; `*` is
    a name. 0 means "not acceptable". What no header and an empty one mean differs from field to
    field, so it is left to the caller.
    """
    found = []
    for element in _elements(header):
        match = _NAMED.fullmatch(element)
        if match is not None:
            q = 1.0 if match[2] is None else _quality(match[2])
            if q is not None:
                found.append((match[1].lower(), q))
    return found


# Matching...

# The ranges of a header by their essence, those with the most parameters first.
_Ranges = dict[str, list[AcceptedRange]]


def _quality_of(offered: MediaType, ranges: _Ranges) -> float:
    for essence in (offered.essence, f"{offered.type}/*", "*/*"):
        for each in ranges.get(essence, ()):
            if _has_parameters(offered, each.media_type):
                return each.q
    return 0.0


def _has_parameters(offered: MediaType, wanted: MediaType) -> bool:
    for name, value in wanted.parameters:
        there = offered.parameter(name)
        if name == "charset":
            # `Accept: application/json; charset=utf-8` is common, and JSON has no charset.
            if there and there.lower() != value.lower():
                return False
        elif there != value:
            return False
    return True


def _ranges_of(header: str) -> _Ranges:
    return _remembered(header) if len(header) <= _REMEMBERED_CHARS else _by_essence(header)


def _by_essence(header: str) -> _Ranges:
    ranges: _Ranges = {}
    for each in _read_accept(header):
        ranges.setdefault(each.media_type.essence, []).append(each)
    for several in ranges.values():
        several.sort(key=lambda each: -len(each.media_type.parameters))
    return ranges


# PERF: a browser's header takes 15 us to read, and is the same in each of its requests.
_remembered = lru_cache(256)(_by_essence)
_offered = lru_cache(256)(MediaType.parse)


# Reading...


def _elements(header: str) -> Iterator[str]:
    return islice((match[0] for match in _ELEMENT.finditer(header)), _MOST_ELEMENTS)


def _read_accept(header: str) -> Iterator[AcceptedRange]:
    for element in _elements(header):
        media_type = _read(element)
        if media_type is None or (media_type.type == "*" and media_type.subtype != "*"):
            continue
        # RFC 9110 §12.5.1: a parameter named "q" is the weight, wherever it stands.
        q = _quality(media_type.parameter("q", "1"))
        if q is not None:
            others = tuple(pair for pair in media_type.parameters if pair[0] != "q")
            yield AcceptedRange(MediaType(media_type.type, media_type.subtype, others), q)


def _read(text: str) -> MediaType | None:
    """A media type; None when it is none."""
    start = _TYPE.match(text)
    if start is None:
        return None
    at = start.end()
    parameters: dict[str, str] = {}
    for _ in range(_MOST_PARAMETERS):
        match = _PARAMETER.match(text, at)
        if match is None:
            break
        at = match.end()
        name, bare, quoted = match.groups()
        if name is not None:
            # Of two the first counts, as in browsers (WHATWG MIME Sniffing §4.4).
            parameters.setdefault(
                name.lower(), bare if bare is not None else _ESCAPED.sub(r"\1", quoted)
            )
    if _END.match(text, at) is None:
        return None
    return MediaType(start[1].lower(), start[2].lower(), tuple(parameters.items()))


def _quality(text: str) -> float | None:
    return float(text) if _QUALITY.fullmatch(text) else None


def _quoted(value: str) -> str:
    if _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
