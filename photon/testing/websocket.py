"""A WebSocket as the client of a test holds it: blocking calls over a `Link`.

    with client.websocket("/chat/lobby", subprotocols=["chat"]) as ws:
        ws.send_json({"kind": "join", "name": "ann"})
        assert ws.receive_json() == {"kind": "joined", "members": 1}

Whoever waits here lets the server work, so one test may hold several of them. In memory pings are
answered and the server's close is seen at once, as a browser does it; over a socket when the test
receives, sends, or asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from photon.http.headers import Headers
from photon.http.response import encode_json
from photon.runtime.clock import now
from photon.testing.errors import BadResponse, ResponseTimeout
from photon.testing.exchange import Exchange, handler_at
from photon.testing.failures import raise_failure
from photon.testing.response import ClientResponse
from photon.testing.ws_protocol import ClientDeflate, ClientProtocol, Frame
from photon.testing.ws_transport import Transport
from photon.ws.close_codes import ABNORMAL, NORMAL
from photon.ws.errors import WebSocketClosed

T = TypeVar("T")

# So much of a message is shown by an error.
_SHOWN = 300

_ELSEWHERE = {
    "send_text": "send(text)",
    "send_bytes": "send(data)",
    "recv": "receive()",
    "headers": "response_headers",
    "iter_text": "for message in ws",
    "iter_bytes": "for message in ws",
    "iter_json": "receive_json() in a loop",
    "accepted_subprotocol": "subprotocol",
    "extra_headers": "response_headers",
    "closed": "is_open, or close_code",
    "status": "response.status",
}
"""What other clients call it, and this one."""


class ClientWebSocket:
    """An open WebSocket, made by `client.websocket(...)`.

    One greenlet at a time receives, any number may send.

    Attributes:
        response: the 101 that opened it.
        subprotocol: the one that was agreed on; None for none.
        answers_pings: False for a client that has gone, as far as the server can see.
        timeout_s: how long each call may take that does not say.
    """

    def __init__(
        self,
        response: ClientResponse,
        agreed: tuple[str | None, ClientDeflate | None],
        timeout_s: float,
        *,
        raises_failures: bool,
    ) -> None:
        exchange: Exchange = response._exchange
        self.response = response
        self.subprotocol, deflate = agreed
        self.timeout_s = timeout_s
        self._link = exchange.link
        self._protocol = ClientProtocol(deflate)
        self._transport = Transport(exchange.link, self._protocol, exchange.rest)
        self._raises_failures = raises_failures
        self._pings = 0

    # Sending...

    def send(self, message: str | bytes) -> None:
        """Send a message: text as str, binary as bytes.

        In memory the server has done what it does about it at once when this returns.

        Raises: WebSocketClosed; ResponseTimeout, when the server does not take it; TypeError; what
            the handler let through.
        """
        __tracebackhide__ = True
        if not isinstance(message, (str, bytes, bytearray, memoryview)):
            raise TypeError(
                f"a message is str or bytes, not {type(message).__name__}: send_json(value) sends "
                "other values"
            )
        self._send(lambda: self._protocol.message(message))

    def send_json(self, value: Any) -> None:
        """Send a value as JSON, in a text message.   Raises: as `send`."""
        __tracebackhide__ = True
        self.send(encode_json(value).decode())

    def fragment(self, pieces: Sequence[str] | Sequence[bytes]) -> None:
        """Send one message in several frames.   Raises: as `send`; ValueError."""
        __tracebackhide__ = True
        self._send(lambda: self._protocol.fragments(pieces))

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, to break the rules on purpose.   Raises: as `send`."""
        __tracebackhide__ = True
        self._send(lambda: data)

    def ping(self, payload: bytes = b"") -> float:
        """Ask the server for a sign of life, and wait for it.

        Args: payload: up to 125 bytes; something unique if left out.
        Returns: the seconds it took.   Raises: as `receive`.
        """
        __tracebackhide__ = True
        self._pings += 1
        payload = payload or b"ping %d" % self._pings
        awaited = self._protocol.awaited
        began = now()
        awaited.add(payload)
        try:
            self._send(lambda: self._protocol.ping(payload))
            self._wait_for(lambda: payload not in awaited or None, "no pong")
        finally:
            awaited.discard(payload)
        return now() - began

    # Receiving...

    def receive(self, timeout_s: float | None = None) -> str | bytes:
        """The next message, waiting for it: text as str, binary as bytes.

        Args: timeout_s: in place of its own.
        Raises: WebSocketClosed, when there will be none; ResponseTimeout, which says where the
            handler waits, in memory; BadResponse, for what is no WebSocket; what the handler let
            through, in place of the 1011.
        """
        __tracebackhide__ = True
        message: str | bytes = self._wait_for(self._protocol.next_message, "no message", timeout_s)
        return message

    def receive_text(self, timeout_s: float | None = None) -> str:
        """As `receive`, for text alone.   Raises: ValueError, which shows the binary message."""
        __tracebackhide__ = True
        message = self.receive(timeout_s)
        if isinstance(message, str):
            return message
        raise ValueError(f"the server sent a binary message, not text: {_shown(message)}")

    def receive_bytes(self, timeout_s: float | None = None) -> bytes:
        """As `receive`, for binary messages alone.   Raises: ValueError, which shows the text."""
        __tracebackhide__ = True
        message = self.receive(timeout_s)
        if isinstance(message, bytes):
            return message
        raise ValueError(f"the server sent text, not a binary message: {_shown(message)}")

    @overload
    def receive_json(self) -> Any: ...
    @overload
    def receive_json(self, type: type[T], timeout_s: float | None = None) -> T: ...
    @overload
    def receive_json(self, type: Any = Any, timeout_s: float | None = None) -> Any: ...
    def receive_json(self, type: Any = Any, timeout_s: float | None = None) -> Any:
        """The next message read as JSON.

        Args: type: any that msgspec knows; the value is made and checked as one.
        Raises: as `receive`; ValueError, which shows the message.
        """
        __tracebackhide__ = True
        message = self.receive(timeout_s)
        try:
            return msgspec.json.decode(message, type=type)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            wanted = "JSON" if type is Any else f"JSON of {getattr(type, '__name__', type)}"
            raise ValueError(f"{_shown(message)} is no {wanted}: {error}") from error

    def receive_frame(self, timeout_s: float | None = None) -> Frame:
        """The next frame: fragments singly, pings, pongs and the close frame included.

        The pings and the close were answered when they came.   Raises: as `receive`.
        """
        __tracebackhide__ = True
        frame: Frame = self._wait_for(self._protocol.next_frame, "no frame", timeout_s)
        return frame

    def __iter__(self) -> ClientWebSocket:
        """The messages, until it is closed."""
        return self

    def __next__(self) -> str | bytes:
        __tracebackhide__ = True
        try:
            return self.receive()
        except WebSocketClosed:
            raise StopIteration from None

    # The end...

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close it, and wait until the server has answered. Messages that came stay to be received.

        Does nothing when it is closed already.

        Args: code: any from 1000 to 4999; 1005 sends none.   Raises: ResponseTimeout; BadResponse.
        """
        __tracebackhide__ = True
        if code not in range(1000, 5000):
            raise ValueError(f"{code!r} is no close code: they go from 1000 to 4999")
        transport, protocol = self._transport, self._protocol
        transport.take_ahead()
        if protocol.said_close is None and not transport.has_ended:
            self._hand_over(protocol.close(code, reason))
        self._wait_for(lambda: transport.is_over or None, "no answer to the close frame")

    def abort(self) -> None:
        """Vanish without a word, as a client that crashes. What came can still be received."""
        self._transport.abort()

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed it, as far as is known here."""
        self._transport.take_ahead()
        return not self._transport.is_over and self._protocol.said_close is None

    @property
    def close_code(self) -> int | None:
        """What the server closed with; 1006 when it went without a word, None when it has not."""
        self._transport.take_ahead()
        if self._protocol.closed is not None:
            return self._protocol.closed.code
        return ABNORMAL if self._transport.has_ended else None

    @property
    def close_reason(self) -> str:
        """What the server said about that; "" when nothing."""
        self._transport.take_ahead()
        closed = self._protocol.closed
        return "" if closed is None else str(closed.data)

    @property
    def response_headers(self) -> Headers:
        """Of the answer that opened it."""
        return self.response.headers

    @property
    def url(self) -> str:
        return self.response.url

    @property
    def answers_pings(self) -> bool:
        return self._protocol.answers_pings

    @answers_pings.setter
    def answers_pings(self, does: bool) -> None:
        self._protocol.answers_pings = does

    # For the client...

    def finish(self) -> None:
        """Close it if it is open, and wait until its handler is over.

        Raises: ResponseTimeout; what the handler let through.
        """
        __tracebackhide__ = True
        if not self._transport.is_over:
            self.close()
        if self._protocol.fault:
            raise self._why_closed()
        due = now() + self.timeout_s
        while not self._transport.has_ended:
            if not self._transport.take():
                self._wait(due, "no end of the connection", self.timeout_s)
        if not self._link.finish(self.timeout_s):
            raise ResponseTimeout(
                f"{self!r}: it is over, but its handler did not end within {self.timeout_s:g} s"
                f"{handler_at(self._link)}"
            )
        self.raise_failure()

    def raise_failure(self) -> None:
        """Raise what the handler let through, once."""
        __tracebackhide__ = True
        failure = self._link.failure
        if failure is not None and self._raises_failures:
            self._raises_failures = False
            raise_failure(failure, f"the WebSocket {self.url}")

    # Waiting for the server...

    def _send(self, encode: Callable[[], bytes]) -> None:
        """Send a frame.   Raises: as `send`."""
        __tracebackhide__ = True
        self._transport.take_ahead()
        if self._transport.is_over or self._protocol.said_close is not None:
            raise self._why_closed()
        self._hand_over(encode())
        self._link.settle()

    def _hand_over(self, data: bytes) -> None:
        """Have all of it taken.   Raises: ResponseTimeout."""
        __tracebackhide__ = True
        if not self._transport.send(data, self.timeout_s):
            raise ResponseTimeout(
                f"{self!r}: the server took nothing for {self.timeout_s:g} s"
                f"{handler_at(self._link)}"
            )

    def _wait_for(
        self,
        look: Callable[[], Any],
        missing: str,
        timeout_s: float | None = None,
    ) -> Any:
        """What `look` finds, once there is something.

        Args: missing: for the message, when nothing comes.   Raises: as `receive`.
        """
        __tracebackhide__ = True
        timeout_s = self.timeout_s if timeout_s is None else timeout_s
        due = now() + timeout_s
        self._transport.take_ahead()
        while (found := look()) is None:
            if self._transport.take():
                continue
            if self._transport.is_over:
                raise self._why_closed()
            self._wait(due, missing, timeout_s)
        return found

    def _wait(self, due: float, missing: str, timeout_s: float) -> None:
        """Wait until something can be received."""
        __tracebackhide__ = True
        if not self._transport.wait(due - now()):
            at = handler_at(self._link)
            raise ResponseTimeout(f"{self!r}: {missing} came within {timeout_s:g} s{at}")

    def _why_closed(self) -> Exception:
        """What says that nothing more can be sent or received.   Raises: what the handler did."""
        __tracebackhide__ = True
        self.raise_failure()
        protocol = self._protocol
        if protocol.fault:
            return BadResponse(f"{self!r}: what the server sent is no WebSocket: {protocol.fault}")
        if protocol.closed is not None:
            return WebSocketClosed(protocol.closed.code or ABNORMAL, str(protocol.closed.data))
        if self._transport.has_ended:
            return WebSocketClosed(ABNORMAL, "the connection ended without a close frame")
        assert protocol.said_close is not None
        return WebSocketClosed(*protocol.said_close)

    def __repr__(self) -> str:
        protocol = self._protocol
        if protocol.closed is not None:
            state = f"closed {protocol.closed.code}"
        elif self._transport.has_ended:
            state = "lost"
        else:
            state = "open" if protocol.said_close is None else "closing"
        return f"<ClientWebSocket {self.url} {state}>"

    if not TYPE_CHECKING:  # a checker shall see that these do not exist

        def __getattr__(self, name: str) -> Any:
            here = _ELSEWHERE.get(name)
            hint = f": here it is {here}" if here else ""
            raise AttributeError(f"a ClientWebSocket has no {name!r}{hint}", name=name, obj=self)


def _shown(message: str | bytes) -> str:
    shown = repr(message[:_SHOWN])
    return shown if len(message) <= _SHOWN else f"{shown}… ({len(message)} in all)"
