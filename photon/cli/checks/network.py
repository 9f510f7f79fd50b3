"""The names and addresses that a server needs: DNS, the port, certificates."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from photon.cli.checks.finding import Finding, fail, ok, warn
from photon.runtime.cancel import CancelScope, move_on_after
from photon.runtime.errors import ListenError
from photon.runtime.net.address import Address, TcpAddress, UnixAddress
from photon.runtime.net.listener import open_socket

_NAMES_S = 5.0
RESOLV_CONF = Path("/etc/resolv.conf")


def names(resolv_conf: Path = RESOLV_CONF, seconds: float = _NAMES_S) -> Iterator[Finding]:
    """Whether names can be looked up."""
    try:
        servers = [
            line.split()[1]
            for line in resolv_conf.read_text(errors="replace").splitlines()
            if line.split()[:1] == ["nameserver"] and len(line.split()) > 1
        ]
    except OSError as error:
        yield warn(
            "names",
            f"{resolv_conf} cannot be read: {error.strerror}",
            "Without it only names of /etc/hosts and of this machine are found.",
        )
        servers = []
    yield _localhost(servers, seconds)


def _localhost(servers: list[str], seconds: float) -> Finding:
    scope: CancelScope
    try:
        with move_on_after(seconds) as scope:
            socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    except OSError as error:
        return fail(
            "names",
            f"'localhost' is not found: {error.strerror or error}",
            "It stands in /etc/hosts: 127.0.0.1 localhost",
        )
    if scope.cancel_called:
        return warn(
            "names",
            f"'localhost' was not found within {seconds:g} s",
            "Each look-up takes that long: see /etc/nsswitch.conf and /etc/resolv.conf.",
        )
    asked = f"; other names are asked of {', '.join(servers[:3])}" if servers else ""
    return ok("names", f"'localhost' is found{asked}")


def listening(address: Address) -> Iterator[Finding]:
    """Whether somebody can listen there now. Nothing is left behind."""
    if isinstance(address, UnixAddress):
        yield from _folder_of(address)
    elif isinstance(address, TcpAddress):
        try:
            open_socket(address, 1).close()
        except ListenError as error:
            reason = error.strerror or str(error)
            if error.errno == errno.EADDRINUSE:
                yield warn("address", reason, "If that is this application, all is well.")
            else:
                yield fail("address", reason)
        else:
            yield ok("address", f"{address} is free")


def _folder_of(address: UnixAddress) -> Iterator[Finding]:
    folder = Path(str(address).removeprefix("unix:")).parent
    if folder.is_dir():
        yield ok("address", f"{address}")
    else:
        yield fail("address", f"{address}: there is no folder {folder}", f"mkdir -p {folder}")


def certificates(settings: Any) -> Iterator[Finding]:
    """Args: settings: `TlsSettings`; None without TLS."""
    if settings is None:
        return
    from photon.runtime.errors import TlsError
    from photon.runtime.net.tls_context import load_context

    try:
        context = load_context(settings)
    except TlsError as error:
        yield fail("certificates", str(error))
        return
    for each in context.certificates:
        if each.doubts:
            yield warn("certificates", each.doubts[0], "A reload (SIGHUP) takes a new one.")
        else:
            yield ok("certificates", f"{each.path} is good for {', '.join(each.names) or 'any'}")
