"""Messages as values: text, bytes, and JSON that is checked against a type."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from photon.http.formats import fault_in_json, position
from photon.http.validation import errors_in, failure
from photon.ws.close_codes import INVALID_DATA, UNSUPPORTED_DATA
from photon.ws.errors import InvalidMessage

Decode = Callable[[str | bytes], Any]


def decoder_of(type: Any) -> Decode:
    """What reads JSON as this type.   Raises: TypeError, for a type msgspec does not know."""
    try:
        return _decoder_of(type)
    except TypeError as error:
        raise TypeError(
            f"messages are read as a type, such as a msgspec.Struct or a union of tagged ones, and"
            f" {type!r} is none that JSON can be read as: {error}"
        ) from error


@lru_cache(maxsize=1024)
def _decoder_of(type: Any) -> Decode:
    return msgspec.json.Decoder(type).decode


def read_json(message: str | bytes, type: Any, decode: Decode) -> Any:
    """The value in a message.   Raises: InvalidMessage."""
    try:
        return decode(message)
    except msgspec.ValidationError as error:
        data = _octets(message)
        raise InvalidMessage(INVALID_DATA, errors_in(data, type, error, _decode_any)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what, byte = fault_in_json(_octets(message), error)
        at = position(_octets(message), byte)
        text = f"not JSON: {what} at line {at['line']}, column {at['column']}"
        raise _invalid(text, "json") from error
    except RecursionError as error:
        raise _invalid("the JSON is nested too deeply", "json") from error


_decode_any = msgspec.json.Decoder().decode


def _octets(message: str | bytes) -> bytes:
    return message.encode() if isinstance(message, str) else message


def _invalid(text: str, kind: str, code: int = INVALID_DATA) -> InvalidMessage:
    return InvalidMessage(code, [failure(("body",), text, kind)])


def not_text() -> InvalidMessage:
    """A binary message came where text is expected."""
    return _invalid(
        "expected a text message, got a binary one: receive() takes both, receive_bytes() binary",
        "type",
        UNSUPPORTED_DATA,
    )


def not_bytes() -> InvalidMessage:
    """A text message came where a binary one is expected."""
    return _invalid(
        "expected a binary message, got text: receive() takes both, receive_text() text",
        "type",
        UNSUPPORTED_DATA,
    )
