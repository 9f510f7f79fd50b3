"""What users give to rooms, checked, and messages in the form that is sent."""

from __future__ import annotations

import re
from types import BuiltinFunctionType, FunctionType, MethodType

from photon.http.response import encode_json
from photon.ws.errors import UnsendableText
from photon.ws.frames import binary_frame, text_frame

# Names often come from clients, and are repeated in each process and in every log.
NAME_CHARS = 1024

_SHOWN_CHARS = 100
_FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType)


def frame_of(message: object, room: str | None = None) -> bytes:
    """A message as the one frame that all get: text, bytes, or any other value as JSON.

    Args: room: to which it goes; None, to one member.
    Raises: TypeError, for what cannot be JSON; UnsendableText.
    """
    if isinstance(message, str):
        return text_frame(message)
    if isinstance(message, (bytes, bytearray, memoryview)):
        return binary_frame(message)
    try:
        return text_frame(encode_json(message).decode())
    except UnicodeEncodeError as error:
        raise UnsendableText(error) from error
    except (TypeError, ValueError, RecursionError, NotImplementedError) as error:
        raise TypeError(_not_a_message(message, room, error)) from error


def _not_a_message(message: object, room: str | None, error: Exception) -> str:
    to = "a message to a member" if room is None else f"a message to the room {room!r}"
    if isinstance(message, type):
        name = message.__name__
        return f"{to} is a value, and not the class {name}: write {name}(...)"
    if isinstance(message, _FUNCTIONS):
        name = message.__name__
        return f"{to} is a value, and not the function {name}: write {name}(...)"
    return (
        f"{to} is text, bytes, or a value that can be JSON, and {shown(message)} cannot:"
        f" {why_not_json(error)}; make it a dict, a list or a msgspec.Struct"
    )


def why_not_json(error: Exception) -> str:
    """What is in the way, in words of those who do not know msgspec."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply, or holds itself"
    unknown = re.fullmatch(r"Encoding objects of type (\S+) is unsupported", str(error))
    if unknown is None:
        return str(error)
    kind = unknown[1]
    if kind in ("type", "EnumType") or kind.endswith("Meta"):
        return "it holds a class, and not a value of it"
    if kind in ("function", "method", "builtin_function_or_method"):
        return "it holds a function that was not called"
    return f"it holds an object of the type {kind}"


def checked_name(name: object, call: str = "") -> str:
    """The name of a room.

    Args: call: how what was called is called.
    Raises: TypeError, ValueError: it cannot be one.
    """
    if not isinstance(name, str):
        if isinstance(name, (int, bytes)):
            way_out = "; write str(...)" if isinstance(name, int) else "; write it .decode()"
        elif isinstance(own := getattr(name, "name", None), str):  # a Room; an Enum
            way_out = f"; its .name is {own!r}"
        else:
            way_out = f"; it is {call}, in this order" if call else ""
        raise TypeError(f"the name of a room is text, not {shown(name)}{way_out}")
    if not name or len(name) > NAME_CHARS:
        raise ValueError(f"the name of a room has 1 to {NAME_CHARS} characters, not {len(name)}")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the name of a room is text that UTF-8 can say, not {name!a}") from None
    return name


def shown(value: object) -> str:
    """A value in a message: short, whatever it is."""
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__qualname__}>"
    return text if len(text) <= _SHOWN_CHARS else f"{text[: _SHOWN_CHARS - 1]}…"
