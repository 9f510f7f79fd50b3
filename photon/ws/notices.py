"""What processes tell each other about rooms, as bytes on a broker.

MessagePack arrays with a number in front: small, and read into these types or not at all. Each
begins with `origin`, the process it is from, by which a process knows its own again.

    topic                            notices
    <name>/all                       Alive, Gone, Asked
    <name>/room/<name of the room>   Said, Joined, Updated, Left, Present
    <name>/process/<origin>          Told
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import Struct


class Alive(Struct, frozen=True, array_like=True, tag=1):
    """A process is there; it says so again and again.   Attributes: is_new: since just now."""

    origin: str
    is_new: bool


class Gone(Struct, frozen=True, array_like=True, tag=2):
    """A process stops, and all its members have left."""

    origin: str


class Asked(Struct, frozen=True, array_like=True, tag=3):
    """A process wants to know who is in these rooms.

    Attributes: of: the process it asks; "" for all, and then each answers, even with nobody.
    """

    origin: str
    rooms: list[str]
    of: str


class Said(Struct, frozen=True, array_like=True, tag=4):
    """A message for all in the room.

    Attributes: frame: ready to be sent; exclude: members who do not get it, by id.
    """

    origin: str
    frame: bytes
    exclude: list[str]


class Joined(Struct, frozen=True, array_like=True, tag=5):
    """A member came.   Attributes: info: JSON."""

    origin: str
    member: str
    info: bytes


class Left(Struct, frozen=True, array_like=True, tag=6):
    """A member went."""

    origin: str
    member: str


class Present(Struct, frozen=True, array_like=True, tag=7):
    """All members that a process has in the room, whatever was said before.

    Attributes:
        members: info by id, as JSON.
        goes_on: whether another of these follows with more of them.
        to: the process that asked; "" when none did.
    """

    origin: str
    members: dict[str, bytes]
    goes_on: bool
    to: str


class Told(Struct, frozen=True, array_like=True, tag=8):
    """A message for one member."""

    origin: str
    member: str
    frame: bytes


class Updated(Struct, frozen=True, array_like=True, tag=9):
    """A member says something else of itself.   Attributes: info: JSON."""

    origin: str
    member: str
    info: bytes


Notice: TypeAlias = Alive | Gone | Asked | Said | Joined | Left | Present | Told | Updated

encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Notice)


def decode(payload: bytes) -> Notice | None:
    """The notice that these bytes are; None when they are none of ours."""
    try:
        notice: Notice = _decoder.decode(payload)
    except msgspec.DecodeError:
        return None
    return notice
