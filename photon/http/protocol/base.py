"""The one interface of every HTTP/1 protocol, and what its implementations share.

A protocol is a state machine for one connection. It takes the bytes of the peer and gives events
when asked (pull: nothing is parsed ahead of whoever wants it), and turns a response into bytes.
It does no I/O, knows no time, and may be tried with a table of bytes.

    receive_data ─▶ next_request ─▶ next_data* ─▶ plain | (head, data*, end) ─▶ next_cycle ─┐
                        ▲                                                                   │
                        └───────────────────────────────────────────────────────────────────┘
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable

from photon.http.headers import wire_field
from photon.http.protocol import rules
from photon.http.protocol.events import RequestHead
from photon.http.protocol.limits import HeadLimits
from photon.http.status import check_status, has_content, reason_phrase

Fields = list[tuple[bytes, bytes]]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_EMPTY_LINES = re.compile(rb"\A(?:\r\n)++")

# The protocol writes these itself; what a handler says of them is left out.
_OURS = frozenset((b"transfer-encoding", b"connection", b"keep-alive", b"date"))


class Http1(ABC):
    """The server's side of one HTTP/1 connection.

    Attributes:
        pending: bytes that were received and that nobody asked for yet.
        request: the request in progress; None between two.
        keep_alive: whether the connection lives on after this exchange. May be set to False at
            any time before the response's head is made.
        body_is_complete: whether all of the request in progress was received and taken.
    """

    __slots__ = (
        "_ended",
        "_examined",
        "_limits",
        "body_is_complete",
        "keep_alive",
        "pending",
        "request",
    )

    def __init__(self, limits: HeadLimits) -> None:
        self._limits = limits
        self.pending = b""
        self._ended = False
        self._examined = 0
        self.request: RequestHead | None = None
        self.keep_alive = True
        self.body_is_complete = True

    # What came...

    def receive_data(self, data: bytes) -> None:
        """Take bytes of the peer; b"" says that no more will come."""
        if data:
            self.pending = self.pending + data if self.pending else data
        else:
            self._ended = True

    @property
    def has_ended(self) -> bool:
        """Whether the peer said that no more will come."""
        return self._ended

    @abstractmethod
    def next_request(self) -> RequestHead | None:
        """The head of the next request; None when more bytes are needed for it.

        Raises: ProtocolError; `refusal` answers it.
        """

    @abstractmethod
    def next_data(self) -> bytes | None:
        """The next piece of the body; b"" when it is complete; None when more bytes are needed.

        Raises: ProtocolError, also when the peer ended before its body did.
        """

    def take_body(self) -> bytes | None:
        """The whole body, if it has come already; None when its pieces are to be asked for."""
        return None

    def skip_body(self) -> bool:
        """Drop what came of the body; whether it is complete.   Raises: ProtocolError."""
        while not self.body_is_complete:
            if self.next_data() is None:
                return False
        return True

    # What goes...

    def plain(self, status: int, content_type: str | None, body: bytes) -> bytes:
        """A whole response with no headers but the usual ones.

        Raises: ValueError, when the media type cannot be the value of a header.
        """
        fields: Fields = []
        if content_type is not None and has_content(status):
            fields.append(wire_field("content-type", content_type))
        return self.head(status, fields, len(body)) + self.data(body) + self.end()

    @abstractmethod
    def head(self, status: int, fields: Fields, body_bytes: int | None) -> bytes:
        """The head of a response.

        Args: fields: pairs of (name, value), lower-case; body_bytes: None when not known yet.
        """

    @abstractmethod
    def data(self, piece: bytes) -> bytes:
        """A piece of the body, framed. b"" for a response that has no content.

        Raises: ValueError, when it is more than the head said.
        """

    @abstractmethod
    def count_data(self, length: int) -> None:
        """Note that a piece of known length is sent past the protocol, as a file is."""

    @abstractmethod
    def end(self) -> bytes:
        """The end of the body.   Raises: ValueError, when it is less than the head said."""

    @property
    @abstractmethod
    def sends_content(self) -> bool:
        """Whether the response whose head was made has content at all (HEAD and 304 have none)."""

    @abstractmethod
    def next_cycle(self) -> bool:
        """Turn to the next request; False when the connection is to be closed instead.

        What the handler left of the request's body is skipped as it comes.
        """

    # What both need...

    def _take_head(self) -> bytes | None:
        """The bytes of a whole head, taken from the buffer; None when more are needed."""
        self._skip_empty_lines()
        buffer, examined = self.pending, self._examined
        end = buffer.find(b"\r\n\r\n", max(0, examined - 3)) + 4
        if end < 4:
            if buffer:
                rules.examine_beginning(buffer, self._limits, examined)
                self._examined = len(buffer)
                if self._ended:
                    rules.refuse("incomplete")
            return None
        self.pending = buffer[end:]
        self._examined = 0
        head = buffer[:end]
        rules.examine_head(head, self._limits, examined)
        return head

    def _skip_empty_lines(self) -> None:
        if self.pending[:2] == b"\r\n":
            self.pending = _EMPTY_LINES.sub(b"", self.pending, count=1)
            self._examined = 0


def complete_fields(
    protocol: Http1, status: int, fields: Iterable[tuple[bytes, bytes]], body_bytes: int | None
) -> tuple[Fields, int | None]:
    """The fields of a response head with its framing, and the length of its body.

    The length is None for a chunked body and -1 for one that ends with the connection.
    """
    check_status(status)
    kept: Fields = []
    is_head = protocol.request is not None and protocol.request.method == "HEAD"
    for name, value in fields:
        if name == b"content-length":
            # HEAD: the length the body would have, if the handler made none.
            is_free = body_bytes is None or (is_head and not body_bytes)
            if is_free and value.isdigit():
                body_bytes = int(value)
        elif name not in _OURS:
            kept.append((name, value))
            if name == b"upgrade":
                # RFC 9110 §7.8: "MUST also send an "Upgrade" connection option".
                kept.append((b"connection", b"upgrade"))
        elif name == b"connection" and value.lower() == b"close":
            protocol.keep_alive = False
    request = protocol.request
    length = body_bytes
    if not has_content(status):
        length = 0
    elif body_bytes is not None:
        kept.append((b"content-length", b"%d" % body_bytes))
    elif request is None or request.version == "1.0":
        protocol.keep_alive = False
        length = -1
    else:
        # RFC 9112 §6.1: not in answer to HTTP/1.0, nor with 1xx or 204.
        kept.append((b"transfer-encoding", b"chunked"))
    if not protocol.keep_alive:
        kept.append((b"connection", b"close"))
    elif request is not None and request.version == "1.0":
        kept.append((b"connection", b"keep-alive"))
    return kept, length


def join_head(status: int, date: bytes, fields: Fields) -> bytes:
    """The bytes of a response head."""
    lines = [b"HTTP/1.1 %d %b\r\ndate: %b\r\n" % (status, reason_phrase(status).encode(), date)]
    lines.extend(b"%b: %b\r\n" % field for field in fields)
    lines.append(b"\r\n")
    return b"".join(lines)
