"""One request and its response, as the client sees them: h11 over a `Link`.

h11 is the referee of both ends: what the server frames wrongly fails the test.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import h11

from photon.testing.errors import BadResponse, ConnectionLost, ResponseTimeout
from photon.testing.link import CHUNK_BYTES, Link
from photon.testing.outgoing import Outgoing

# A response's head, for which servers set no limit; h11 alone takes 16 KiB.
_MAX_HEAD_BYTES = 1024 * 1024

Fields = list[tuple[bytes, bytes]]


class Exchange:
    """Sends one request and gives its response.

    Args:
        link: what it goes over.
        request: what is to be sent.
        timeout_s: how long the server may be silent.
    Attributes: has_begun: whether anything of a response has come.
    """

    def __init__(self, link: Link, request: Outgoing, timeout_s: float) -> None:
        self.link = link
        self.request = request
        self.timeout_s = timeout_s
        self.has_begun = False
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
        self._events: deque[h11.Event] = deque()
        self._has_ended = False

    # Sending...

    def send(self, headers: Fields) -> None:
        """Send the request, as far as the server takes it.

        Raises: ValueError, for a request that is no HTTP; ResponseTimeout.
        """
        http, request = self._http, self.request
        method, target, body = request.method, request.address.target, request.body
        try:
            out = http.send(h11.Request(method=method, target=target, headers=headers)) or b""
            if isinstance(body, bytes):
                out += (http.send(h11.Data(data=body)) or b"") if body else b""
            elif self._send_all(out) and self._send_pieces(body):
                out = b""
            else:
                return
            out += http.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as error:
            raise ValueError(
                f"{self.request} is no HTTP: {error}; to break the rules on purpose send bytes, "
                "with photon.testing.wire.Wire"
            ) from error
        self._send_all(out)

    def _send_pieces(self, pieces: Iterable[object]) -> bool:
        for piece in pieces:
            data = piece.encode() if isinstance(piece, str) else piece
            if not isinstance(data, (bytes, bytearray, memoryview)):
                raise TypeError(f"content gives {type(data).__name__}; its pieces are bytes")
            if data and not self._send_all(self._http.send(h11.Data(data=bytes(data))) or b""):
                return False
            self.link.settle()
        return True

    def _send_all(self, data: bytes) -> bool:
        """Send all of it; False when the server does not want it any more."""
        rest = memoryview(data)
        while rest:
            # A server that refuses what comes says so before it came; and one that answers while
            # it reads needs us to take the answer.
            self._take()
            if self._has_ended or self._http.their_state is h11.DONE:
                return False
            try:
                sent = self.link.send_some(rest[:CHUNK_BYTES])
            except OSError:
                return False  # it may have answered before it closed
            rest = rest[sent:]
            if not sent and not self.link.wait(self.timeout_s, to_send=True):
                raise ResponseTimeout(
                    f"{self.request}: the server took nothing of the body for {self.timeout_s:g} s"
                    f"{handler_at(self.link)}"
                )
        return True

    # Receiving...

    def head(self) -> h11.Response | h11.InformationalResponse:
        """The response's head; a 101, too, which is the last that HTTP has to say here.

        Raises: ConnectionLost; BadResponse; ResponseTimeout.
        """
        while True:
            event = self._next()
            if isinstance(event, h11.Response) or self.has_switched:
                return event  # type: ignore[return-value]  # the one that switched
            if not isinstance(event, h11.InformationalResponse):
                raise BadResponse(f"{self.request}: {event!r} came before a response")

    @property
    def has_switched(self) -> bool:
        """Whether the connection speaks another protocol from here on."""
        return not self._events and self._http.their_state is h11.SWITCHED_PROTOCOL

    @property
    def rest(self) -> bytes:
        """What came behind the head of a 101."""
        return self._http.trailing_data[0]

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes.   Raises: as `head`."""
        while not self.has_switched and isinstance(event := self._next(), h11.Data):
            yield bytes(event.data)

    def _next(self) -> h11.Event:
        while not self._events:
            if self._take():
                continue
            if self._has_ended:
                raise ConnectionLost(f"{self.request}: {self._what_is_missing()}")
            if not self.link.wait(self.timeout_s):
                raise ResponseTimeout(
                    f"{self.request}: the server sent nothing for {self._patience}"
                    f"{handler_at(self.link)}"
                )
        return self._events.popleft()

    @property
    def _patience(self) -> str:
        return f"{self.timeout_s:g} s"

    def _what_is_missing(self) -> str:
        if not self.has_begun:
            return "the server closed the connection without a response"
        return "the server closed the connection before its response was complete"

    def _take(self) -> bool:
        """Take what has come, without waiting; whether there was anything."""
        if self._has_ended:
            return False
        try:
            data = self.link.receive_some()
        except OSError:
            self._has_ended = True
            return False
        if data is None:
            return False
        self._has_ended = not data
        self.has_begun = self.has_begun or bool(data)
        return self._parse(data)

    def _parse(self, data: bytes) -> bool:
        http, before = self._http, len(self._events)
        try:
            http.receive_data(data)
            while True:
                event = http.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    break
                if isinstance(event, h11.ConnectionClosed):
                    break
                self._events.append(event)  # type: ignore[arg-type]  # the two above are the rest
        except h11.RemoteProtocolError as error:
            if data:
                raise BadResponse(f"{self.request}: the response is no HTTP: {error}") from error
        return len(self._events) > before

    # The end...

    @property
    def is_complete(self) -> bool:
        """Whether all of the response has come and was taken."""
        return not self._events and self._http.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)

    @property
    def is_reusable(self) -> bool:
        """Whether the link may carry another request."""
        http = self._http
        both = http.our_state is h11.DONE and http.their_state is h11.DONE
        return both and not self._has_ended and not http.trailing_data[0]

    def finish(self) -> None:
        """Wait for what the server does after the response.   Raises: ResponseTimeout."""
        if not self.link.finish(self.timeout_s):
            at = handler_at(self.link)
            self.link.close()
            raise ResponseTimeout(
                f"{self.request}: the response came, but what runs after it did not end within "
                f"{self._patience}{at}"
            )


def handler_at(link: Link) -> str:
    """Where the handler waits, for the end of a message; "" when that is not known."""
    whereabouts = link.whereabouts()
    return f"; its handler waits at {whereabouts}" if whereabouts else ""
