"""The cookies that a client keeps, and to whom it shows them.

Source: RFC 6265 §5. Of what browsers do besides, a test wants none: there is no list of public
suffixes, SameSite is not looked at, and HttpOnly hides nothing from the one who tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from ipaddress import ip_address
from time import time

from photon.http.dates import parse_http_date
from photon.testing.address import Address


@dataclass(slots=True)
class Cookie:
    """One cookie.

    Attributes:
        domain: "" for any host.
        subdomains: whether hosts below the domain see it too.
        expires: seconds since 1970; None for when the client is closed.
    """

    name: str
    value: str
    domain: str = ""
    subdomains: bool = False
    path: str = "/"
    secure: bool = False
    expires: float | None = None

    def is_for(self, address: Address) -> bool:
        """Whether a request for this address carries it."""
        if self.secure and address.scheme != "https":
            return False
        host = address.hostname
        is_seen = not self.domain or host == self.domain
        if not is_seen and not (self.subdomains and _is_below(host, self.domain)):
            return False
        return _covers(self.path, address.path)


class Cookies(MutableMapping[str, str]):
    """Cookies by name: read them, set them, delete them; what servers set is in here too.

    Of several with one name the last one that was set is read; deleting takes all of them.
    """

    def __init__(self, cookies: Mapping[str, str] | None = None) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}
        self.update(cookies or {})

    # As a mapping...

    def __getitem__(self, name: str) -> str:
        for cookie in reversed(self._alive()):
            if cookie.name == name:
                return cookie.value
        raise KeyError(name)

    def __setitem__(self, name: str, value: str) -> None:
        """Set a cookie that every host and path sees, in place of all of this name."""
        self._forget(name)
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        if not self._forget(name):
            raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(cookie.name for cookie in self._alive()))

    def __len__(self) -> int:
        return len({cookie.name for cookie in self._alive()})

    def set(
        self, name: str, value: str, *, domain: str = "", path: str = "/", secure: bool = False
    ) -> None:
        """Set a cookie, for one host and those below it, or for some paths, alone."""
        for text in (name, value):
            if not isinstance(text, str) or any(c in text for c in ";\r\n"):
                raise ValueError(f"{text!r} cannot be of a cookie: it is text without ';'")
        domain = domain.lower().lstrip(".")
        self._keep(Cookie(name, value, domain, bool(domain), path, secure))

    def details(self, name: str) -> list[Cookie]:
        """All cookies of this name, with what the server said about them."""
        return [cookie for cookie in self._alive() if cookie.name == name]

    # For the client...

    def header_for(self, address: Address, own: Mapping[str, str]) -> str:
        """The Cookie header of a request; "" for none.

        Args: own: of this request alone, in place of those of the same name.
        """
        if not self._cookies:
            return join_cookies(own.items())
        fitting = [c for c in self._alive() if c.name not in own and c.is_for(address)]
        # RFC 6265 §5.4: longer paths come first; of the others those that were set earlier.
        fitting.sort(key=lambda cookie: -len(cookie.path))
        return join_cookies([*own.items(), *((c.name, c.value) for c in fitting)])

    def take(self, set_cookies: list[str], address: Address) -> dict[str, str]:
        """Keep what a response sets.   Returns: names and values that it set, and not deleted."""
        taken = {}
        for header in set_cookies:
            cookie = parse_set_cookie(header, address)
            if cookie is None:
                continue
            self._keep(cookie)
            if cookie.expires is None or cookie.expires > time():
                taken[cookie.name] = cookie.value
        return taken

    def _keep(self, cookie: Cookie) -> None:
        key = (cookie.name, cookie.domain, cookie.path)
        self._cookies.pop(key, None)
        self._cookies[key] = cookie

    def _alive(self) -> list[Cookie]:
        moment = time()
        for key, cookie in list(self._cookies.items()):
            if cookie.expires is not None and cookie.expires <= moment:
                del self._cookies[key]
        return list(self._cookies.values())

    def _forget(self, name: str) -> bool:
        keys = [key for key in self._cookies if key[0] == name]
        for key in keys:
            del self._cookies[key]
        return bool(keys)

    def __repr__(self) -> str:
        return f"Cookies({dict(self)!r})"


def join_cookies(pairs: Iterable[tuple[str, str]]) -> str:
    """The value of a Cookie header."""
    return "; ".join(f"{name}={value}" for name, value in pairs)


def parse_set_cookie(header: str, address: Address) -> Cookie | None:
    """The cookie that a response from `address` sets; None when a browser would ignore it."""
    first, *rest = header.split(";")
    name, equals, value = first.partition("=")
    name, value = name.strip(" \t"), value.strip(" \t")
    if not equals or not name:
        return None
    cookie = Cookie(name, value, address.hostname, path=_default_path(address.path))
    max_age: int | None = None
    for attribute in rest:
        key, _, text = attribute.partition("=")
        key, text = key.strip(" \t").lower(), text.strip(" \t")
        if key == "max-age" and text.lstrip("-").isdecimal():
            max_age = int(text)
        elif key == "expires":
            cookie.expires = parse_http_date(text.replace("-", " "))
        elif key == "domain" and text:
            cookie.domain, cookie.subdomains = text.lower().removeprefix("."), True
        elif key == "path" and text.startswith("/"):
            cookie.path = text
        elif key == "secure":
            cookie.secure = True
    if max_age is not None:  # RFC 6265 §5.3: it wins over Expires
        cookie.expires = time() + max_age if max_age > 0 else 0.0
    host = address.hostname
    return cookie if host == cookie.domain or _is_below(host, cookie.domain) else None


def _is_below(host: str, domain: str) -> bool:
    return host.endswith(f".{domain}") and not _is_ip(host)


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _default_path(path: str) -> str:
    return path[: path.rfind("/")] or "/"


def _covers(path: str, wanted: str) -> bool:
    """Whether a cookie's path is that of a request, or one above it (RFC 6265 §5.1.4)."""
    return wanted == path or (
        wanted.startswith(path) and (path.endswith("/") or wanted[len(path)] == "/")
    )
