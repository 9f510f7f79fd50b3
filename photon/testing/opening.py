"""The opening handshake of a WebSocket, from the client's side: what it asks for, and what it got.

Source: RFC 6455 §4.1.
"""

from __future__ import annotations

from wsproto.utilities import generate_accept_token, generate_nonce

from photon.testing.errors import BadResponse
from photon.testing.options import OpeningOptions
from photon.testing.outgoing import Outgoing
from photon.testing.response import ClientResponse
from photon.testing.ws_protocol import ClientDeflate


class Opening:
    """What one client asks for."""

    def __init__(self, options: OpeningOptions) -> None:
        self._subprotocols = tuple(options.get("subprotocols", ()))
        self._origin = options.get("origin")
        self._deflate = ClientDeflate() if options.get("deflate") else None

    def headers(self) -> dict[str, str]:
        """The fields that make a request one for a WebSocket."""
        fields = {
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec-websocket-key": generate_nonce().decode(),
            "sec-websocket-version": "13",
        }
        if self._subprotocols:
            fields["sec-websocket-protocol"] = ", ".join(self._subprotocols)
        if self._deflate is not None:
            fields["sec-websocket-extensions"] = f"{self._deflate.name}; {self._deflate.offer()}"
        if self._origin is not None:
            fields["origin"] = self._origin
        return fields

    def agreed(
        self, request: Outgoing, response: ClientResponse
    ) -> tuple[str | None, ClientDeflate | None]:
        """What a 101 agrees on: a subprotocol, and compression.

        Raises: BadResponse, for what a client has to refuse.
        """
        headers = response.headers
        key = (request.header("sec-websocket-key") or "").encode("latin-1")
        if headers.get("sec-websocket-accept") != generate_accept_token(key).decode():
            raise BadResponse(f"{response!r}: Sec-WebSocket-Accept does not prove that it was read")
        subprotocol = headers.get("sec-websocket-protocol")
        if subprotocol is not None and subprotocol not in self._subprotocols:
            raise BadResponse(f"{response!r}: the subprotocol {subprotocol!r} was not offered")
        extensions = headers.get("sec-websocket-extensions")
        if extensions is None:
            return subprotocol, None
        if self._deflate is None or extensions.partition(";")[0].strip() != self._deflate.name:
            raise BadResponse(f"{response!r}: the extensions {extensions!r} were not offered")
        self._deflate.finalize(extensions)
        return subprotocol, self._deflate
