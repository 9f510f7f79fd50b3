"""What a client asks for that opens a WebSocket, read by the server's own handshake."""

from __future__ import annotations

import pytest

from photon.http.headers import Headers
from photon.testing.address import Address
from photon.testing.errors import BadResponse
from photon.testing.opening import Opening
from photon.testing.options import OpeningOptions
from photon.testing.outgoing import Outgoing, make_outgoing
from photon.testing.response import ClientResponse
from photon.ws import deflate
from photon.ws.handshake import Offer, accept_head
from photon.ws.settings import Deflate


def asked(opening: Opening) -> Outgoing:
    address = Address.parse("http://test/")
    return make_outgoing("GET", address, defaults=opening.headers(), headers=None, cookies=None)


def answer(head: bytes) -> ClientResponse:
    _, *lines = head.decode().rstrip().split("\r\n")
    headers = Headers(tuple(line.split(": ", 1)) for line in lines)  # type: ignore[misc]  # pairs
    return ClientResponse("GET", "http://test/", 101, "", headers, None)  # type: ignore[arg-type]  # nothing is read of it


def test_all_that_is_asked_for() -> None:
    options: OpeningOptions = {
        "subprotocols": ["a", "b"],
        "origin": "https://example.com",
        "deflate": True,
    }
    headers = Opening(options).headers()
    assert headers["sec-websocket-protocol"] == "a, b"
    assert headers["origin"] == "https://example.com"
    assert headers["sec-websocket-extensions"].startswith("permessage-deflate; client_max_window")
    assert len(Opening({}).headers()) == 4
    keys = {Opening({}).headers()["sec-websocket-key"] for _ in range(10)}
    assert len(keys) == 10


def test_what_is_agreed_on() -> None:
    opening = Opening({"subprotocols": ["a"], "deflate": True})
    request = asked(opening)
    extensions = request.header("sec-websocket-extensions") or ""
    agreed = deflate.agree(extensions, Deflate(server_window_bits=10, client_keeps_context=False))
    assert agreed is not None
    offer = Offer(request.header("sec-websocket-key") or "", ("a",), extensions)
    subprotocol, compression = opening.agreed(request, answer(accept_head(offer, "a", agreed[1])))
    assert subprotocol == "a"
    assert compression is not None
    assert compression.enabled()
    assert compression.server_max_window_bits == 10
    assert compression.client_no_context_takeover


def test_nothing_is_agreed_on() -> None:
    opening = Opening({"subprotocols": ["a"], "deflate": True})
    request = asked(opening)
    offer = Offer(request.header("sec-websocket-key") or "", ("a",), "")
    assert opening.agreed(request, answer(accept_head(offer))) == (None, None)


def test_a_key_of_another_request_proves_nothing() -> None:
    opening = Opening({})
    head = accept_head(Offer("dGhlIHNhbXBsZSBub25jZQ==", (), ""))
    with pytest.raises(BadResponse, match="does not prove that it was read"):
        opening.agreed(asked(opening), answer(head))
    own = make_outgoing(
        "GET",
        Address.parse("http://test/"),
        defaults=opening.headers(),
        headers={"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="},
        cookies=None,
    )
    assert opening.agreed(own, answer(head)) == (None, None)
