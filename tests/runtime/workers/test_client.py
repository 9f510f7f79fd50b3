"""The client of the control socket: what it says when things are not as they should be."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from photon.runtime.offload import offload
from photon.runtime.workers.client import (
    CommandFailed,
    ControlClient,
    NoAnswer,
    ServerGone,
)
from photon.runtime.workers.control_socket import ControlError

PATIENCE_S = 10.0


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "a.sock")


@contextmanager
def answering(path: str, *pieces: bytes) -> Iterator[None]:
    """A server that reads a request, sends these and closes."""

    def live() -> None:
        peer, _ = listener.accept()
        with closing(peer):
            peer.recv(65536)
            for piece in pieces:
                peer.sendall(piece)

    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=live)
        thread.start()
        yield
        thread.join()


def ask(path: str) -> object:
    return offload(ControlClient(path).ask, "stats", timeout=PATIENCE_S)


def test_an_answer_in_pieces(path: str) -> None:
    with answering(path, b'{"id":1,', b'"ok":[1,2]}', b"\n"):
        assert ask(path) == [1, 2]


def test_an_error_is_raised_in_the_words_of_the_server(path: str) -> None:
    with answering(path, b'{"id":1,"error":"no; do this"}\n'):
        with pytest.raises(CommandFailed, match=r"^no; do this$"):
            ask(path)


def test_a_server_that_ends_before_its_answer(path: str) -> None:
    with answering(path, b'{"id":1,'):
        with pytest.raises(ServerGone, match="ended before it answered"):
            ask(path)


def test_a_socket_of_somebody_else(path: str) -> None:
    with answering(path, b"HTTP/1.1 400 Bad Request\r\n\r\n"):
        with pytest.raises(ControlError, match="is no control socket of Photon"):
            ask(path)


def test_a_server_that_says_nothing(path: str) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(path)
        listener.listen()
        with pytest.raises(NoAnswer, match=r"no answer to 'stats' within 0\.05 s; its process is"):
            ControlClient(path).ask("stats", timeout=0.05)


def test_a_server_whose_line_is_full(path: str) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(path)
        listener.listen(0)
        with closing(socket.socket(socket.AF_UNIX)) as waiting:
            waiting.connect(path)
            with pytest.raises(NoAnswer):
                ControlClient(path).ask("stats", timeout=0.05)


def test_nobody_is_there(path: str) -> None:
    with pytest.raises(ServerGone, match="there is no such socket"):
        ControlClient(path).ask("stats")
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(path)
    with pytest.raises(ServerGone, match="nobody listens there"):
        ControlClient(path).ask("stats")


def test_what_is_no_socket(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ControlError):
        ControlClient(str(tmp_path / "file")).ask("stats")
    with pytest.raises(ControlError, match="bytes at the most"):
        ControlClient("x" * 200)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_socket_of_another_user_is_told(tmp_path: Path) -> None:
    error = ControlClient(str(tmp_path / "a.sock"))._failed(PermissionError(13, "no"))
    assert "only the user of the server and root may control it, and you are 0" in str(error)
