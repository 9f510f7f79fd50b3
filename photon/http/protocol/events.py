"""What the wire says, once it was read: frozen data that travels up the floors."""

from __future__ import annotations

from msgspec import Struct

from photon.http.headers import Headers


class FieldBlock(Struct, frozen=True):
    """The header fields of a request, and what they say about its framing.

    Attributes:
        headers: the fields.
        body_bytes: the length of the body, 0 for none; None when it is chunked.
        keep_alive: whether the client wants to use the connection again.
        expects_continue: whether it waits for `100 Continue` before it sends the body.
        upgrade: the protocol it asks to change to, lower-case; "" for none.
    """

    headers: Headers
    body_bytes: int | None = 0
    keep_alive: bool = True
    expects_continue: bool = False
    upgrade: str = ""


class RequestHead(Struct, frozen=True):
    """The head of a request: all of it but the body.

    Attributes:
        method: as on the wire; upper-case, for nothing else is accepted.
        target: as on the wire.
        path, query: the two parts of the target, still percent-encoded; without the `?`.
        fields: the header fields. Requests that say the same may share them.
        version: "1.1" or "1.0".
    """

    method: str
    target: str
    path: str
    query: str
    fields: FieldBlock
    version: str = "1.1"
