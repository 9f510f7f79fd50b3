"""Requests made by hand."""

from __future__ import annotations

from photon.http.body import Body
from photon.http.headers import Headers
from photon.http.protocol.events import FieldBlock, RequestHead
from photon.http.request import Link, Request
from photon.http.target import split_target


class Pieces:
    """A source of a body: gives the pieces, and notes how often it was asked."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.asked = 0

    def next_body_chunk(self) -> bytes:
        self.asked += 1
        return self.pieces.pop(0) if self.pieces else b""


def make_request(
    target: str = "/",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    *,
    method: str = "GET",
    version: str = "1.1",
    link: Link | None = None,
) -> Request:
    """A request as the server would make it."""
    fields = FieldBlock(Headers((headers or {}).items()))
    head = RequestHead(method, target, *split_target(target), fields, version)
    content = None if body is None else Body(Pieces(body), len(body), 1 << 20)
    return Request(head, content, link)
