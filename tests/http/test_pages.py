"""Which bytes of a file are in memory, and who reads those that are not."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from photon.http import pages
from photon.http.opened import OpenFile
from photon.http.pages import FETCH_BYTES, Pages, read_now

PIECE = 128 * 1024


class Kernel:
    """What stands in for preadv.   Attributes: warm: bytes in memory; calls: (offset, nowait)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.warm = 0
        self.calls: list[tuple[int, bool]] = []
        self.error = errno.EAGAIN
        self._really = os.preadv
        monkeypatch.setattr(os, "preadv", self.preadv)
        monkeypatch.setattr(pages, "_NOWAIT", 8)

    def preadv(self, fd: int, buffers: list[Any], offset: int, flags: int = 0) -> int:
        self.calls.append((offset, bool(flags)))
        if flags and offset >= self.warm:
            raise OSError(self.error, os.strerror(self.error))
        return self._really(fd, buffers, offset)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[OpenFile]:
    path = tmp_path / "file"
    path.write_bytes(bytes(3 * FETCH_BYTES))
    file = OpenFile.at(str(path))
    yield file
    file.close()


def asked(offset: int, count: int) -> list[tuple[int, bool]]:
    """What the kernel is asked about a piece that it has."""
    return [(offset, True), (offset + count // 2, True), (offset + count - 1, True)]


def test_what_is_in_memory_is_ready(file: OpenFile, kernel: Kernel) -> None:
    kernel.warm = 10 * FETCH_BYTES
    there = Pages(file)
    assert there.ready(0, 2 * PIECE) == PIECE
    assert there.ready(1000, PIECE) == PIECE - 1000  # a slow client: not asked again
    assert kernel.calls == asked(0, PIECE)
    kernel.calls.clear()
    there.doubt()
    assert there.ready(1000, PIECE) == PIECE
    assert there.ready(PIECE + 1000, 10) == 10
    assert kernel.calls == asked(1000, PIECE) + asked(PIECE + 1000, 10)


@pytest.mark.parametrize("warm", [1, PIECE // 2, PIECE // 2 + 1, PIECE - 1])
def test_a_piece_that_is_there_in_part_is_read(file: OpenFile, kernel: Kernel, warm: int) -> None:
    kernel.warm = warm
    assert Pages(file).ready(0, PIECE) == PIECE
    assert (0, False) in kernel.calls


def test_one_byte(file: OpenFile, kernel: Kernel) -> None:
    kernel.warm = 1
    assert Pages(file).ready(0, 1) == 1
    assert kernel.calls == [(0, True)] * 3


def test_what_is_not_there_is_read_before(file: OpenFile, kernel: Kernel) -> None:
    there = Pages(file)
    assert there.ready(0, PIECE) == PIECE
    read = [(offset, False) for offset in range(0, FETCH_BYTES, PIECE)]
    assert kernel.calls == [(0, True), *read]
    assert there.ready(PIECE, PIECE) == PIECE
    assert there.ready(FETCH_BYTES - 10, PIECE) == 10
    assert len(kernel.calls) == 9


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_where_nobody_knows_all_is_read_and_nobody_asked_again(
    file: OpenFile, kernel: Kernel, number: int
) -> None:
    kernel.error = number
    there = Pages(file)
    for offset in range(0, 3 * FETCH_BYTES, PIECE):
        assert there.ready(offset, PIECE) == PIECE
        there.doubt()
    assert [call for call in kernel.calls if call[1]] == [(0, True)]
    assert len(kernel.calls) == 1 + 3 * FETCH_BYTES // PIECE


def test_a_disk_that_is_broken_is_an_error(file: OpenFile, kernel: Kernel) -> None:
    kernel.error = errno.EIO
    with pytest.raises(OSError, match="Input/output"):
        Pages(file).ready(0, PIECE)


def test_the_end_is_left_to_who_sends(file: OpenFile, kernel: Kernel) -> None:
    assert Pages(file).ready(9 * FETCH_BYTES, PIECE) == PIECE


def test_the_real_kernel(file: OpenFile) -> None:
    there = Pages(file)
    offset = 0
    while offset < 3 * FETCH_BYTES:
        offset += there.ready(offset, PIECE)
    assert offset == 3 * FETCH_BYTES


# Small ones...


def test_what_is_in_memory_is_read_at_once(file: OpenFile, kernel: Kernel) -> None:
    kernel.warm = 100
    assert read_now(file, 10, 50) == bytes(50)
    assert read_now(file, 0, 0) == b""
    assert read_now(file, 100, 1) == b""
    kernel.warm = 10 * FETCH_BYTES
    assert read_now(file, 3 * FETCH_BYTES - 10, 20) == b""  # it has become shorter
    assert all(nowait for _, nowait in kernel.calls)


def test_where_nobody_knows_nothing_is_read_at_once(
    file: OpenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_NOWAIT", 0)
    assert read_now(file, 0, 10) == b""
