"""The file of the control socket: who may reach it, and what is replaced."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from photon.runtime.workers.control_socket import (
    MOST_PATH_BYTES,
    ControlError,
    ControlSocket,
    make_private_folder,
    user_of,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@contextmanager
def opened(path: object) -> Iterator[ControlSocket]:
    file = ControlSocket(str(path))
    with closing(file.socket):
        yield file


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_nobody_else_may_connect_from_its_birth_on(tmp_path: Path, mask: int) -> None:
    former = os.umask(mask)
    try:
        with opened(tmp_path / "a.sock"):
            mode = os.stat(tmp_path / "a.sock").st_mode
    finally:
        os.umask(former)
    assert stat.S_IMODE(mode) == 0o600 & ~mask


def test_the_file_of_a_process_that_is_no_more_is_replaced(tmp_path: Path) -> None:
    with opened(tmp_path / "a.sock"):
        pass
    assert (tmp_path / "a.sock").exists()
    with opened(tmp_path / "a.sock"), closing(socket.socket(socket.AF_UNIX)) as client:
        client.connect(str(tmp_path / "a.sock"))
        assert user_of(client) in (os.geteuid(), None)


def test_a_live_one_is_not(tmp_path: Path) -> None:
    with opened(tmp_path / "a.sock"):
        with pytest.raises(ControlError, match=r"is in use: another process listens there.*--con"):
            ControlSocket(str(tmp_path / "a.sock"))
        assert (tmp_path / "a.sock").exists()


def test_a_live_one_that_is_too_busy_to_accept_is_not_either(tmp_path: Path) -> None:
    path = str(tmp_path / "a.sock")
    with closing(socket.socket(socket.AF_UNIX)) as busy:
        busy.bind(path)
        busy.listen(0)
        waiting = socket.socket(socket.AF_UNIX)
        waiting.connect(path)
        with closing(waiting), pytest.raises(ControlError, match="is in use"):
            ControlSocket(path)


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.sock").write_text("mine")
    with pytest.raises(ControlError, match="exists and is no socket; choose another"):
        ControlSocket(str(tmp_path / "a.sock"))
    (tmp_path / "b.sock").symlink_to(tmp_path / "a.sock")
    with pytest.raises(ControlError, match="exists and is no socket"):
        ControlSocket(str(tmp_path / "b.sock"))
    assert (tmp_path / "a.sock").read_text() == "mine"


def test_another_process_s_file_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    with opened(path) as first:
        path.unlink()
        with opened(path) as second:
            first.remove_file()
            assert path.exists()
            second.remove_file()
            assert not path.exists()
            second.remove_file()


def test_a_path_that_is_too_long_is_told(tmp_path: Path) -> None:
    path = f"{tmp_path}/{'x' * 200}.sock"
    with pytest.raises(ControlError, match=f"has {MOST_PATH_BYTES} bytes at the most, this one"):
        ControlSocket(path)
    longest = "x" * (MOST_PATH_BYTES - len(str(tmp_path)) - 1)
    with opened(tmp_path / longest):
        pass
    with pytest.raises(ControlError, match="no zero byte"):
        ControlSocket("a\0b")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match=r"No such file or directory; make the folder"):
        ControlSocket(str(tmp_path / "none" / "a.sock"))


def test_a_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ControlError, match=r"can be written by others \(its mode is 0777\)"):
        ControlSocket(str(tmp_path / "a.sock"))
    tmp_path.chmod(0o1777)  # as /tmp, where only owners rename
    with opened(tmp_path / "a.sock"):
        pass


@as_root
def test_a_folder_or_a_socket_of_another_user_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "a.sock"):
        pass
    os.chown(tmp_path / "a.sock", 65534, 65534)
    with pytest.raises(ControlError, match=r"is a socket of another user \(65534\)"):
        ControlSocket(str(tmp_path / "a.sock"))
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(ControlError, match=r"belongs to another user \(65534\)"):
        ControlSocket(str(tmp_path / "b.sock"))


# The folder of our own...


def test_a_private_folder_is_made_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "photon"
    make_private_folder(str(folder))
    make_private_folder(str(folder))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_private_folder_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "photon").symlink_to(tmp_path / "real")
    with pytest.raises(ControlError, match=r"is no folder, or a link.*--control none"):
        make_private_folder(str(tmp_path / "photon"))
    (tmp_path / "file").write_text("")
    with pytest.raises(ControlError, match="is no folder"):
        make_private_folder(str(tmp_path / "file"))


def test_a_private_folder_is_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "photon").mkdir()
    (tmp_path / "photon").chmod(0o750)
    with pytest.raises(ControlError, match=r"can be entered by others \(its mode is 0750"):
        make_private_folder(str(tmp_path / "photon"))


@as_root
def test_a_private_folder_is_ours(tmp_path: Path) -> None:
    (tmp_path / "photon").mkdir(mode=0o700)
    os.chown(tmp_path / "photon", 65534, 65534)
    with pytest.raises(ControlError, match=r"belongs to another user \(65534\)"):
        make_private_folder(str(tmp_path / "photon"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match=r"cannot make the folder .* No such file"):
        make_private_folder(str(tmp_path / "none" / "photon"))
