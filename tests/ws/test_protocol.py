"""What both implementations read and refuse, however the bytes come; what they write."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from photon.ws.errors import WebSocketClosed
from photon.ws.errors import WebSocketProtocolError as Refused
from photon.ws.events import UNFINISHED, CloseReceived, Ping, Pong
from photon.ws.frames import BINARY, CLOSE, COMPRESSED, FIN, PING, PONG, TEXT
from photon.ws.protocol import WebSocketProtocol
from photon.ws.settings import Deflate, WebSocketLimits
from photon.ws.states import State
from tests.ws.frames import (
    IMPLEMENTATIONS,
    MASK,
    PIECES,
    Fresh,
    Outcome,
    binary,
    close,
    drain,
    fragments,
    frame,
    length_of,
    ping,
    pong,
    read,
    text,
)

Pieces = Callable[[bytes], list[bytes]]

PLAIN_DEFLATE = Deflate()
KOSME = "κόσμε".encode()


@pytest.fixture(params=IMPLEMENTATIONS)
def fresh(request: pytest.FixtureRequest) -> Fresh:
    """Makes a protocol for a new connection; takes limits and deflate."""
    return IMPLEMENTATIONS[request.param]


@pytest.fixture(params=PIECES)
def pieces(request: pytest.FixtureRequest) -> Pieces:
    return PIECES[request.param]


def state_of(protocol: WebSocketProtocol) -> State:
    return protocol.state  # which no call before tells a type checker of


# Reading...

READ: dict[str, tuple[bytes, list[object]]] = {
    "the example of RFC 6455 §5.7": (
        bytes.fromhex("818537fa213d7f9f4d5158"),
        ["Hello"],
    ),
    "empty text": (text(""), [""]),
    "empty binary": (binary(b""), [b""]),
    "binary": (binary(b"\x00\xff\x80"), [b"\x00\xff\x80"]),
    "text of many languages": (text("κόσμε 𐍈 é"), ["κόσμε 𐍈 é"]),
    "a mask of zeros": (text("abc", b"\0\0\0\0"), ["abc"]),
    "the ends of the Unicode ranges": (
        text("\ud7ff\ue000\ufffd\uffff\U0010ffff\x00"),
        ["\ud7ff\ue000\ufffd\uffff\U0010ffff\x00"],
    ),
    "125 bytes": (text("x" * 125), ["x" * 125]),
    "126 bytes": (text("x" * 126), ["x" * 126]),
    "127 bytes": (binary(b"x" * 127), [b"x" * 127]),
    "1027 bytes": (binary(bytes(range(256)) * 4 + b"abc"), [bytes(range(256)) * 4 + b"abc"]),
    "several at once": (text("a") + binary(b"b") + text("c"), ["a", b"b", "c"]),
    "two fragments": (fragments(TEXT, b"Hel", b"lo"), ["Hello"]),
    "fragments of binary": (fragments(BINARY, b"a", b"b", b"c"), [b"abc"]),
    "a character in two fragments": (fragments(TEXT, KOSME[:3], KOSME[3:]), ["κόσμε"]),
    "empty fragments": (fragments(TEXT, b"", b"", b""), [""]),
    "empty fragments around one": (fragments(TEXT, b"", b"a", b""), ["a"]),
    "a ping": (ping(b"abc"), [Ping(b"abc")]),
    "an empty ping": (ping(), [Ping()]),
    "a ping of 125 bytes": (ping(b"x" * 125), [Ping(b"x" * 125)]),
    "a pong that nobody asked for": (pong(b"x"), [Pong(b"x")]),
    "a ping within a message": (
        frame(TEXT, b"a") + ping(b"p") + frame(FIN, b"b"),
        [Ping(b"p"), "ab"],
    ),
    "a pong within a message": (
        frame(BINARY, b"a") + pong() + frame(0, b"b") + pong() + frame(FIN),
        [Pong(), Pong(), b"ab"],
    ),
    "a close frame without a code": (close(), [CloseReceived(1005)]),
    "a close frame": (close(1000, b"bye"), [CloseReceived(1000, "bye")]),
    "a close frame of 125 bytes": (close(1001, b"x" * 123), [CloseReceived(1001, "x" * 123)]),
    "a reason of many languages": (close(1000, KOSME), [CloseReceived(1000, "κόσμε")]),
    "a close frame within a message": (
        frame(TEXT, b"a") + close(1000) + frame(FIN, b"b"),
        [CloseReceived(1000)],
    ),
    "nothing behind a close frame": (close(1000) + text("a") + b"\xff", [CloseReceived(1000)]),
    "nothing of the rest of a message": (text("a")[:-1], []),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_read(fresh: Fresh, pieces: Pieces, name: str) -> None:
    data, events = READ[name]
    assert read(fresh(), pieces(data)) == Outcome(events)


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 3000, 3999, 4000, 4999]
)
def test_codes_that_may_come(fresh: Fresh, code: int) -> None:
    assert read(fresh(), [close(code)]) == Outcome([CloseReceived(code)])


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 1024 * 1024])
@pytest.mark.parametrize("by", [999, 65536, 1 << 21])
def test_sizes(fresh: Fresh, size: int, by: int) -> None:
    data = text("é" * (size // 2) + "x" * (size % 2)) + binary(b"x" * size)
    events = ["é" * (size // 2) + "x" * (size % 2), b"x" * size]
    split = [data[at : at + by] for at in range(0, len(data), by)]
    assert read(fresh(), split) == Outcome(events)


# Refusing...

NOT_TEXT = [
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",  # a surrogate
    b"\xf4\x90\x80\x80",  # above U+10FFFF
    b"\xce\xba\xe1",  # ends within a character
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
]

REFUSED: dict[str, tuple[bytes, int]] = {
    "not masked": (b"\x81\x05Hello", 1002),
    "a ping that is not masked": (b"\x89\x00", 1002),
    "an empty frame that is not masked": (b"\x82\x00", 1002),
    "a continuation of nothing": (frame(FIN, b"a"), 1002),
    "an empty continuation of nothing": (frame(0), 1002),
    "a message within a message": (frame(TEXT, b"a") + text("b"), 1002),
    "binary within text": (frame(TEXT, b"a") + frame(BINARY, b"b"), 1002),
    "a ping in fragments": (frame(PING, b"a"), 1002),
    "a close frame in fragments": (frame(CLOSE), 1002),
    "a ping of 126 bytes": (ping(b"x" * 126), 1002),
    "a pong with a long length of 5 bytes": (frame(FIN | PONG, b"x" * 5, bits=16), 1002),
    "a close frame of 126 bytes": (frame(FIN | CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
    "a length of 125 in 16 bits": (frame(FIN | TEXT, b"x" * 125, bits=16), 1002),
    "a length of 0 in 16 bits": (frame(FIN | TEXT, b"", bits=16), 1002),
    "a length of 65535 in 64 bits": (frame(FIN | BINARY, b"x" * 65535, bits=64), 1002),
    "a length of 1 in 64 bits": (frame(BINARY, b"x", bits=64), 1002),
    "a length with its top bit set": (b"\x82" + length_of(1 << 63, 64) + MASK, 1002),
    "a length of ones": (b"\x82" + length_of((1 << 64) - 1, 64) + MASK, 1002),
    "a close frame of one byte": (frame(FIN | CLOSE, b"\x03"), 1002),
    "a reason that is not UTF-8": (close(1000, b"\xff"), 1007),
    "the head of a request": (b"GET / HTTP/1.1\r\n\r\n", 1002),
    **{f"opcode {code:#x}": (frame(FIN | code), 1002) for code in (3, 4, 5, 6, 7, 11, 12, 13, 15)},
    **{
        f"reserved bits {bits:#x} of opcode {code:#x}": (frame(bits | FIN | code, b""), 1002)
        for bits in (0x10, 0x20, 0x40, 0x70)
        for code in (TEXT, BINARY, PING, CLOSE)
    },
    "a reserved bit of a continuation": (frame(TEXT, b"a") + frame(0xC0, b"b"), 1002),
    **{
        f"code {code}": (close(code), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
    **{f"text {data!r}": (text(data), 1007) for data in NOT_TEXT},
    **{f"text {data!r} in fragments": (fragments(TEXT, data, b""), 1007) for data in NOT_TEXT},
    **{
        f"text {data!r} by bytes": (
            fragments(TEXT, *[data[at : at + 1] for at in range(len(data))], b""),
            1007,
        )
        for data in NOT_TEXT
    },
    "long text with one wrong byte": (text(b"x" * 5000 + b"\xff" + b"x" * 5000), 1007),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(fresh: Fresh, pieces: Pieces, name: str) -> None:
    data, code = REFUSED[name]
    assert read(fresh(), pieces(data)) == Outcome([], code)
    assert read(fresh(), pieces(text("before") + data)) == Outcome(["before"], code)


def test_a_refusal_is_final(fresh: Fresh) -> None:
    protocol = fresh()
    protocol.receive_data(frame(0xB3) + text("a"))
    for _ in range(3):
        with pytest.raises(Refused, match=r"1002 \(protocol error\): .*opcode 0x3"):
            protocol.next_event()
        protocol.receive_data(text("b"))
    with pytest.raises(WebSocketClosed, match="1002"):
        protocol.text("c")
    assert protocol.close(1002, "wrong") == b"\x88\x07\x03\xeawrong"
    assert state_of(protocol) is State.CLOSED
    assert protocol.close_code == 1002


# As soon as it shows...

SOON = [
    (b"\x83", b"\x80", 1002),  # an opcode that is reserved, once its two bytes are here
    (b"\x81", b"\x00", 1002),  # not masked
    (b"\x89", b"\xfe", 1002),  # a long ping
    (b"\x82\xff" + b"\x80" + bytes(6), b"\x00", 1002),
    (b"\x82\xfe\x00", b"\x7d", 1002),
]


@pytest.mark.parametrize(("before", "last", "code"), SOON)
def test_it_is_refused_with_the_byte_that_shows_it(
    fresh: Fresh, before: bytes, last: bytes, code: int
) -> None:
    protocol = fresh()
    assert read(protocol, [before]) == Outcome([])
    assert read(protocol, [last]) == Outcome([], code)


@pytest.mark.parametrize("cut_at", ["frame", "fragment"])
def test_text_is_refused_before_its_frame_is_whole(fresh: Fresh, cut_at: str) -> None:
    # Autobahn's 6.4.x, strict. U+10FFFF is the last there is: with this second byte it cannot be.
    wrong = KOSME + b"\xf4\x90"
    if cut_at == "fragment":
        data = fragments(TEXT, wrong, b"more")[: 6 + len(wrong)]
    else:
        data = text(wrong + b"\x80\x80 and more")[: 6 + len(wrong)]
    protocol = fresh()
    assert read(protocol, [data[:-1]]) == Outcome([])
    assert read(protocol, [data[-1:]]) == Outcome([], 1007)


# Limits...

SMALL = WebSocketLimits(message_bytes=100, frame_bytes=60, message_frames=4)

WITHIN = {
    "a frame": binary(b"x" * 60),
    "a message": fragments(BINARY, b"x" * 50, b"x" * 50),
    "fragments": fragments(BINARY, b"a", b"b", b"c", b"d"),
}
BEYOND = {
    "a frame": binary(b"x" * 61),
    "a fragment": frame(BINARY, b"x" * 61),
    "a message": fragments(BINARY, b"x" * 50, b"x" * 51),
    "text": fragments(TEXT, b"x" * 50, b"x" * 51),
    "text by characters": fragments(TEXT, "é".encode() * 26, "é".encode() * 25),
    "a message of three": fragments(BINARY, b"x" * 50, b"x" * 50, b"x"),
    "a message of 1 TB": b"\x82" + length_of(1 << 40) + MASK,
    "a fragment of 1 TB": frame(TEXT, b"a") + b"\x00" + length_of(1 << 40) + MASK,
    "as much as can be said": b"\x82" + length_of((1 << 63) - 1) + MASK,
    "fragments": fragments(BINARY, b"a", b"b", b"c", b"d", b"e"),
    "fragments that are empty": fragments(TEXT, b"", b"", b"", b"", b""),
}


@pytest.mark.parametrize("name", WITHIN)
def test_what_the_limits_let_through(fresh: Fresh, pieces: Pieces, name: str) -> None:
    outcome = read(fresh(SMALL), pieces(WITHIN[name] * 3))
    assert outcome.failure is None
    assert len(outcome.events) == 3


@pytest.mark.parametrize("name", BEYOND)
def test_what_is_too_much(fresh: Fresh, pieces: Pieces, name: str) -> None:
    assert read(fresh(SMALL), pieces(BEYOND[name])) == Outcome([], 1009)


def test_a_limit_below_what_is_read_at_a_glance(fresh: Fresh) -> None:
    tiny = WebSocketLimits(message_bytes=2)
    assert read(fresh(tiny), [text("ab") + text("abc")]) == Outcome(["ab"], 1009)
    tiny = WebSocketLimits(frame_bytes=2)
    assert read(fresh(tiny), [text("ab") + text("abc")]) == Outcome(["ab"], 1009)


def test_it_is_refused_by_its_header_alone(fresh: Fresh) -> None:
    protocol = fresh()
    assert read(protocol, [b"\x81" + length_of(1 << 40)]) == Outcome([])
    assert read(protocol, [MASK]) == Outcome([], 1009)


def test_messages_are_counted_each_on_its_own(fresh: Fresh) -> None:
    data = fragments(BINARY, b"x" * 50, b"x" * 50) * 20
    assert read(fresh(SMALL), [data]) == Outcome([b"x" * 100] * 20)


def test_many_fragments_let_their_reader_breathe(fresh: Fresh) -> None:
    protocol = fresh()
    protocol.receive_data(frame(TEXT) + frame(0) * 10_000 + frame(FIN, b"a"))
    events = []
    while (event := protocol.next_event()) is not None:
        events.append(event)
    assert events[-1] == "a"
    assert set(events[:-1]) == {UNFINISHED}
    assert len(events) > 30


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_message_of_tiny_fragments_takes_no_more_memory_than_it_holds(opcode: int) -> None:
    protocol = IMPLEMENTATIONS["fast"](WebSocketLimits(message_frames=10**6))
    protocol.receive_data(frame(opcode))
    piece = frame(0, b"xy") * 1000
    tracemalloc.start()
    try:
        for _ in range(50):
            protocol.receive_data(piece)
            drain(protocol)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 150_000


def test_nothing_that_was_read_is_held() -> None:
    protocol = IMPLEMENTATIONS["fast"]()
    tracemalloc.start()
    try:
        protocol.receive_data(text("x" * 100) * 600)
        drain(protocol)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 4000


# The end...


def test_an_end_without_a_close_frame(fresh: Fresh) -> None:
    protocol = fresh()
    assert read(protocol, [text("a"), b""]) == Outcome(["a", CloseReceived(1006)])
    assert state_of(protocol) is State.CLOSED
    assert protocol.next_event() is None
    assert protocol.close() == b""
    with pytest.raises(WebSocketClosed, match="no close frame"):
        protocol.binary(b"x")


def test_an_end_within_a_message(fresh: Fresh) -> None:
    data = frame(TEXT, b"abc") + frame(0, b"abc")[:-1]
    assert read(fresh(), [data, b""]) == Outcome([CloseReceived(1006)])


def test_an_end_behind_a_close_frame_leaves_ours_due(fresh: Fresh) -> None:
    protocol = fresh()
    assert read(protocol, [close(1001) + b"", b""]) == Outcome([CloseReceived(1001)])
    assert protocol.next_event() is None
    assert state_of(protocol) is State.REMOTE_CLOSING
    assert protocol.answer_close() == b"\x88\x02\x03\xe9"


def test_an_end_behind_both_close_frames(fresh: Fresh) -> None:
    protocol = fresh()
    protocol.close()
    assert read(protocol, [close(1000)]) == Outcome([CloseReceived(1000)])
    assert state_of(protocol) is State.CLOSED
    assert read(protocol, [b""]) == Outcome([])


# Closing...


def test_closing_first(fresh: Fresh) -> None:
    protocol = fresh()
    assert protocol.close(1001, "bye") == b"\x88\x05\x03\xe9bye"
    assert state_of(protocol) is State.LOCAL_CLOSING
    assert (protocol.close_code, protocol.close_reason) == (1001, "bye")
    assert protocol.close() == b""
    assert protocol.answer_close() == b""
    with pytest.raises(WebSocketClosed, match="1001"):
        protocol.text("x")
    with pytest.raises(WebSocketClosed, match="1001"):
        protocol.ping()
    assert protocol.pong(b"p") == b"\x8a\x01p"
    assert read(protocol, [close(1000, b"too")]) == Outcome([CloseReceived(1000, "too")])
    assert state_of(protocol) is State.CLOSED
    assert (protocol.close_code, protocol.close_reason) == (1001, "bye")
    assert protocol.pong(b"p") == b""


def test_closing_second(fresh: Fresh) -> None:
    protocol = fresh()
    read(protocol, [close(4000, b"bye")])
    assert state_of(protocol) is State.REMOTE_CLOSING
    assert protocol.pong(b"p") == b""
    with pytest.raises(WebSocketClosed, match=r"4000 \(of the application\): bye"):
        protocol.text("x")
    assert protocol.answer_close() == b"\x88\x02\x0f\xa0"
    assert state_of(protocol) is State.CLOSED
    assert protocol.answer_close() == b""


def test_a_close_frame_without_a_code_is_answered_by_one_without(fresh: Fresh) -> None:
    protocol = fresh()
    read(protocol, [close()])
    assert protocol.answer_close() == b"\x88\x00"


def test_messages_behind_our_close_frame_are_dropped(fresh: Fresh, pieces: Pieces) -> None:
    protocol = fresh(SMALL)
    assert read(protocol, [frame(TEXT, b"x" * 50)]) == Outcome([])
    protocol.close()
    data = frame(0, b"x" * 60) * 9 + frame(FIN, b"x" * 70)
    data += (text("x") + binary(b"x" * 200) + ping(b"p")) * 3 + close(1000)
    assert read(protocol, pieces(data)) == Outcome([Ping(b"p")] * 3 + [CloseReceived(1000)])
    assert state_of(protocol) is State.CLOSED


@pytest.mark.parametrize("opcode", [TEXT, TEXT | COMPRESSED])
@pytest.mark.parametrize("at", [3, 8, 12, 14, 20])
def test_closing_in_the_middle_of_a_message(opcode: int, at: int) -> None:
    protocol = IMPLEMENTATIONS["fast"](deflate=PLAIN_DEFLATE)
    hello = bytes.fromhex("f248cdc9c90700") if opcode & COMPRESSED else b"Hello!!"
    stream = frame(opcode, hello[:3]) + frame(0, hello[3:5]) + frame(FIN, b"\xff" * 9) + close(1000)
    assert read(protocol, [stream[:at]]) == Outcome([])
    protocol.close()
    assert read(protocol, [stream[at:]]) == Outcome([CloseReceived(1000)])
    assert state_of(protocol) is State.CLOSED


def test_dropped_messages_take_no_memory() -> None:
    protocol = IMPLEMENTATIONS["fast"]()
    protocol.close()
    protocol.receive_data(b"\x82" + length_of(1 << 40) + MASK)
    piece = b"x" * 65536
    tracemalloc.start()
    try:
        for _ in range(100):
            protocol.receive_data(piece)
            assert drain(protocol) == []
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 100_000


def test_violations_behind_our_close_frame_end_it(fresh: Fresh) -> None:
    protocol = fresh()
    protocol.close()
    assert read(protocol, [frame(0xF1)]) == Outcome([], 1002)
    assert state_of(protocol) is State.CLOSED
    assert protocol.close() == b""


def test_what_it_says_of_itself(fresh: Fresh) -> None:
    protocol = fresh()
    assert "Protocol open>" in repr(protocol)
    read(protocol, [frame(TEXT, b"a")])
    protocol.close()
    assert "local closing" in repr(protocol)


# Compression (what is inside: test_deflate.py)...

MISUSED = {
    "a compressed ping": frame(FIN | COMPRESSED | PING),
    "a compressed close frame": frame(FIN | COMPRESSED | CLOSE),
    "a compressed continuation": frame(TEXT, b"a") + frame(FIN | COMPRESSED, b"b"),
    "another reserved bit": frame(FIN | 0x20 | TEXT, b"a"),
    "a compressed message within one": frame(TEXT, b"a") + frame(FIN | COMPRESSED | TEXT, b"b"),
    "a continuation of nothing": frame(FIN, b"a"),
}


@pytest.mark.parametrize("name", MISUSED)
def test_what_is_refused_when_compression_was_agreed_on(
    fresh: Fresh, pieces: Pieces, name: str
) -> None:
    assert read(fresh(deflate=PLAIN_DEFLATE), pieces(MISUSED[name])) == Outcome([], 1002)


@pytest.mark.parametrize("name", READ)
def test_what_is_read_uncompressed_when_compression_was_agreed_on(
    fresh: Fresh, pieces: Pieces, name: str
) -> None:
    data, events = READ[name]
    assert read(fresh(deflate=PLAIN_DEFLATE), pieces(data)) == Outcome(events)
