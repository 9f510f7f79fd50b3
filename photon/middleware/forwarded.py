"""Behind a proxy: the request's scheme, peer and host as the client's side of the proxy saw them.

Only who is trusted is believed. Name the addresses of your proxies, and see that each of them
sets, or removes, every header that is read here: one that it passes on is the client's word.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from photon.http.application import Application
from photon.http.request import Request
from photon.http.response import Response
from photon.middleware.hosts import split_host
from photon.middleware.options import called_elsewhere, checked_strings
from photon.middleware.proxies import (
    Hop,
    TrustedProxies,
    find_client,
    forwarded_hops,
    last_of,
    x_forwarded_hops,
)

Family = Literal["x-forwarded", "forwarded"]

_FIELDS = ("for", "proto", "host", "port")


@called_elsewhere(
    trusted_hosts="trusted",
    trusted_proxies="trusted",
)
class Forwarded:
    """Middleware that sets `request.peer`, `request.scheme` and `request.host`.

    Stand it first: what comes after it shall see the true client.

    Args:
        trusted: the proxies, as addresses or networks ("127.0.0.1", "10.0.0.0/8", "fd00::/8");
            "unix" for who comes by a Unix socket; "*" for whoever connects, where nobody but a
            proxy can: then only the last address of the chain is believed.
        headers: which of them your proxies set: "x-forwarded" for X-Forwarded-For, -Proto, -Host
            and -Port; "forwarded" for RFC 7239. Never both: the other one is the client's word.
        fields: what is taken from them. ("for", "proto") for "x-forwarded", as few proxies
            set X-Forwarded-Host unless they are told to; and with "host" for "forwarded", where it
            stands in the element that the proxy wrote.
    Raises: TypeError, ValueError.
    """

    def __init__(
        self,
        trusted: Iterable[str],
        *,
        headers: Family = "x-forwarded",
        fields: Iterable[str] | None = None,
    ) -> None:
        self._given = checked_strings("Forwarded", "trusted", trusted)
        if not self._given:
            raise ValueError("Forwarded([]) believes nobody: name your proxies, as in '127.0.0.1'")
        if headers not in ("x-forwarded", "forwarded"):
            raise ValueError(f"Forwarded(headers={headers!r}): 'x-forwarded' or 'forwarded'")
        try:
            self._trusted = TrustedProxies(self._given)
        except ValueError as error:
            raise ValueError(f"Forwarded(trusted=...): {error}") from None
        self._headers = headers
        self._fields = _checked_fields(headers, fields)
        self._takes = {name: name in self._fields for name in _FIELDS}

    def __call__(self, request: Request, application: Application) -> Response:
        """The application's response to the request as the client made it."""
        if self._trusted.trust_peer(request.peer):
            if self._headers == "forwarded":
                self._read_forwarded(request)
            else:
                self._read_x_forwarded(request)
        return application(request)

    def _read_forwarded(self, request: Request) -> None:
        value = request.headers.get("forwarded")
        if value is None:
            return
        hop = self._find_client(request, forwarded_hops(value))
        if hop is not None:
            self._set_scheme(request, hop.scheme)
            self._set_host(request, hop.host)

    def _read_x_forwarded(self, request: Request) -> None:
        headers = request.headers
        chain = headers.get("x-forwarded-for")
        if chain is not None:
            self._find_client(request, x_forwarded_hops(chain))
        if self._takes["proto"]:
            self._set_scheme(request, last_of(headers, "x-forwarded-proto"))
        if self._takes["host"]:
            self._set_host(request, last_of(headers, "x-forwarded-host"))
        if self._takes["port"]:
            _set_port(request, last_of(headers, "x-forwarded-port"))

    def _find_client(self, request: Request, hops: Iterable[Hop]) -> Hop | None:
        client, outermost = find_client(hops, self._trusted)
        if client is not None and self._takes["for"]:
            request.peer = client
        return outermost

    def _set_scheme(self, request: Request, scheme: str) -> None:
        scheme = scheme.lower()
        # Of WebSockets some proxies say ws, where others say http.
        scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
        if self._takes["proto"] and scheme in ("http", "https"):
            request.scheme = scheme

    def _set_host(self, request: Request, host: str) -> None:
        if self._takes["host"] and split_host(host) is not None:
            request.host = host

    def __repr__(self) -> str:
        return (
            f"Forwarded({list(self._given)!r}, headers={self._headers!r}, "
            f"fields={list(self._fields)!r})"
        )


def _set_port(request: Request, port: str) -> None:
    """Put the port the client called in place of that in the host."""
    parts = split_host(request.host)
    if parts is None or not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65536):
        return
    usual = {"http": "80", "https": "443"}[request.scheme]
    request.host = parts[0] if port == usual else f"{parts[0]}:{port}"


def _checked_fields(headers: Family, fields: Iterable[str] | None) -> tuple[str, ...]:
    if fields is None:
        return ("for", "proto") if headers == "x-forwarded" else ("for", "proto", "host")
    checked = checked_strings("Forwarded", "fields", fields)
    for field in checked:
        if field not in _FIELDS:
            raise ValueError(
                f"Forwarded(fields=...): there is no {field!r}; 'for', 'proto', 'host', 'port'"
            )
        if field == "port" and headers == "forwarded":
            raise ValueError("Forwarded(fields=['port']): in RFC 7239 the port is in the host")
    return checked
