"""An echo on the server that the makers of Autobahn's test suite wrote: it passes all that it
asks, which shows that the tool asks the right thing."""

# mypy: disable-error-code="import-not-found"

import argparse

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol, listenWS
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from twisted.internet import reactor


class Echo(WebSocketServerProtocol):
    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.sendMessage(payload, isBinary)


def accept(offers: list[object]) -> object:
    """The first offer of permessage-deflate."""
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(offer)
    return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    factory = WebSocketServerFactory(f"ws://127.0.0.1:{options.port}")
    factory.protocol = Echo
    # It closes as RFC 6455 §7.1.7 wants, and does not just go.
    factory.setProtocolOptions(failByDrop=False, perMessageCompressionAccept=accept)
    listenWS(factory, interface="127.0.0.1")
    reactor.run()
