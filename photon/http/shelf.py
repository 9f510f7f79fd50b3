"""Contents of small files, kept in memory up to a limit."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

# A file that is written twice within one tick of its file system's clock (10 ms here, 2 s on FAT)
# looks the same after both; so what was written so recently is read each time. Git's "racy" files.
SETTLED_S = 2.0

Stamp = tuple[int, int, int, int, int]
"""What changes with the content of a file: size, times of content and state, inode, device."""


def stamp_of(status: os.stat_result) -> Stamp:
    return (
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
    )


class Content(NamedTuple):
    """What was in a file when it looked so."""

    stamp: Stamp
    data: bytes

    @property
    def is_settled(self) -> bool:
        """Whether a later change will show in the stamp."""
        return time.time() - self.stamp[2] / 1e9 > SETTLED_S


class Shelf:
    """A place for contents.

    Args: most_bytes: when there is no room what was put first goes first.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._contents: dict[str, Content] = {}

    def get(self, name: str, stamp: Stamp) -> bytes | None:
        """The content that has this name and still looks so."""
        content = self._contents.get(name)
        if content is None or content.stamp != stamp:
            return None
        return content.data

    def put(self, name: str, content: Content) -> None:
        """Keep a content in place of the one of that name, unless it may change unseen."""
        self._drop(name)
        if not content.is_settled or len(content.data) > self._most_bytes:
            return
        self._contents[name] = content
        self._bytes += len(content.data)
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._contents)))

    def _drop(self, name: str) -> None:
        old = self._contents.pop(name, None)
        if old is not None:
            self._bytes -= len(old.data)

    def __repr__(self) -> str:
        return f"<Shelf {len(self._contents)} files, {self._bytes} of {self._most_bytes} bytes>"
