"""A certificate for development, signed by an authority of one's own.

    ~/.local/share/photon/tls/   ca.pem          what browsers are told to trust, once
                                 ca.key
                                 localhost.pem   renewed when it is needed
                                 localhost.key

The authority may sign for this machine alone (name constraints, RFC 5280 §4.2.1.10): who steals its
key cannot pretend to be anybody else. Nothing of it leaves the folder.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photon.cli.exits import CommandError, ExitCode
from photon.runtime.net.tls_context import TlsSettings

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

logger = logging.getLogger("photon.cli")

_NAMES = ("localhost", "127.0.0.1", "::1")

# Ten years: it is a nuisance to have browsers trust it. Apple takes 825 days at the most of what an
# authority of one's own has signed.
_CA_DAYS, _DAYS = 3650, 397

# A certificate that ends in less is renewed now.
_RENEW = timedelta(days=14)


def development_certificate(folder: Path | None = None) -> TlsSettings:
    """A certificate for localhost, 127.0.0.1 and ::1; made when there is none, or it is too old.

    Args: folder: None for `$XDG_DATA_HOME/photon/tls`, or `~/.local/share/photon/tls`.
    Raises: CommandError: `cryptography` is not installed, or the folder cannot be written to.
    """
    folder = folder or default_folder()
    _need_cryptography()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = _load(folder / "ca.pem", folder / "ca.key")
        if authority is None:
            authority = _make_authority(folder)
            logger.info(
                "made a certificate authority for this machine: what shall trust it is given %s",
                folder / "ca.pem",
            )
        own = _load(folder / "localhost.pem", folder / "localhost.key")
        if own is None or own[0].issuer != authority[0].subject or not _is_signed(own, authority):
            _make_own(folder, authority)
    except OSError as error:
        raise CommandError(
            f"cannot keep a certificate for development in {folder}: {error.strerror}",
            hint="Set XDG_DATA_HOME to a folder that can be written to, or give one of your own "
            "with --tls-cert and --tls-key.",
            exit_code=ExitCode.FAILURE,
        ) from None
    pair = (str(folder / "localhost.pem"), str(folder / "localhost.key"))
    return TlsSettings(certificates=(pair,))


def default_folder() -> Path:
    """Where it is kept."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "photon" / "tls"


def how_to_trust(ca: Path) -> str:
    """What a user has to do once, so that browsers do not warn."""
    return "\n".join(
        (
            f"made a certificate authority for this machine, {ca}",
            "  Browsers warn until they trust it:",
            "  Firefox, Chrome  import it in the settings, under certificates, authorities",
            f"  Debian           sudo cp {ca} /usr/local/share/ca-certificates/photon.crt",
            "                   sudo update-ca-certificates",
            "  macOS            sudo security add-trusted-cert -d -r trustRoot \\",
            f"                     -k /Library/Keychains/System.keychain {ca}",
            f"  curl             --cacert {ca}",
        )
    )


def _need_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError:
        raise CommandError(
            "photon dev --tls makes its certificate with cryptography, which is not installed",
            hint="pip install 'photon-web[dev]', or give a certificate with --tls-cert.",
            exit_code=ExitCode.USAGE,
        ) from None


# Reading...


def _load(certificate: Path, key: Path) -> tuple[Certificate, Any] | None:
    """What is there, if it is whole and good for a while."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), None)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    is_good = found.not_valid_after_utc - _RENEW > datetime.now(UTC) > found.not_valid_before_utc
    if not is_good or found.public_key() != private.public_key():
        return None
    return found, private


def _is_signed(own: tuple[Certificate, Any], authority: tuple[Certificate, Any]) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        own[0].verify_directly_issued_by(authority[0])
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


# Making...


def _make_authority(folder: Path) -> tuple[Certificate, Any]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Photon development on {os.uname().nodename}"[:64])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    here = x509.NameConstraints(
        permitted_subtrees=[
            x509.DNSName("localhost"),
            x509.IPAddress(ip_network("127.0.0.0/8")),
            x509.IPAddress(ip_network("::1/128")),
        ],
        excluded_subtrees=None,
    )
    builder = (
        _begin(name, name, key, _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(here, critical=True)
    )
    return _sign(folder, "ca", builder, key, key), key


def _make_own(folder: Path, authority: tuple[Certificate, Any]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    issuer, issuer_key = authority
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [
        x509.IPAddress(ip_address(name)) if name[-1].isdigit() else x509.DNSName(name)
        for name in _NAMES
    ]
    builder = (
        _begin(_name("localhost"), issuer.subject, key, _DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    _sign(folder, "localhost", builder, key, issuer_key)


def _name(text: str) -> Any:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begin(subject: Any, issuer: Any, key: Any, days: int) -> Any:
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _sign(folder: Path, name: str, builder: Any, key: Any, issuer_key: Any) -> Certificate:
    """Sign and write both files, the key first: who finds a certificate finds its key."""
    from cryptography.hazmat.primitives import hashes, serialization

    signed: Certificate = builder.sign(issuer_key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(folder / f"{name}.key", private)
    _write(folder / f"{name}.pem", signed.public_bytes(serialization.Encoding.PEM))
    return signed


def _write(path: Path, data: bytes) -> None:
    """Put a file there, whole or not at all, that nobody else may read."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
    os.replace(beside, path)
