"""What members say of themselves: told as JSON, and read as the type that the rooms have for it.

It is written once, when somebody joins or says something new, kept and told to other processes as
these bytes, and read again by whoever asks. So it is the same in all processes, and nobody changes
it for himself alone: what is asked for is always a new value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

import msgspec

from photon.http.response import encode_json
from photon.ws.wording import why_not_json

if TYPE_CHECKING:  # a checker takes `Rooms` and `Presence` alone for those of Any
    from typing_extensions import TypeVar

    I = TypeVar("I", default=Any)  # noqa: E741
else:
    from typing import TypeVar

    I = TypeVar("I")  # noqa: E741

# Each newcomer gets that of all the others.
INFO_BYTES = 8 * 1024


class InfoForm(Generic[I]):
    """Writes and reads infos of one type.

    Args: type: any that msgspec knows; Any for what JSON has: dict, list, str, numbers.
    Raises: TypeError, for another.
    """

    def __init__(self, type: Any = Any) -> None:
        self.type = type
        self.name = str(getattr(type, "__name__", type))
        try:
            self._decode = msgspec.json.Decoder(type).decode
        except TypeError as error:
            raise TypeError(
                f"info_type= is a type that JSON can be read as, such as a msgspec.Struct, not"
                f" {type!r}: {error}"
            ) from error

    def write(self, info: object, what: str = "info=") -> bytes:
        """An info as it is told.

        Args: what: is wrong with it, in messages.
        Raises: TypeError: it cannot be JSON; ValueError: it is too large, or not of the type.
        """
        if isinstance(info, type):
            raise TypeError(
                f"{what} is the class {info.__name__}, and not a value of it: write"
                f" {info.__name__}(...)"
            )
        try:
            told = encode_json(info)
        except (TypeError, ValueError, RecursionError, NotImplementedError) as error:
            raise TypeError(
                f"{what} is told to others as JSON, and this cannot be: {why_not_json(error)}"
            ) from error
        if len(told) > INFO_BYTES:
            raise ValueError(
                f"{what} is told to everybody who joins, and has {len(told)} bytes; {INFO_BYTES}"
                " are allowed: name the member, and have the rest looked up"
            )
        try:
            self._decode(told)
        except (ValueError, RecursionError) as error:
            if info is None:
                raise ValueError(
                    f"{what} is missing: what members of these rooms say of themselves is of the"
                    f" type {self.name}, by Rooms(info_type=...)"
                ) from None
            raise ValueError(
                f"{what} is not of the type {self.name}, as Rooms(info_type=...) says: {error}"
            ) from error
        return told

    def read(self, told: bytes, member: str) -> I:
        """An info as a value, a new one each time.

        Args: member: whose; for the message.
        Raises: ValueError: another process told something else.
        """
        try:
            info: I = self._decode(told)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"what the member {member} of another process says of itself is not of the type"
                f" {self.name}: {error}. While two versions of a program run side by side, what is"
                " new in the type needs a default"
            ) from error
        return info

    def __repr__(self) -> str:
        return f"<InfoForm {self.name}>"
