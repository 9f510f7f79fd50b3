"""Open files: closed once, and by nobody else's fault left open."""

from __future__ import annotations

import errno
import gc
import os
from pathlib import Path

import pytest

from photon.http.opened import OpenFile, is_our_fault
from tests.http.test_files import open_files


def test_a_file_is_closed_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    before = open_files()
    file = OpenFile.at(str(tmp_path / "file"))
    twin = file.twin()
    assert file.status.st_size == 7
    assert repr(file).endswith("7 bytes>")
    file.close()
    file.close()
    assert os.read(twin.fd, 10) == b"content"
    twin.close()
    assert open_files() == before


def test_a_file_that_nobody_holds_is_closed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = open_files()
    OpenFile.at(str(tmp_path / "file"))
    gc.collect()
    assert open_files() == before


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(FileNotFoundError):
            OpenFile.at(str(path))


def test_whose_fault_it_is() -> None:
    assert is_our_fault(OSError(errno.EMFILE, ""))
    assert is_our_fault(OSError(errno.EIO, ""))
    assert not is_our_fault(OSError(errno.ENOENT, ""))
    assert not is_our_fault(ValueError("embedded null byte"))
