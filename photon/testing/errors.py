"""What can go wrong for a client in a test, besides the mistakes in the call itself.

Exception
├── ClientError               the root
│   ├── ConnectionLost        the server ended the connection before its response was complete
│   ├── BadResponse           what the server sent is no HTTP, or no body of the encoding it says
│   ├── ResponseTimeout       nothing came for `timeout_s`; also a TimeoutError
│   ├── TooManyRedirects      they go round in circles
│   └── StatusError           `raise_for_status()`, for 400 and above
└── HandlersLeft              handlers that went on although their client had left
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photon.testing.response import ClientResponse


class ClientError(Exception):
    """The root of what a test client raises about a server."""


class ConnectionLost(ClientError):
    """The server ended the connection before its response was complete."""


class BadResponse(ClientError):
    """What the server sent cannot be read."""


class ResponseTimeout(ClientError, TimeoutError):
    """The server sent nothing for `timeout_s`."""


class TooManyRedirects(ClientError):
    """One redirect led to another, more often than anybody means it."""


class StatusError(ClientError):
    """A response whose status is an error's.   Attributes: response."""

    def __init__(self, response: ClientResponse) -> None:
        super().__init__(repr(response))
        self.response = response


class HandlersLeft(RuntimeError):
    """Handlers went on although their client had left and they were told to end."""
