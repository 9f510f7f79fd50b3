"""Where servers are found."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from photon.runtime.offload import offload
from photon.runtime.workers import whereis
from photon.runtime.workers.control import ControlError
from photon.runtime.workers.control_hub import serve_control
from photon.runtime.workers.whereis import (
    default_path,
    folders,
    path_of,
    prepare_default_path,
    running,
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this user's sockets."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(whereis, "_TEMPORARY", str(tmp_path / "elsewhere"))
    return tmp_path / "photon"


def test_a_server_is_found_by_what_it_says_of_itself(home: Path) -> None:
    path = prepare_default_path()
    assert path == default_path() == str(home / f"{os.getpid()}.sock")
    about = {"app": "shop:app", "addresses": ["127.0.0.1:8000"]}
    assert running() == []
    with serve_control(path, {}, about=lambda: about):
        (server,) = offload(running)
        assert (server.pid, server.path) == (os.getpid(), path)
        assert (server.app, server.addresses) == ("shop:app", ["127.0.0.1:8000"])
        assert path_of(os.getpid()) == path
    assert running() == []
    assert path_of(os.getpid()) is None


def test_a_server_that_does_not_answer_is_listed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whereis, "_ASK_S", 0.05)
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(prepare_default_path())
        listener.listen()
        (server,) = running()
        assert (server.pid, server.about, server.app) == (os.getpid(), None, "")


def test_files_of_the_dead_are_removed_and_others_left(home: Path) -> None:
    prepare_default_path()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (str(ended.pid), str(os.getpid()), "mine"):
        with closing(socket.socket(socket.AF_UNIX)) as listener:
            listener.bind(str(home / f"{name}.sock"))
    (home / "notes.txt").write_text("")
    assert running() == []
    # A live process may be about to listen.
    assert sorted(os.listdir(home)) == [f"{os.getpid()}.sock", "mine.sock", "notes.txt"]


def test_without_a_runtime_folder_it_is_in_tmp(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = f"{whereis._TEMPORARY}/photon-{os.geteuid()}"
    assert folders() == [str(home), mine]
    for value in ("", "relative", "/nonexistent/folder"):
        monkeypatch.setenv("XDG_RUNTIME_DIR", value)
        assert folders() == [mine]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_runtime_folder_of_another_user_is_not_taken(home: Path, tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)  # as `su` leaves it in the environment
    assert str(home) not in folders()


def test_a_folder_that_somebody_put_there_is_not_trusted(home: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    home.symlink_to(tmp_path / "real")
    with pytest.raises(ControlError, match="is no folder, or a link to one"):
        prepare_default_path()
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(tmp_path / "real" / f"{os.getpid()}.sock"))
        listener.listen()
        assert running() == []
