"""HTTP/1.1 as it is served: the plain case by the fast path, heads beyond it by h11.

h11 reads a whole head that passed the rules and then has done its part: bodies are counted or
chunked here, and responses are written here, by the same functions for every request.
"""

from __future__ import annotations

import h11

from photon.http.headers import Headers
from photon.http.protocol import rules
from photon.http.protocol.base import Fields, Http1, complete_fields, join_head
from photon.http.protocol.chunked import ChunkedReader, State
from photon.http.protocol.events import FieldBlock, RequestHead
from photon.http.protocol.fast import LENGTHS, METHODS, KnownFields, ReadyHeads
from photon.http.protocol.limits import HeadLimits
from photon.http.status import has_content
from photon.http.target import split_target


class FastHttp1(Http1):
    """One HTTP/1.1 connection.

    Args: limits, known, heads: shared by all connections of a server.
    """

    __slots__ = (
        "_answer_is_plain",
        "_chunks",
        "_heads",
        "_known",
        "_left_in",
        "_left_out",
        "_no_content",
    )

    def __init__(self, limits: HeadLimits, known: KnownFields, heads: ReadyHeads) -> None:
        super().__init__(limits)
        self._known = known
        self._heads = heads
        self._left_in = 0
        self._chunks: ChunkedReader | None = None
        self._left_out: int | None = 0
        self._no_content = False
        self._answer_is_plain = False

    # The request's head...

    def next_request(self) -> RequestHead | None:
        if not self.body_is_complete and not self.skip_body():
            return None
        # PERF: in one function, without calls of our own: four of them cost a fifth of it.
        line, _, rest = self.pending.partition(b"\r\n")
        # Of a request without a body nothing remains but the header block and an empty line, so
        # a block that is known is found without looking for its end.
        fields = self._known.get(rest)
        after = b""
        if fields is None:
            fields, after = self._read_block(line, rest)
        try:
            method, target, version = line.decode("ascii").split(" ")
        except ValueError:
            return self._ask_referee()
        if (
            fields is None
            or version != "HTTP/1.1"
            or method not in METHODS
            or target[:1] != "/"
            or not target.isprintable()
            or len(target) > self._limits.target_bytes
        ):
            return self._ask_referee()
        path, _, query = target.partition("?")
        self.pending = after
        self._examined = 0
        self.request = request = RequestHead(method, target, path, query, fields)
        self.keep_alive = fields.keep_alive
        self._answer_is_plain = method != "HEAD"
        if fields.body_bytes != 0:
            self._expect_body(fields.body_bytes)
        return request

    def _read_block(self, line: bytes, rest: bytes) -> tuple[FieldBlock | None, bytes]:
        """The fields of a plain block and what comes after it; None when it is not plain."""
        end = rest.find(b"\r\n\r\n") + 4
        if end < 4 or len(line) + 2 + end > self._limits.head_bytes:
            return None, b""
        block = rest[:end]
        return self._known.get(block) or self._known.read(block), rest[end:]

    def _ask_referee(self) -> RequestHead | None:
        head = self._take_head()
        if head is None:
            return None
        self.request = request = read_with_h11(head)
        self.keep_alive = request.fields.keep_alive
        self._answer_is_plain = False
        if request.fields.body_bytes != 0:
            self._expect_body(request.fields.body_bytes)
        return request

    def _expect_body(self, body_bytes: int | None) -> None:
        self.body_is_complete = False
        self._left_in = body_bytes or 0
        self._chunks = ChunkedReader() if body_bytes is None else None

    # The request's body...

    def next_data(self) -> bytes | None:
        if self.body_is_complete:
            return b""
        piece = self._next_counted() if self._chunks is None else self._next_chunked(self._chunks)
        if piece is None and self._ended:
            rules.refuse("incomplete")
        return piece

    def take_body(self) -> bytes | None:
        left = self._left_in
        if self._chunks is not None or len(self.pending) < left:
            return None
        body = self.pending[:left]
        self.pending = self.pending[left:]
        self._left_in = 0
        self.body_is_complete = True
        return body

    def _next_counted(self) -> bytes | None:
        piece = self.pending[: self._left_in]
        if not piece:
            return None
        self.pending = self.pending[len(piece) :]
        self._left_in -= len(piece)
        self.body_is_complete = not self._left_in
        return piece

    def _next_chunked(self, chunks: ChunkedReader) -> bytes | None:
        pieces, used = chunks.read(self.pending)
        self.pending = self.pending[used:]
        self.body_is_complete = chunks.state is State.DONE
        if pieces:
            return b"".join(pieces)
        return b"" if self.body_is_complete else None

    # The response...

    def plain(self, status: int, content_type: str | None, body: bytes) -> bytes:
        if self._answer_is_plain and self.keep_alive and (status == 200 or has_content(status)):
            length = len(body)
            if length < len(LENGTHS):
                return self._heads[status][content_type] + LENGTHS[length] + body
            return b"%b%d\r\n\r\n%b" % (self._heads[status][content_type], length, body)
        return super().plain(status, content_type, body)

    def head(self, status: int, fields: Fields, body_bytes: int | None) -> bytes:
        fields, length = complete_fields(self, status, fields, body_bytes)
        is_head = self.request is not None and self.request.method == "HEAD"
        self._no_content = is_head or not has_content(status)
        self._left_out = length
        return join_head(status, self._heads.date, fields)

    @property
    def sends_content(self) -> bool:
        return not self._no_content

    def data(self, piece: bytes) -> bytes:
        if self._no_content or not piece:
            return b""
        if self._left_out is None:
            return b"%x\r\n%b\r\n" % (len(piece), piece)
        self.count_data(len(piece))
        return piece

    def count_data(self, length: int) -> None:
        if self._left_out is not None and self._left_out >= 0:
            if length > self._left_out:
                raise ValueError("the body is longer than its Content-Length says")
            self._left_out -= length

    def end(self) -> bytes:
        if self._no_content:
            return b""
        if self._left_out is None:
            return b"0\r\n\r\n"
        if self._left_out > 0:
            raise ValueError(
                f"the body is {self._left_out} bytes shorter than its Content-Length says"
            )
        return b""

    def next_cycle(self) -> bool:
        self.request = None
        return self.keep_alive


