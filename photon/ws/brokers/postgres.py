"""Rooms over PostgreSQL: LISTEN and NOTIFY. One connection a process, however many rooms.

The names of channels are identifiers, of 63 bytes at most: they are hashed. A payload is text of
less than 8,000 bytes: messages are sent as base64, larger ones in pieces within one transaction. (A
table for large ones is the other way. It must be made, owned and emptied, and each receiver reads
it once more; of a transaction PostgreSQL promises that what it notifies arrives as a whole, in
order and with nothing in between.)

Source: PostgreSQL's manual, NOTIFY and LISTEN.
"""

from __future__ import annotations

import binascii
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import blake2b
from itertools import count
from typing import Any, ClassVar

from photon.ws.brokers.link import Link, Message
from photon.ws.brokers.remote import RemoteBroker

# NOTIFY: "In the default configuration it must be shorter than 8000 bytes". Four characters of
# base64 are three bytes; 60 are left for the numbers in front.
_PIECE_BYTES = (7999 - 60) // 4 * 3


class PostgresBroker(RemoteBroker):
    """A broker on the PostgreSQL that the application has anyway.

        rooms = Rooms(PostgresBroker("postgresql://localhost/shop"))
        app.lifespan(lambda: rooms)

    For hundreds of messages a second; for more, `RedisBroker`. The connection must be one to the
    server itself: behind PgBouncer in transaction or statement mode LISTEN hears nothing, and on a
    hot standby there is none. While PostgreSQL is away messages reach this process only.

    Args:
        url: postgresql://, with all that libpq knows.
        prefix: applications with different ones do not hear each other, nor do different databases.
        timeout_s: how long connecting, and any statement, may take.
        max_bytes: of one message.
    """

    product: ClassVar[str] = "PostgreSQL"
    schemes: ClassVar[tuple[str, ...]] = ("postgresql", "postgres")
    package: ClassVar[str] = "psycopg"
    extra: ClassVar[str] = "postgres"

    def _connect(self) -> Link:
        return _PostgresLink(self._url, self._timeout_s)

    def _channel(self, topic: str) -> str:
        name = f"{self._prefix}:{topic}".encode()
        return f"photon_{blake2b(name, digest_size=16).hexdigest()}"


class _PostgresLink:
    def __init__(self, url: str, timeout_s: float) -> None:
        import psycopg

        self._connection: Any = psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=max(2, round(timeout_s)),
            fallback_application_name="photon rooms",
        )
        # Those that come with the answer to a statement; the others `receive` fetches.
        self._connection.add_notify_handler(
            lambda notice: self._take(notice.channel, notice.payload)
        )
        self._received: list[Message] = []
        self._sender = secrets.token_hex(8)
        self._numbers = count(1)
        self._pieces = Pieces()

    def fileno(self) -> int:
        descriptor: int = self._connection.fileno()
        return descriptor

    def listen(self, channels: Sequence[str]) -> None:
        self._connection.execute("; ".join(f"LISTEN {channel}" for channel in channels))

    def unlisten(self, channels: Sequence[str]) -> None:
        self._connection.execute("; ".join(f"UNLISTEN {channel}" for channel in channels))

    def send(self, messages: Sequence[Message]) -> None:
        channels = []
        payloads = []
        for channel, payload in messages:
            # The number also keeps two messages that are alike apart: of equal notifications in one
            # transaction PostgreSQL delivers one.
            pieces = split(f"{self._sender}{next(self._numbers):x}", payload)
            channels += [channel] * len(pieces)
            payloads += pieces
        self._connection.execute(
            "SELECT pg_notify(channel, payload)"
            " FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS t(channel, payload, number)"
            " ORDER BY number",
            (channels, payloads),
        )

    def receive(self) -> Sequence[Message]:
        # Not connection.notifies(): it waits in its own way, and only there.
        connection = self._connection.pgconn
        connection.consume_input()
        while (notice := connection.notifies()) is not None:
            self._take(notice.relname.decode(), notice.extra.decode("ascii", "replace"))
        received, self._received = self._received, []
        return received

    def _take(self, channel: str, text: str) -> None:
        payload = self._pieces.add(channel, text)
        if payload is not None:
            self._received.append((channel, payload))

    def close(self) -> None:
        self._connection.close()


def split(id: str, payload: bytes) -> list[str]:
    """A message as texts of less than 8,000 bytes each: `id.index.count.base64`."""
    starts = range(0, len(payload) or 1, _PIECE_BYTES)
    return [
        f"{id}.{index:x}.{len(starts):x}.{b64encode(payload[at : at + _PIECE_BYTES]).decode()}"
        for index, at in enumerate(starts)
    ]


class Pieces:
    """Puts messages together again; the pieces of one come one after the other."""

    def __init__(self) -> None:
        self._key = ("", "")
        self._parts: list[bytes] = []

    def add(self, channel: str, text: str) -> bytes | None:
        """The message, when this was its last piece."""
        try:
            id, index_text, count_text, encoded = text.split(".")
            index, total = int(index_text, 16), int(count_text, 16)
            part = b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            return None  # of somebody else
        if index == 0:
            self._key = (channel, id)
            self._parts = []
        elif self._key != (channel, id) or index != len(self._parts):
            return None  # its beginning was before we listened
        self._parts.append(part)
        if index + 1 < total:
            return None
        payload = b"".join(self._parts)
        self._key, self._parts = ("", ""), []
        return payload
