"""A handler of WebSockets as an application: its plan, and what was said about it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from photon.app.endpoint import Surroundings, Unmade, before_of
from photon.app.overrides import Replaced
from photon.app.registering import shown
from photon.binding.app_scope import AppScope
from photon.binding.compile import Compiling, Session, compile_session
from photon.binding.errors import fault
from photon.binding.operation import Operation
from photon.binding.plan import NO_HINTS, LocalHints
from photon.binding.signature import read_plan
from photon.http.application import Application
from photon.http.request import Request
from photon.http.response import Response

if TYPE_CHECKING:
    from photon.ws.websocket import WebSocket

logger = logging.getLogger("photon.ws")

Handler = Callable[..., Any]


def make_socket_operation(
    handler: Handler,
    path_types: Mapping[str, type],
    options: Mapping[str, Any],
    overrides: Mapping[Any, Callable[..., Any]] = {},
    local_hints: LocalHints = NO_HINTS,
) -> Operation:
    """All that is known of a handler of WebSockets.   Raises: HandlerError."""
    plan = read_plan(
        handler,
        path_types,
        guards=options.get("dependencies", ()),
        overrides=overrides,
        local_hints=local_hints,
        is_websocket=True,
    )
    name = options.get("name") or str(getattr(handler, "__name__", ""))
    return Operation(
        plan=plan,
        response_type=inspect.Signature.empty,
        media_types=(),
        name=name,
        timeout_s=options.get("timeout"),
        include_in_schema=False,
        is_websocket=True,
    )


def make_socket_endpoint(
    operation: Operation,
    path_types: Mapping[str, type],
    options: Mapping[str, Any],
    given: Surroundings,
) -> Application:
    """The application that opens a WebSocket and has the operation's handler talk over it."""
    handler = operation.plan.handler
    compiling = Compiling(
        responders={},
        unsendable=TypeError,
        fault=partial(fault, "handler", handler),
        path_types=path_types,
        app_scope=given.app_scope,
        before=before_of(options),
    )

    def build(overrides: Replaced, app_scope: AppScope, hints: LocalHints) -> Application:
        hints = {**operation.plan.local_hints, **hints}
        replaced = make_socket_operation(handler, path_types, options, overrides, hints)
        app_scope.learn(replaced.plan.dependencies, at_start=False)

        session = compile_session(replaced, replace(compiling, app_scope=app_scope))
        return _opening(handler, session, options)

    def make() -> Application:
        endpoint = _opening(handler, compile_session(operation, compiling), options)
        if not operation.plan.dependencies:
            return endpoint
        return given.overrides.heeding(endpoint, build)

    return Unmade(make, handler)


def _opening(handler: Handler, session: Session, options: Mapping[str, Any]) -> Application:
    # Here and not above: an application without WebSockets need not import wsproto.
    from photon.ws.running import DEFAULTS, run_websocket

    settings = options.get("websockets", DEFAULTS)
    origins = options.get("origins", "same")
    leaving = options.get("on_disconnect", "cancel")

    was_told = False

    def endpoint(request: Request) -> Response:
        def talk(websocket: WebSocket) -> None:
            nonlocal was_told
            value = session(request, websocket)
            if value is not None and not was_told:
                was_told = True
                logger.warning(
                    "the handler %s returned a %s, which nobody gets: ws.send_json(value) sends it",
                    shown(handler),
                    type(value).__name__,
                )

        return run_websocket(request, talk, settings, origins=origins, on_disconnect=leaving)

    endpoint.__wrapped__ = handler  # type: ignore[attr-defined]  # as functools.wraps leaves it
    return endpoint
