"""permessage-deflate: what is agreed on, and that inflating stays within its bounds."""

from __future__ import annotations

import os
import tracemalloc
import zlib

import pytest
from msgspec.structs import replace

from photon.http.errors import HTTPError
from photon.ws.deflate import Compressor, Inflater, agree, read_offers
from photon.ws.errors import WebSocketProtocolError
from photon.ws.events import Ping
from photon.ws.frames import BINARY, COMPRESSED, FIN, TEXT
from photon.ws.settings import Deflate, WebSocketLimits
from tests.ws.frames import (
    IMPLEMENTATIONS,
    MASK,
    Fresh,
    Outcome,
    compressed,
    fragments,
    frame,
    length_of,
    ping,
    read,
    text,
)

WIDE = Deflate(server_window_bits=15, client_window_bits=15)
NARROW = Deflate(server_window_bits=10, client_window_bits=11)
FORGETFUL = replace(WIDE, server_keeps_context=False, client_keeps_context=False)


@pytest.fixture(params=IMPLEMENTATIONS)
def fresh(request: pytest.FixtureRequest) -> Fresh:
    return IMPLEMENTATIONS[request.param]


# Agreeing...

P = "permessage-deflate"
NO_SERVER = "server_no_context_takeover"
NO_CLIENT = "client_no_context_takeover"

# (wished, offers, answer, what was agreed on)
AGREED: list[tuple[Deflate, str, str, Deflate]] = [
    (WIDE, P, P, WIDE),
    (WIDE, f"  {P} ,", P, WIDE),
    (WIDE, f"x-other; a=1, {P}", P, WIDE),
    (WIDE, f"{P}; client_max_window_bits", P, WIDE),
    (
        WIDE,
        f"{P}; client_max_window_bits=10",
        f"{P}; client_max_window_bits=10",
        replace(WIDE, client_window_bits=10),
    ),
    (
        WIDE,
        f'{P} ; server_max_window_bits = "9"',
        f"{P}; server_max_window_bits=9",
        replace(WIDE, server_window_bits=9),
    ),
    # Its own window it may choose as small as it likes; ours inflates it all the same.
    (WIDE, f"{P}; client_max_window_bits=8", P, replace(WIDE, client_window_bits=9)),
    (WIDE, f"{P};{NO_SERVER}", f"{P}; {NO_SERVER}", replace(WIDE, server_keeps_context=False)),
    (WIDE, f"{P};{NO_CLIENT}", f"{P}; {NO_CLIENT}", replace(WIDE, client_keeps_context=False)),
    (FORGETFUL, P, f"{P}; {NO_SERVER}; {NO_CLIENT}", FORGETFUL),
    # What was not offered may not be told: RFC 7692 §7.1.2.2.
    (NARROW, P, f"{P}; server_max_window_bits=10", replace(NARROW, client_window_bits=15)),
    (
        NARROW,
        f"{P}; client_max_window_bits",
        f"{P}; server_max_window_bits=10; client_max_window_bits=11",
        NARROW,
    ),
    (
        NARROW,
        f"{P}; client_max_window_bits=15; server_max_window_bits=12",
        f"{P}; server_max_window_bits=10; client_max_window_bits=11",
        NARROW,
    ),
    # The first offer that will do.
    (
        WIDE,
        f"{P}; server_max_window_bits=8, {P}; unknown, {P}; client_max_window_bits=12, {P}",
        f"{P}; client_max_window_bits=12",
        replace(WIDE, client_window_bits=12),
    ),
]


@pytest.mark.parametrize(("wished", "offers", "answer", "agreed"), AGREED)
def test_what_is_agreed_on(wished: Deflate, offers: str, answer: str, agreed: Deflate) -> None:
    assert agree(offers, wished) == (agreed, answer)


DECLINED = [
    "",
    "permessage-snappy",
    "x-webkit-deflate-frame",
    f"{P}; unknown",
    f"{P}; {NO_SERVER}; {NO_SERVER}",
    f"{P}; {NO_SERVER}=1",
    f"{P}; {NO_CLIENT}=true",
    f"{P}; server_max_window_bits",
    f"{P}; server_max_window_bits=7",
    f"{P}; server_max_window_bits=8",
    f"{P}; server_max_window_bits=16",
    f"{P}; server_max_window_bits=010",
    f"{P}; server_max_window_bits=1e1",
    f"{P}; client_max_window_bits=7",
    f"{P}; client_max_window_bits=16",
    f"{P}; client_max_window_bits=x",
    f"{P}; client_max_window_bits; client_max_window_bits",
    f"{P}; client_max_window_bits=10; client_max_window_bits=11",
]


@pytest.mark.parametrize("offers", DECLINED)
def test_what_is_declined(offers: str) -> None:
    assert agree(offers, WIDE) is None


def test_what_is_offered() -> None:
    assert read_offers('a, b ; c=d; e ;f="g" ,,h') == [
        ("a", []),
        ("b", [("c", "d"), ("e", None), ("f", "g")]),
        ("h", []),
    ]


