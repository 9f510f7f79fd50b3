"""Certificates and their keys, as files: what is in them, and whether one can be served with.

OpenSSL says "PEM lib" of most that can be wrong with a file. So each thing is looked at by itself,
in the order in which people get it wrong, until the message says which file, what, and what to do.
"""

from __future__ import annotations

import _ssl
import os
import ssl
import stat
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from photon.runtime.clock import wall
from photon.runtime.errors import TlsError

# A certificate that ends in less is worth a word when it is loaded. Let's Encrypt's live 90 days
# and are renewed 30 before their end.
_SOON_S = 7 * 86400


class Certificate(Struct, frozen=True):
    """A certificate that was read from a file; of a chain the first one, the server's own.

    Attributes:
        path: of the file.
        names: those that it is for, lower-case: DNS names, maybe "*.example.com", and addresses.
        begins, ends: the time in which it is good, in seconds since the epoch.
    """

    path: str
    names: tuple[str, ...]
    begins: float
    ends: float

    @property
    def doubts(self) -> list[str]:
        """What clients will object to, in sentences; empty when all is well."""
        moment = wall()
        if moment < self.begins:
            return [f"{self.path} is not valid before {_date(self.begins)}: clients refuse it"]
        if moment >= self.ends:
            return [f"{self.path} has expired on {_date(self.ends)}: clients refuse it. Renew it"]
        if moment > self.ends - _SOON_S:
            return [f"{self.path} expires soon, on {_date(self.ends)}"]
        return []


def read_certificate(path: str) -> Certificate:
    """The first certificate of a PEM file.   Raises: TlsError."""
    text = _read(path, "certificate")
    if "-----BEGIN CERTIFICATE-----" not in text:
        found = "a key" if "PRIVATE KEY-----" in text else "none"
        if "-----BEGIN CERTIFICATE REQUEST-----" in text:
            found = "a request to sign one"
        raise TlsError(
            f"{path}: there is {found} where a certificate was expected, "
            "as -----BEGIN CERTIFICATE----- begins it (PEM)" + _hint_of_form(text)
        )
    try:
        # The one reader of certificates that Python has; it is private, and as old as `ssl`.
        fields: dict[str, Any] = _ssl._test_decode_cert(path)  # type: ignore[attr-defined]
    except (ssl.SSLError, ValueError) as error:
        raise TlsError(f"{path}: the certificate is damaged: {reason_of(error)}") from error
    return Certificate(
        path,
        _names(fields),
        ssl.cert_time_to_seconds(fields["notBefore"]),
        ssl.cert_time_to_seconds(fields["notAfter"]),
    )


def _names(fields: dict[str, Any]) -> tuple[str, ...]:
    stated = fields.get("subjectAltName", ())
    return tuple(name.rstrip(".").lower() for kind, name in stated if kind in ("DNS", "IP Address"))


def _date(moment: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


# Keys...


def load_key_pair(
    context: ssl.SSLContext, certificate: str, key: str, password: str | None
) -> None:
    """Have `context` prove by this certificate, and its chain, who it is.

    Args: key: the file of the private key, which may be the certificate's.
    Raises: TlsError.
    """
    text = _read(key, "key")
    if "PRIVATE KEY-----" not in text:
        raise TlsError(
            f"{key}: there is no private key in it, as -----BEGIN PRIVATE KEY----- begins it (PEM)"
            + (
                f". If the key of {certificate} is in a file of its own, name that, too"
                if key == certificate
                else _hint_of_form(text)
            )
        )
    try:
        context.load_cert_chain(certificate, key, _password_of(key, password))
    except (ssl.SSLError, ValueError) as error:
        raise TlsError(_why_not(error, certificate, key, text)) from error


def _password_of(key: str, password: str | None) -> Callable[[], str]:
    """What OpenSSL asks when the key is encrypted; it would ask the terminal otherwise."""

    def ask() -> str:
        if password is None:
            raise TlsError(
                f"{key} is encrypted: give its password, as the environment variable "
                "PHOTON_TLS_KEY_PASSWORD or TlsSettings(password=...)"
            )
        return password

    return ask


def _why_not(error: ssl.SSLError | ValueError, certificate: str, key: str, text: str) -> str:
    reason = reason_of(error)
    if "mismatch" in reason:
        return (
            f"{key} is not the key of {certificate}: the first certificate of that file is the one "
            "that it has to belong to, the issuers' follow"
        )
    if "too small" in reason or "too weak" in reason:
        return f"{certificate}: OpenSSL refuses it as too weak ({reason}): make a new one"
    if "ENCRYPTED" in text:
        return f"{key}: the password is wrong, or the key is damaged ({reason})"
    return f"{key} or {certificate} is damaged: {reason}"


def doubts_about_key(key: str) -> list[str]:
    """What is not right with the file of a key, in sentences; empty when all is well."""
    mode = os.stat(key).st_mode
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        return [f"everybody on this machine can read the private key {key}: chmod 600 {key}"]
    return []


# Authorities...


def load_authorities(context: ssl.SSLContext, path: str) -> None:
    """Have `context` accept the certificates that those in `path` have signed.   Raises: TlsError.

    The context must not know any other.
    """
    text = _read(path, "CA file")
    if "-----BEGIN CERTIFICATE-----" not in text and "TRUSTED CERTIFICATE-----" not in text:
        raise TlsError(
            f"{path}: there is no certificate in it, as -----BEGIN CERTIFICATE----- begins it (PEM)"
            + _hint_of_form(text)
        )
    try:
        context.load_verify_locations(path)
    except (ssl.SSLError, ValueError) as error:
        raise TlsError(f"{path}: a certificate in it is damaged: {reason_of(error)}") from error
    if not context.cert_store_stats()["x509_ca"]:
        raise TlsError(
            f"{path}: none of its certificates is an authority's (CA:TRUE), so none of them can "
            "have signed a client's"
        )


# For all of them...


def _read(path: str, what: str) -> str:
    try:
        with open(path, encoding="latin-1") as file:
            # A certificate has some KB, all authorities of a system 300.
            return file.read(16 * 1024 * 1024)
    except OSError as error:
        hint = ""
        if isinstance(error, FileNotFoundError):
            hint = f" (looked for in {os.getcwd()})" if not os.path.isabs(path) else ""
        raise TlsError(f"cannot read the {what} {path}: {error.strerror}{hint}") from error


def _hint_of_form(text: str) -> str:
    if text.startswith("0\x82"):  # DER begins with a SEQUENCE of a length of two bytes
        return ". It may be DER: convert it with openssl x509 or openssl pkey, -inform der"
    return ""


def reason_of(error: Exception) -> str:
    """Why OpenSSL refused, in its own words, lower-case."""
    reason = getattr(error, "reason", None)
    return reason.lower().replace("_", " ") if reason else str(error)
