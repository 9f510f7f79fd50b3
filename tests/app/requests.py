"""Requests without a wire."""

from __future__ import annotations

from photon.http.headers import Headers
from photon.http.protocol.events import FieldBlock, RequestHead
from photon.http.request import Request


def make_request(method: str, target: str, **headers: str) -> Request:
    """A request without a body."""
    fields = FieldBlock(Headers(list(headers.items())))
    path, _, query = target.partition("?")
    return Request(RequestHead(method, target, path, query, fields))
