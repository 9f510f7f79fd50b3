"""The formats that values travel in: JSON, MessagePack, YAML, and what users add.

A `Format` turns a value into bytes and back. Bytes from outside are bounded in what they can do:
broken data, and data nested too deeply, raise `BadBody` (400) with the position, data of another
shape raises `msgspec.ValidationError`, and nothing else comes out of `decode`.

`negotiate` picks the format of a response by the request's `Accept`, `format_of` that of a body
by its `Content-Type`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Protocol

import msgspec

from photon.http.errors import BadBody, HTTPError
from photon.http.media import MediaType, best_match
from photon.http.request import Request
from photon.http.response import encode_json


class Decode(Protocol):
    """The value that `data` holds, checked against `type`; unless `strict`, "1" will do for 1.

    Raises: BadBody, for what is not of the format; msgspec.ValidationError, for another shape.
    """

    def __call__(self, data: bytes, type: Any = Any, strict: bool = True) -> Any: ...


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One way to write values as bytes.

    Attributes:
        name: such as "json"; also the suffix by which media types tell that they are written in
            it ("application/problem+json").
        media_types: all that it is known by, the one that responses carry first.
        encode: value -> bytes.
        decode: bytes -> value; what it raises, see `Decode`.
        is_text: whether it is text, which is read and written as UTF-8.
    Raises: ValueError, when a media type is none, or there is none.
    """

    name: str
    media_types: tuple[str, ...]
    encode: Callable[[Any], bytes]
    decode: Decode
    is_text: bool = False

    def __post_init__(self) -> None:
        if not self.media_types:
            raise ValueError(f"the format {self.name!r} needs a media type to be known by")
        for media_type in self.media_types:
            MediaType.parse(media_type)

    @property
    def media_type(self) -> str:
        """The one that responses carry."""
        return self.media_types[0]

    def __repr__(self) -> str:
        return f"<Format {self.name} {self.media_type}>"


# JSON...


def position(data: bytes, byte: int) -> dict[str, int]:
    """Where a byte of a text stands: `byte` from 0; `line` and `column` (characters) from 1."""
    before = data[:byte]
    line_start = before.rfind(b"\n") + 1
    return {
        "line": before.count(b"\n") + 1,
        "column": len(before[line_start:].decode("utf-8", "replace")) + 1,
        "byte": byte,
    }


def broken_text(format_name: str, what: str, at: dict[str, int]) -> BadBody:
    """The error for a text that is broken at a `position`."""
    where = f"line {at['line']}, column {at['column']} (byte {at['byte']})"
    return BadBody(f"the body is not {format_name}: {what} at {where}", **at)


def too_deep(format_name: str) -> BadBody:
    """The error for values within values without end."""
    return BadBody(f"the body is not read: its {format_name} is nested too deeply")


