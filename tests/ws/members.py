"""Connections for rooms that do as the test says, without a socket."""

from __future__ import annotations

import msgspec

from photon.runtime.greenlets import sleep
from photon.ws.close_codes import ABNORMAL
from photon.ws.errors import WebSocketClosed


class Fake:
    """A connection. It takes all at once, until it is told to be slow, or gone."""

    def __init__(self, *, is_slow: bool = False) -> None:
        self.taken = b""
        self.is_slow = is_slow
        self.is_gone = False
        self.closed: tuple[int, str] | None = None
        self.calls = 0

    def send_frame_nowait(self, frame: bytes) -> bool:
        self._check()
        if self.is_slow:
            return False
        self.taken += frame
        return True

    def send_frame(self, frame: bytes) -> None:
        self.calls += 1
        self._check()
        while self.is_slow:
            sleep(0.001)
            self._check()
        self.taken += frame

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed = (code, reason)
        self.is_gone = True

    def _check(self) -> None:
        if self.is_gone:
            raise WebSocketClosed(ABNORMAL)

    @property
    def messages(self) -> list[object]:
        """What came: short texts and bytes."""
        found: list[object] = []
        rest = self.taken
        while rest:
            size, start = rest[1], 2
            if size == 126:
                size, start = int.from_bytes(rest[2:4], "big"), 4
            elif size == 127:
                size, start = int.from_bytes(rest[2:10], "big"), 10
            payload = rest[start : start + size]
            found.append(payload.decode() if rest[0] == 0x81 else payload)
            rest = rest[start + size :]
        return found

    @property
    def values(self) -> list[object]:
        """What came, as JSON."""
        return [msgspec.json.decode(str(text)) for text in self.messages]

    def __repr__(self) -> str:
        return "<Fake>"


class Plain:
    """A connection that can only wait."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def send_frame(self, frame: bytes) -> None:
        self.frames.append(frame)

    def close(self, code: int = 1000, reason: str = "") -> None:
        pass
