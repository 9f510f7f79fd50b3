"""Server-sent events: a stream that browsers read with `EventSource`, and come back to.

    def prices() -> Iterator[ServerSentEvent]:
        for number, price in changes(since=last_event_id(request)):
            yield ServerSentEvent(price, event="price", id=str(number))

    return EventStream(prices())

A stream that is silent is taken for dead by proxies (after 30 to 100 s, mostly), and a client that
left without a word is noticed only by writing to it. So while the generator waits, a comment is
sent now and then, which clients pass over: the heartbeat.

Source: WHATWG HTML §9.2 (server-sent events).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from photon.http.pieces import Pieces, checked, with_defaults
from photon.http.request import Request
from photon.http.response import HeaderSource, StreamResponse, encode_json
from photon.runtime.relay import Relay

EVENT_STREAM_TYPE = "text/event-stream"

_DEFAULT_HEADERS = {
    # Nobody may give one client what was meant for another, nor an old stream to anybody.
    "cache-control": "no-store",
    # nginx keeps what it is sent until its buffer is full, if it is not told otherwise.
    "x-accel-buffering": "no",
}

_HEARTBEAT = b": \n\n"
# The head waits for the first event, so that what fails before it is a clean 500. But not for
# long: `EventSource` calls nobody back before it has the head.
_OPENING_S = 0.05

# WHATWG HTML §9.2.5: end-of-line is CR LF, LF or CR, and nothing else that Unicode knows.
_LINE_END = re.compile(r"\r\n|\r|\n")


class ServerSentEvent(msgspec.Struct, frozen=True):
    """One event.

    Args:
        data: what it says: text as it is, any other value as JSON. Left out, nothing reaches the
            page: for a lone `id`, `retry_s` or `comment`.
        event: its name, by which `addEventListener` finds it; "message" when left out.
        id: where the stream stands; the client sends it when it comes back, see `last_event_id`.
        retry_s: seconds after which the client shall come back when the stream ends.
        comment: for who reads along; clients pass over it.
    Raises: ValueError, for what would not arrive as it is; TypeError, for bytes.
    """

    data: Any = UNSET
    event: str | None = None
    id: str | None = None
    retry_s: float | None = None
    comment: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.data, (bytes, bytearray, memoryview)):
            raise TypeError("the data of an event is text, or a value for JSON; decode the bytes")
        if self.event is not None:
            _check_line("event", self.event)
            if self.data is UNSET:
                raise ValueError(
                    f"the event {self.event!r} has no data, so no client will tell anybody of it; "
                    'give it data="" at least'
                )
        if self.id is not None:
            _check_line("id", self.id)
            if "\0" in self.id:
                raise ValueError(
                    f"the id {self.id!r} has a NUL, so clients would pass over it; encode it first "
                    "(urllib.parse.quote)"
                )
        if self.retry_s is not None:
            _check_seconds("retry_s", self.retry_s)

    def encode(self) -> bytes:
        """The event as it is sent, with the empty line that ends it.

        Raises: TypeError, for data that msgspec cannot encode.
        """
        lines = []
        if self.comment is not None:
            lines += [f": {line}" for line in _LINE_END.split(self.comment)]
        if self.event is not None:
            lines.append(f"event: {self.event}")
        if self.id is not None:
            lines.append(f"id: {self.id}")
        if self.retry_s is not None:
            lines.append(f"retry: {round(self.retry_s * 1000)}")
        text = "".join(f"{line}\n" for line in lines)
        data = b"" if isinstance(self.data, UnsetType) else _encode_data(self.data)
        return text.encode() + data + b"\n"


def last_event_id(request: Request) -> str:
    """The `id` of the last event that the client got before it came back; "" when it is new."""
    # A header is bytes, which we keep as latin-1; browsers send UTF-8 here (WHATWG HTML §9.2.4).
    raw = request.headers.get("last-event-id", "")
    return raw.encode("latin-1", "replace").decode("utf-8", "replace")


class EventStream(StreamResponse):
    """A response of events, each sent as soon as it is there.

    The events are made in a greenlet of their own, one at a time and when the client took the one
    before, so that heartbeats can be sent meanwhile. When the client goes, or the server begins to
    stop (browsers come back by themselves, to another one), the generator ends where it is:
    `Cancelled` is raised in the call where it waits, or `GeneratorExit` at its `yield`; its
    `finally` runs, and is waited for. Read the request's body before the stream begins. When it
    ends by itself, browsers come back after `retry_s`; to keep them away answer them with
    `Response(status=204)`.

    Args:
        events: gives each a ServerSentEvent, or its data: text as it is, any other value as JSON.
        heartbeat_s: seconds of silence after which a comment is sent; None for none, and no other
            greenlet: then the head, too, waits for the first event.
        retry_s: seconds after which clients shall come back when the stream ends; about 3 to 5,
            as each likes, when left out.
        headers: `cache-control: no-store` and `x-accel-buffering: no` unless they say otherwise.
    Raises: ValueError; TypeError, when `events` is one value, not several.
    """

    __slots__ = ()

    media_type = "text/event-stream"
    ends_with_server = True

    def __init__(
        self,
        events: Iterable[ServerSentEvent | str | Any],
        *,
        heartbeat_s: float | None = 15.0,
        retry_s: float | None = None,
        status: int = 200,
        headers: HeaderSource | None = None,
    ) -> None:
        opening = b"" if retry_s is None else ServerSentEvent(retry_s=retry_s).encode()
        pieces: Iterator[bytes]
        if heartbeat_s is None:
            pieces = _Opened(opening, Pieces(events, _encode_item))
        else:
            _check_seconds("heartbeat_s", heartbeat_s)
            pieces = _Beating(opening, events, heartbeat_s)
        fields = with_defaults(headers, _DEFAULT_HEADERS)
        super().__init__(pieces, status, fields, EVENT_STREAM_TYPE)


class _Opened(Iterator[bytes]):
    """Pieces, the first of which has something before it."""

    def __init__(self, opening: bytes, pieces: Pieces) -> None:
        self._opening = opening
        self._pieces = pieces
        self.close = pieces.close

    def __next__(self) -> bytes:
        opening, self._opening = self._opening, b""
        piece = next(self._pieces, b"")
        if not (opening or piece):
            raise StopIteration
        return opening + piece


class _Beating(Iterator[bytes]):
    """Events as they come, and heartbeats while they do not."""

    def __init__(self, opening: bytes, events: Iterable[Any], heartbeat_s: float) -> None:
        self._opening = opening
        self._relay = Relay(checked(events))
        self._heartbeat_s = heartbeat_s
        self._patience_s = min(_OPENING_S, heartbeat_s)
        self.close = self._relay.close

    def __next__(self) -> bytes:
        opening, self._opening = self._opening, b""
        patience_s, self._patience_s = self._patience_s, self._heartbeat_s
        if not self._relay.wait(patience_s):
            return opening or _HEARTBEAT
        try:
            return opening + _encode_item(next(self._relay))
        except StopIteration:
            if not opening:
                raise
            return opening

    def __del__(self) -> None:
        # Middleware that puts its own iterator around this one may only drop it.
        relay = getattr(self, "_relay", None)
        if relay is not None:
            relay.cancel()


def _encode_item(item: Any) -> bytes:
    if isinstance(item, ServerSentEvent):
        return item.encode()
    if isinstance(item, (bytes, bytearray, memoryview)):
        item = ServerSentEvent(item)  # which says what is wrong
    return _encode_data(item) + b"\n"  # PERF: a ServerSentEvent for it would take as long again


def _encode_data(data: Any) -> bytes:
    text = data if isinstance(data, str) else encode_json(data).decode()
    if "\n" in text or "\r" in text:
        return "".join(f"data: {line}\n" for line in _LINE_END.split(text)).encode()
    return f"data: {text}\n".encode()


def _check_line(what: str, text: str) -> None:
    if "\n" in text or "\r" in text:
        raise ValueError(
            f"the {what} {text!r} has a line break, which would end it; put that into the data"
        )


def _check_seconds(what: str, seconds: float) -> None:
    if not 0 < seconds < 1e9:
        raise ValueError(f"{what} is a number of seconds above 0, or None, not {seconds!r}")
