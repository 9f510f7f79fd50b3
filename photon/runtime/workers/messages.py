"""What supervisor, workers and the command line say to each other: one JSON object a line.

A request is {"id": 7, "do": "stats"} with its arguments beside; its answer {"id": 7, "ok": ...} or
{"id": 7, "error": "..."}. What needs no answer has no id. JSON escapes line ends within texts, so
a line end is always the end of a message.

Source: JSON Lines, https://jsonlines.org.
"""

from __future__ import annotations

from typing import Any

import msgspec

Message = dict[str, Any]

MOST_BYTES = 64 * 1024
"""Of a message from somebody who is not known; the answers of workers may be longer."""

_encoder = msgspec.json.Encoder(enc_hook=str)
_decode = msgspec.json.Decoder(Message).decode


class MessageError(ValueError):
    """What came is no message."""


def encode(message: Message) -> bytes:
    """A message as a line; what JSON does not know goes as its text."""
    return _encoder.encode(message) + b"\n"


class Lines:
    """Bytes, as they come, into messages.   Args: limit_bytes: of one message."""

    def __init__(self, limit_bytes: int = MOST_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._pieces: list[bytes] = []
        self._bytes = 0

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete now.

        Raises: MessageError; what comes after that has no beginning that could be found.
        """
        head, *rest = data.split(b"\n")
        messages = []
        for piece in rest:
            self._keep(head)
            line = b"".join(self._pieces)
            self._pieces.clear()
            self._bytes = 0
            messages.append(_read(line))
            head = piece
        self._keep(head)
        return messages

    @property
    def is_half(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._bytes > 0

    def _keep(self, piece: bytes) -> None:
        self._bytes += len(piece)
        if self._bytes > self._limit_bytes:
            raise MessageError(f"a message may have {self._limit_bytes} bytes, this one has more")
        if piece:
            self._pieces.append(piece)


def _read(line: bytes) -> Message:
    try:
        return _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(f"a message is one JSON object on a line: {error}") from None
