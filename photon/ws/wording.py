"""What users give to rooms, checked and brought into the form that is sent."""

from __future__ import annotations

from typing import Any

import msgspec

from photon.http.response import encode_json
from photon.ws.frames import binary_frame, text_frame

# Names often come from clients, and are repeated in each process and in every log.
NAME_CHARS = 1024
# Each newcomer gets that of all the others.
INFO_BYTES = 8 * 1024

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


def frame_of(message: object) -> bytes:
    """A message as the one frame that all get: text, bytes, or any other value as JSON.

    Raises: TypeError, for what msgspec cannot encode; UnsendableText.
    """
    if isinstance(message, str):
        return text_frame(message)
    if isinstance(message, (bytes, bytearray, memoryview)):
        return binary_frame(message)
    return text_frame(encode_json(message).decode())


def checked_name(name: object) -> str:
    """Raises: TypeError, ValueError: it cannot be the name of a room."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a room is text, not {name!r}; write str(...)")
    if not name or len(name) > NAME_CHARS:
        raise ValueError(f"the name of a room has 1 to {NAME_CHARS} characters, not {len(name)}")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the name of a room is text that UTF-8 can say, not {name!a}") from None
    return name


def checked_info(info: object) -> Any:
    """What a member says of itself, as all processes will see it: dict, list, str, numbers.

    Raises: TypeError: it cannot be JSON; ValueError: it is too large.
    """
    if info is None:
        return None
    try:
        packed = _pack(msgspec.to_builtins(info, str_keys=True))
    except (TypeError, NotImplementedError, OverflowError, UnicodeEncodeError) as error:
        raise TypeError(f"info= is told to others as JSON, and this cannot be: {error}") from error
    if len(packed) > INFO_BYTES:
        raise ValueError(
            f"info= is told to everybody who joins, and has {len(packed)} bytes; {INFO_BYTES} are"
            " allowed: name the member, and have the rest looked up"
        )
    return _unpack(packed)  # the same here as elsewhere, and out of reach of who gave it
