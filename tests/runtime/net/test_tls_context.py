"""What a server says of itself, and what it agrees to."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import pytest

from photon.runtime.errors import TlsError
from photon.runtime.net.tls_context import TlsContext, TlsSettings, load_context
from tests.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def shake(
    context: TlsContext, client: ssl.SSLContext, name: str | None
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """A handshake in memory: both ends."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = context.wrap(there, back, (name or "").lower())
    theirs = client.wrap_bio(back, there, server_hostname=name)
    is_done = False
    for _ in range(4):
        for end in (theirs, ours):
            try:
                end.do_handshake()
                is_done = end is ours
            except ssl.SSLWantReadError:
                pass
    assert is_done
    return ours, theirs


def shown(context: TlsContext, client: ssl.SSLContext, name: str | None) -> str:
    """The first name of the certificate that a client sees who asks for `name`."""
    client.check_hostname = False
    certificate = shake(context, client, name)[1].getpeercert()
    assert certificate is not None
    return str(certificate["subjectAltName"][0][1])


def load(*certificates: tuple[str, str], ca: str = "") -> TlsContext:
    return load_context(TlsSettings(certificates=certificates, ca=ca))


# What is agreed...


def test_only_ciphers_with_forward_secrecy_and_aead_are_spoken(authority: Authority) -> None:
    context = load(authority.issue("localhost"))
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client = authority.client()
        client.minimum_version = client.maximum_version = version
        ours, _ = shake(context, client, "localhost")
        agreed = ours.cipher()
        assert agreed is not None
        assert "GCM" in agreed[0]
        assert ours.compression() is None
    client.minimum_version = ssl.TLSVersion.TLSv1_2
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    for weak in ("ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA"):
        client.set_ciphers(weak)
        with pytest.raises(ssl.SSLError, match=r"(?i)no.shared.cipher"):
            shake(context, client, "localhost")


@pytest.mark.filterwarnings("ignore:.*TLSv1.* is deprecated:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(authority: Authority, version: ssl.TLSVersion) -> None:
    context = load(authority.issue("localhost"))
    client = authority.client()
    client.set_ciphers("ALL:@SECLEVEL=0")
    client.minimum_version = client.maximum_version = version
    with pytest.raises(ssl.SSLError, match=r"(?i)unsupported.protocol"):
        shake(context, client, "localhost")


def test_tls_1_2_can_be_refused_as_well(authority: Authority) -> None:
    certificates = [authority.issue("localhost")]
    context = load_context(TlsSettings(certificates=certificates, minimum_version="1.3"))  # type: ignore[arg-type]
    client = authority.client()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match=r"(?i)unsupported.protocol"):
        shake(context, client, "localhost")


# Certificates by name...


def test_the_name_that_is_asked_for_decides_which_certificate_is_shown(
    authority: Authority,
) -> None:
    context = load(
        authority.issue("default.example", file="1"),
        authority.issue("*.shop.example", file="2"),
        authority.issue("Shop.Example", "www.shop.example", file="3"),
    )
    client = authority.client()
    assert [
        shown(context, client, name)
        for name in (
            "default.example",
            "shop.example",
            "SHOP.example",
            "a.shop.example",
            "www.shop.example",
            "a.b.shop.example",
            "stranger.example",
            "127.0.0.1",
            None,
        )
    ] == [
        "default.example",
        "Shop.Example",
        "Shop.Example",
        "*.shop.example",
        "Shop.Example",
        *["default.example"] * 4,
    ]
    assert repr(context) == (
        "<TlsContext for default.example, *.shop.example, shop.example, www.shop.example>"
    )


# Clients...


def test_clients_prove_who_they_are(authority: Authority) -> None:
    context = load(authority.issue("localhost"), ca=authority.ca)
    assert context.asks_clients
    alice = authority.client(certificate=authority.issue("alice", file="alice"))
    ours, _ = shake(context, alice, "localhost")
    certificate = ours.getpeercert()
    assert certificate is not None
    assert certificate["subject"] == ((("commonName", "alice"),),)


def test_clients_without_a_certificate_or_with_anothers_are_refused(
    authority: Authority, tmp_path: Path
) -> None:
    context = load(authority.issue("localhost"), ca=authority.ca)
    with pytest.raises(ssl.SSLError, match=r"(?i)peer.did.not.return.a.certificate"):
        shake(context, authority.client(), "localhost")
    folder = tmp_path / "other"
    folder.mkdir()
    stranger = authority.client(certificate=Authority(folder, "Other CA").issue("mallory"))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(context, stranger, "localhost")


# Reloading...


def test_new_certificates_are_shown_from_the_reload_on(authority: Authority) -> None:
    context = load(authority.issue("before.example"))
    client = authority.client()
    assert shown(context, client, "x") == "before.example"
    authority.issue("after.example")
    assert shown(context, client, "x") == "before.example"
    context.reload()
    assert shown(context, client, "x") == "after.example"
    assert context.certificates[0].names == ("after.example",)


def test_bad_ones_leave_everything_as_it_was(authority: Authority) -> None:
    certificate, key = authority.issue("before.example")
    context = load((certificate, key))
    authority.issue("after.example", file="other")
    Path(certificate).write_bytes((authority.folder / "other.pem").read_bytes())
    with pytest.raises(TlsError, match=r"is not the key of .*The certificates .* before stay"):
        context.reload()
    assert shown(context, authority.client(), "x") == "before.example"


# Settings...


def test_doubts_are_warnings(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    certificate, key = authority.issue("localhost", days=-1)
    Path(key).chmod(0o604)
    load((certificate, key))
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "has expired on" in caplog.text
    assert "chmod 600" in caplog.text


def test_paths_and_one_file_for_both_are_taken(authority: Authority) -> None:
    certificate, key = (Path(path) for path in authority.issue("localhost"))
    both = authority.folder / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    both.chmod(0o600)
    settings = TlsSettings(certificates=[(certificate, key), (both, "")], ca=Path(authority.ca))  # type: ignore[arg-type]
    assert settings.certificates == ((str(certificate), str(key)), (str(both), ""))
    assert len(load_context(settings).certificates) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, r"TLS needs a certificate and its key: TlsSettings\(certificates="),
        ({"ciphers": "NONE-SUCH"}, "OpenSSL knows none of them"),
        ({"alpn": ("",)}, "a protocol's name has 1 to 255 ASCII characters"),
        ({"alpn": ("é",)}, "a protocol's name has 1 to 255 ASCII characters"),
    ],
)
def test_what_cannot_be_served_with_is_told(
    authority: Authority, settings: dict[str, object], message: str
) -> None:
    if settings:
        settings = {"certificates": [authority.issue("localhost")], **settings}
    with pytest.raises(TlsError, match=message):
        load_context(TlsSettings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"certificates": "cert.pem"}, r"pairs of \(certificate, key\)"),
        ({"certificates": ["cert.pem"]}, r"pairs of \(certificate, key\)"),
        ({"minimum_version": "1.1"}, "the oldest version of TLS that is spoken"),
        ({"password": b"x"}, "the password of the keys"),
        ({"cert": "cert.pem"}, "TlsSettings has no setting 'cert'"),
    ],
)
def test_settings_are_checked_when_they_are_made(settings: dict[str, object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        TlsSettings(**settings)  # type: ignore[arg-type]


def test_a_password_is_not_shown() -> None:
    settings = TlsSettings(certificates=(("cert.pem", "key.pem"),), password="secret")
    assert repr(settings) == "<TlsSettings cert.pem>"
