"""What can be said of a route besides its path: each option once, with how those of groups join."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypedDict

import msgspec

from photon.app.registering import check_middleware, check_route_status
from photon.binding.markers import Depends
from photon.http.application import Middleware
from photon.http.formats import Format, formats_named
from photon.http.forms import FormLimits


class SharedOptions(TypedDict, total=False):
    """What can be said of all routes of an application as well."""

    tags: Sequence[str]
    responses: Mapping[int, Any]
    """What it may answer besides, for documents: by status a type, a text, or a `Reply`."""
    timeout: float | None
    """Seconds that the handler may wait until its response begins; then it is cancelled: 504."""
    dependencies: Sequence[Depends]
    """Providers to call for their effect, before all else."""
    strict: bool
    """Whether the text "1" in a body is no number; it is not, unless this is False."""
    formats: Sequence[str | Format]
    """That bodies come in and values are sent in: "json", "msgpack", "yaml", or Formats."""
    form_limits: FormLimits
    body_limit: int
    """Bytes that a body may have, in place of `Limits.body_bytes`."""


class RouteOptions(SharedOptions, total=False):
    """The keywords of `@app.get` and its like, of `Group` and of `include`.

    Of groups within groups: lists are joined, the outer one's first; of `responses` the inner one
    wins, and so it does for everything else that it says.
    """

    status: int | None
    """Of what the handler returns, if it does not say: 200, or 204 for None."""
    name: str
    """To find the route by, see `path_for`; the function's own when left out."""
    response_type: Any
    """What is sent: values of other types are converted to it, and lose what it does not have."""
    summary: str
    """For documents; the first line of the docstring when left out."""
    description: str
    """For documents; the rest of the docstring when left out."""
    operation_id: str
    deprecated: bool
    include_in_schema: bool
    openapi: Mapping[str, Any]
    """Members to put over those of the generated Operation Object."""
    middleware: Sequence[Middleware]
    """Around this route alone, inside that of the application."""


_JOINED = ("tags", "middleware", "dependencies")
_KNOWN = tuple(RouteOptions.__annotations__)


def check_options(options: Mapping[str, Any], where: str) -> None:
    """Raises: TypeError, for an option that there is not, or that is not what it should be."""
    for name in options:
        if name not in _KNOWN:
            close = get_close_matches(name, _KNOWN, n=1) or _foreign(name)
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(_KNOWN)}"
            raise TypeError(f"{where} has no option {name!r}{hint}")
    check_route_status(options.get("status"))
    for name in _JOINED:
        if isinstance(options.get(name), str) or not _is_sequence(options.get(name, ())):
            raise TypeError(f"{where}: {name} is a list, not {options[name]!r}")
    for wrapper in options.get("middleware", ()):
        check_middleware(wrapper)
    for guard in options.get("dependencies", ()):
        if not isinstance(guard, Depends):
            raise TypeError(f"{where}: dependencies=[{guard!r}] shall be [Depends(...)]")
    _check_numbers(options, where)


def _foreign(name: str) -> list[str]:
    """What other frameworks call it."""
    others = {
        "status_code": "status",
        "response_model": "response_type",
        "default_response_class": "formats",
        "endpoint": "name",
    }
    return [others[name]] if name in others else []


def _is_sequence(value: object) -> bool:
    return isinstance(value, Sequence)


def _check_numbers(options: Mapping[str, Any], where: str) -> None:
    timeout = options.get("timeout")
    if timeout is not None and (not isinstance(timeout, (int, float)) or not timeout > 0):
        raise TypeError(f"{where}: timeout is seconds, more than 0, or None; not {timeout!r}")
    limit = options.get("body_limit", 0)
    if not isinstance(limit, int) or limit < 0:
        raise TypeError(f"{where}: body_limit is a number of bytes, not {limit!r}")


def join(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """The options of what stands in a group."""
    joined = {**outer, **inner}
    for name in _JOINED:
        if name in joined:
            joined[name] = (*outer.get(name, ()), *inner.get(name, ()))
    if "responses" in joined:
        joined["responses"] = {**outer.get("responses", {}), **inner.get("responses", {})}
    if outer.get("name") and inner.get("name"):
        joined["name"] = f"{outer['name']}.{inner['name']}"
    if "include_in_schema" in joined:
        joined["include_in_schema"] = all(
            options.get("include_in_schema", True) for options in (outer, inner)
        )
    return joined


def formats_of(options: Mapping[str, Any]) -> tuple[Format, ...]:
    """The formats that the option names; JSON alone when it is left out."""
    given = options.get("formats", ("json",))
    named: list[Format] = []
    for format_ in given:
        named += formats_named(format_) if isinstance(format_, str) else [format_]
    return tuple(named)


class Registration(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A handler as it was registered, before it is known where its group stands.

    Attributes: decorator: what registered it, such as "get", for messages.
    """

    decorator: str
    path: str
    methods: tuple[str, ...]
    handler: Callable[..., Any]
    options: Mapping[str, Any]

    def below(self, prefix: str, outer: Mapping[str, Any]) -> Registration:
        """The same in a group."""
        inner = dict(self.options)
        if outer.get("name") and not inner.get("name"):
            inner["name"] = getattr(self.handler, "__name__", "")
        return msgspec.structs.replace(
            self, path=_joined_path(prefix, self.path), options=join(outer, inner)
        )


def _joined_path(prefix: str, path: str) -> str:
    """`/items` and `/` are `/items/`; `/items` and "" are `/items`."""
    return prefix + path
