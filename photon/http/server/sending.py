"""Responses to the wire, however slowly the client reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from photon.http.errors import ProtocolError
from photon.http.files import FilePart
from photon.http.pages import Pages, read_now
from photon.http.protocol.base import Fields
from photon.http.request import Request
from photon.http.response import Response, StreamResponse
from photon.http.server.phases import STREAMING, WRITING
from photon.http.status import SWITCHING_PROTOCOLS
from photon.runtime.errors import Cancelled, StreamBroken
from photon.runtime.greenlets import Turn

if TYPE_CHECKING:
    from photon.http.server.connection import Connection

# A body that the handler left is read and dropped up to this size, to keep the connection; beyond
# it closing is cheaper. Go's figure.
_SKIP_BYTES = 256 * 1024

# So much of a file at a time, that others have their turn when the client is fast.
_FILE_BYTES = 128 * 1024

# So much of a file is rather copied into the packet of its head than sent by itself.
_SMALL_FILE_BYTES = 64 * 1024


def send_response(connection: Connection, request: Request, response: Response) -> int:
    """Send a response of any kind.

    Returns: its status. Raises: StreamError; Cancelled; what the response's own code raises;
    `connection.response_begun` says whether another one may still be sent.
    """
    try:
        if connection.session is not None:  # it has spoken already, and another protocol since
            return SWITCHING_PROTOCOLS
        response = response.for_request(request)
        if isinstance(response, StreamResponse):
            _send_stream(connection, response)
            settle_body(connection)
        elif isinstance(response, FilePart):
            settle_body(connection)
            _send_file(connection, response)
        else:
            settle_body(connection)
            protocol = connection.protocol
            head = protocol.head(*_head(response), len(response.body))
            connection.response_begun = True
            send_all(connection, head + protocol.data(response.body) + protocol.end())
    finally:
        response.close()
    return response.status


def _send_stream(connection: Connection, response: StreamResponse) -> None:
    protocol = connection.protocol
    pieces = response.pieces()
    # The head waits for the first piece, as in WSGI: what fails before it is a clean 500 still,
    # and both go out in one packet.
    is_head_request = protocol.request is not None and protocol.request.method == "HEAD"
    first = b"" if is_head_request else next(pieces, b"")
    out = protocol.head(*_head(response), None)
    connection.response_begun = True
    connection.phase = STREAMING
    if protocol.sends_content:
        send_all(connection, out + protocol.data(first))
        turn = Turn()
        for piece in _until_drained(connection, pieces) if response.ends_with_server else pieces:
            send_all(connection, protocol.data(piece))
            turn.give_way()  # a client that reads as fast as we write never lets us wait
        out = protocol.end()
    if out:
        send_all(connection, out)


def _until_drained(connection: Connection, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of a stream that ends, in an orderly way, when the server begins to stop."""
    while not connection.server.is_stopping:
        # Only here: what is cancelled while it sends, or lets others in, is cut.
        connection.ends_early = True
        try:
            piece = next(pieces)
        except StopIteration:
            return
        except Cancelled as error:
            if error.source == "shutdown" and error.scope is None:
                return
            raise
        finally:
            connection.ends_early = False
        yield piece


def _send_file(connection: Connection, part: FilePart) -> None:
    protocol = connection.protocol
    head = protocol.head(*_head(part), part.count)
    connection.response_begun = True
    connection.phase = STREAMING  # a slow disk is no reason to end it; a slow client is
    if protocol.sends_content:
        protocol.count_data(part.count)
        small = _small(part)
        send_all(connection, head + small)  # PERF: one packet, and one wake-up of the client
        if not small:
            _copy_file(connection, part)
    else:
        send_all(connection, head)
    out = protocol.end()
    if out:
        send_all(connection, out)


def _small(part: FilePart) -> bytes:
    """All that is to be sent, if it is little and in memory; b"" otherwise."""
    if part.count > _SMALL_FILE_BYTES:
        return b""
    return read_now(part.opened, part.offset, part.count)


def _copy_file(connection: Connection, part: FilePart) -> None:
    offset, end = part.offset, part.offset + part.count
    pages = Pages(part.opened)
    turn = Turn()
    while offset < end:
        count = pages.ready(offset, min(end - offset, _FILE_BYTES))
        sent = connection.stream.send_file_nowait(part.opened.fd, offset, count)
        offset += sent
        if not sent:
            connection.wait(WRITING)
            pages.doubt()
        turn.give_way()


def _head(response: Response) -> tuple[int, Fields]:
    return response.status, [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers
    ]


def send_all(connection: Connection, data: bytes) -> None:
    """Send all of `data`, waiting while the client does not read.   Raises: StreamError."""
    try:
        sent = connection.raw.send(data)
    except BlockingIOError:
        sent = 0
    except OSError as error:
        raise StreamBroken(f"the connection was lost: {error.strerror or error}") from error
    if sent != len(data):
        connection.response_begun = True
        rest = memoryview(data)[sent:]
        while rest:
            connection.wait(WRITING)
            rest = rest[connection.stream.send_nowait(rest) :]


def settle_body(connection: Connection) -> None:
    """What the handler left of the request's body decides whether the connection can live on.

    Before the head of the response is made, so that it can say so; for a stream after it, since
    its generator may read the body.
    """
    protocol = connection.protocol
    if protocol.body_is_complete or not protocol.keep_alive or protocol.request is None:
        return
    fields = protocol.request.fields
    try:
        is_complete = protocol.skip_body()
    except ProtocolError:
        protocol.keep_alive = False
        return
    if not is_complete and (
        fields.expects_continue or fields.body_bytes is None or fields.body_bytes > _SKIP_BYTES
    ):
        protocol.keep_alive = False
