"""`photon run --tls-cert`, as users have it."""

from __future__ import annotations

import http.client
import re
import ssl
from pathlib import Path
from signal import SIGHUP
from typing import Any

import pytest

from tests.certificates import Authority
from tests.processes import Photon, photon

_APP = """
from photon import Photon, Request

app = Photon()


@app.get("/")
def url(request: Request) -> str:
    return request.url
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "app.py").write_text(_APP)
    return Authority(tmp_path)


def ask(port: int, trusting: ssl.SSLContext) -> tuple[str, Any]:
    """The answer, and the names of the certificate that was shown."""
    connection = http.client.HTTPSConnection("localhost", port, context=trusting, timeout=5)
    try:
        connection.request("GET", "/")
        certificate: Any = connection.sock.getpeercert()
        names = [name for _, name in certificate["subjectAltName"]]
        return connection.getresponse().read().decode(), names
    finally:
        connection.close()


def port_of(running: Photon) -> int:
    found = re.search(r"https://[^ ]+:(\d+)", running.wait_line("serves"))
    assert found is not None, running.stderr
    return int(found[1])


def test_https_is_served_and_sighup_takes_new_certificates(
    authority: Authority, tmp_path: Path
) -> None:
    authority.issue("localhost", password="secret")
    flags = ["--port=0", "--tls-cert=server.pem", "--tls-key=server.key"]
    env = {"PHOTON_TLS_KEY_PASSWORD": "secret"}
    with photon("run", "app:app", *flags, folder=tmp_path, env=env) as running:
        port = port_of(running)
        trusting = authority.client()
        assert ask(port, trusting) == (f"https://localhost:{port}/", ["localhost"])
        authority.issue("localhost", "new.example")
        running.kill(SIGHUP)
        running.wait_line("server.pem for localhost, new.example")
        assert ask(port, trusting)[1] == ["localhost", "new.example"]
        (tmp_path / "server.key").write_text("no key")
        running.kill(SIGHUP)
        running.wait_line("no new certificates", "there is no private key in it")
        assert ask(port, trusting)[1] == ["localhost", "new.example"]
        assert running.stop() == 0


@pytest.mark.parametrize("workers", [[], ["--workers=1"]])
def test_a_certificate_that_is_no_good_keeps_it_from_starting(
    authority: Authority, tmp_path: Path, workers: list[str]
) -> None:
    authority.issue("localhost")
    authority.issue("localhost", file="other")
    flags = ["--port=0", "--tls-cert=server.pem", "--tls-key=other.key", *workers]
    with photon("run", "app:app", *flags, folder=tmp_path) as running:
        code = running.wait()
        assert "other.key is not the key of server.pem" in running.stderr
        assert "Traceback" not in running.stderr
        assert code == 69
