"""Opening what the kernel has in memory."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from photon.http import cached_names
from photon.http.cached_names import open_cached


@pytest.fixture(autouse=True)
def _look_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_names, "_is_sought", False)
    monkeypatch.setattr(cached_names, "_opener", None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("content")
    return path


def test_it_opens_the_file_or_says_that_it_cannot(path: Path) -> None:
    path.read_text()  # the kernel knows it, if it can be asked at all
    fd = open_cached(str(path))
    if fd is None:
        pytest.skip("this system cannot be asked for what it has in memory")
    assert os.read(fd, 100) == b"content"
    assert not os.get_inheritable(fd)
    os.close(fd)


@pytest.mark.parametrize("name", ["nobody", "file\0", "file\0x", "file/x", "\udc80", "x" * 300])
def test_what_is_not_there_is_left_to_a_thread(path: Path, name: str) -> None:
    assert open_cached(str(path.parent / name)) is None


def test_beneath_means_beneath(path: Path) -> None:
    below = path.parent / "below"
    below.mkdir()
    (below / "link").symlink_to("../file")
    (below / "absolute").symlink_to(path)
    dir_fd = os.open(below, os.O_RDONLY)
    for name in ("../file", "link", "absolute", str(path), ".."):
        assert open_cached(name, dir_fd=dir_fd, beneath=True) is None
    os.close(dir_fd)


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOSYS, errno.EPERM, errno.EINVAL])
def test_a_kernel_that_says_no(path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(path: str, dir_fd: int, flags: int, resolve: int) -> int:
        asked.append(path)
        return -number

    monkeypatch.setattr(cached_names, "_openat2", lambda: refuse)
    assert open_cached(str(path)) is None
    assert open_cached(str(path)) is None
    assert len(asked) == (1 if number == errno.ENOSYS else 2)


def test_other_systems(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert open_cached(str(path)) is None


def test_flags_are_passed_on(path: Path) -> None:
    fd = open_cached(str(path.parent), flags=os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if fd is not None:
        assert stat.S_ISDIR(os.fstat(fd).st_mode)
        os.close(fd)
    assert open_cached(str(path), flags=os.O_RDONLY | os.O_DIRECTORY) is None
