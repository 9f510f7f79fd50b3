"""The protocol against the referee: what it reads and refuses, wsproto reads and refuses the same.

Frames here are nearly valid: good ones with odd headers, lengths, masks and payloads now and then,
and bytes flipped anywhere. What is made up wholly at random finds little.
"""

from __future__ import annotations

import zlib
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from wsproto.connection import CLIENT, SERVER, Connection
from wsproto.events import BytesMessage, CloseConnection, TextMessage
from wsproto.events import Ping as WsprotoPing
from wsproto.events import Pong as WsprotoPong
from wsproto.extensions import PerMessageDeflate

from photon.ws.events import CloseReceived, Ping, Pong
from photon.ws.frames import COMPRESSED, FIN, unmask
from photon.ws.settings import Deflate, WebSocketLimits
from tests.ws.frames import Outcome, cut, fast, length_of, read, refereed

often = settings(
    derandomize=True,
    max_examples=600,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)

LIMITS = WebSocketLimits(message_bytes=700, frame_bytes=500, message_frames=5)
UNLIMITED = WebSocketLimits(message_bytes=10**9, frame_bytes=10**9, message_frames=10**9)

# Nearly valid frames...


def mostly(good: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from([False] * 9 + [True]).flatmap(lambda is_odd: odd if is_odd else good)


TEXTS = [
    "",
    "a",
    "Hello",
    "κόσμε",
    "𐍈" * 3,
    "\U0010ffff",
    "x" * 124,
    "x" * 125,
    "é" * 63,
    "x" * 300,
]
DATA = [
    b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xce", b"\xbd", b"\xf0\x90",
    b"\x8d\x88", b"\x03", b"\x03\xe8", b"\x03\xe8bye", b"\x03\xed", b"\x0f\xa0\xff", b"x" * 499,
    b"x" * 501, b"x" * 126,
]  # fmt: skip
FIRSTS = [
    0x81, 0x81, 0x82, 0x82, 0x01, 0x02, 0x00, 0x00, 0x80, 0x80, 0x89, 0x8A,
]  # fmt: skip

payloads = mostly(
    st.sampled_from([text.encode() for text in TEXTS]) | st.binary(max_size=10),
    st.sampled_from(DATA),
)
firsts = mostly(st.sampled_from(FIRSTS), st.integers(0, 255))
masks = st.sampled_from([b"\0\0\0\0", b"\x37\xfa\x21\x3d", b"\xff\x00\x80\x01"])
# Bits of the length that are said; None for the least; and whether the frame is masked.
saying = mostly(st.just((None, True)), st.tuples(st.sampled_from([None, 16, 64]), st.booleans()))


def framed(first: int, payload: bytes, mask: bytes, said: tuple[int | None, bool]) -> bytes:
    bits, is_masked = said
    if bits == 16 and len(payload) > 0xFFFF:
        bits = None
    head = bytes((first,)) + length_of(len(payload), bits, is_masked)
    return head + (mask + unmask(payload, mask) if is_masked else payload)


frames = st.builds(framed, firsts, payloads, masks, saying)


@st.composite
def messages(draw: st.DrawFn, deflate: bool = False) -> bytes:
    """One whole message, in fragments and with control frames in between."""
    payload = draw(payloads)
    opcode = draw(st.sampled_from([1, 2]))
    flag = 0
    if deflate and draw(st.booleans()):
        native = zlib.compressobj(6, zlib.DEFLATED, -12)
        payload = native.compress(payload * draw(st.sampled_from([1, 30])))
        end = draw(st.sampled_from([zlib.Z_SYNC_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FINISH]))
        payload += native.flush(end)
        payload = payload[:-4] if end == zlib.Z_SYNC_FLUSH else payload + b"\0"
        flag = COMPRESSED
    count = draw(st.sampled_from([1, 1, 1, 2, 3]))
    parts = cut(payload, sorted(draw(st.integers(0, len(payload))) for _ in range(count - 1)))
    parts = parts or [b""]
    data = b""
    for at, part in enumerate(parts):
        first = (opcode | flag if at == 0 else 0) | (FIN if at == len(parts) - 1 else 0)
        data += framed(first, part, draw(masks), (None, True))
        if draw(st.sampled_from([False, False, True])):
            data += framed(draw(st.sampled_from([0x89, 0x8A])), b"p", draw(masks), (None, True))
    return data


@st.composite
def streams(draw: st.DrawFn, deflate: bool = False) -> list[bytes]:
    """Bytes of a client, in pieces as they come."""
    data = b"".join(draw(st.lists(mostly(messages(deflate), frames), max_size=8)))
    if data and draw(st.sampled_from([False] * 9 + [True])):
        at = draw(st.integers(0, len(data) - 1))
        data = data[:at] + bytes((data[at] ^ (1 << draw(st.integers(0, 7))),)) + data[at + 1 :]
    if draw(st.booleans()):
        cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    else:
        cuts = list(range(1, len(data)))
    return cut(data, cuts)


def note(outcome: Outcome) -> None:
    event(f"ended with {outcome.failure}, events: {min(len(outcome.events), 3)}")


@often
@given(streams())
def test_both_read_the_same(pieces: list[bytes]) -> None:
    ours, theirs = fast(LIMITS), refereed(LIMITS)
    outcome = read(ours, [*pieces, b""])
    note(outcome)
    agree(outcome, read(theirs, [*pieces, b""]))
    assert ours.state is theirs.state


@often
@given(streams(deflate=True), st.booleans())
def test_both_read_the_same_of_what_is_compressed(pieces: list[bytes], keeps: bool) -> None:
    deflate = Deflate(client_keeps_context=keeps)
    ours, theirs = fast(LIMITS, deflate), refereed(LIMITS, deflate)
    outcome = read(ours, [*pieces, b""])
    note(outcome)
    agree(outcome, read(theirs, [*pieces, b""]))
    assert ours.state is theirs.state


def agree(ours: Outcome, theirs: Outcome) -> None:
    assert ours.events == theirs.events
    # A frame may be both too large and not expected: one is seen by its header, the other by
    # wsproto once its payload begins.
    if {ours.failure, theirs.failure} != {1002, 1009}:
        assert ours.failure == theirs.failure


@often
@given(streams())
def test_how_it_comes_makes_no_difference(pieces: list[bytes]) -> None:
    whole = [b"".join(pieces)] if pieces else []
    assert read(fast(LIMITS), pieces) == read(fast(LIMITS), whole)


@often
@given(streams())
def test_wsproto_by_itself_reads_the_same(pieces: list[bytes]) -> None:
    outcome = read(fast(UNLIMITED), pieces)
    assert outcome == read_with_wsproto(pieces)


def read_with_wsproto(pieces: list[bytes]) -> Outcome:
    """As wsproto's own connection reads it, without a line of ours between."""
    connection = Connection(SERVER)
    events: list[object] = []
    texts: list[str] = []
    data = b""
    for piece in pieces:
        connection.receive_data(piece)
        for came in connection.events():
            if isinstance(came, TextMessage):
                texts.append(came.data)
                if came.message_finished:
                    events.append("".join(texts))
                    texts = []
            elif isinstance(came, BytesMessage):
                data += came.data
                if came.message_finished:
                    events.append(data)
                    data = b""
            elif isinstance(came, WsprotoPing):
                events.append(Ping(bytes(came.payload)))
            elif isinstance(came, WsprotoPong):
                events.append(Pong(bytes(came.payload)))
            elif isinstance(came, CloseConnection):
                # A violation is told by the same event, and leaves the connection open.
                if connection.state.name == "OPEN":
                    return Outcome(events, int(came.code))
                return Outcome([*events, CloseReceived(int(came.code), came.reason or "")])
    return Outcome(events)


# What it sends...


@often
@given(st.lists(st.text(max_size=200) | st.binary(max_size=200), max_size=5), st.booleans())
def test_a_client_of_wsproto_reads_what_was_sent(sent: list[str | bytes], refers: bool) -> None:
    deflate = Deflate(smallest_bytes=20, server_keeps_context=refers)
    extension = PerMessageDeflate()
    extension.finalize(
        "permessage-deflate; server_max_window_bits=12"
        + ("" if refers else "; server_no_context_takeover")
    )
    protocol = fast(UNLIMITED, deflate)
    client = Connection(CLIENT, [extension])
    for message in sent:
        if isinstance(message, str):
            client.receive_data(protocol.text(message))
        else:
            client.receive_data(protocol.binary(message))
    events = list(client.events())
    assert [came.data for came in events if isinstance(came, TextMessage | BytesMessage)] == sent
    assert len(events) == len(sent)
