"""The applications that one application consists of, and what each of them answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

from photon.app.choosing import Hosts, Versions
from photon.app.documents import Documents
from photon.app.photon import Photon
from photon.binding.wording import function_name, function_place
from photon.http.application import Application, Middleware
from photon.routing.route import Route
from photon.routing.template import Template

OTHERS = "any other"
"""The host of all that no other is meant for."""


class Condition(NamedTuple):
    """What else a request has to be like. Attributes: of: "host" or "version"."""

    of: str
    value: str

    def __str__(self) -> str:
        return f"{self.value} {self.of}" if self.value == OTHERS else f"{self.of} {self.value}"


class Part(NamedTuple):
    """One application, and which requests come to it.

    Attributes: prefix: of their paths; conditions: what else holds of them, the outermost first.
    """

    application: Application
    prefix: str = ""
    conditions: tuple[Condition, ...] = ()

    @property
    def where(self) -> str:
        """Such as "/admin, version 2"; "" for the outermost."""
        return ", ".join(filter(None, (self.prefix, *map(str, self.conditions))))


def parts_of(application: Application) -> list[Part]:
    """An application and all that are within it, each before those within itself.

    What is mounted and cannot be looked into is no part, but a mount of one.
    """
    return list(_walk(Part(application), ()))


def within(application: Application) -> list[Part]:
    """The applications right below one: its mounts, hosts or versions."""
    if isinstance(application, Photon):
        return [Part(mounted, prefix) for prefix, mounted in mounts_of(application)]
    if isinstance(application, Hosts):
        return [Part(app, "", (Condition("host", host),)) for host, app in hosts_of(application)]
    if isinstance(application, Versions):
        versions = application._by_version.items()
        return [Part(app, "", (Condition("version", version),)) for version, app in versions]
    return []


def _walk(part: Part, trail: tuple[int, ...]) -> Iterator[Part]:
    yield part
    if id(part.application) in trail:
        return  # mounted within itself: it goes on without an end
    trail = (*trail, id(part.application))
    is_choice = not isinstance(part.application, Photon)
    for inner in within(part.application):
        if is_choice or is_open(inner.application):
            prefix = part.prefix + inner.prefix
            conditions = part.conditions + inner.conditions
            yield from _walk(Part(inner.application, prefix, conditions), trail)


# What there is to know of one...


def is_open(application: Application) -> bool:
    """Whether it is known what is within."""
    return isinstance(application, (Photon, Hosts, Versions))


def mounts_of(application: Photon) -> list[tuple[str, Application]]:
    """Prefix, as people write it, and application of each, by prefix."""
    mounts = [(unquote(prefix), mounted) for prefix, mounted in application._mounts.all]
    return sorted(mounts, key=lambda mount: mount[0])


def hosts_of(application: Hosts) -> list[tuple[str, Application]]:
    """Host and application of each, as they are tried."""
    exact = [(host, app) for host, app in application._by_name.items() if host[:1] != "*"]
    below = [(f"*{suffix}", app) for suffix, app in application._below]
    rest = [] if application._default is None else [(OTHERS, application._default)]
    return [*exact, *below, *rest]


def middleware_of(application: Application) -> list[Middleware]:
    """What stands around all that it answers, the outermost first."""
    return list(application._middleware) if isinstance(application, Photon) else []


def described(application: Application) -> str:
    """An application in a few words."""
    if isinstance(application, Photon):
        return f"{application.title} {application.version}"
    if isinstance(application, (Hosts, Versions)):
        choices = ", ".join(inner.conditions[0].value for inner in within(application))
        return f"{type(application).__name__} ({choices})"
    if is_document(application):
        is_page = getattr(application, "__name__", "") == "_show"
        return "the page of the OpenAPI document" if is_page else "the OpenAPI document"
    place = "" if _is_ours(application) else function_place(application)
    return function_name(application) + (f" ({place})" if place else "")


def _is_ours(application: Application) -> bool:
    return type(application).__module__.startswith("photon.")


def is_document(application: Application) -> bool:
    """Whether it is the OpenAPI document or its page, at a path of its own."""
    return isinstance(getattr(application, "__self__", None), Documents)


def handler_of(route: Route) -> Any:
    """The function that answers."""
    if route.operation is not None:
        return route.operation.plan.handler
    return getattr(route.endpoint, "__wrapped__", route.endpoint)


def precedence(template: Template) -> list[tuple[bool, str, tuple[Any, ...]]]:
    """What templates are sorted by to stand in the order in which they are tried."""
    return [(s.literal is None, s.literal or "", s.rank) for s in template.segments]


def is_websocket(route: Route) -> bool:
    """Whether its handler talks over WebSockets."""
    return getattr(route.operation, "is_websocket", False)
