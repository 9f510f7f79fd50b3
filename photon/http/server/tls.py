"""What a server has between accept and its connections when it speaks TLS."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from photon.runtime.carriers import Carrier
from photon.runtime.errors import TlsError
from photon.runtime.net.handshakes import Handshakes
from photon.runtime.net.tls_context import TlsContext, TlsSettings, load_context

if TYPE_CHECKING:
    from photon.http.server.server import Server

logger = logging.getLogger("photon.http")

_WHY = b"This port speaks HTTPS, and a plain HTTP request was sent to it: write https:// instead.\n"

# nginx answers so, too. In plain text: whoever comes by the wrong scheme expects no problem+json.
_ANSWER_TO_PLAIN = b"\r\n".join(
    (
        b"HTTP/1.1 400 Bad Request",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Length: %d" % len(_WHY),
        b"Connection: close",
        b"",
        _WHY,
    )
)


def handshakes_of(server: Server, tls: TlsSettings | TlsContext) -> Handshakes:
    """The handshakes of a server; those that are done it adopts.   Raises: TlsError."""
    context = tls if isinstance(tls, TlsContext) else load_context(tls)
    return Handshakes(
        server.hub,
        context,
        server.timeouts.handshake_s,
        server.adopt,
        on_count=server.count_connections,
        answer_to_plain=_ANSWER_TO_PLAIN,
    )


class Reload:
    """Reads the certificates again, and logs what came of it. A carrier's job."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def run(self) -> bool:
        handshakes = self._server.handshakes
        try:
            self._server.reload_tls()
        except TlsError as error:
            logger.error("no new certificates: %s", error)
        else:
            assert handshakes is not None
            shown = ", ".join(
                f"{each.path} for {', '.join(each.names) or 'no name'}"
                for each in handshakes.context.certificates
            )
            logger.info("new connections are shown the certificates as they are now: %s", shown)
        return False

    def on_parked(self, carrier: Carrier) -> None:
        """It waits for the files, and nobody interrupts that."""
