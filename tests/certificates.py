"""Certificates for tests, made when they are asked for: an authority, servers, clients.

`cryptography` makes them, keys on the curve P-256, which take no time.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM
_PKCS8 = serialization.PrivateFormat.PKCS8


class Authority:
    """A CA whose certificates lie in `folder`; `ca` is the path of its own."""

    def __init__(self, folder: Path, name: str = "Test CA") -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._builder(self.name, self.key, days=30).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.certificate = certificate.sign(self.key, hashes.SHA256())
        self.ca = self._write("ca.pem", self.certificate.public_bytes(_PEM))

    def issue(
        self,
        *names: str,
        file: str = "server",
        password: str | None = None,
        days: float = 30,
        starts_in_days: float = -1,
    ) -> tuple[str, str]:
        """A certificate for these names, and its key: their paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        builder = self._builder(subject, key, days=days, starts_in_days=starts_in_days)
        signed = builder.add_extension(
            x509.SubjectAlternativeName(list(_general(names))), critical=False
        ).sign(self.key, hashes.SHA256())
        hidden = (
            serialization.BestAvailableEncryption(password.encode())
            if password
            else serialization.NoEncryption()
        )
        return (
            self._write(f"{file}.pem", signed.public_bytes(_PEM)),
            self._write(f"{file}.key", key.private_bytes(_PEM, _PKCS8, hidden)),
        )

    def client(self, *, certificate: tuple[str, str] | None = None) -> ssl.SSLContext:
        """What a client has that trusts this authority, and maybe shows a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca)
        if certificate is not None:
            context.load_cert_chain(*certificate)
        return context

    def _builder(
        self, subject: x509.Name, key: Any, *, days: float, starts_in_days: float = -1
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=min(starts_in_days, days - 1)))
            .not_valid_after(now + timedelta(days=days))
        )

    def _write(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.write_bytes(data)
        path.chmod(0o600)
        return str(path)


def _general(names: Iterable[str]) -> Iterable[x509.GeneralName]:
    for name in names:
        try:
            yield x509.IPAddress(ip_address(name))
        except ValueError:
            yield x509.DNSName(name)
