"""A handler at a route as an application: its plan, what was said about it, and the code for both.

What is left for a request is one call of a function that was compiled for this signature.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from photon.app.checking import checker_of, converter_of
from photon.app.options import formats_of
from photon.app.overrides import Overrides, Replaced
from photon.app.respond import Responders
from photon.app.unsendable import Unsendable
from photon.binding.app_scope import AppScope
from photon.binding.compile import Compiling, compile_endpoint
from photon.binding.errors import fault
from photon.binding.operation import Operation
from photon.binding.plan import NO_HINTS, LocalHints
from photon.binding.signature import read_plan
from photon.http.application import Application
from photon.http.formats import Format
from photon.http.forms import DEFAULT_LIMITS
from photon.http.request import Request
from photon.http.response import Response

Handler = Callable[..., Any]


class Surroundings(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What an application gives to all its endpoints.

    Attributes:
        responders: what makes responses, for the formats of a route.
        checks_responses: whether values are compared with the types that handlers declare.
    """

    responders: Callable[[tuple[Format, ...]], Responders]
    overrides: Overrides
    app_scope: AppScope
    checks_responses: bool = False


def make_operation(
    handler: Handler,
    path_types: Mapping[str, type],
    options: Mapping[str, Any],
    overrides: Mapping[Any, Callable[..., Any]] = {},
    local_hints: LocalHints = NO_HINTS,
) -> Operation:
    """All that is known of a handler at a route.

    Args: path_types: the names in the route's template, and the types that their converters make.
    Raises: HandlerError.
    """
    media_types = tuple(format_.media_type for format_ in formats_of(options))
    plan = read_plan(
        handler,
        path_types,
        guards=options.get("dependencies", ()),
        media_types=media_types,
        overrides=overrides,
        local_hints=local_hints,
    )
    response_type = options.get("response_type", plan.returns)
    return Operation(
        plan=plan,
        status=options.get("status"),
        response_type=response_type,
        media_types=media_types,
        responses=options.get("responses", {}),
        tags=tuple(options.get("tags", ())),
        summary=options.get("summary", ""),
        description=options.get("description", ""),
        operation_id=options.get("operation_id", ""),
        deprecated=options.get("deprecated", False),
        name=options.get("name") or str(getattr(handler, "__name__", "")),
        timeout_s=options.get("timeout"),
        body_limit=options.get("body_limit"),
        include_in_schema=options.get("include_in_schema", True),
        openapi=options.get("openapi", {}),
    )


def make_endpoint(
    operation: Operation,
    path_types: Mapping[str, type],
    options: Mapping[str, Any],
    given: Surroundings,
) -> Application:
    """The application that calls the operation's handler with what it asks for."""
    handler = operation.plan.handler
    formats = formats_of(options)
    compiling = Compiling(
        responders=given.responders(formats),
        unsendable=Unsendable,
        fault=partial(fault, "handler", handler),
        path_types=path_types,
        formats=formats,
        form_limits=options.get("form_limits", DEFAULT_LIMITS),
        strict=options.get("strict", True),
        app_scope=given.app_scope,
        before=before_of(options),
        check=_check(operation, options, given),
    )

    def build(overrides: Replaced, app_scope: AppScope, hints: LocalHints) -> Application:
        hints = {**operation.plan.local_hints, **hints}
        replaced = make_operation(handler, path_types, options, overrides, hints)
        app_scope.learn(replaced.plan.dependencies, at_start=False)
        return compile_endpoint(replaced, msgspec.structs.replace(compiling, app_scope=app_scope))

    def make() -> Application:
        endpoint = compile_endpoint(operation, compiling)
        if not operation.plan.dependencies:
            return endpoint
        return given.overrides.heeding(endpoint, build)

    return Unmade(make, handler)


class Unmade:
    """An endpoint that is compiled when its first request comes.

    It takes 0.3 ms, and an application of 500 routes shall be there in half a second. What is wrong
    with a handler was found when its plan was read.
    """

    __slots__ = ("__wrapped__", "_made", "_make", "on_made")

    def __init__(self, make: Callable[[], Application], handler: Handler) -> None:
        self.__wrapped__ = handler  # as functools.wraps leaves it, for who wants to know
        self._make = make
        self._made: Application | None = None
        self.on_made: Callable[[Application], object] | None = None

    def __call__(self, request: Request) -> Response:
        """Answer a request; the next ones may go to what was made right away, see `on_made`."""
        made = self._made
        if made is None:
            made = self._made = self._make()
            if self.on_made is not None:
                self.on_made(made)
        return made(request)


def before_of(options: Mapping[str, Any]) -> Callable[[Request], object] | None:
    """What a request is told first of all."""
    timeout, limit = options.get("timeout"), options.get("body_limit")
    form_limits, leaving = options.get("form_limits"), options.get("on_disconnect")
    if timeout is None and limit is None and form_limits is None and leaving is None:
        return None
    if timeout is not None and limit is None and form_limits is None and leaving is None:
        return lambda request: request.allow(
            timeout
        )  # PERF: what nearly all that say something say

    def before(request: Request) -> None:
        if timeout is not None:
            request.allow(timeout)
        if leaving is not None:
            request.on_disconnect(leaving)
        if limit is not None:
            request.limit_body(limit)
        if form_limits is not None:
            request.limit_form(form_limits)

    return before


def _check(
    operation: Operation, options: Mapping[str, Any], given: Surroundings
) -> Callable[[Any], Any] | None:
    handler, type_ = operation.plan.handler, operation.response_type
    if "response_type" in options and options["response_type"] is not None:
        return converter_of(handler, options["response_type"])
    if given.checks_responses and type_ is not inspect.Signature.empty:
        return checker_of(handler, type_)
    return None
