"""HTTP/1.1 by h11 alone: the implementation that the fast one is measured against.

Photon runs on it with `ServerSettings(protocol="h11")`, ten times slower. The rules, which are
stricter than h11, stand before it here too: over the head, and over the framing of chunks.
"""

from __future__ import annotations

import h11

from photon.http.protocol import rules
from photon.http.protocol.base import Fields, Http1, complete_fields
from photon.http.protocol.chunked import ChunkedReader, State
from photon.http.protocol.events import RequestHead
from photon.http.protocol.fast import ReadyHeads
from photon.http.protocol.h1 import head_from_h11
from photon.http.protocol.limits import HeadLimits
from photon.http.status import has_content, reason_phrase


class RefereeHttp1(Http1):
    """One HTTP/1.1 connection, h11 reading and writing every byte of it.

    Args: limits, heads: shared by all connections of a server; of `heads` only the date is used.
    """

    __slots__ = ("_chunks", "_h11", "_heads", "_left_in", "_no_content")

    def __init__(self, limits: HeadLimits, heads: ReadyHeads) -> None:
        super().__init__(limits)
        self._heads = heads
        self._h11 = self._fresh()
        self._chunks: ChunkedReader | None = None
        self._left_in = 0
        self._no_content = False

    def _fresh(self) -> h11.Connection:
        return h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.head_bytes + 1024)

    # The request...

    def next_request(self) -> RequestHead | None:
        if not self.body_is_complete and not self.skip_body():
            return None
        if self._h11.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
            self._h11.start_next_cycle()
        head = self._take_head()
        if head is None:
            return None
        event = self._feed(head)
        if not isinstance(event, h11.Request):
            rules.refuse("malformed")
        self.request = head_from_h11(event)
        self._begin(self.request)
        return self.request

    def _begin(self, request: RequestHead) -> None:
        fields = request.fields
        # h11 closes after every HTTP/1.0 request, Keep-Alive or not.
        self.keep_alive = fields.keep_alive and request.version == "1.1"
        self.body_is_complete = fields.body_bytes == 0
        self._left_in = fields.body_bytes or 0
        self._chunks = ChunkedReader() if fields.body_bytes is None else None
        if self.body_is_complete and not isinstance(self._feed(b""), h11.EndOfMessage):
            rules.refuse("malformed")

    def next_data(self) -> bytes | None:
        if self.body_is_complete:
            return b""
        share = self._share_of_body()
        if share:
            piece = self._feed_body(share)
            if piece or self.body_is_complete:
                return piece
        if self._ended:
            rules.refuse("incomplete")
        return None

    def _share_of_body(self) -> bytes:
        """What of the buffer belongs to this body, by the rules; the rest is the next request's."""
        if self._chunks is None:
            used = min(self._left_in, len(self.pending))
            self._left_in -= used
        else:
            _, used = self._chunks.read(self.pending)
        share, self.pending = self.pending[:used], self.pending[used:]
        return share

    def _feed_body(self, share: bytes) -> bytes:
        pieces = []
        event = self._feed(share)
        while isinstance(event, h11.Data):
            pieces.append(bytes(event.data))
            event = self._feed(b"")
        self.body_is_complete = isinstance(event, h11.EndOfMessage)
        if self._chunks is not None and (self._chunks.state is State.DONE) > self.body_is_complete:
            rules.refuse("malformed")
        return b"".join(pieces)

    def _feed(self, data: bytes) -> object:
        try:
            if data:
                self._h11.receive_data(data)
            return self._h11.next_event()
        except h11.RemoteProtocolError as error:
            rules.refuse("malformed", f": {error}")

    # The response...

    def head(self, status: int, fields: Fields, body_bytes: int | None) -> bytes:
        if self._h11.our_state is not h11.SEND_RESPONSE and self._h11.our_state is not h11.IDLE:
            self._h11 = self._fresh()  # a refusal: h11 stopped where the peer broke the rules
        completed, _ = complete_fields(self, status, fields, body_bytes)
        event = h11.Response(
            status_code=status,
            headers=[(b"date", self._heads.date), *completed],
            reason=reason_phrase(status).encode(),
        )
        head = self._h11.send(event) or b""
        is_head = self.request is not None and self.request.method == "HEAD"
        self._no_content = is_head or not has_content(status)
        if self._no_content:
            self._h11.send(h11.EndOfMessage())
        return head

    @property
    def sends_content(self) -> bool:
        return not self._no_content

    def data(self, piece: bytes) -> bytes:
        return b"" if self._no_content else b"".join(self._send(h11.Data(data=piece)))

    def count_data(self, length: int) -> None:
        self._send(h11.Data(data=_Absent(length)))  # type: ignore[arg-type]

    def end(self) -> bytes:
        return b"" if self._no_content else b"".join(self._send(h11.EndOfMessage()))

    def _send(self, event: h11.Data | h11.EndOfMessage) -> list[bytes]:
        try:
            return self._h11.send_with_data_passthrough(event) or []
        except h11.LocalProtocolError as error:
            raise ValueError(str(error)) from error

    def next_cycle(self) -> bool:
        self.request = None
        return self.keep_alive and self._h11.our_state is h11.DONE


class _Absent:
    """Stands for bytes that are sent past h11, which asks for no more than their number."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length
