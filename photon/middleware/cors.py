"""CORS: which pages of other origins may read what this server answers.

The browser asks, the server says which origins, methods and headers it allows, and the browser
keeps to it. It protects the users of browsers, not the server: a program that is no browser is
not held up by it.

Source: Fetch standard §3.3 (the CORS protocol), https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from photon.http.application import Application
from photon.http.origins import make_origin_check
from photon.http.request import Request
from photon.http.response import Response
from photon.middleware.fields import add_vary, owned
from photon.middleware.options import (
    Fields,
    called_elsewhere,
    checked_fields,
    checked_flag,
    checked_number,
    checked_strings,
    shown_options,
)
from photon.routing.errors import MatchError

_USUAL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

# The names that a page asks to send: what is longer than any real list is not repeated.
_NAMES = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z, \t]{1,2048}")

_VARY = ("vary", "origin, access-control-request-method, access-control-request-headers")


@called_elsewhere(
    allow_origins="origins",
    allow_origin_regex="origin_pattern",
    allow_methods="methods",
    allow_headers="headers",
    allow_credentials="credentials",
    supports_credentials="credentials",
    expose_headers="expose",
    max_age="max_age_s",
    allow_private_network="private_network",
)
class CORS:
    """Middleware that lets pages of other origins use what it wraps.

    Preflights are answered at once, and nothing inside sees them. What an answer says already (a
    CORS nearer to the handler, or the handler) stays as it is: so a group may be more generous
    than the application around it. Stand it outside of whatever refuses requests (credentials,
    limits), or pages cannot read why they were refused.

    Args:
        origins: such as "https://example.com", "https://*.example.com" (its subdomains and not
            itself), "http://localhost:*"; "*" for all, "null" for pages that have none (files,
            sandboxed frames).
        origin_pattern: a regular expression that matches further origins, from end to end.
        methods: None for those that the path has, or the usual ones where nobody knows them.
        headers: that pages may send; "*" for whatever they ask for.
        expose: headers of responses that pages may read, beyond the seven they always may.
        credentials: whether requests may carry cookies and HTTP authentication.
        max_age_s: how long browsers may remember the answer to a preflight.
        private_network: whether pages of the public Internet may ask a server of a private
            network (https://wicg.github.io/private-network-access/).
    Raises: TypeError, ValueError.
    """

    def __init__(
        self,
        *,
        origins: Iterable[str] = (),
        origin_pattern: str | re.Pattern[str] | None = None,
        methods: Iterable[str] | None = None,
        headers: Iterable[str] = "*",
        expose: Iterable[str] = (),
        credentials: bool = False,
        max_age_s: int = 600,
        private_network: bool = False,
    ) -> None:
        self._origins = ("*",) if origins == "*" else checked_strings("CORS", "origins", origins)
        self._pattern = origin_pattern
        self._methods = None if methods is None else _checked_methods(methods)
        self._headers = None if headers in ("*", ["*"]) else _checked_names("headers", headers)
        self._expose = ("*",) if expose == "*" else _checked_names("expose", expose)
        self._credentials = checked_flag("CORS", "credentials", credentials)
        self._max_age_s = checked_number("CORS", "max_age_s", max_age_s)
        self._private_network = checked_flag("CORS", "private_network", private_network)
        self._check_combinations()
        self._takes_any = self._origins == ("*",)
        if not self._takes_any:
            self._is_allowed = _make_check(self._origins, origin_pattern)
        # Made now, that a request only has to copy them.
        self._always = self._fields_always()
        self._to_any = (("access-control-allow-origin", "*"), *self._always)
        self._in_preflights = self._fields_in_preflights()

    def __call__(self, request: Request, application: Application) -> Response:
        """The application's response, with the permission to read it; or that to ask for it."""
        if self._takes_any:
            if request.method == "OPTIONS" and _is_preflight(request):
                return self._preflight(request, application, "*")
            return self._permit(application(request), self._to_any)
        origin = request.headers.get("origin")
        is_allowed = origin is not None and self._is_allowed(origin)
        if is_allowed and request.method == "OPTIONS" and _is_preflight(request):
            return self._preflight(request, application, cast(str, origin))
        response = application(request)
        if is_allowed:
            allow = ("access-control-allow-origin", cast(str, origin))
            response = self._permit(response, (allow, *self._always))
        # Also where nobody asked: a cache shall not give that answer to one who does.
        add_vary(response, "origin")
        return response

    def _permit(self, response: Response, fields: Fields) -> Response:
        if response._headers is not None and "access-control-allow-origin" in response._headers:
            return response
        response = owned(response)
        # PERF: checked when they were made; an origin is one of those that are allowed.
        response.headers._pairs.extend(fields)
        return response

    # Preflights...

    def _preflight(self, request: Request, application: Application, origin: str) -> Response:
        asked = request.headers
        fields = [("access-control-allow-origin", origin), *self._in_preflights]
        if self._methods is None:
            fields.append(("access-control-allow-methods", _methods_of(request, application)))
        if self._headers is None:
            names = asked.get("access-control-request-headers", "")
            if _NAMES.fullmatch(names):
                fields.append(("access-control-allow-headers", names))
        if self._private_network and asked.get("access-control-request-private-network") == "true":
            fields.append(("access-control-allow-private-network", "true"))
        response = Response(b"", 204, fields)
        del response.headers["content-type"]
        return response

    # What is made once...

    def _fields_always(self) -> Fields:
        fields = []
        if self._credentials:
            fields.append(("access-control-allow-credentials", "true"))
        if self._expose:
            fields.append(("access-control-expose-headers", ", ".join(self._expose)))
        return checked_fields("CORS", tuple(fields))

    def _fields_in_preflights(self) -> Fields:
        fields = [_VARY, ("access-control-max-age", str(self._max_age_s))]
        if self._credentials:
            fields.append(("access-control-allow-credentials", "true"))
        if self._methods is not None:
            fields.append(("access-control-allow-methods", ", ".join(self._methods)))
        if self._headers:
            fields.append(("access-control-allow-headers", ", ".join(self._headers)))
        return checked_fields("CORS", tuple(fields))

    def _check_combinations(self) -> None:
        if not self._origins and self._pattern is None:
            raise ValueError(
                "CORS() allows nobody: name origins, as in CORS(origins=['https://example.com'])"
            )
        if "*" in self._origins and (len(self._origins) > 1 or self._pattern is not None):
            raise ValueError("CORS: origins='*' are all there are; leave the others out")
        if not self._credentials:
            return
        # Fetch standard §3.3.5: "*" is no wildcard for requests with credentials.
        if "*" in self._origins:
            raise ValueError(
                "CORS(origins='*', credentials=True): browsers refuse that, for any page could act "
                "for whoever is logged in; name the origins, as in origins=['https://example.com']"
            )
        if "null" in self._origins:
            raise ValueError(
                "CORS(origins=['null'], credentials=True): any page can have the origin 'null', "
                "by a sandboxed frame, and could act for whoever is logged in; leave one out"
            )
        if "*" in self._expose:
            raise ValueError(
                "CORS(expose='*', credentials=True): browsers take '*' for a name then; name the "
                "headers, as in expose=['x-total-count']"
            )

    def __repr__(self) -> str:
        options: dict[str, object] = {"origins": list(self._origins)}
        if self._pattern is not None:
            options["origin_pattern"] = self._pattern
        if self._methods is not None:
            options["methods"] = list(self._methods)
        if self._headers is not None:
            options["headers"] = list(self._headers)
        if self._expose:
            options["expose"] = list(self._expose)
        options["credentials"] = self._credentials
        options["max_age_s"] = self._max_age_s
        if self._private_network:
            options["private_network"] = True
        return shown_options(self, options)


def _is_preflight(request: Request) -> bool:
    """Whether it asks for permission: any other OPTIONS is the application's to answer."""
    headers = request.headers
    return "origin" in headers and "access-control-request-method" in headers


def _methods_of(request: Request, application: Application) -> str:
    # Whoever composes applications may hang on them a function that tells the methods of a path.
    allowed: Callable[[str], Sequence[str]] | None = getattr(application, "allowed", None)
    try:
        methods = () if allowed is None else allowed(request.raw_path)
    except MatchError:
        methods = ()
    # Where there is nothing the page shall learn that, and for that its request must be sent.
    return ", ".join(methods or _USUAL_METHODS)


def _make_check(
    origins: Sequence[str], pattern: str | re.Pattern[str] | None
) -> Callable[[str], bool]:
    try:
        return make_origin_check(origins, pattern)
    except ValueError as error:
        raise ValueError(f"CORS(origins=...): {error}") from None


def _checked_names(option: str, names: Iterable[str]) -> tuple[str, ...]:
    checked = checked_strings("CORS", option, names)
    for name in checked:
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"CORS({option}=...): {name!r} is no name of one")
    return checked


def _checked_methods(methods: Iterable[str]) -> tuple[str, ...]:
    checked = _checked_names("methods", methods)
    for method in checked:
        if method == "*":
            raise ValueError("CORS(methods=['*']): leave it out for all methods a path has")
        if method != method.upper():
            raise ValueError(f"CORS(methods=...): write {method.upper()!r} for {method!r}")
    return checked
