"""The way of a request through an application, without calling anything of it.

Middleware is not run, so what it answers itself is not seen here: it is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote, unquote

import msgspec

from photon.app.choosing import Hosts, Versions, _host_name
from photon.app.mounting import Mounted
from photon.app.photon import Photon
from photon.cli.matching import Candidate, candidates, close_paths
from photon.cli.survey import Part, described, hosts_of, middleware_of, parts_of
from photon.http.application import Application, Middleware
from photon.http.headers import Headers
from photon.http.protocol.events import FieldBlock, RequestHead
from photon.http.request import Request
from photon.routing.errors import BadPath, MethodNotAllowed
from photon.routing.route import Route
from photon.routing.router import Router

Outcome = Literal["route", "options", "redirect", "application", "nothing"]

# What a path may hold as it is (RFC 3986 §3.3), and the % of what is encoded already.
_SAFE = "/%!$&'()*+,;=:@~-._"

# One that is mounted within itself has no end.
_MOST_APPLICATIONS = 100


class Around(msgspec.Struct, frozen=True):
    """One middleware that a request passes. Attributes: of: what it belongs to, in words."""

    middleware: Middleware
    of: str


class Trace(msgspec.Struct, kw_only=True):
    """Where a request comes to.

    Attributes:
        method, path: as asked.
        prefix: what was taken off the path on the way.
        passed: the applications it passed, in words, the outermost first.
        around: the middleware on its way, the outermost first.
        outcome: "route"; "options": Photon says which methods there are; "redirect": to the other
            slash; "application": one that cannot be looked into; "nothing".
        status: of an answer that no handler makes; 0 when one does.
        why: that answer in words, and `ways_out` what may have been meant.
        candidates: the routes that the path comes near to.
    """

    method: str
    path: str
    prefix: str = ""
    passed: list[str] = []
    around: list[Around] = []
    outcome: Outcome = "nothing"
    status: int = 0
    why: str = ""
    ways_out: list[str] = []
    route: Route | None = None
    values: Mapping[str, Any] = {}
    candidates: Sequence[Candidate] = ()


def trace(application: Application, request: Request) -> Trace:
    """Follow a request to the route that answers it, or to whoever says that none does."""
    found = Trace(method=request.method, path=request.raw_path)
    _follow(application, request, request.raw_path, found, application)
    return found


def make_request(method: str, target: str, headers: Sequence[tuple[str, str]] = ()) -> Request:
    """A request, of what people type.

    Args: target: a path, with or without a query, or a whole URL, whose host then counts.
    Raises: ValueError, with the way out.
    """
    named = {name.lower() for name, _ in headers}
    scheme, sign, rest = target.partition("://")
    if sign and scheme in ("http", "https"):
        host, slash, path = rest.partition("/")
        target = slash + path or "/"
        headers = [*headers, *([] if "host" in named else [("host", host)])]
    elif "host" not in named:
        headers = [*headers, ("host", "localhost")]
    target = quote(target.partition("#")[0], safe=f"{_SAFE}?")
    path, _, query = target.partition("?")
    if not path.startswith("/") and path != "*":
        raise ValueError(f"{path!r} is no path: it begins with '/'; write '/{path}'")
    fields = FieldBlock(Headers([(name.lower(), value) for name, value in headers]))
    return Request(RequestHead(method, target, path, query, fields))


# Through one application after the other...


def _follow(
    application: Application, request: Request, path: str, found: Trace, outermost: Application
) -> None:
    """Go on with an application, which sees this path."""
    for _ in range(_MOST_APPLICATIONS):
        found.passed.append(_passed(application, found.prefix))
        of = described(application)
        found.around += [Around(each, of) for each in middleware_of(application)]
        chosen: Application | None
        if isinstance(application, Hosts):
            chosen = _by_host(application, request, found)
        elif isinstance(application, Versions):
            chosen = _by_version(application, request, found)
        elif isinstance(application, Photon):
            try:
                mounted = _mounted(application, path)
                if mounted is None:
                    _in_routes(application, request.method, path, found, outermost)
                    return
            except BadPath as error:
                found.status, found.why = error.status, str(error)
                return
            chosen, path = mounted.application, mounted.rest
            found.prefix += unquote(mounted.prefix)
        else:
            found.outcome = "application"
            found.why = f"{of} answers, and it alone knows how; the path it sees is {path!r}"
            return
        if chosen is None:
            return
        application = chosen
    found.why = "it is mounted within itself, and goes round"


def _passed(application: Application, prefix: str) -> str:
    return described(application) + (f" at {prefix}" if prefix else "")


def _by_host(hosts: Hosts, request: Request, found: Trace) -> Application | None:
    host = _host_name(request.host)
    chosen = hosts._by_name.get(host) or hosts._wildcard(host)
    if chosen is None:
        found.status, found.why = 421, f"nothing is served here for the host {host!r}"
        names = [name.replace("*", "any") for name, _ in hosts_of(hosts)]
        found.ways_out = [f"{found.method} http://{name}{found.path}" for name in names[:3]]
    return chosen


def _by_version(versions: Versions, request: Request, found: Trace) -> Application | None:
    said = versions._version(request)
    version = said or versions._default
    chosen = versions._by_version.get(version or "")
    if chosen is None:
        known = ", ".join(versions._by_version)
        what = "the request says no version" if version is None else f"no version is {version!r}"
        found.status, found.why = 400, f"{what}; there are {known}"
        first = next(iter(versions._by_version), "1")
        found.ways_out = [
            f"--header '{versions._header}: {first}'"
            if versions._header
            else f"--header 'accept: application/json;{versions._parameter}={first}'"
        ]
    return chosen


# Within one Photon, as `app.dispatch` does it...


def _mounted(application: Photon, path: str) -> Mounted | None:
    """The mount that takes a path; None when the routes answer.   Raises: BadPath."""
    return None if application.router.allowed(path) else application._mounts.find(path)


def _in_routes(
    application: Photon, method: str, path: str, found: Trace, outermost: Application
) -> None:
    router = application.router
    if not router.allowed(path):
        as_path = _other_slash(application, method, path, found)
        if as_path is None:
            if not found.why:
                _no_route(router, method, path, found, outermost)
            return
        path = as_path
    try:
        found.route, found.values = router.match(method, path)
    except MethodNotAllowed as error:
        found.candidates = candidates(router.routes, method, path, None)
        _wrong_method(error, found)
        return
    found.outcome = "route"
    found.candidates = candidates(router.routes, method, path, found.route)
    found.around += [Around(each, "this route") for each in found.route.middleware]


def _wrong_method(error: MethodNotAllowed, found: Trace) -> None:
    methods = ", ".join(error.allow)
    if error.method == "OPTIONS":
        found.outcome, found.status = "options", 204
        found.why = f"Photon says which methods there are: {methods}"
    else:
        found.status = error.status
        found.why = f"the path is there, but does not take {error.method}; it takes {methods}"
        found.ways_out = [f"{each} {found.path}" for each in error.allow if each != "OPTIONS"]


def _other_slash(application: Photon, method: str, path: str, found: Trace) -> str | None:
    """The path with, or without, a slash at its end, when that is answered in the place of it."""
    other = path[:-1] if path.endswith("/") else f"{path}/"
    if path == "*" or not other or not application.router.allowed(other):
        return None
    policy = getattr(application, "trailing_slash", None)
    if policy == "redirect" and method != "OPTIONS":
        found.outcome, found.status = "redirect", 308
        found.why = f"trailing_slash is 'redirect': it leads to {found.prefix}{other}"
    elif policy in ("redirect", "ignore"):
        found.why = f"trailing_slash is {policy!r}: as {found.prefix}{other}"
        return other
    else:
        found.status = 404
        found.why = "no route has this path with this slash at its end"
        if policy is None:
            found.why += ", and trailing_slash says what is done then"
        found.ways_out = [f"{found.prefix}{other}"]
    return None


def _no_route(router: Router, method: str, path: str, found: Trace, outermost: Application) -> None:
    if path == "*" and method == "OPTIONS":
        found.outcome, found.status, found.why = "options", 204, "Photon says that it is there"
        return
    found.status, found.why = 404, "no route has this path"
    found.candidates = candidates(router.routes, method, path, None)
    found.ways_out = close_paths(_paths_in(outermost), found.path)


def _paths_in(application: Application) -> Iterator[str]:
    part: Part
    for part in parts_of(application):
        if isinstance(part.application, Photon):
            for route in part.application.router.routes:
                yield part.prefix + route.template.text
