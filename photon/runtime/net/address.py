"""Where to listen: `host:port`, `[::1]:8000`, `unix:/run/app.sock`, `fd://3`."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from photon.runtime.errors import AddressError


class TcpAddress(Struct, frozen=True):
    """A host name or IP address, and a port; port 0 asks the system for a free one."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """What to type into a browser."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)
        return f"http://{TcpAddress(host, self.port)}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class UnixAddress(Struct, frozen=True):
    """A Unix domain socket, by its path in the file system."""

    path: str

    @property
    def url(self) -> str:
        """The address as proxies write it."""
        return f"http+unix://{self.path.replace('/', '%2F')}"

    def __str__(self) -> str:
        return f"unix:{self.path}"


class FdAddress(Struct, frozen=True):
    """A listening socket that was inherited, as from systemd, by its descriptor."""

    fd: int

    @property
    def url(self) -> str:
        """The address as it was given: what is behind it only the parent process knows."""
        return str(self)

    def __str__(self) -> str:
        return f"fd://{self.fd}"


Address: TypeAlias = TcpAddress | UnixAddress | FdAddress


def parse_address(text: str, *, default_port: int = 8000) -> Address:
    """Read an address.

    Args: text: one of the four forms above; a bare host gets `default_port`.
    Raises: AddressError, saying what is wrong and how it is written.
    """
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path:
            raise AddressError("'unix:' needs a path, as in unix:/run/app.sock")
        return UnixAddress(path)
    if text.startswith("fd://"):
        number = text.removeprefix("fd://")
        if not _is_number(number):
            raise AddressError(f"{text!r}: fd:// needs the number of a descriptor, as in fd://3")
        return FdAddress(int(number))
    return _parse_tcp(text, default_port)


def _parse_tcp(text: str, default_port: int) -> TcpAddress:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise AddressError(f"{text!r}: an IPv6 address with a port is written [::1]:8000")
        port = rest[1:]
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    if not port:
        return TcpAddress(host, default_port)
    if not _is_number(port) or int(port) > 65535:
        raise AddressError(f"{text!r}: a port is a number from 0 to 65535, not {port!r}")
    return TcpAddress(host, int(port))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