def read_with_h11(head: bytes) -> RequestHead:
    """A head that the rules let through, as h11 reads it.   Raises: ProtocolError."""
    referee = h11.Connection(h11.SERVER, max_incomplete_event_size=len(head) + 1)
    try:
        referee.receive_data(head)
        event = referee.next_event()
    except h11.RemoteProtocolError as error:
        rules.refuse("malformed", f": {error}")
    if not isinstance(event, h11.Request):
        rules.refuse("malformed")
    return head_from_h11(event)


def head_from_h11(event: h11.Request) -> RequestHead:
    """h11's event as ours."""
    headers = Headers([(k.decode("latin-1"), v.decode("latin-1")) for k, v in event.headers])
    version = event.http_version.decode()
    options = {option.strip().lower() for option in headers.get("connection", "").split(",")}
    is_chunked = "transfer-encoding" in headers
    can_upgrade = version == "1.1" and "upgrade" in options
    fields = FieldBlock(
        headers,
        body_bytes=None if is_chunked else int(headers.get("content-length", "0")),
        keep_alive="close" not in options and (version == "1.1" or "keep-alive" in options),
        # RFC 9110 §10.1.1: "A server that receives a 100-continue expectation in an HTTP/1.0
        # request MUST ignore that expectation."
        expects_continue=version == "1.1" and "expect" in headers,
        # RFC 9110 §7.8: "A server MUST ignore an Upgrade header field that is received in an
        # HTTP/1.0 request."
        upgrade=headers.get("upgrade", "").lower() if can_upgrade else "",
    )
    target = event.target.decode()
    return RequestHead(event.method.decode(), target, *split_target(target), fields, version)