@pytest.mark.parametrize(
    "header",
    ["a;", "a;=b", "a b", ";", "=", "a; b=", 'a; b="', 'a; b="c d"', "a; b=c d", "é", "a/b"],
)
def test_what_is_no_list_of_extensions(header: str) -> None:
    with pytest.raises(HTTPError, match=r"400.*not a list of extensions"):
        read_offers(header)


def test_a_hostile_list_takes_no_long_time() -> None:
    for header in (" " * 8000, "," * 8000, "a;" * 4000, "a" * 8000, 'a;b="' * 1600, "a, " * 2600):
        try:
            agree(header, WIDE)
        except HTTPError:
            pass


# Compressing...


def deflated(data: bytes, bits: int = 12, end: int = zlib.Z_SYNC_FLUSH) -> bytes:
    """As a client compresses a message, each on its own."""
    native = zlib.compressobj(6, zlib.DEFLATED, -bits)
    out = native.compress(data) + native.flush(end)
    return out[:-4] if end == zlib.Z_SYNC_FLUSH else out


def inflated(data: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(data + b"\0\0\xff\xff")


def test_long_messages_are_compressed(fresh: Fresh) -> None:
    protocol = fresh(deflate=Deflate(smallest_bytes=10))
    sent = protocol.text("abc" * 30)
    assert sent[0] == 0xC1
    assert sent[1] == len(sent) - 2 < 20
    assert inflated(sent[2:]) == b"abc" * 30
    assert protocol.binary(memoryview(b"abc" * 30))[0] == 0xC2


def test_short_messages_are_not(fresh: Fresh) -> None:
    protocol = fresh(deflate=Deflate(smallest_bytes=10))
    assert protocol.text("x" * 9) == b"\x81\x09" + b"x" * 9
    assert protocol.binary(b"x") == b"\x82\x01x"
    assert fresh(deflate=Deflate(smallest_bytes=0)).text("") == b"\x81\x00"


def test_messages_refer_to_those_before_unless_agreed_otherwise() -> None:
    word = os.urandom(200)
    keeps = Compressor(Deflate())
    assert len(keeps.compress(word)) > 200
    assert len(keeps.compress(word)) < 20
    forgets = Compressor(Deflate(server_keeps_context=False))
    first = forgets.compress(word)
    assert forgets.compress(word) == first


def test_a_compressor_keeps_to_its_window() -> None:
    data = Compressor(Deflate(server_window_bits=9)).compress(os.urandom(3000) * 5)
    zlib.decompressobj(-9).decompress(data)  # a window too small would raise


@pytest.mark.parametrize(
    "wrong",
    [{"server_window_bits": 8}, {"client_window_bits": 16}, {"memory_level": 0}, {"level": 10}],
)
def test_what_zlib_cannot_do_is_said_at_once(wrong: dict[str, int]) -> None:
    with pytest.raises(
        ValueError, match=rf"Deflate\({next(iter(wrong))}=\d+\): .* it is a whole number"
    ):
        Deflate(**wrong)  # type: ignore[arg-type]


# Inflating...

HELLO = bytes.fromhex("f248cdc9c90700")  # RFC 7692 §7.2.3.1
HELLO_AGAIN = bytes.fromhex("f200110000")  # §7.2.3.2, it refers to the first
STORED = bytes.fromhex("000500faff48656c6c6f00")  # §7.2.3.3
FINAL = bytes.fromhex("f348cdc9c9070000")  # §7.2.3.4, the stream ends within the message
TWO_BLOCKS = bytes.fromhex("f248050000 00ffffcac9c90700".replace(" ", ""))  # §7.2.3.5
EMPTY = b"\x00"  # §7.2.3.6


@pytest.mark.parametrize("data", [HELLO, STORED, FINAL, TWO_BLOCKS])
@pytest.mark.parametrize("before", [b"", HELLO, FINAL, STORED])
def test_the_examples_of_the_rfc(fresh: Fresh, data: bytes, before: bytes) -> None:
    stream = compressed(TEXT, before) if before else b""
    stream += compressed(TEXT, data) + compressed(BINARY, EMPTY) + text("plain")
    events = [*(["Hello"] if before else []), "Hello", b"", "plain"]
    assert read(fresh(deflate=Deflate()), [stream]) == Outcome(events)
    assert read(fresh(deflate=Deflate()), [bytes((byte,)) for byte in stream]) == Outcome(events)


def test_messages_may_refer_to_those_before(fresh: Fresh) -> None:
    stream = compressed(TEXT, HELLO) + ping() + compressed(TEXT, HELLO_AGAIN)
    assert read(fresh(deflate=Deflate()), [stream]) == Outcome(["Hello", Ping(), "Hello"])
    alone = Deflate(client_keeps_context=False)
    assert read(fresh(deflate=alone), [stream]) == Outcome(["Hello", Ping()], 1007)


def test_fragments_with_a_ping_within(fresh: Fresh) -> None:
    stream = (
        frame(TEXT | COMPRESSED, HELLO[:2])
        + ping(b"p")
        + frame(0, HELLO[2:5])
        + ping(b"q")
        + frame(FIN, HELLO[5:])
    )
    for protocol, pieces in (
        (fresh(deflate=Deflate()), [stream]),
        (fresh(deflate=Deflate()), [bytes((byte,)) for byte in stream]),
    ):
        assert read(protocol, pieces) == Outcome([Ping(b"p"), Ping(b"q"), "Hello"])


@pytest.mark.parametrize(
    "data",
    [b"\xff\xff\xff\xff", b"\x06", HELLO_AGAIN, deflated(b"\xff"), deflated(b"\xce\xba\xe1")],
)
def test_what_is_broken(fresh: Fresh, data: bytes) -> None:
    assert read(fresh(deflate=Deflate()), [compressed(TEXT, data)]) == Outcome([], 1007)


def test_streams_that_end_are_followed_by_others_but_not_by_many(fresh: Fresh) -> None:
    some = deflated(b"abc", end=zlib.Z_FINISH) * 3 + b"\0"
    assert read(fresh(deflate=Deflate()), [compressed(TEXT, some)]) == Outcome(["abcabcabc"])
    many = b"\x03\x00" * 1000
    assert read(fresh(deflate=Deflate()), [compressed(TEXT, many)]) == Outcome([], 1007)
    # Each message has its own count.
    stream = compressed(TEXT, some) * 20
    assert read(fresh(deflate=Deflate()), [stream]) == Outcome(["abcabcabc"] * 20)


@pytest.mark.parametrize("size", [1, 65535, 65536, 65537, 300_000])
@pytest.mark.parametrize("seed", [b"a", None])
def test_sizes(fresh: Fresh, size: int, seed: bytes | None) -> None:
    data = seed * size if seed else os.urandom(size)
    stream = compressed(BINARY, deflated(data)) * 2
    pieces = [stream[at : at + 50_000] for at in range(0, len(stream), 50_000)]
    assert read(fresh(deflate=Deflate(client_keeps_context=False)), pieces) == Outcome([data] * 2)


def test_the_limit_counts_what_it_inflates_to(fresh: Fresh) -> None:
    limits = WebSocketLimits(message_bytes=1000)
    deflate = Deflate(client_keeps_context=False)
    stream = compressed(TEXT, deflated(b"x" * 1000)) * 2 + compressed(TEXT, deflated(b"x" * 1001))
    assert read(fresh(limits, deflate), [stream]) == Outcome(["x" * 1000] * 2, 1009)
    parts = deflated(os.urandom(600)), deflated(os.urandom(600))
    stream = fragments(BINARY, parts[0] + b"\0\0\xff\xff", parts[1], first=COMPRESSED)
    assert read(fresh(limits, deflate), [stream]) == Outcome([], 1009)


def test_what_inflates_to_nothing_is_bounded_as_well(fresh: Fresh) -> None:
    limits = WebSocketLimits(message_bytes=1000, frame_bytes=1000)
    nothing = b"\x00\x00\x00\xff\xff" * 200
    good = fragments(BINARY, nothing, nothing, first=COMPRESSED)
    assert read(fresh(limits, Deflate()), [good]) == Outcome([b""])
    bad = fragments(BINARY, nothing, nothing, nothing, first=COMPRESSED)
    assert read(fresh(limits, Deflate()), [bad]) == Outcome([], 1009)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("count", [1, 50])
def test_a_bomb_takes_no_more_than_a_message_may(opcode: int, count: int) -> None:
    """1 MiB that says 1 GiB."""
    native = zlib.compressobj(9, zlib.DEFLATED, -12)
    bomb = b"".join(native.compress(bytes(1024 * 1024)) for _ in range(64))
    bomb = (bomb + native.flush(zlib.Z_SYNC_FLUSH)) * 16
    bomb = bomb[: 1024 * 1024]
    step = len(bomb) // count
    parts = [bomb[at : at + step] for at in range(0, len(bomb), step)]
    stream = fragments(opcode, *parts, first=COMPRESSED)
    protocol = IMPLEMENTATIONS["fast"](deflate=Deflate())
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        protocol.receive_data(stream)
        with pytest.raises(WebSocketProtocolError, match="over 1048576 bytes"):
            protocol.next_event()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # What came was handed in whole here and is unmasked at once; a network brings 64 KiB at a time.
    came = 3 * len(parts[0])
    assert peak - before < 1024 * 1024 * 1.25 + 256 * 1024 + came


def test_an_inflater_gives_a_little_at_a_time() -> None:
    pieces = Inflater(Deflate()).inflate(deflated(bytes(50_000_000)))
    assert len(next(pieces)) == 64 * 1024
    assert max(len(piece) for piece in pieces) == 64 * 1024


def test_a_compressed_frame_of_1_tb(fresh: Fresh) -> None:
    head = b"\xc2" + length_of(1 << 40) + MASK
    assert read(fresh(deflate=Deflate()), [head]) == Outcome([], 1009)
