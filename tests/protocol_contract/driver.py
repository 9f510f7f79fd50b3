"""A server without sockets: feeds a protocol, answers what it reads, and notes it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from photon.http.protocol.base import Http1
from photon.http.protocol.events import RequestHead
from photon.http.protocol.fast import KnownFields, ReadyHeads
from photon.http.protocol.h1 import FastHttp1
from photon.http.protocol.limits import HeadLimits
from photon.http.protocol.referee import RefereeHttp1

LIMITS = HeadLimits()


def ready_heads() -> ReadyHeads:
    """Heads whose date never expires."""
    return ReadyHeads(lambda expire: None)


def fast(limits: HeadLimits = LIMITS) -> Http1:
    return FastHttp1(limits, KnownFields(limits), ready_heads())


def referee(limits: HeadLimits = LIMITS) -> Http1:
    return RefereeHttp1(limits, ready_heads())


IMPLEMENTATIONS = {"fast": fast, "referee": referee}


class Read(Struct, frozen=True):
    """A request as it was read. Attributes: body: None when it did not come to its end."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes | None
    version: str
    keep_alive: bool


class Driver:
    """Reads and answers everything that is put into a protocol.

    Attributes:
        read: the requests, the last one perhaps without its body.
        written: all that was answered.
        is_open: whether the connection lives on.
    """

    def __init__(self, protocol: Http1) -> None:
        self.protocol = protocol
        self.read: list[Read] = []
        self.written = b""
        self.is_open = True
        self._head: RequestHead | None = None
        self._body = b""

    def feed(self, *pieces: bytes) -> Driver:
        """Put in what the peer sends; b"" is its end.   Raises: ProtocolError."""
        for piece in pieces:
            self.protocol.receive_data(piece)
            while self.is_open and self._step():
                pass
        return self

    def _step(self) -> bool:
        if self._head is None:
            self._head = self.protocol.next_request()
            if self._head is None:
                return False
            self._body = b""
        while not self.protocol.body_is_complete:
            data = self.protocol.next_data()
            if data is None:
                return False
            self._body += data
        self._finish(self._head)
        return True

    def _finish(self, head: RequestHead) -> None:
        self.read.append(noted(head, self._body, self.protocol.keep_alive))
        self.written += self.protocol.plain(200, "text/plain", b"ok")
        self.is_open = self.protocol.next_cycle()
        self._head = None

    @property
    def begun(self) -> Read | None:
        """The request whose body has not come to its end; None when there is none."""
        return None if self._head is None else noted(self._head, None, self.protocol.keep_alive)


def noted(head: RequestHead, body: bytes | None, keep_alive: bool) -> Read:
    headers = sorted(head.fields.headers.pairs())
    return Read(head.method, head.target, headers, body, head.version, keep_alive)


def drive(protocol: Http1, pieces: Iterable[bytes]) -> Driver:
    """All pieces put into a fresh protocol.   Raises: ProtocolError."""
    return Driver(protocol).feed(*pieces)


def singly(data: bytes) -> list[bytes]:
    """Byte by byte."""
    return [data[at : at + 1] for at in range(len(data))]
