"""Only hosts that are served here: `Host` is the client's word, and much is made of it.

Links in mails, redirects and caches are keyed by the host; a client that makes one up has other
people follow them. Stand it inside of `Forwarded`, which may set the host.

Source: RFC 9110 §7.4: an origin server rejects a request that is misdirected; §15.5.20: 421 is
for "a target URI that does not match an origin for which the server has been configured".
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address

from photon.http.application import Application
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.middleware.hosts import LONGEST_HOST, split_host
from photon.middleware.options import called_elsewhere, checked_paths, checked_strings


@called_elsewhere(
    allowed_hosts="hosts",
)
class TrustedHosts:
    """Middleware that refuses requests for hosts that are not served here.

    421 for another host, and 400 for none, or for what is none. The port is of no matter.

    Args:
        hosts: such as "example.com", "*.example.com" (its subdomains and not itself), "10.0.0.7",
            "::1"; "*" for any.
        exempt: beginnings of paths that are answered for any host, as for health checks that ask
            by address.
    Raises: TypeError, ValueError.
    """

    def __init__(self, hosts: Iterable[str], *, exempt: Iterable[str] = ()) -> None:
        self._given = checked_strings("TrustedHosts", "hosts", hosts)
        if not self._given:
            raise ValueError("TrustedHosts([]) serves nobody: name the hosts, as in 'example.com'")
        checked = [_checked(host) for host in self._given]
        self._exempt = checked_paths("TrustedHosts", "exempt", exempt)
        self._exact = frozenset(host for host in checked if not host.startswith("*"))
        self._endings = tuple(host[1:] for host in checked if host.startswith("*."))
        self._takes_any = "*" in checked
        self._verdict = lru_cache(512)(self._examine)

    def __call__(self, request: Request, application: Application) -> Response:
        """The application's response.   Raises: HTTPError: 400, 421."""
        host = request.host
        # PERF: the host as it is configured, in nearly every request.
        if host not in self._exact and not (
            self._exempt and request.raw_path.startswith(self._exempt)
        ):
            status = 400 if len(host) > LONGEST_HOST else self._verdict(host)
            if status:
                raise _refusal(status, host)
        return application(request)

    def _examine(self, host: str) -> int:
        """The status to refuse a host with; 0 for one that is served."""
        parts = split_host(host)
        if parts is None:
            return 400
        name = parts[0]
        is_served = self._takes_any or name in self._exact or name.endswith(self._endings)
        return 0 if is_served else 421

    def __repr__(self) -> str:
        exempt = f", exempt={list(self._exempt)!r}" if self._exempt else ""
        return f"TrustedHosts({list(self._given)!r}{exempt})"


def _refusal(status: int, host: str) -> HTTPError:
    if status == 421:
        return HTTPError(421, f"the host {host!r} is not served here")
    return HTTPError(400, "the request names no host" if not host else "the host is malformed")


def _checked(host: str) -> str:
    """A host as it is compared.   Raises: ValueError, with the way to write it."""

    def wrong(why: str) -> ValueError:
        return ValueError(f"TrustedHosts: {host!r}: {why}")

    if host == "*":
        return host
    if "://" in host:
        raise wrong(f"leave the scheme off: {host.partition('://')[2].partition('/')[0]!r}")
    if not host.isascii():
        raise wrong("clients send the name in ASCII, as xn--...; write it so")
    if host.startswith("."):
        raise wrong(f"write '*{host}' for its subdomains, and {host[1:]!r} beside it for itself")
    try:
        return f"[{IPv6Address(host).compressed}]"
    except ValueError:
        pass
    name, star, _ = host, "", ""
    if host.startswith("*."):
        name, star = host[2:], "*."
    parts = split_host(name)
    if parts is None or "*" in name:
        raise wrong("write it as 'example.com', or '*.example.com' for its subdomains")
    if parts[1] or name.endswith(":"):
        raise wrong(f"leave the port off, any is taken: {star + parts[0]!r}")
    return star + parts[0]
