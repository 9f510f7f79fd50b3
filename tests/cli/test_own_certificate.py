"""The certificate of `photon dev --tls`."""

from __future__ import annotations

import logging
import socket
import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from photon.cli import own_certificate
from photon.cli.exits import CommandError
from photon.cli.own_certificate import default_folder, development_certificate, how_to_trust
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def hello(request: Request) -> Response:
    return Response(b"hello")


def test_it_is_made_once_and_served_with(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "photon.cli")
    folder = tmp_path / "share" / "tls"
    made = development_certificate(folder)
    assert names(folder) == ["ca.key", "ca.pem", "localhost.key", "localhost.pem"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert f"what shall trust it is given {folder / 'ca.pem'}" in caplog.text
    caplog.clear()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert development_certificate(folder) == made
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert not caplog.records
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.load_verify_locations(folder / "ca.pem")
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    with serve(hello, tls=made) as server:
        for name in ("localhost", "127.0.0.1"):
            plain = socket.create_connection(("127.0.0.1", server.port), timeout=3)
            with trusting.wrap_socket(plain, server_hostname=name) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.1 200")


def test_its_authority_can_sign_for_this_machine_alone(tmp_path: Path) -> None:
    development_certificate(tmp_path)
    authority = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    assert [str(name.value) for name in permitted.permitted_subtrees or ()] == [
        "localhost",
        "127.0.0.0/8",
        "::1/128",
    ]


def test_it_is_renewed_before_it_ends_and_its_authority_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    development_certificate(tmp_path)
    ca, own = ((tmp_path / name).read_bytes() for name in ("ca.pem", "localhost.pem"))

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(UTC) + timedelta(days=390)

    monkeypatch.setattr(own_certificate, "datetime", Later)
    development_certificate(tmp_path)
    assert (tmp_path / "ca.pem").read_bytes() == ca
    assert (tmp_path / "localhost.pem").read_bytes() != own


@pytest.mark.parametrize("name", ["ca.pem", "ca.key", "localhost.pem", "localhost.key"])
@pytest.mark.parametrize("damage", ["", "nonsense", None])
def test_what_is_damaged_or_missing_is_made_anew(
    tmp_path: Path, name: str, damage: str | None
) -> None:
    development_certificate(tmp_path)
    if damage is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(damage)
    tls = development_certificate(tmp_path)
    with serve(hello, tls=tls):
        pass
    own = x509.load_pem_x509_certificate((tmp_path / "localhost.pem").read_bytes())
    own.verify_directly_issued_by(
        x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    )


def test_it_is_kept_with_the_users_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_folder() == Path("/data/photon/tls")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert default_folder() == Path("/home/me/.local/share/photon/tls")


def test_without_cryptography_the_way_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(CommandError, match="cryptography, which is not installed") as caught:
        development_certificate(tmp_path)
    assert "pip install 'photon-web[dev]'" in caught.value.hint


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="cannot keep a certificate for development in") as it:
        development_certificate(tmp_path / "file" / "tls")
    assert "XDG_DATA_HOME" in it.value.hint


def test_how_it_is_trusted_is_told_in_lines() -> None:
    lines = how_to_trust(Path("/tls/ca.pem")).split("\n")
    assert lines[0] == "made a certificate authority for this machine, /tls/ca.pem"
    assert lines[-1].split() == ["curl", "--cacert", "/tls/ca.pem"]
