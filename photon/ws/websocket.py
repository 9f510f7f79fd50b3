"""A WebSocket as its handler sees it: blocking calls, from the handshake to the end."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from photon.http.errors import HTTPError
from photon.http.headers import Headers
from photon.http.request import Request
from photon.http.response import HeaderSource, encode_json
from photon.http.target import Query
from photon.runtime.clock import now
from photon.runtime.errors import StreamError
from photon.runtime.hints import no_such_attribute
from photon.runtime.sync import Event
from photon.ws import deflate
from photon.ws.close_codes import ABNORMAL, NORMAL, can_be_sent
from photon.ws.elsewhere import OF_WEBSOCKETS
from photon.ws.errors import InvalidCloseCode, WebSocketClosed
from photon.ws.frames import FIN, TEXT, binary_frame, head, text_frame
from photon.ws.handshake import Offer, accept_head
from photon.ws.messages import Messages, OnInvalid
from photon.ws.outgoing import Encode
from photon.ws.protocol import WebSocketProtocol
from photon.ws.session import OnDisconnect, Session
from photon.ws.settings import WebSocketSettings
from photon.ws.turns import SIZE_BITS, STREAK
from photon.ws.typed import decoder_of, not_bytes, not_text, read_json

T = TypeVar("T")

# RFC 6455 §5.5: a control frame holds 125 bytes, and the code takes two of them.
_REASON_BYTES = 123


class WebSocket:
    """One WebSocket, from the request that asks for it to its end.

        def chat(ws: WebSocket) -> None:
            for message in ws:
                ws.send(f"echo: {message}")

    One greenlet at a time receives, any number may send. When the handler returns it is closed
    with 1000, when it raises with 1011; when the client leaves, `receive` and `send` raise
    WebSocketClosed, which the handler need not catch, and iteration ends.

    Attributes:
        request: what asked for it.
        subprotocols: those the client offers, the one it likes best first.
        subprotocol: the one that was agreed on; None for none.
    """

    __slots__ = (
        "__weakref__",
        "_binary",
        "_compression",
        "_decode",
        "_json",
        "_json_type",
        "_offer",
        "_on_disconnect",
        "_opened_at",
        "_session",
        "_settings",
        "_text",
        "request",
        "subprotocol",
    )

    def __init__(
        self,
        request: Request,
        offer: Offer,
        settings: WebSocketSettings,
        on_disconnect: OnDisconnect = "cancel",
    ) -> None:
        """Raises: HTTPError (400), for offered extensions that cannot be read."""
        self.request = request
        self.subprotocol: str | None = None
        self._offer = offer
        self._settings = settings
        self._on_disconnect = on_disconnect
        self._session: Session | None = None
        self._opened_at = 0.0
        self._json_type: Any = None
        self._decode: Any = None
        self._text: Encode = text_frame
        self._binary: Encode = binary_frame
        self._json: Encode = _json_frame
        self._compression = (
            deflate.agree(offer.extensions, settings.deflate)
            if settings.deflate is not None and offer.extensions
            else None
        )

    # The request...

    @property
    def headers(self) -> Headers:
        """Of the request: a read-only mapping whose names ignore case."""
        return self.request.headers

    @property
    def query(self) -> Query:
        """The fields of the query string, by name."""
        return self.request.query

    @property
    def path_values(self) -> Mapping[str, Any]:
        """The values that the route took from the path, by name."""
        return self.request.path_values

    @property
    def state(self) -> SimpleNamespace:
        """What middleware wants to tell handlers: `request.state`."""
        return self.request.state

    @property
    def peer(self) -> str:
        """The client as `host:port`; "" when it has no name."""
        return self.request.peer

    @property
    def subprotocols(self) -> tuple[str, ...]:
        """Those the client offers, the one it likes best first."""
        return self._offer.subprotocols

    # The handshake...

    def accept(self, subprotocol: str | None = None, headers: HeaderSource = ()) -> None:
        """Open it. The first `receive` or `send` does it, too.

        Args:
            subprotocol: one of `subprotocols`; None for none.
            headers: to send along with the handshake, such as cookies.
        Raises: ValueError, for a subprotocol that was not offered or a header that cannot be sent;
            RuntimeError, when it was accepted before; WebSocketClosed, when the client is gone.
        """
        if self._session is not None:
            raise RuntimeError(
                f"{self!r} was accepted already: accept() comes before the first receive or send"
            )
        agreed, extensions = self._compression or (None, "")
        head_101 = accept_head(self._offer, subprotocol, extensions, headers)
        protocol = WebSocketProtocol(self._settings, agreed)
        session = Session(self._settings, protocol, self.request)
        try:
            upgrade = self.request.upgrade(head_101, session)
        except StreamError as error:
            raise WebSocketClosed(ABNORMAL, "the client left before it was answered") from error
        if agreed is not None:
            self._compress(session)
        self.subprotocol = subprotocol
        self._opened_at = now()
        self._session = session
        self.request.headers.fold()  # PERF: 0.7 KB of the 12 that an idle WebSocket takes
        session.begin(upgrade, self._on_disconnect, is_deflated=agreed is not None)

    def _compress(self, session: Session) -> None:
        """Have messages sent as was agreed on."""
        protocol = session.protocol
        turns = session.turns

        def text(message: str) -> bytes:
            turns.streak += len(message) >> SIZE_BITS
            return protocol.text(message)

        def binary(message: bytes | bytearray | memoryview) -> bytes:
            turns.streak += len(message) >> SIZE_BITS
            return protocol.binary(message)

        self._text = text
        self._binary = binary
        self._json = lambda value: text(encode_json(value).decode())

    def ready(self) -> None:
        """Have it open, for others that will send, such as rooms: accept it, if that is to be done.

        Raises: WebSocketClosed, when it is over, and sends are not to be dropped (`on_disconnect`).
        """
        ended = self._accepted().out.ended
        if ended is not None and self._on_disconnect != "ignore":
            raise WebSocketClosed(*ended)

    def reject(self, status: int = 403, detail: str = "") -> NoReturn:
        """Refuse it: the client gets this status and a problem, and no WebSocket.

        Raises: HTTPError, always: let it pass; RuntimeError, when it was accepted before.
        """
        if self._session is not None:
            raise RuntimeError(
                f"{self!r} was accepted already, so no status can be sent any more: close(code, "
                "reason) ends it"
            )
        raise HTTPError(status, detail or None)

    def _accepted(self) -> Session:
        if self._session is None:
            self.accept()
        assert self._session is not None
        return self._session

    # Receiving...

    def receive(self) -> str | bytes:
        """The next message, waiting for it: text as str, binary as bytes.

        Raises: WebSocketClosed, when there will be none.
        """
        session = self._session
        if session is None:
            session = self._accepted()
        return session.incoming.next_message()

    def receive_text(self) -> str:
        """As `receive`, for text alone.

        Raises: InvalidMessage, which closes with 1003 if the handler lets it pass; WebSocketClosed.
        """
        message = self.receive()
        if isinstance(message, str):
            return message
        raise not_text()

    def receive_bytes(self) -> bytes:
        """As `receive`, for binary messages alone.

        Raises: InvalidMessage, which closes with 1003 if the handler lets it pass; WebSocketClosed.
        """
        message = self.receive()
        if isinstance(message, bytes):
            return message
        raise not_bytes()

    @overload
    def receive_json(self) -> Any: ...
    @overload
    def receive_json(self, type: type[T]) -> T: ...
    @overload
    def receive_json(self, type: Any) -> Any: ...
    def receive_json(self, type: Any = Any) -> Any:
        """The next message read as JSON and checked against a type, text and binary alike.

        Args: type: any that msgspec knows, such as a union of tagged Structs.
        Raises: InvalidMessage, with all its errors as in a 422: the handler may catch it and go on;
            if it does not, the WebSocket is closed with 1007. WebSocketClosed.
        """
        # PERF: a union takes 1 us to be looked up in a dict, and most handlers read one type.
        if type is not self._json_type or self._decode is None:
            self._decode = decoder_of(type)
            self._json_type = type
        message = self.receive()
        try:
            return self._decode(message)
        except (ValueError, RecursionError):
            return read_json(message, type, self._decode)

    @overload
    def messages(self, type: type[T], *, on_invalid: OnInvalid | None = ...) -> Messages[T]: ...
    @overload
    def messages(self, type: Any = ..., *, on_invalid: OnInvalid | None = ...) -> Messages[Any]: ...
    def messages(self, type: Any = Any, *, on_invalid: OnInvalid | None = None) -> Messages[Any]:
        """The messages, read as JSON and checked against a type, until it is closed.

            for message in ws.messages(Say | Move):
                match message: ...

        Args:
            type: any that msgspec knows, such as a union of tagged Structs.
            on_invalid: a function(error) that is called for each message that is not of the type,
                to answer it, say; then it goes on with the next one. Left out, InvalidMessage is
                raised, as by `receive_json`, and closes with 1007 if the handler lets it pass.
        Raises: TypeError, for a type that JSON cannot be read as.
        """
        return Messages(self, type, on_invalid)

    def __iter__(self) -> WebSocket:
        """The messages, until it is closed."""
        return self

    def __next__(self) -> str | bytes:
        session = self._session
        if session is None:
            session = self._accepted()
        try:
            return session.incoming.next_message()
        except WebSocketClosed:
            raise StopIteration from None

    # Sending...

    def send(self, message: str | bytes | bytearray | memoryview) -> None:
        """Send a message, text or binary, waiting while the client is slow to take it.

        Raises: WebSocketClosed; UnsendableText; TypeError.
        """
        if isinstance(message, str):
            self._send(self._text, message)
        elif isinstance(message, (bytes, bytearray, memoryview)):
            self._send(self._binary, message)
        else:
            raise TypeError(
                f"a message is str or bytes, not {type(message).__name__}: send_json(value) sends "
                "other values"
            )

    def send_json(self, value: Any) -> None:
        """Send a value as JSON, in a text message.

        Raises: WebSocketClosed; TypeError, for a value that msgspec cannot encode.
        """
        self._send(self._json, value)

    def send_frame(self, frame: bytes) -> None:
        """Send a ready frame, or several one after the other, as `text_frame(text)` makes them.

        One frame, made once, may be sent to any number of clients.   Raises: WebSocketClosed.
        """
        self._send(_as_it_is, frame)

    def send_frame_nowait(self, frame: bytes) -> bool:
        """Send a ready frame if the client takes it now; false when it would have to wait.

        Raises: WebSocketClosed.
        """
        try:
            return self._accepted().out.send_nowait(frame)
        except WebSocketClosed:
            if self._on_disconnect == "ignore":
                return True
            raise

    def _send(self, encode: Encode, message: Any) -> None:
        session = self._session
        if session is None:
            session = self._accepted()
        try:
            session.out.send(encode, message)
        except WebSocketClosed:
            if self._on_disconnect != "ignore":
                session.departure.told()
                raise
        turns = session.turns
        turns.streak += 1
        if turns.streak >= STREAK:
            turns.give_way()

    def ping(self, payload: bytes = b"") -> float:
        """Ask the client for a sign of life, and wait for it.

        Args: payload: up to 125 bytes; something unique if left out.
        Returns: the seconds it took.
        Raises: PingTimeout, after `ping_timeout_s`; WebSocketClosed; ValueError.
        """
        session = self._accepted()
        return session.ping(payload or session.keepalive.new_payload())

    # The end...

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close it, and wait for the client to agree, `close_timeout_s` at most.

        What it sends meanwhile is dropped. Does nothing when it is closed already. Before it was
        accepted it is rejected, with 403 and the reason.

        Args:
            code: 1000 for a normal end; 3000 to 4999 are for libraries and applications.
            reason: for the client's programmers; at most 123 bytes of UTF-8.
        Raises: ValueError, for a code or a reason that cannot be sent.
        """
        if len(reason.encode("utf-8", "replace")) > _REASON_BYTES:
            raise ValueError(
                f"the reason of a close takes at most {_REASON_BYTES} bytes of UTF-8, and this has "
                f"{len(reason.encode('utf-8', 'replace'))}; send it in a message before"
            )
        session = self._session
        if session is None:
            if not isinstance(code, int) or not can_be_sent(code):
                raise InvalidCloseCode(code)
            self.reject(403, reason)
        session.close(code, reason)
        session.wait_for_end()

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._session is not None and self._session.out.ended is None

    @property
    def closed(self) -> Event:
        """Set when it is over: `ws.closed.wait()`, or one of the things that `select` waits for."""
        session = self._accepted()
        if session.closed_event is None:
            session.closed_event = Event()
            if session.end is not None:
                session.closed_event.set()
        return session.closed_event

    @property
    def close_code(self) -> int | None:
        """Why it was closed; None as long as it is open."""
        session = self._session
        return None if session is None or session.end is None else session.end[0]

    @property
    def close_reason(self) -> str:
        """What was said about that; "" when nothing."""
        session = self._session
        return "" if session is None or session.end is None else session.end[1]

    # Seeing inside...

    @property
    def stage(self) -> str:
        """Where it stands: "connecting", "open", "closing" or "closed"."""
        session = self._session
        if session is None:
            return "connecting"
        if session.end is not None:
            return "closed"
        return "open" if session.out.ended is None else "closing"

    def statistics(self) -> dict[str, Any]:
        """What went over it so far.

        `stage`; `received`, `sent` (messages) and `received_bytes`, `sent_bytes` (on the wire);
        `kept`, `kept_bytes`: messages that wait for `receive`; `senders`: greenlets that wait
        for their turn; `age_s`; `silent_s`: since something came; `latency_s`: of the last ping.
        """
        session = self._session
        if session is None:
            return {"stage": "connecting"}
        moment = now()
        incoming = session.incoming
        return {
            "stage": self.stage,
            "received": incoming.received,
            "sent": session.out.sent,
            "received_bytes": incoming.received_bytes,
            "sent_bytes": session.out.sent_bytes,
            "kept": incoming.kept,
            "kept_bytes": incoming.kept_bytes,
            "senders": session.out.waiting,
            "age_s": moment - self._opened_at,
            "silent_s": moment - session.keepalive.heard_at,
            "latency_s": session.keepalive.latency_s,
        }

    if not TYPE_CHECKING:  # a checker shall see that these do not exist

        def __getattr__(self, name: str) -> Any:
            return no_such_attribute(self, name, OF_WEBSOCKETS)

    def __repr__(self) -> str:
        code = f" {self.close_code}" if self.close_code is not None else ""
        return f"<WebSocket {self.request.path} of {self.peer or 'a test'} {self.stage}{code}>"


def _as_it_is(frame: Any) -> bytes:
    return frame  # type: ignore[no-any-return]


def _json_frame(value: Any) -> bytes:
    payload = encode_json(value)
    return head(FIN | TEXT, len(payload)) + payload
