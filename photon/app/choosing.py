"""Applications that have others answer: by the host that is asked, or by a version.

They are mounted, or served as they are: `app.mount("", Hosts({...}))`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from photon.app.registering import shown
from photon.http.application import Application
from photon.http.errors import HTTPError
from photon.http.media import parse_accept
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import lifespan_of


class _Choice:
    """Several applications; what they open and close is opened and closed together."""

    def __init__(self, applications: Iterable[Application]) -> None:
        self._applications = list(applications)
        for application in self._applications:
            if not callable(application) or isinstance(application, type):
                raise TypeError(
                    f"{type(self).__name__} takes applications, not {shown(application)}"
                )

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
        super().__init__([*applications.values(), *([] if default is None else [default])])
        self._default = default
        self._exact: dict[str, Application] = {}
        self._below: list[tuple[str, Application]] = []
        for host, application in applications.items():
            name = host.lower().rstrip(".")
            if ":" in name or "/" in name or "*" in name.removeprefix("*."):
                raise ValueError(
                    f"{host!r} is no host name; write 'example.com' or '*.example.com'"
                )
            if name.startswith("*."):
                self._below.append((name[1:], application))
            else:
                self._exact[name] = application
        self._below.sort(key=lambda pair: -len(pair[0]))

    def __call__(self, request: Request) -> Response:
        """Have the application of the request's host answer."""
        host = _host_name(request.host)
        application = self._exact.get(host) or self._wildcard(host) or self._default
        if application is None:
            raise HTTPError(421, f"nothing is served here for the host {host!r}")
        return application(request)

    def _wildcard(self, host: str) -> Application | None:
        return next((app for suffix, app in self._below if host.endswith(suffix)), None)


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
        super().__init__(applications.values())
        if default is not None and default not in applications:
            raise ValueError(f"the default {default!r} is none of {', '.join(applications)}")
        self._by_version: dict[str, Any] = dict(applications)
        self._header, self._parameter, self._default = header.lower(), parameter, default

    def __call__(self, request: Request) -> Response:
        """Have the application of the request's version answer."""
        version = self._version(request) or self._default
        known = ", ".join(self._by_version)
        if version is None:
            raise HTTPError(400, f"say which version: {self._header or 'accept'}: one of {known}")
        application = self._by_version.get(version)
        if application is None:
            raise HTTPError(400, f"there is no version {version!r}; there are {known}")
        response: Response = application(request)
        response.headers.add_vary(*filter(None, (self._header, self._parameter and "accept")))
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
