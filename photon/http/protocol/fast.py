"""The plain case of HTTP/1.1, recognised at a glance; all else is left to the referee.

Plain is a request line of three words with a known method, a path as target and HTTP/1.1, and a
header block of well-formed lines with one Host, at most one Content-Length, and no
Transfer-Encoding, Expect or Upgrade. Nine requests in ten of real traffic are that.

What is accepted here is read by h11 as the same; `tests/http/protocol/test_agreement.py` holds
the two against each other.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from photon.http.dates import http_date
from photon.http.headers import Headers, wire_field
from photon.http.protocol.events import FieldBlock
from photon.http.protocol.limits import HeadLimits
from photon.http.status import check_status, reason_phrase

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

# Possessive quantifiers: a line matches at once or not at all, so no input makes it back-track.
_BLOCK = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t\x20-\x7e\x80-\xff]*+\r\n)++")
_HOST = re.compile(rb"\nhost:[ \t]*([a-z0-9.\-_]*(?::[0-9]{0,5})?)[ \t]*\r")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r")
_CONNECTION = re.compile(rb"\nconnection:[ \t]*(keep-alive|close)[ \t]*\r")
_NOT_PLAIN = (b"\ntransfer-encoding:", b"\nexpect:", b"\nupgrade:")


def read_plain_fields(block: bytes, limits: HeadLimits) -> FieldBlock | None:
    """The fields of a header block that is plain; None when it is not.

    Args: block: the header lines, each ended by CRLF, and the empty line.
    """
    block = block[:-2]
    if not _BLOCK.fullmatch(block) or block.count(b"\n") > limits.headers:
        return None
    lines = b"\n" + block.lower()
    if lines.count(b"\nhost:") != 1 or not _HOST.search(lines):
        return None
    for name in _NOT_PLAIN:
        if name in lines:
            return None
    body_bytes = 0
    if b"\ncontent-length:" in lines:
        length = _LENGTH.search(lines)
        if length is None or lines.count(b"\ncontent-length:") != 1:
            return None
        body_bytes = int(length[1])
    keep_alive = True
    if b"\nconnection:" in lines:
        connection = _CONNECTION.search(lines)
        if connection is None or lines.count(b"\nconnection:") != 1:
            return None
        keep_alive = connection[1] == b"keep-alive"
    return FieldBlock(Headers(block), body_bytes, keep_alive)


class KnownFields:
    """Header blocks that were read before.

    PERF: a client on a kept-alive connection says the same headers with every request, to the
    byte: a look into this table costs 0.2 us where reading a browser's block anew costs 4 us (and
    its headers, once taken apart, are taken apart for all). Bounded in number and size, emptied
    when full, so that a client that never repeats itself costs others nothing but a second look.
    """

    MOST = 512
    LONGEST_BYTES = 2048

    def __init__(self, limits: HeadLimits) -> None:
        self._limits = limits
        # A known block is not measured again, so none is kept that a long line could take over
        # the limit of the whole head.
        self._longest_bytes = min(self.LONGEST_BYTES, limits.head_bytes - limits.target_bytes - 64)
        self._blocks: dict[bytes, FieldBlock] = {}
        self.get = self._blocks.get

    def read(self, block: bytes) -> FieldBlock | None:
        """As `read_plain_fields`; remembers what it found."""
        fields = read_plain_fields(block, self._limits)
        if fields is not None and len(block) <= self._longest_bytes:
            if len(self._blocks) >= self.MOST:
                self._blocks.clear()
            self._blocks[block] = fields
        return fields


class ReadyHeads(dict[int, "HeadsOfStatus"]):
    """Response heads ready to send, up to the digits of their Content-Length: by status, and then
    by media type.

    PERF: made once a second, since they hold the Date. Saves 1.5 us of every response.

    Args: forget_soon: called with `expire` when the first head of a second was made; it shall be
        called back when that second is over.
    """

    def __init__(self, forget_soon: Callable[[Callable[[], None]], object]) -> None:
        super().__init__()
        self._forget_soon = forget_soon
        self._date = b""

    @property
    def date(self) -> bytes:
        """Now, as the value of a Date header; at most a second old."""
        if not self._date:
            self._date = http_date(time.time()).encode()
            self._forget_soon(self.expire)
        return self._date

    def expire(self) -> None:
        """Forget everything: the second is over."""
        self._date = b""
        self.clear()

    def __missing__(self, status: int) -> HeadsOfStatus:
        check_status(status)
        line = b"HTTP/1.1 %d %b\r\ndate: %b\r\n"
        heads = self[status] = HeadsOfStatus(
            line % (status, reason_phrase(status).encode(), self.date)
        )
        return heads


class HeadsOfStatus(dict[str | None, bytes]):
    """The heads of one status, by media type; None stands for a response without one."""

    def __init__(self, beginning: bytes) -> None:
        super().__init__()
        self._beginning = beginning

    def __missing__(self, media_type: str | None) -> bytes:
        head = self._beginning
        if media_type is not None:
            head += b"%b: %b\r\n" % wire_field("content-type", media_type)
        head = self[media_type] = head + b"content-length: "
        return head


# PERF: looked up faster than formatted; longer bodies do not notice.
LENGTHS = tuple(b"%d\r\n\r\n" % length for length in range(4096))
