"""The referee by itself: one frame at a time, and what was before in a word."""

from __future__ import annotations

import pytest

from photon.ws.errors import WebSocketProtocolError
from photon.ws.events import CloseReceived
from photon.ws.frames import COMPRESSED, FIN, PING, TEXT
from photon.ws.referee import MOST_BYTES, judge
from tests.ws.frames import close, frame, length_of, text


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("deflate", [False, True])
def test_a_close_frame(within: bool, deflate: bool) -> None:
    data = close(1000, b"x" * 123)
    assert len(data) <= MOST_BYTES
    assert judge(data, within, deflate) == CloseReceived(1000, "x" * 123)
    for end in range(len(data)):
        assert judge(data[:end], within, deflate) is None


# (bytes, within a message, with compression, what is said)
WRONG: list[tuple[bytes, bool, bool, str]] = [
    (b"\x83\x80", False, False, "Invalid opcode 0x3"),
    (b"\x81\x00", False, False, "unmasked"),
    (b"\x09\x80", False, False, "fragment control frame"),
    (b"\x89\xfe", False, False, "payload len > 125"),
    (frame(0), False, False, "unexpected CONTINUATION"),
    (frame(0, b"a"), False, True, "unexpected CONTINUATION"),
    (text("a"), True, False, "expected CONTINUATION"),
    (text("a"), True, True, "expected CONTINUATION"),
    (frame(COMPRESSED | TEXT, b"a"), False, False, "Reserved bit"),
    (frame(COMPRESSED | TEXT, b"a"), True, True, "expected CONTINUATION"),
    (frame(COMPRESSED | FIN, b"a"), True, True, "extension"),
    (frame(COMPRESSED | FIN | PING), False, True, "Reserved bit"),
    (b"\x81" + length_of(5, 16), False, False, "2 bytes when 1 would"),
    (b"\x81" + length_of(500, 64), False, False, "8 bytes when 2 would"),
    (b"\x81" + length_of(1 << 63), False, False, "non-zero MSB"),
    (text("a"), False, False, "not expected here"),  # nobody would have asked
]


@pytest.mark.parametrize(("data", "within", "deflate", "says"), WRONG)
def test_what_is_wrong(data: bytes, within: bool, deflate: bool, says: str) -> None:
    with pytest.raises(WebSocketProtocolError, match=says) as caught:
        judge(data, within, deflate)
    assert caught.value.code == 1002
