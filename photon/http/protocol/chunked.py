"""The chunked transfer coding, read strictly (RFC 9112 §7.1).

SIZE ─▶ DATA ─▶ DATA_END ─▶ SIZE ... a size of 0 ─▶ TRAILER ─▶ DONE
"""

from __future__ import annotations

import re
from enum import Enum

from photon.http.protocol import rules

# With its CRLF. A size of 15 digits is a petabyte and fits every integer; Go stops at 16, too.
_MAX_SIZE_LINE = 15 + 256 + 2
_MAX_TRAILER = 8 * 1024

# Whoever sends many small chunks with much around them has us work for nothing. Go's figures: so
# much per chunk, and so much for every byte of data, is fair; this much beyond is not.
_FAIR_BYTES = 16
_MAX_UNFAIR_BYTES = 16 * 1024

# Of one read, so that a body in chunks of one byte lets others have their turn.
_MOST_PIECES = 256

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_SIZE_LINE_BEGINNING = re.compile(rb"[0-9A-Fa-f]{1,15}(?:;.*|\r)?", re.DOTALL)
_TRAILER_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n")


class State(Enum):
    SIZE = "size"
    DATA = "data"
    DATA_END = "data end"
    TRAILER = "trailer"
    DONE = "done"


class ChunkedReader:
    """Takes the bytes of a chunked body apart; keeps nothing but where it is.

    Attributes: state: DONE when the body is complete.
    """

    __slots__ = ("_left", "_trailer_bytes", "_unfair_bytes", "state")

    def __init__(self) -> None:
        self.state = State.SIZE
        self._left = 0
        self._trailer_bytes = 0
        self._unfair_bytes = 0

    def read(self, data: bytes) -> tuple[list[bytes], int]:
        """What `data` holds of the body.

        Returns: the pieces, and how many bytes were used. The rest is to be given again, with
        more behind it; once `state` is DONE it belongs to the next request.
        Raises: ProtocolError.
        """
        pieces: list[bytes] = []
        at = 0
        while self.state is not State.DONE and len(pieces) < _MOST_PIECES:
            step = (
                self._data(data, at, pieces) if self.state is State.DATA else self._line(data, at)
            )
            if step == 0:
                break
            at += step
        return pieces, at

    def _data(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        piece = data[at : at + self._left]
        if piece:
            pieces.append(piece)
            self._left -= len(piece)
            if not self._left:
                self.state = State.DATA_END
        return len(piece)

    def _line(self, data: bytes, at: int) -> int:
        """Take one line; 0 when it is not complete."""
        if self.state is State.DATA_END:
            return self._data_end(data[at : at + 2])
        longest = _MAX_SIZE_LINE if self.state is State.SIZE else _MAX_TRAILER
        end = data.find(b"\n", at, at + longest) + 1
        if not end:
            self._examine_beginning(data[at : at + longest], longest)
            return 0
        line = data[at:end]
        if self.state is State.SIZE:
            self._size(line)
        else:
            self._trailer(line)
        return len(line)

    def _examine_beginning(self, beginning: bytes, longest: int) -> None:
        """Refuse what cannot become a line any more."""
        if self.state is State.SIZE:
            if beginning and not _SIZE_LINE_BEGINNING.fullmatch(beginning):
                rules.refuse("chunk-size")
            if len(beginning) == longest:
                rules.refuse("chunk-extension")
        elif len(beginning) == longest:
            rules.refuse("trailer-too-large")

    def _size(self, line: bytes) -> None:
        match = _SIZE_LINE.fullmatch(line)
        if match is None:
            has_size = _SIZE_LINE_BEGINNING.fullmatch(line)
            rules.refuse("chunk-extension" if has_size else "chunk-size")
        self._left = size = int(match[1], 16)
        unfair = self._unfair_bytes + len(line) + 2 - _FAIR_BYTES - 2 * size
        self._unfair_bytes = max(0, unfair)
        if unfair > _MAX_UNFAIR_BYTES:
            rules.refuse("chunk-extension")
        self.state = State.DATA if size else State.TRAILER

    def _data_end(self, ending: bytes) -> int:
        if ending == b"\r\n":
            self.state = State.SIZE
            return 2
        if ending and ending != b"\r":
            rules.refuse("chunk-end")
        return 0

    def _trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        if line == b"\r\n":
            self.state = State.DONE
        elif self._trailer_bytes > _MAX_TRAILER:
            rules.refuse("trailer-too-large")
        elif not _TRAILER_LINE.fullmatch(line):
            # Trailers are checked and left out: RFC 9110 §6.5.1, "MAY be [...] discarded".
            rules.refuse("trailer")
