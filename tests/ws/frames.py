"""Frames as a client sends them, and bytes in pieces as a network brings them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from photon.ws.errors import WebSocketProtocolError
from photon.ws.events import CloseReceived, Event, Unfinished
from photon.ws.frames import BINARY, CLOSE, COMPRESSED, FIN, PING, PONG, TEXT, unmask
from photon.ws.protocol import WebSocketProtocol
from photon.ws.refereed import RefereedProtocol
from photon.ws.settings import Deflate, WebSocketLimits

LIMITS = WebSocketLimits()
MASK = b"\x37\xfa\x21\x3d"  # of the examples in RFC 6455 §5.7

Fresh = Callable[..., WebSocketProtocol]


def fast(limits: WebSocketLimits = LIMITS, deflate: Deflate | None = None) -> WebSocketProtocol:
    return WebSocketProtocol(limits, deflate)


def refereed(limits: WebSocketLimits = LIMITS, deflate: Deflate | None = None) -> WebSocketProtocol:
    return RefereedProtocol(limits, deflate)


IMPLEMENTATIONS: dict[str, Fresh] = {"fast": fast, "refereed": refereed}

# Frames...


def length_of(length: int, bits: int | None = None, masked: bool = True) -> bytes:
    """The second byte and what belongs to it.   Args: bits: 7, 16 or 64; the least that do."""
    flag = 0x80 if masked else 0
    if bits is None:
        bits = 7 if length < 126 else 16 if length < 1 << 16 else 64
    if bits == 7:
        return bytes((flag | length,))
    return bytes((flag | (126 if bits == 16 else 127),)) + length.to_bytes(bits // 8, "big")


def frame(first: int, payload: bytes = b"", mask: bytes = MASK, bits: int | None = None) -> bytes:
    return bytes((first,)) + length_of(len(payload), bits) + mask + unmask(payload, mask)


def text(payload: str | bytes, mask: bytes = MASK) -> bytes:
    data = payload.encode() if isinstance(payload, str) else payload
    return frame(FIN | TEXT, data, mask)


def binary(payload: bytes) -> bytes:
    return frame(FIN | BINARY, payload)


def ping(payload: bytes = b"") -> bytes:
    return frame(FIN | PING, payload)


def pong(payload: bytes = b"") -> bytes:
    return frame(FIN | PONG, payload)


def close(code: int | None = None, reason: bytes = b"") -> bytes:
    return frame(FIN | CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


def fragments(opcode: int, *payloads: bytes, first: int = 0) -> bytes:
    """One message in fragments.   Args: first: a further bit of the first one."""
    last = len(payloads) - 1
    return b"".join(
        frame((FIN if at == last else 0) | (opcode | first if at == 0 else 0), payload)
        for at, payload in enumerate(payloads)
    )


def compressed(opcode: int, payload: bytes) -> bytes:
    return frame(FIN | COMPRESSED | opcode, payload)


# Pieces...


def whole(data: bytes) -> list[bytes]:
    return [data]


def singly(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def torn(data: bytes) -> list[bytes]:
    """Cut at random places, the same ones each time."""
    chance = random.Random(len(data))
    cuts = sorted(chance.sample(range(len(data) + 1), min(5, len(data))))
    return cut(data, cuts)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    return [
        piece
        for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)
        if (piece := data[begin:end])
    ]


PIECES: dict[str, Callable[[bytes], list[bytes]]] = {
    "whole": whole,
    "singly": singly,
    "torn": torn,
}

# What was read...


class Outcome(Struct, frozen=True):
    """Attributes: events: in order; failure: the code it ended with, None when it did not."""

    events: list[Any]
    failure: int | None = None


def drain(protocol: WebSocketProtocol) -> list[Event]:
    """All that can be read now.   Raises: WebSocketProtocolError."""
    events: list[Event] = []
    while (event := protocol.next_event()) is not None:
        if not isinstance(event, Unfinished):
            events.append(event)
        if isinstance(event, CloseReceived):
            break
    return events


def read(protocol: WebSocketProtocol, pieces: Iterable[bytes]) -> Outcome:
    """Everything that a protocol makes of these bytes."""
    events: list[Event] = []
    try:
        for piece in pieces:
            protocol.receive_data(piece)
            # One by one, so that what came before a failure is noted.
            while (event := protocol.next_event()) is not None:
                if not isinstance(event, Unfinished):
                    events.append(event)
                if isinstance(event, CloseReceived):
                    break
    except WebSocketProtocolError as error:
        return Outcome(events, error.code)
    return Outcome(events)
