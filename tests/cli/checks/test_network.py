"""Names and addresses that a server needs."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from photon.cli.checks.network import certificates, listening, names
from photon.runtime.greenlets import sleep_forever
from photon.runtime.net.address import TcpAddress, UnixAddress
from photon.runtime.net.tls_context import TlsSettings


def test_localhost_is_found(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("# c\nnameserver\nnameserver 10.0.0.1\nsearch a\n")
    (found,) = names(tmp_path / "resolv.conf")
    assert (found.state, "asked of 10.0.0.1" in found.saw) == ("ok", True)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    first, second = names(tmp_path / "resolv.conf")
    assert (first.state, second.state) == ("warn", "ok")


def test_localhost_that_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: Any, **more: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    (found,) = names(Path("/dev/null"))
    assert (found.state, "/etc/hosts" in found.way_out) == ("fail", True)


def test_a_look_up_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **more: sleep_forever())
    (found,) = names(Path("/dev/null"), 0.01)
    assert (found.state, "not found within" in found.saw) == ("warn", True)


def test_a_free_address_stays_free() -> None:
    assert [each.state for each in listening(TcpAddress("127.0.0.1", 0))] == ["ok"]


def test_an_address_in_use_is_a_warning() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        (found,) = listening(TcpAddress("127.0.0.1", other.getsockname()[1]))
    assert (found.state, "is in use" in found.saw) == ("warn", True)


def test_an_address_of_another_machine_fails() -> None:
    (found,) = listening(TcpAddress("192.0.2.1", 80))
    assert found.state == "fail"


def test_a_unix_socket_needs_its_folder(tmp_path: Path) -> None:
    (good,) = listening(UnixAddress(str(tmp_path / "s")))
    (bad,) = listening(UnixAddress(str(tmp_path / "none" / "s")))
    assert (good.state, bad.state) == ("ok", "fail")
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_that_is_not_there_fails(tmp_path: Path) -> None:
    settings = TlsSettings(certificates=((str(tmp_path / "a.pem"), str(tmp_path / "b.pem")),))
    (found,) = certificates(settings)
    assert (found.state, "a.pem" in found.saw) == ("fail", True)


def test_without_tls_there_is_nothing_to_say() -> None:
    assert list(certificates(None)) == []
