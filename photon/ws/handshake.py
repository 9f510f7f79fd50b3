"""The opening handshake: is this a WebSocket request, and what is answered to it.

Pure functions, no I/O. `read_offer` takes the client's side apart, or raises the HTTP answer to it;
`accept_head` writes the head of the 101.

Source: RFC 6455 §4.2, RFC 9110 §7.8 (Upgrade).
"""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha1

from msgspec import Struct

from photon.http.errors import HTTPError
from photon.http.headers import Headers, wire_field
from photon.http.request import Request
from photon.http.response import HeaderSource

VERSION = "13"

# RFC 6455 §1.3: "concatenates this with the GUID ... in string form".
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

# What the handshake says itself, or what a 101 has no use for.
_RESERVED = frozenset(
    (
        "connection",
        "content-length",
        "sec-websocket-accept",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
        "sec-websocket-version",
        "transfer-encoding",
        "upgrade",
    )
)

_PROXY = (
    "; if there is a proxy in front, it has to pass on `Upgrade` and `Connection` (nginx: "
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    'proxy_set_header Connection "upgrade")'
)


class Offer(Struct, frozen=True):
    """What the client offers.

    Attributes:
        key: of Sec-WebSocket-Key, to be proved that it was read.
        subprotocols: those it speaks, the one it likes best first.
        extensions: the field as it came, "" for none.
    """

    key: str
    subprotocols: tuple[str, ...] = ()
    extensions: str = ""


# What the client sent...


def read_offer(request: Request) -> Offer:
    """The client's side of the handshake.

    Raises: HTTPError: 405 for another method than GET; 426 for what asks for no WebSocket, or for
    one of another version; 400 for one that is asked for wrongly.
    """
    if request.method != "GET":
        raise HTTPError(
            405, "a WebSocket is opened by a GET, see RFC 6455 §4.1", headers={"allow": "GET"}
        )
    headers = request.headers
    _check_upgrade(request)
    if request.head.fields.body_bytes != 0:
        raise _bad("a request for a WebSocket has no body")
    version = _single(headers, "sec-websocket-version")
    if version != VERSION:
        # RFC 6455 §4.4: the server answers with the versions it speaks.
        raise HTTPError(
            426,
            f"WebSockets of version {VERSION} are spoken here, not of {version!r}",
            headers={"sec-websocket-version": VERSION, **_UPGRADE},
        )
    key = _single(headers, "sec-websocket-key")
    if not _is_key(key):
        raise _bad("Sec-WebSocket-Key has to be 16 bytes in base64")
    return Offer(
        key,
        _subprotocols(headers.get("sec-websocket-protocol", "")),
        headers.get("sec-websocket-extensions", ""),
    )


_UPGRADE: Mapping[str, str] = {"upgrade": "websocket", "connection": "upgrade"}


def _check_upgrade(request: Request) -> None:
    headers = request.headers
    is_meant = "sec-websocket-key" in headers  # nothing else has it
    if "websocket" not in _tokens(headers.get("upgrade", "")):
        if is_meant:
            raise _bad(f"a request for a WebSocket says `Upgrade: websocket`{_PROXY}")
        # RFC 9110 §15.5.22: "The server MUST send an Upgrade header field in a 426 response".
        raise HTTPError(
            426,
            f"this is a WebSocket: open it as {_scheme(request)}://{request.host}{request.path}",
            headers=_UPGRADE,
        )
    # RFC 9110 §7.8: "A server MUST ignore an Upgrade header field that is received in an HTTP/1.0
    # request."
    if request.http_version != "1.1":
        raise HTTPError(426, f"a WebSocket needs HTTP/1.1{_PROXY}", headers=_UPGRADE)
    if "upgrade" not in _tokens(headers.get("connection", "")):
        raise _bad(f"a request for a WebSocket says `Connection: Upgrade`{_PROXY}")


def _scheme(request: Request) -> str:
    return "wss" if request.scheme == "https" else "ws"


def _bad(detail: str) -> HTTPError:
    return HTTPError(400, detail)


def _tokens(value: str) -> list[str]:
    """The items of a list, in lower case."""
    return [item.strip().lower() for item in value.split(",")]


def _single(headers: Headers, name: str) -> str:
    values = headers.get_all(name)
    if len(values) != 1:
        written = "-".join(map(str.capitalize, name.split("-"))).replace("Websocket", "WebSocket")
        raise _bad(f"a request for a WebSocket has one {written}, not {len(values)}")
    return values[0]


def _is_key(key: str) -> bool:
    try:
        return len(key) == 24 and len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except ValueError:
        return False


def _subprotocols(field: str) -> tuple[str, ...]:
    """Source: RFC 6455 §4.1, item 10: "non-empty strings ... and MUST all be unique strings"."""
    if not field:
        return ()
    names = tuple(name.strip(" \t") for name in field.split(","))
    if len(set(names)) != len(names) or not all(map(_TOKEN.fullmatch, names)):
        raise _bad("Sec-WebSocket-Protocol has to be a list of different names")
    return names


# What is answered...


def accept_key(key: str) -> str:
    """The proof that the key was read.   Source: RFC 6455 §4.2.2, item 5.4."""
    return b64encode(sha1(key.encode() + _GUID).digest()).decode()


def accept_head(
    offer: Offer, subprotocol: str | None = None, extensions: str = "", headers: HeaderSource = ()
) -> bytes:
    """The head of the 101, ready to be sent.

    Args:
        subprotocol: one of those offered; None for none.
        extensions: those agreed, as they are written in the field; "" for none.
        headers: further fields, such as cookies.
    Raises: ValueError, for a subprotocol that was not offered, and for headers that are the
        handshake's own or cannot be sent.
    """
    lines = [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n" % accept_key(offer.key).encode()
    ]
    if subprotocol is not None:
        _check_offered(subprotocol, offer.subprotocols)
        lines.append(b"Sec-WebSocket-Protocol: %b\r\n" % subprotocol.encode())
    if extensions:
        lines.append(b"Sec-WebSocket-Extensions: %b\r\n" % extensions.encode())
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        field = wire_field(name, value)
        if name.lower() in _RESERVED:
            raise ValueError(f"the header {name!r} is the handshake's own; leave it out")
        lines.append(b"%b: %b\r\n" % field)
    lines.append(b"\r\n")
    return b"".join(lines)


def _check_offered(subprotocol: str, offered: tuple[str, ...]) -> None:
    # RFC 6455 §4.1: a client that gets one it did not offer has to fail the connection.
    if subprotocol in offered:
        return
    what = ", ".join(map(repr, offered)) if offered else "none"
    raise ValueError(
        f"the client did not offer the subprotocol {subprotocol!r}, it offered {what}; choose one "
        "of `ws.subprotocols`, or None"
    )
