"""What can be said of a route besides its path: each option once, with how those of groups join."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, get_args

import msgspec

from photon.app.elsewhere import OPTIONS, WEBSOCKET_OPTIONS
from photon.app.registering import check_middleware, check_route_status, shown
from photon.binding.markers import Depends
from photon.http.application import Middleware
from photon.http.formats import Format, formats_named
from photon.http.forms import FormLimits
from photon.http.server.terms import OnDisconnect
from photon.runtime.hints import meant

if TYPE_CHECKING:
    from photon.ws.origin import Origins
    from photon.ws.settings import WebSocketSettings


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
    on_disconnect: OnDisconnect
    """What a handler gets whose client goes away: "cancel", which is the default: it is cancelled
    where it waits; "notify": `request.client_has_left`, or that of its WebSocket; "ignore"."""
    websockets: WebSocketSettings
    """Limits and time-outs of WebSockets."""
    origins: Origins
    """Whose pages may open WebSockets: "same" for those of the same host, which is the default,
    "*" for all, or a list such as ["https://example.com", "https://*.example.com"]."""


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


class WebSocketOptions(TypedDict, total=False):
    """The keywords of `@app.websocket`; see `RouteOptions`, and `SharedOptions`."""

    name: str
    dependencies: Sequence[Depends]
    middleware: Sequence[Middleware]
    timeout: float | None
    """Seconds that the handler may wait until it accepts."""
    on_disconnect: OnDisconnect
    websockets: WebSocketSettings
    origins: Origins


_JOINED = ("tags", "middleware", "dependencies")
_LISTS = (*_JOINED, "formats")
_TEXTS = ("name", "summary", "description", "operation_id")
_FLAGS = ("strict", "deprecated", "include_in_schema")
_SHARED = tuple(SharedOptions.__annotations__)
_KNOWN = tuple(RouteOptions.__annotations__)
OF_WEBSOCKETS = tuple(WebSocketOptions.__annotations__)


def check_options(options: Mapping[str, Any], where: str, known: Sequence[str] = _KNOWN) -> None:
    """Raises: TypeError, for an option that there is not, or that is not what it should be;
    ValueError, for a format that there is not."""
    for name in options:
        if name not in known:
            raise TypeError(f"{where} has no option {name!r}{_hint(name, known)}")
    check_route_status(options.get("status"))
    for name in _LISTS:
        if isinstance(options.get(name), (str, bytes)) or not _is_list(options.get(name, ())):
            raise TypeError(f"{where}: {name} is a list, not {options[name]!r}")
    for wrapper in options.get("middleware", ()):
        check_middleware(wrapper)
    for guard in options.get("dependencies", ()):
        if not isinstance(guard, Depends):
            name = getattr(guard, "__name__", "...")
            raise TypeError(f"{where}: dependencies=[{shown(guard)}] shall be [Depends({name})]")
    _check_values(options, where)
    _check_numbers(options, where)
    _check_sockets(options, where)


def check_shared(options: Mapping[str, Any], others: Sequence[str]) -> None:
    """As `check_options`, for an application, of which less can be said than of a route.

    Args: others: its own keywords, for who meant one of them.
    """
    check_options(options, "Photon", tuple(dict.fromkeys((*others, *_SHARED))))


def _hint(name: str, known: Sequence[str]) -> str:
    if known is OF_WEBSOCKETS:
        hint = WEBSOCKET_OPTIONS.get(name)
        if hint is None and name in _KNOWN:
            hint = f"a WebSocket takes {', '.join(known)}"
        return f": {hint}" if hint else meant(name, known, OPTIONS)
    if name in _KNOWN:
        return ": it is said of a route, or of a Group"
    return meant(name, known, OPTIONS)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence)


def _check_values(options: Mapping[str, Any], where: str) -> None:
    for names, kind, what in ((_TEXTS, str, "a text"), (_FLAGS, bool, "True or False")):
        for name in names:
            if name in options and not isinstance(options[name], kind):
                raise TypeError(f"{where}: {name} is {what}, not {options[name]!r}")
    for tag in options.get("tags", ()):
        if not isinstance(tag, str):
            raise TypeError(f"{where}: a tag is a text, not {tag!r}")
    for name in ("responses", "openapi"):
        if not isinstance(options.get(name, {}), Mapping):
            raise TypeError(f"{where}: {name} is a mapping, not {options[name]!r}")
    for status in options.get("responses", {}):
        if not isinstance(status, int):
            raise TypeError(f"{where}: responses are by status, such as 404, not by {status!r}")
    if "formats" in options and not formats_of(options):
        raise TypeError(f"{where}: formats names at least one, such as 'json'")


def _check_numbers(options: Mapping[str, Any], where: str) -> None:
    timeout = options.get("timeout")
    if timeout is not None and (not isinstance(timeout, (int, float)) or not timeout > 0):
        raise TypeError(f"{where}: timeout is seconds, more than 0, or None; not {timeout!r}")
    limit = options.get("body_limit", 0)
    if not isinstance(limit, int) or limit < 0:
        raise TypeError(f"{where}: body_limit is a number of bytes, not {limit!r}")
    limits = options.get("form_limits")
    if "form_limits" in options and not isinstance(limits, FormLimits):
        raise TypeError(f"{where}: form_limits is a FormLimits(...), not {limits!r}")


def _check_sockets(options: Mapping[str, Any], where: str) -> None:
    leaving = options.get("on_disconnect", "cancel")
    if leaving not in get_args(OnDisconnect):
        choices = ", ".join(map(repr, get_args(OnDisconnect)))
        raise TypeError(f"{where}: on_disconnect is one of {choices}, not {leaving!r}")
    if "websockets" in options:
        from photon.ws.settings import WebSocketSettings

        if not isinstance(options["websockets"], WebSocketSettings):
            what = f"websockets is a WebSocketSettings(...), not {options['websockets']!r}"
            raise TypeError(f"{where}: {what}")
    if "origins" in options:
        from photon.ws.origin import origin_check

        origins = options["origins"]
        try:
            origin_check(origins if isinstance(origins, str) else tuple(origins))
        except (TypeError, ValueError) as error:
            raise TypeError(f"{where}: {error}") from error


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
    return formats_named(*options.get("formats", ("json",)))


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
        return msgspec.structs.replace(self, path=prefix + self.path, options=join(outer, inner))
