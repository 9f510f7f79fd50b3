"""The test bench: clients without sockets and with them, wires in memory, the patch for pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photon.runtime.lazy import front_door

if TYPE_CHECKING:
    from photon.testing.cancelling import cancel_everywhere as cancel_everywhere
    from photon.testing.client import TestClient as TestClient
    from photon.testing.clock import Clock as Clock
    from photon.testing.errors import BadResponse as BadResponse
    from photon.testing.errors import ClientError as ClientError
    from photon.testing.errors import ConnectionLost as ConnectionLost
    from photon.testing.errors import HandlersLeft as HandlersLeft
    from photon.testing.errors import ResponseTimeout as ResponseTimeout
    from photon.testing.errors import StatusError as StatusError
    from photon.testing.errors import TooManyRedirects as TooManyRedirects
    from photon.testing.errors import WebSocketRefused as WebSocketRefused
    from photon.testing.events import Event as Event
    from photon.testing.leaks import no_leaks as no_leaks
    from photon.testing.live import LiveClient as LiveClient
    from photon.testing.live import live_server as live_server
    from photon.testing.response import ClientResponse as ClientResponse
    from photon.testing.scheduling import shuffled as shuffled
    from photon.testing.websocket import ClientWebSocket as ClientWebSocket
    from photon.testing.wire import Wire as Wire
    from photon.testing.ws_protocol import Frame as Frame

# Each name and the room it lives in.
_ROOMS = {
    "BadResponse": "photon.testing.errors",
    "ClientError": "photon.testing.errors",
    "ClientResponse": "photon.testing.response",
    "ClientWebSocket": "photon.testing.websocket",
    "Clock": "photon.testing.clock",
    "ConnectionLost": "photon.testing.errors",
    "Event": "photon.testing.events",
    "Frame": "photon.testing.ws_protocol",
    "HandlersLeft": "photon.testing.errors",
    "LiveClient": "photon.testing.live",
    "ResponseTimeout": "photon.testing.errors",
    "StatusError": "photon.testing.errors",
    "TestClient": "photon.testing.client",
    "TooManyRedirects": "photon.testing.errors",
    "WebSocketRefused": "photon.testing.errors",
    "Wire": "photon.testing.wire",
    "cancel_everywhere": "photon.testing.cancelling",
    "live_server": "photon.testing.live",
    "no_leaks": "photon.testing.leaks",
    "shuffled": "photon.testing.scheduling",
}

__all__ = sorted(_ROOMS)  # noqa: PLE0605  # a test holds it against the imports above
__getattr__, __dir__ = front_door(__name__, _ROOMS)
