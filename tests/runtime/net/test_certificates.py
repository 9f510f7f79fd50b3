"""Every way in which people get certificates wrong, and what they are told."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from photon.runtime.errors import ListenError, TlsError
from photon.runtime.net.certificates import (
    doubts_about_key,
    load_authorities,
    load_key_pair,
    read_certificate,
)
from tests.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def server() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


def test_names_and_time_are_read(authority: Authority) -> None:
    certificate, _ = authority.issue("Shop.example", "*.shop.example", "127.0.0.1", "::1")
    read = read_certificate(certificate)
    assert read.names[:3] == ("shop.example", "*.shop.example", "127.0.0.1")
    assert read.ends - read.begins == 31 * 86400
    assert read.doubts == []


def test_a_chain_is_known_by_its_first_certificate(authority: Authority) -> None:
    certificate, key = authority.issue("shop.example")
    chain = Path(certificate).read_bytes() + Path(authority.ca).read_bytes()
    Path(certificate).write_bytes(Path(key).read_bytes() + chain)  # and the key in front
    assert read_certificate(certificate).names == ("shop.example",)
    load_key_pair(server(), certificate, certificate, None)


@pytest.mark.parametrize(
    ("days", "starts", "doubt"),
    [
        (-1, -3, r"server.pem has expired on 20..-..-.. ..:.. UTC: clients refuse it. Renew it"),
        (9, 2, r"server.pem is not valid before 20..-..-.. ..:.. UTC: clients refuse it"),
        (2, -1, r"server.pem expires soon, on 20..-..-.. ..:.. UTC"),
    ],
)
def test_the_time_of_a_certificate_is_doubted(
    authority: Authority, days: int, starts: int, doubt: str
) -> None:
    certificate, _ = authority.issue("localhost", days=days, starts_in_days=starts)
    [told] = read_certificate(certificate).doubts
    assert re.search(doubt, told), told


def test_a_key_that_everybody_may_read_is_doubted(authority: Authority) -> None:
    _, key = authority.issue("localhost")
    assert doubts_about_key(key) == []
    os.chmod(key, 0o644)
    [told] = doubts_about_key(key)
    assert told == (f"everybody on this machine can read the private key {key}: chmod 600 {key}")


def refused(load: Callable[[], object]) -> str:
    with pytest.raises(TlsError) as caught:
        load()
    assert isinstance(caught.value, ListenError)
    return str(caught.value)


def test_files_that_are_not_there(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    certificate, _ = authority.issue("localhost")
    assert refused(lambda: read_certificate("cert.pem")) == (
        "cannot read the certificate cert.pem: No such file or directory "
        f"(looked for in {tmp_path})"
    )
    assert refused(lambda: load_key_pair(server(), certificate, "/no/key.pem", None)) == (
        "cannot read the key /no/key.pem: No such file or directory"
    )
    assert refused(lambda: load_authorities(server(), str(tmp_path))) == (
        f"cannot read the CA file {tmp_path}: Is a directory"
    )


def test_files_that_are_something_else(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("localhost")
    other = tmp_path / "other"
    other.write_text("-----BEGIN CERTIFICATE REQUEST-----\n")
    assert "there is a key where a certificate was expected" in refused(
        lambda: read_certificate(key)
    )
    assert "there is a request to sign one where" in refused(lambda: read_certificate(str(other)))
    assert "there is no private key in it" in refused(
        lambda: load_key_pair(server(), certificate, authority.ca, None)
    )
    assert f"If the key of {certificate} is in a file of its own, name that, too" in refused(
        lambda: load_key_pair(server(), certificate, certificate, None)
    )
    assert "there is no certificate in it" in refused(lambda: load_authorities(server(), key))
    der = ssl.PEM_cert_to_DER_cert(Path(certificate).read_text())
    other.write_bytes(der)
    for load in (
        lambda: read_certificate(str(other)),
        lambda: load_key_pair(server(), certificate, str(other), None),
        lambda: load_authorities(server(), str(other)),
    ):
        assert "It may be DER: convert it with openssl x509 or openssl pkey" in refused(load)


def test_files_that_are_damaged(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("localhost")
    for path in (certificate, key):
        text = Path(path).read_text().splitlines()
        Path(path).write_text("\n".join([*text[:2], "x" + text[2][1:-9], *text[3:]]))
    assert f"{certificate}: the certificate is damaged: " in refused(
        lambda: read_certificate(certificate)
    )
    assert f"{certificate}: a certificate in it is damaged: " in refused(
        lambda: load_authorities(server(), certificate)
    )
    good, _ = authority.issue("localhost", file="good")
    assert f"{key} or {good} is damaged: " in refused(
        lambda: load_key_pair(server(), good, key, None)
    )


def test_a_key_of_another_certificate(authority: Authority) -> None:
    certificate, _ = authority.issue("localhost")
    _, key = authority.issue("localhost", file="other")
    assert refused(lambda: load_key_pair(server(), certificate, key, None)).startswith(
        f"{key} is not the key of {certificate}: the first certificate of that file is the one"
    )


def test_a_key_that_is_encrypted(authority: Authority) -> None:
    certificate, key = authority.issue("localhost", password="secret")
    load_key_pair(server(), certificate, key, "secret")
    assert refused(lambda: load_key_pair(server(), certificate, key, None)) == (
        f"{key} is encrypted: give its password, as the environment variable "
        "PHOTON_TLS_KEY_PASSWORD or TlsSettings(password=...)"
    )
    assert f"{key}: the password is wrong, or the key is damaged" in refused(
        lambda: load_key_pair(server(), certificate, key, "guess")
    )
    assert f"{key}: the password is wrong" in refused(
        lambda: load_key_pair(server(), certificate, key, "x" * 5000)
    )


def test_a_ca_that_is_none(authority: Authority) -> None:
    certificate, _ = authority.issue("localhost")
    assert "none of its certificates is an authority's (CA:TRUE)" in refused(
        lambda: load_authorities(server(), certificate)
    )
    load_authorities(server(), authority.ca)