def _first_not_utf8(data: bytes) -> int:
    """The first byte that is not UTF-8; the end of the data when all of them are."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(data)


def fault_in_json(data: bytes, error: Exception) -> tuple[str, int]:
    """What msgspec found wrong in JSON, and at which byte.

    Args: error: a DecodeError or UnicodeDecodeError that decoding `data` raised.
    """
    if isinstance(error, UnicodeDecodeError):
        return "bytes that are not UTF-8", _first_not_utf8(data)
    what, byte = _what_and_where(data, error)
    # msgspec 0.22 tells of these where it stands after the first of them.
    return what, byte - (what == "trailing characters")


_PLACE = re.compile(r"(?:.* is malformed: )?(.*?)(?: \(byte (\d+)\))?", re.DOTALL)


def _what_and_where(data: bytes, error: Exception) -> tuple[str, int]:
    """msgspec says "JSON is malformed: invalid character (byte 5)", or that the end is missing."""
    match = _PLACE.fullmatch(str(error))
    assert match is not None  # it matches any text
    if match[2] is None:
        return "it ends too early", len(data)
    return match[1], int(match[2])


def _decode_json(data: bytes, type: Any = Any, strict: bool = True) -> Any:
    try:
        return msgspec.json.decode(data, type=type, strict=strict)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what, byte = fault_in_json(data, error)
        raise broken_text("JSON", what, position(data, byte)) from error
    except RecursionError as error:
        raise too_deep("JSON") from error


JSON = Format(
    name="json",
    media_types=("application/json",),
    encode=encode_json,
    decode=_decode_json,
    is_text=True,
)


# MessagePack...


def _decode_msgpack(data: bytes, type: Any = Any, strict: bool = True) -> Any:
    try:
        return msgspec.msgpack.decode(data, type=type, strict=strict)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        what, byte = _what_and_where(data, error)
        raise BadBody(f"the body is not MessagePack: {what} at byte {byte}", byte=byte) from error
    except UnicodeDecodeError as error:
        # msgspec gives the string, not its place; the first such bytes are as wrong as any.
        byte = data.find(error.object) + error.start
        raise BadBody(
            f"the body is not MessagePack: a string that is not UTF-8 at byte {byte}", byte=byte
        ) from error
    except RecursionError as error:
        raise too_deep("MessagePack") from error


MESSAGEPACK = Format(
    name="msgpack",
    # The last is IANA's, which came after everybody had begun to use the first.
    media_types=("application/msgpack", "application/x-msgpack", "application/vnd.msgpack"),
    encode=msgspec.msgpack.Encoder(decimal_format="number").encode,
    decode=_decode_msgpack,
)


# YAML: PyYAML is slow to import, and may not be there...


def _encode_yaml(value: Any) -> bytes:
    from photon.http.yaml_text import encode_yaml

    return encode_yaml(value)


def _decode_yaml(data: bytes, type: Any = Any, strict: bool = True) -> Any:
    from photon.http.yaml_text import decode_yaml

    try:
        return msgspec.convert(decode_yaml(data), type, strict=strict)
    except RecursionError as error:
        raise too_deep("YAML") from error


YAML = Format(
    name="yaml",
    # RFC 9512 §2.1: the deprecated aliases are listed there.
    media_types=("application/yaml", "text/yaml", "application/x-yaml"),
    encode=_encode_yaml,
    decode=_decode_yaml,
    is_text=True,
)


# Choosing...

_BUILT_IN = {each.name: each for each in (JSON, MESSAGEPACK, YAML)}


def formats_named(*names: str | Format) -> tuple[Format, ...]:
    """The formats of these names, in this order; a `Format` stands for itself.

    Raises: ValueError, for a name that is none of json, msgpack and yaml; ModuleNotFoundError,
    when YAML is wanted and PyYAML is not installed.
    """
    return tuple(name if isinstance(name, Format) else _named(name) for name in names)


def _named(name: str) -> Format:
    found = _BUILT_IN.get(name)
    if found is None:
        raise ValueError(
            f"there is no format {name!r}: name one of {', '.join(_BUILT_IN)}, or give a Format "
            "of your own"
        )
    if found is YAML and find_spec("yaml") is None:
        raise ModuleNotFoundError(
            "the format 'yaml' needs PyYAML, which is not installed: pip install photon-web[yaml]"
        )
    return found


def negotiate(request: Request, formats: tuple[Format, ...]) -> Format:
    """The one of `formats` that the client would rather have; among equals the first.

    The response should say `Vary: Accept` when there are several.

    Raises: HTTPError (406), when the client accepts none; its member `accepts` lists what it could.
    """
    accept = request.headers.get("accept")
    if not accept or accept == "*/*":
        return formats[0]
    found = _preferred(accept, formats) if len(accept) <= 512 else _prefer(accept, formats)
    if found is None:
        offered = _media_types(formats)
        raise HTTPError(
            406,
            f"this is to be had as {', '.join(offered)}, not as {accept[:200]}",
            headers={"vary": "accept"},
            accepts=offered,
        )
    return found


def _prefer(accept: str, formats: tuple[Format, ...]) -> Format | None:
    best = best_match(accept, _media_types(formats))
    return next((each for each in formats if best in each.media_types), None)


# PERF: 10 us for each of three formats, and a client sends the same header each time.
_preferred = lru_cache(256)(_prefer)


def format_of(content_type: str, formats: Iterable[Format]) -> Format | None:
    """Which of `formats` a body of this `Content-Type` is in; None for none of them.

    Parameters do not count, but for a charset: text is read as UTF-8. A suffix does:
    "application/merge-patch+json" is JSON.

    Raises: HTTPError (415), for text in another charset.
    """
    # PERF: nearly always it is the bare media type, and the first format.
    for each in formats:
        if content_type in each.media_types:
            return each
    try:
        media_type = MediaType.parse(content_type)
    except ValueError:
        return None
    found = _by_media_type(media_type, formats)
    charset = media_type.parameter("charset", "utf-8").lower()
    if found is not None and found.is_text and charset not in ("utf-8", "utf8", "us-ascii"):
        raise HTTPError(
            415,
            f"{found.name} is read as UTF-8 here, not as {charset}; send it so",
            accepts=_media_types(formats),
        )
    return found


def _by_media_type(media_type: MediaType, formats: Iterable[Format]) -> Format | None:
    for each in formats:
        if any(MediaType.parse(own).essence == media_type.essence for own in each.media_types):
            return each
    suffix = media_type.suffix
    return next((each for each in formats if suffix and each.name == suffix), None)


def _media_types(formats: Iterable[Format]) -> list[str]:
    return [media_type for each in formats for media_type in each.media_types]
