"""The flags of TLS, and what they mean together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from photon.cli.options import setting, together

if TYPE_CHECKING:
    from photon.runtime.net.tls_context import TlsSettings

TLS = "TLS: with --tls-cert, https:// is served"
_FILE = click.Path()  # whether it is there, and what is in it, is told when it is loaded

tls_options = together(
    setting(
        "--tls-cert",
        section=TLS,
        type=_FILE,
        multiple=True,
        metavar="FILE",
        help="PEM file of a certificate and its chain; several times for several names, "
        "the first one is for clients that ask for none of them",
    ),
    setting(
        "--tls-key",
        section=TLS,
        type=_FILE,
        multiple=True,
        metavar="FILE",
        help="PEM file of its key, in the same order  [in the file of --tls-cert]",
    ),
    setting(
        "--tls-key-password",
        section=TLS,
        metavar="TEXT",
        help="of keys that are encrypted; better as PHOTON_TLS_KEY_PASSWORD, since "
        "everybody on a machine sees command lines",
    ),
    setting(
        "--tls-ca",
        section=TLS,
        type=_FILE,
        metavar="FILE",
        help="PEM file; only clients with a certificate that is signed by it are let in",
    ),
)
"""Adds the flags that `tls_of` reads."""


def tls_of(ctx: click.Context, options: dict[str, Any]) -> TlsSettings | None:
    """What the flags of `tls_options` say; None for no TLS.   Raises: click.UsageError."""
    certificates, keys = options["tls_cert"], options["tls_key"]
    if not certificates:
        for flag, name in (("--tls-key", "tls_key"), ("--tls-ca", "tls_ca")):
            if options[name]:
                raise click.UsageError(f"{flag} is for TLS: add --tls-cert FILE.", ctx)
        return None
    if keys and len(keys) != len(certificates):
        raise click.UsageError(
            f"--tls-key is given {_times(len(keys))} and --tls-cert {_times(len(certificates))}: "
            "give a key for each certificate, in the same order, or none when each file has both.",
            ctx,
        )
    from photon.runtime.net.tls_context import TlsSettings  # ssl takes 30 ms to import

    return TlsSettings(
        certificates=tuple(zip(certificates, keys or [""] * len(certificates), strict=True)),
        password=options["tls_key_password"],
        ca=options["tls_ca"] or "",
    )


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
