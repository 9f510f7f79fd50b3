"""What a server is by TLS: its certificates, what it speaks, whom it lets in.

    settings ──load_context──▶ TlsContext ──wrap──▶ the SSL object of a connection
                                   │ reload(): new ones prove themselves first

One SSL context for each certificate, all of them alike otherwise; which of them answers is decided
by the name that the client asks for (SNI, RFC 6066 §3), see `client_hello`.

Sources: RFC 9325 (recommendations for TLS); Mozilla's "intermediate" without its last DHE suites.
"""

from __future__ import annotations

import logging
import os
import ssl
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from photon.runtime.errors import TlsError
from photon.runtime.net.certificates import (
    Certificate,
    doubts_about_key,
    load_authorities,
    load_key_pair,
    read_certificate,
)
from photon.runtime.settings import Settings

logger = logging.getLogger("photon.runtime")

# For TLS 1.2; 1.3 has only suites that are as good. RFC 9325 §4.2: forward secrecy and AEAD.
_CIPHERS = ":".join(
    f"ECDHE-{key}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for key in ("ECDSA", "RSA")
)

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class TlsSettings(Settings, frozen=True, kw_only=True, repr_omit_defaults=True):
    """Certificates and the like; paths are taken from the current folder.

    Attributes:
        certificates: pairs of (certificate, key), paths of PEM files; a key of "" is in the file of
            its certificate. The first pair is for clients that ask for no name, or for none that
            there is.
        password: of those keys that are encrypted.
    """

    certificates: Annotated[
        tuple[tuple[str, str], ...],
        Meta(description="pairs of (certificate, key), paths of PEM files"),
    ] = ()
    password: Annotated[
        str | None, Meta(description="the password of the keys that are encrypted")
    ] = None
    ca: Annotated[
        str,
        Meta(description="a PEM file; a client has to have a certificate that is signed by it"),
    ] = ""
    minimum_version: Annotated[
        Literal["1.2", "1.3"], Meta(description="the oldest version of TLS that is spoken")
    ] = "1.2"
    ciphers: Annotated[
        str, Meta(description="cipher suites for TLS 1.2, as OpenSSL names them")
    ] = _CIPHERS
    alpn: Annotated[
        tuple[str, ...], Meta(description="protocols that are offered, the best one first")
    ] = ("http/1.1",)

    def __post_init__(self) -> None:
        certificates = self.certificates
        if isinstance(certificates, (tuple, list)):
            msgspec.structs.force_setattr(
                self, "certificates", tuple(_as_pair(each) for each in certificates)
            )
        if isinstance(self.ca, os.PathLike):
            msgspec.structs.force_setattr(self, "ca", os.fspath(self.ca))
        super().__post_init__()

    def __repr__(self) -> str:
        # A password is no matter for logs.
        certificates = ", ".join(certificate for certificate, _ in self.certificates)
        return f"<TlsSettings {certificates or 'without a certificate'}>"


def _as_pair(given: object) -> object:
    """Paths become texts, as far as they are paths."""
    if isinstance(given, (tuple, list)):
        return tuple(os.fspath(path) if isinstance(path, os.PathLike) else path for path in given)
    return given


def load_context(settings: TlsSettings) -> TlsContext:
    """A context, once everything was found to be as it should.   Raises: TlsError."""
    return TlsContext(settings)


class TlsContext:
    """What connections are accepted with.

    Args: settings: are read here, and again by `reload`.
    Raises: TlsError, which says which file, what of it is wrong, and the way out.
    Attributes: certificates: those that new handshakes show.
    """

    def __init__(self, settings: TlsSettings) -> None:
        self.settings = settings
        self._shown = _Shown(settings)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        return self._shown.certificates

    @property
    def asks_clients(self) -> bool:
        """Whether clients have to prove who they are."""
        return bool(self.settings.ca)

    @property
    def is_chosen_by_name(self) -> bool:
        """Whether it matters which name a client asks for."""
        return len(self.certificates) > 1

    def wrap(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, name: str = ""
    ) -> ssl.SSLObject:
        """The server's side of a new connection.   Args: name: what the client asks for."""
        context = self._shown.context_for(name)
        return context.wrap_bio(incoming, outgoing, server_side=True)

    def reload(self) -> None:
        """Read the files again: from here on new handshakes show what they hold now.

        Connections that exist are left alone, handshakes in progress end as they began.

        Raises: TlsError: something is wrong with them, and all is as before.
        """
        try:
            self._shown = _Shown(self.settings)
        except TlsError as error:
            raise TlsError(f"{error}. The certificates that were loaded before stay") from error

    def __repr__(self) -> str:
        names = [name for certificate in self.certificates for name in certificate.names]
        return f"<TlsContext for {', '.join(names) or 'no name'}>"


class _Shown:
    """The SSL contexts of one reading; replaced as a whole."""

    def __init__(self, settings: TlsSettings) -> None:
        if not settings.certificates:
            raise TlsError(
                "TLS needs a certificate and its key: "
                'TlsSettings(certificates=[("cert.pem", "key.pem")])'
            )
        certificates: list[Certificate] = []
        self._contexts: dict[str, ssl.SSLContext] = {}
        for path, key in settings.certificates:
            certificate = read_certificate(path)
            context = _context(settings)
            load_key_pair(context, path, key or path, settings.password)
            if settings.ca:
                load_authorities(context, settings.ca)
                context.verify_mode = ssl.CERT_REQUIRED
            for doubt in (*certificate.doubts, *doubts_about_key(key or path)):
                logger.warning("%s", doubt)
            if not certificates:
                self._default = context
            for name in certificate.names:
                self._contexts.setdefault(name, context)
            certificates.append(certificate)
        self.certificates = tuple(certificates)

    def context_for(self, name: str) -> ssl.SSLContext:
        """The one whose certificate is for this name; else the first.

        RFC 6066 §3 lets a server end the handshake for a name that it does not know. A client that
        cares sees by the certificate, and browsers then say why.
        """
        found = self._contexts.get(name)
        if found is None:
            # RFC 9525 §6.3: a wildcard stands for exactly one label, the leftmost.
            found = self._contexts.get(f"*.{name.partition('.')[2]}")
        return found or self._default


def _context(settings: TlsSettings) -> ssl.SSLContext:
    """An SSL context without a certificate.

    It is gevent's class after the patch, whose `wrap_bio` is the standard library's own; that one's
    setters call themselves for ever by then.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[settings.minimum_version]
    # A client that negotiates again and again costs us ten times what it costs him, CVE-2011-1473.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    try:
        context.set_ciphers(settings.ciphers)
    except ssl.SSLError as error:
        raise TlsError(
            f"TlsSettings(ciphers={settings.ciphers!r}): OpenSSL knows none of them; "
            "`openssl ciphers` lists those there are"
        ) from error
    try:
        if settings.alpn:
            context.set_alpn_protocols(list(settings.alpn))
    except (ssl.SSLError, UnicodeEncodeError) as error:
        raise TlsError(
            f"TlsSettings(alpn={settings.alpn!r}): a protocol's name has 1 to 255 ASCII characters"
        ) from error
    return context
