"""What can go wrong for a client in a test, besides the mistakes in the call itself.

Exception
├── ClientError               the root
│   ├── ConnectionLost        the server ended the connection before its response was complete
│   ├── BadResponse           what the server sent is no HTTP, or no body of the encoding it says
│   ├── ResponseTimeout       nothing came for `timeout_s`; also a TimeoutError
│   ├── TooManyRedirects      they go round in circles
│   ├── StatusError           `raise_for_status()`, for 400 and above
│   └── WebSocketRefused      another answer came than a WebSocket
└── HandlersLeft              handlers that went on although their client had left
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from photon.http.problems import PROBLEM

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


class WebSocketRefused(ClientError):
    """The server answered, and opened no WebSocket.   Attributes: response: with its body."""

    def __init__(self, response: ClientResponse) -> None:
        super().__init__(response)
        self.response = response

    def __str__(self) -> str:
        response = self.response
        if response.content_type != PROBLEM:
            return f"no WebSocket was opened, the answer is {response!r}"
        told = response.problem
        lines = [f"no WebSocket at {response.url}: {response.status} {response.reason}"]
        if told.get("detail"):
            lines[0] += f": {told['detail']}"
        for error in told.get("errors", ()):
            place = ".".join(map(str, error.get("loc", ())))
            lines.append(f"  {place}: {error.get('msg', error)}")
        return "\n".join(lines)


class HandlersLeft(RuntimeError):
    """Handlers went on although their client had left and they were told to end."""
