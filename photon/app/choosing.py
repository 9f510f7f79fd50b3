"""Applications that have others answer: by the host that is asked, or by a version.

They are mounted, or served as they are: `app.mount("", Hosts({...}))`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from photon.app.registering import check_application
from photon.http.application import Application
from photon.http.errors import HTTPError
from photon.http.media import parse_accept
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import lifespan_of
from photon.middleware.fields import add_vary, owned


class _Choice:
    """Several applications; what they open and close is opened and closed together."""

    def __init__(self, applications: Iterable[Application]) -> None:
        self._applications = list(applications)
        for application in self._applications:
            check_application(application)

    @property
    def has_lifespan(self) -> bool:
        """Whether one of them has something to open first."""
        return any(getattr(app, "has_lifespan", False) for app in self._applications)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The time in which requests may come."""
        with ExitStack() as stack:
            for application in {id(app): app for app in self._applications}.values():
                stack.enter_context(lifespan_of(application))
            yield


class Hosts(_Choice):
    """One application for each host.

        Hosts({"api.example.com": api, "*.example.com": tenants}, default=site)

    Args:
        applications: by host name, without a port; `*.` stands for one or more labels. The
            longest name that fits counts.
        default: for all other hosts; 421 when left out (RFC 9110 §15.5.20).
    Raises: TypeError, ValueError.
    """

    def __init__(
        self, applications: Mapping[str, Application], *, default: Application | None = None
    ) -> None:
        others = [] if default is None else [default]
        super().__init__([*_checked("Hosts", applications).values(), *others])
        self._default = default
        self._by_name: dict[str, Application] = {}
        for host, application in _checked("Hosts", applications).items():
            name = _host_as_sent(host)
            if name in self._by_name:
                raise ValueError(f"{host!r} is named twice")
            self._by_name[name] = application
        # The longest name first: it says most.
        self._below = sorted(
            ((name[1:], app) for name, app in self._by_name.items() if name.startswith("*.")),
            key=lambda pair: -len(pair[0]),
        )

    def __call__(self, request: Request) -> Response:
        """Have the application of the request's host answer."""
        host = _host_name(request.host)
        application = self._by_name.get(host)
        if application is None:
            application = self._wildcard(host)
        if application is None:
            raise HTTPError(421, f"nothing is served here for the host {host[:100]!r}")
        return application(request)

    def _wildcard(self, host: str) -> Application | None:
        below = (app for suffix, app in self._below if host.endswith(suffix) and host != suffix)
        return next(below, self._default)


def _checked(role: str, applications: Any) -> Mapping[str, Application]:
    if not isinstance(applications, Mapping):
        raise TypeError(
            f"{role} takes applications by name, {role}({{'...': app}}), not {applications!r}"
        )
    for name in applications:
        if not isinstance(name, str):
            raise TypeError(f"{role} takes applications by name, and {name!r} is no text")
    return applications


def _host_as_sent(host: str) -> str:
    """A name as it stands in requests.   Raises: ValueError, for what is none."""
    name = host.lower().rstrip(".")
    bare = name.removeprefix("*.")
    if name.startswith("["):
        is_name = name.endswith("]")
    else:
        is_name = bool(bare) and not any(character in bare for character in ":/*@[] ")
    if not is_name:
        raise ValueError(f"{host!r} is no host name; write 'example.com' or '*.example.com'")
    return name if name.isascii() else name.encode("idna").decode()


def _host_name(host: str) -> str:
    """A host without its port, in lower case."""
    if host.startswith("["):  # an IPv6 address, RFC 3986 §3.2.2
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower().rstrip(".")


class Versions(_Choice):
    """One application for each version of an interface.

        Versions({"1": v1, "2": v2}, header="api-version", default="2")

    The version is what the header says or else the parameter of a media type in Accept
    (`application/json;version=2`). Versions in paths need none of this: they are groups.

    Args:
        applications: by version.
        header, parameter: where the version is said; "" for nowhere.
        default: of requests that say none; 400 when left out.
    Raises: TypeError, ValueError.
    """

    def __init__(
        self,
        applications: Mapping[str, Application],
        *,
        header: str = "api-version",
        parameter: str = "version",
        default: str | None = None,
    ) -> None:
        super().__init__(_checked("Versions", applications).values())
        if not header and not parameter:
            raise ValueError("Versions: say where the version is said, header or parameter")
        if default is not None and default not in applications:
            raise ValueError(f"the default {default!r} is none of {', '.join(applications)}")
        self._by_version: dict[str, Any] = dict(applications)
        self._header, self._parameter, self._default = header.lower(), parameter, default
        self._vary = ", ".join(filter(None, (self._header, parameter and "accept")))

    def __call__(self, request: Request) -> Response:
        """Have the application of the request's version answer."""
        version = self._version(request) or self._default
        known = ", ".join(self._by_version)
        if version is None:
            raise HTTPError(400, f"say which version: {self._header or 'accept'}: one of {known}")
        application = self._by_version.get(version)
        if application is None:
            raise HTTPError(400, f"there is no version {version[:100]!r}; there are {known}")
        response = owned(application(request))
        add_vary(response, self._vary)
        return response

    def _version(self, request: Request) -> str | None:
        if self._header and (said := request.headers.get(self._header)):
            return said.strip()
        if self._parameter:
            for wanted in parse_accept(request.headers.get("accept", "")):
                said = wanted.media_type.parameter(self._parameter)
                if said:
                    return said
        return None
