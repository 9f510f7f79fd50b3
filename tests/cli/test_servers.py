"""Which server is meant, when there are none, one or several."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from photon.cli.exits import CommandError, ExitCode
from photon.cli.servers import chosen
from photon.runtime.offload import offload
from photon.runtime.workers import whereis
from photon.runtime.workers.control_socket import make_private_folder
from tests.cli.fake_server import answering


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("PHOTON_CONTROL", raising=False)
    monkeypatch.setattr(whereis, "_TEMPORARY", str(tmp_path / "elsewhere"))
    make_private_folder(str(tmp_path / "photon"))
    return tmp_path / "photon"


@pytest.fixture
def servers(home: Path) -> Iterator[dict[int, str]]:
    """Two of them: of this process and of its parent."""
    paths = {pid: str(home / f"{pid}.sock") for pid in (os.getpid(), os.getppid())}
    with ExitStack() as stack:
        for number, path in enumerate(paths.values()):
            about = {"app": f"shop{number}:app", "addresses": [f"http://127.0.0.1:800{number}"]}
            stack.enter_context(answering(path, {}, about))
        yield paths


def error_of(given: str | None) -> CommandError:
    with pytest.raises(CommandError) as caught:
        offload(chosen, given)
    return caught.value


def test_none_says_how_to_start_one(home: Path) -> None:
    for given in (None, "1"):
        error = error_of(given)
        assert "photon run app:app" in error.hint
        assert "--control none" in error.hint
        assert error.exit_code == ExitCode.FAILURE


def test_the_only_one_is_taken(home: Path) -> None:
    path = str(home / f"{os.getpid()}.sock")
    with answering(path, {}):
        assert offload(chosen, None).path == path


def test_of_several_one_is_to_be_named(servers: dict[int, str]) -> None:
    error = error_of(None)
    assert error.message == "2 servers run; say which one, by its process id:"
    for pid, path in servers.items():
        assert str(pid) in error.hint
        assert path in error.hint
        assert chosen(str(pid)).path == path
        assert chosen(path).path == path
    assert "shop1:app" in error.hint
    assert "http://127.0.0.1:8001" in error.hint


def test_a_pid_that_is_no_server_s_is_told(servers: dict[int, str]) -> None:
    error = error_of("1")
    assert "no server has the process id 1 (a worker's is not meant); there are:" in error.message
    assert "shop0:app" in error.hint


def test_the_environment_may_say_it(
    servers: dict[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTON_CONTROL", "/run/shop/control.sock")
    assert chosen(None).path == "/run/shop/control.sock"
    assert chosen("other.sock").path == "other.sock"
    monkeypatch.setenv("PHOTON_CONTROL", "none")  # this shell's servers have none
    assert "2 servers run" in error_of(None).message


def test_a_path_that_cannot_be_one_is_told(home: Path) -> None:
    assert "bytes at the most" in error_of("x" * 300).message
