"""Plain HTTP is sent to HTTPS. Behind a proxy stand it inside of `Forwarded`.

It sends clients to the host they named: stand it inside of `TrustedHosts` too.

Sources: RFC 9110 §15.4.9 (308), RFC 6797 (Strict-Transport-Security).
"""

from __future__ import annotations

from collections.abc import Iterable

from photon.http.application import Application
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.middleware.fields import add_missing
from photon.middleware.hosts import split_host
from photon.middleware.options import (
    Fields,
    called_elsewhere,
    checked_number,
    checked_paths,
    shown_options,
)


@called_elsewhere(
    hsts_seconds="hsts_s",
)
class HTTPSRedirect:
    """Middleware that answers requests by plain HTTP with the same URL by HTTPS.

    Args:
        status: 308 or 307, which keep method and body; 301 or 302 for clients that do not know
            them.
        exempt: beginnings of paths that are answered by plain HTTP too.
        port: where HTTPS is served; 443 is left out of the URL.
        hsts_s: have browsers use HTTPS alone for so many seconds, by Strict-Transport-Security on
            what is answered by HTTPS; None for no such header.
    Raises: TypeError, ValueError.
    """

    def __init__(
        self,
        *,
        status: int = 308,
        exempt: Iterable[str] = ("/.well-known/acme-challenge/",),
        port: int = 443,
        hsts_s: int | None = None,
    ) -> None:
        if status not in (301, 302, 307, 308):
            raise ValueError(f"HTTPSRedirect(status={status!r}): use 308, 307, 301 or 302")
        self._status = status
        self._exempt = checked_paths("HTTPSRedirect", "exempt", exempt)
        self._port = checked_number("HTTPSRedirect", "port", port, 1)
        self._hsts_s = hsts_s
        self._hsts: Fields = ()
        if hsts_s is not None:
            age = checked_number("HTTPSRedirect", "hsts_s", hsts_s)
            self._hsts = (("strict-transport-security", f"max-age={age}"),)

    def __call__(self, request: Request, application: Application) -> Response:
        """The redirect, or the application's response.   Raises: HTTPError (400): no host."""
        if request.scheme == "https":
            response = application(request)
            if self._hsts:
                add_missing(response, self._hsts)
            return response
        # The asterisk of OPTIONS is of the server, and has no URL to go to.
        if request.raw_path == "*" or request.raw_path.startswith(self._exempt):
            return application(request)
        return self._redirect(request)

    def _redirect(self, request: Request) -> Response:
        parts = split_host(request.host)
        if parts is None:
            raise HTTPError(400, "HTTPS is spoken here, and the request names no host to ask by it")
        host = parts[0] if self._port == 443 else f"{parts[0]}:{self._port}"
        query = f"?{request.query_string}" if request.query_string else ""
        path = f"{request.root}{request.raw_path}"
        return Response.redirect(f"https://{host}{path}{query}", self._status)

    def __repr__(self) -> str:
        return shown_options(
            self,
            {
                "status": self._status,
                "exempt": list(self._exempt),
                "port": self._port,
                "hsts_s": self._hsts_s,
            },
        )
