"""Bytes kept in memory while they are few and on disk beyond; files that are there as a whole."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from io import BytesIO
from pathlib import Path

import pytest

from photon.http import spool as spool_module
from photon.http.spool import PIECE_BYTES, AnonymousFile, Spool, open_anonymous, save
from photon.runtime.cancel import CancelScope, move_on_after
from photon.runtime.greenlets import spawn
from tests.clients import wait_until
from tests.http.open_files import descriptors


def read_all(content: BytesIO | AnonymousFile) -> bytes:
    return content.read()


def on_disk(content: bytes, directory: Path) -> AnonymousFile:
    spool = Spool(0, str(directory))
    spool.write(content)
    file = spool.finish()
    assert isinstance(file, AnonymousFile)
    return file


# Keeping...


@pytest.mark.parametrize("pieces", [[], [b"abc"], [b"a" * 50, b"b" * 50]])
def test_few_bytes_are_kept_in_memory(pieces: list[bytes]) -> None:
    spool = Spool(100)
    for piece in pieces:
        spool.write(piece)
    file = spool.finish()
    assert isinstance(file, BytesIO)
    assert (file.read(), spool.size) == (b"".join(pieces), sum(map(len, pieces)))


@pytest.mark.parametrize("size", [1, 1000, 65536, 3_000_000])
def test_more_bytes_are_put_on_disk(size: int, tmp_path: Path) -> None:
    before = descriptors()
    data = os.urandom(3_200_000)
    spool = Spool(100, str(tmp_path))
    spool.write(data[:100])
    for start in range(100, len(data), max(size, 1000)):
        spool.write(data[start : start + max(size, 1000)])
    file = spool.finish()
    assert isinstance(file, AnonymousFile)
    assert read_all(file) == data
    assert spool.size == len(data)
    assert len(descriptors() - before) == 1
    assert os.listdir(tmp_path) == []
    file.close()
    assert descriptors() <= before


def test_no_more_than_a_piece_is_in_memory(tmp_path: Path) -> None:
    spool = Spool(1 << 20, str(tmp_path))
    for _ in range(160):
        spool.write(b"x" * 65536)
        assert len(spool._memory.getbuffer()) < 3 * PIECE_BYTES
    spool.close()
    spool.close()


def test_a_spool_that_is_forgotten_closes_its_file(tmp_path: Path) -> None:
    before = descriptors()
    spool = Spool(0, str(tmp_path))
    spool.write(b"a")
    assert descriptors() - before
    del spool
    assert descriptors() <= before


def test_where_files_must_have_names_they_lose_them_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE")
    monkeypatch.setattr(tempfile, "_O_TMPFILE_WORKS", False)
    with on_disk(b"abc", tmp_path) as file:
        assert os.listdir(tmp_path) == []
        save(file, tmp_path / "saved")
        assert (tmp_path / "saved").read_bytes() == b"abc"
        assert os.listdir(tmp_path) == ["saved"]


def test_a_file_system_that_cannot_is_asked_for_a_named_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def cannot(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", cannot)
    with open_anonymous(str(tmp_path)) as file:
        assert file.fileno() > 0


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        open_anonymous(str(tmp_path / "nowhere"))


# When the disk fails, or nobody waits...


def test_a_full_disk_is_told_with_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = descriptors()

    def full(file: AnonymousFile, data: memoryview) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spool_module, "_write", full)
    spool = Spool(10, str(tmp_path))
    with pytest.raises(OSError, match="No space left") as failed:
        spool.write(b"a" * 11)
    assert failed.value.__notes__ == [f"Photon was writing an upload to {tmp_path}, after 11 bytes"]
    spool.close()
    assert descriptors() <= before


def test_a_thread_that_nobody_waits_for_keeps_its_file(tmp_path: Path) -> None:
    before = descriptors()
    file = on_disk(b"abc", tmp_path)
    go_on = os.pipe()
    outcome: list[bytes] = []

    def work(file: AnonymousFile) -> None:
        os.read(go_on[0], 1)
        outcome.append(os.pread(file.fileno(), 10, 0))

    with move_on_after(0.01):
        file.beside(work)
    file.close()
    assert not file.closed
    del file
    assert descriptors() - before
    os.write(go_on[1], b"!")
    wait_until(lambda: outcome)
    assert outcome == [b"abc"]
    wait_until(lambda: descriptors() <= before)
    for fd in go_on:
        os.close(fd)


def test_what_is_being_written_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = descriptors()
    go_on = os.pipe()
    begun: list[None] = []
    written: list[bytes] = []
    write = spool_module._write

    def cancel_when_begun(scope: CancelScope) -> None:
        wait_until(lambda: begun)
        scope.cancel()

    def slow(file: AnonymousFile, data: memoryview) -> None:
        with memoryview(data) as kept:
            begun.append(None)
            os.read(go_on[0], 1)
            write(file, kept)
            written.append(os.pread(file.fileno(), 100, 0))

    monkeypatch.setattr(spool_module, "_write", slow)
    spool = Spool(0, str(tmp_path))
    with CancelScope() as scope:
        spawn(cancel_when_begun, scope)
        spool.write(b"abc")
    assert scope.cancelled_caught
    spool.close()
    os.write(go_on[1], b"!")
    wait_until(lambda: written)
    assert written == [b"abc"]
    wait_until(lambda: descriptors() <= before)
    for fd in go_on:
        os.close(fd)


def test_a_slow_disk_holds_up_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main = threading.get_ident()
    go_on = os.pipe()
    threads: list[int] = []

    def slow(file: AnonymousFile, data: memoryview) -> None:
        threads.append(threading.get_ident())
        os.read(go_on[0], 1)

    monkeypatch.setattr(spool_module, "_write", slow)
    spool = Spool(0, str(tmp_path))
    writing = spawn(spool.write, b"a")
    wait_until(lambda: threads)  # others run, though the disk does not answer
    assert writing.state == "running"
    assert threads[0] != main
    os.write(go_on[1], b"!")
    writing.join()
    spool.close()
    for fd in go_on:
        os.close(fd)


# Saving...


@pytest.fixture(params=["memory", "disk"])
def content(request: pytest.FixtureRequest, tmp_path: Path) -> BytesIO | AnonymousFile:
    """An upload that holds b"abc"."""
    return BytesIO(b"abc") if request.param == "memory" else on_disk(b"abc", tmp_path)


def test_it_is_saved_as_often_as_asked(content: BytesIO | AnonymousFile, tmp_path: Path) -> None:
    save(content, tmp_path / "one")
    save(content, str(tmp_path / "two"))
    (tmp_path / "one").write_bytes(b"other")
    assert (tmp_path / "two").read_bytes() == b"abc"
    save(content, tmp_path / "one")
    assert sorted(os.listdir(tmp_path)) == ["one", "two"]
    umask = os.umask(0)
    os.umask(umask)
    for name in ("one", "two"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o666 & ~umask
    content.close()


def test_a_file_on_the_same_file_system_is_not_copied(tmp_path: Path) -> None:
    with on_disk(b"abc", tmp_path) as file:
        number = os.fstat(file.fileno()).st_ino
        save(file, tmp_path / "one")
        assert (tmp_path / "one").stat().st_ino == number
        save(file, tmp_path / "two")
        assert (tmp_path / "two").stat().st_ino != number


def test_what_is_there_is_replaced_and_no_link_is_followed(
    content: BytesIO | AnonymousFile, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    save(content, tmp_path / "link")
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_bytes() == b"abc"
    assert (tmp_path / "secret").read_bytes() == b"secret"
    content.close()


def test_it_is_not_saved_over_what_is_no_file(
    content: BytesIO | AnonymousFile, tmp_path: Path
) -> None:
    with pytest.raises(IsADirectoryError, match="the path of a file, such as"):
        save(content, tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="no file"):
        save(content, tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):
        save(content, tmp_path / "nowhere" / "file")
    assert os.listdir(tmp_path) == ["pipe"]
    content.close()


def test_nothing_is_left_of_what_could_not_be_saved(
    content: BytesIO | AnonymousFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: str, target: str) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="Input/output"):
        save(content, tmp_path / "one")
    assert os.listdir(tmp_path) == []
    content.close()
