"""A plan compiled into one function: from a request through the handler to its response.

What is generated for `def get(id: int, q: str | None = None, db: Annotated[Db, Depends(open_db)])`:

    def endpoint(request):
        try:
            path = request.path_values
            v0 = read0(path["id"])
            query = read_fields(request.head.query) if request.head.query else NOTHING
            v1 = default1 if (text := query.get("q")) is None else text[-1]
        except FAULTS as error:
            refuse(request, error)
        opened = Opened(request)
        request.on_done(opened.close)
        try:
            d0 = opened.enter(provider0, provider0())
            value = handler(id=v0, q=v1, db=d0)
        except BaseException as error:
            opened.error = error
            raise
        return responders[value.__class__](value, status, request)

PERF: compiled once, as attrs does, so that a request pays for no loop over parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from photon.binding.app_scope import AppScope, key_of
from photon.binding.decode import Decode, decoder_of
from photon.binding.defaults import maker_of
from photon.binding.fields import field_getter
from photon.binding.getters import getter_of
from photon.binding.markers import SecurityScopes
from photon.binding.opened import Opened
from photon.binding.operation import Operation
from photon.binding.plan import Argument, BodyPart, Dependency, Parameter
from photon.binding.raw import raw_reader
from photon.binding.refuse import Refuse, refuser_of
from photon.binding.texts import reader_of, takes_empty
from photon.binding.together import together
from photon.http.application import Application
from photon.http.formats import JSON, Format
from photon.http.forms import DEFAULT_LIMITS, Form, FormLimits
from photon.http.request import Request
from photon.http.target import read_fields
from photon.runtime.source import place_of

Responders = Mapping[type, Callable[[Any, int | None, Request], Any]]
"""What makes a response of a value, by its class."""


class Compiling(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What an endpoint needs besides its plan.

    Attributes:
        responders: what makes a response of the handler's value.
        unsendable: what they raise for a value that cannot be sent; `fault` makes of that the
            error that names the handler.
        formats: of bodies.
        path_types: what the route's converters make, by name.
        strict: whether the text "1" in a body is no number.
        app_scope: the values of providers of scope "app".
        before: called with the request first of all, such as for a time of its own.
        check: called with the handler's value, to compare it with its declared type.
    """

    responders: Responders
    unsendable: type[Exception]
    fault: Callable[[Exception], Exception]
    path_types: Mapping[str, type] = {}
    formats: Sequence[Format] = (JSON,)
    form_limits: FormLimits = DEFAULT_LIMITS
    strict: bool = True
    app_scope: AppScope | None = None
    before: Callable[[Request], object] | None = None
    check: Callable[[Any], Any] | None = None


Session = Callable[[Request, Any], object]
"""What is done with a request that becomes a WebSocket, and the WebSocket."""


def compile_endpoint(operation: Operation, given: Compiling) -> Application:
    """The application that calls a handler with what it asks for, and answers with its value."""
    return _Writer(operation, given).endpoint()


def compile_session(operation: Operation, given: Compiling) -> Session:
    """The function that calls the handler of a WebSocket with what it asks for."""
    return _Writer(operation, given).session()


class _Writer:
    """Writes the source of one endpoint, line by line."""

    def __init__(self, operation: Operation, given: Compiling) -> None:
        self._plan = plan = operation.plan
        self._given = given
        self._lines: list[str] = []
        self._indent = 1
        self._names: dict[int, str] = {}
        self._there: set[str] = set()
        self._scope: dict[str, Any] = {
            "FAULTS": (msgspec.ValidationError, KeyError),
            "NOTHING": {},
            "Opened": Opened,
            "Unsendable": given.unsendable,
            "before": given.before,
            "check": given.check,
            "fault": given.fault,
            "handler": plan.handler,
            "read_fields": read_fields,
            "read_form": self._form,
            "responders": given.responders,
            "status": operation.status,
            "together": together,
        }

    def _form(self, request: Request) -> Form:
        body = self._plan.body
        # Whoever may leave all of it out may leave out its media type, too.
        is_optional = body is not None and not body.required
        if is_optional and not request.content_type and not request.body():
            return Form()
        return request.form(self._given.form_limits)

    # The whole of it...

    def endpoint(self) -> Application:
        closes = self._call_handler()
        if self._given.check is not None:
            self._line("value = check(value)")
        self._line("try:")
        self._line("    response = responders[value.__class__](value, status, request)")
        self._line("except Unsendable as error:")
        self._line("    raise fault(error) from None")
        self._close(closes)
        self._line("return response")
        return self._compiled("request")  # type: ignore[no-any-return]  # the source says it is one

    def session(self) -> Session:
        self._close(self._call_handler())
        self._line("return value")
        return self._compiled("request, websocket")  # type: ignore[no-any-return]

    def _call_handler(self) -> Sequence[str]:
        """Lines up to the handler's value.   Returns: the scopes that are still to be closed."""
        plan = self._plan
        if self._given.before is not None:
            self._line("before(request)")
        guards = [d for d in plan.dependencies if d in plan.guards]
        others = [d for d in plan.dependencies if d not in plan.guards]
        scopes = {d.scope for d in plan.dependencies if d.kind != "value"}
        closes = sorted(scopes & {"handler", "request"})
        for scope in closes:
            self._line(f"opened_{scope} = Opened({'request' if scope == 'request' else ''})")
            if scope == "request":
                self._line("request.on_done(opened_request.close)")
        for _ in closes:
            self._line("try:")
            self._indent += 1
        self._bind(_asked_for(guards), are_guards=True)
        self._call_all(guards)
        self._bind([*_asked_for(others), *_of_arguments(plan.arguments)])
        self._call_all(others)
        self._line(f"value = handler({self._filled(plan.arguments)})")
        return closes

    def _close(self, closes: Sequence[str]) -> None:
        for scope in closes:
            self._indent -= 1
            self._line("except BaseException as error:")
            self._line(f"    opened_{scope}.error = error")
            if scope == "handler":
                self._line("    opened_handler.close()")
            self._line("    raise")
            if scope == "handler":
                # What fails now fails the request: that is what the scope is for, and those of
                # the request are told.
                self._line("opened_handler.close()")

    def _compiled(self, parameters: str) -> Any:
        handler = self._plan.handler
        source = f"def endpoint({parameters}):\n" + "".join(self._lines)
        exec(compile(source, f"<endpoint of {place_of(handler)}>", "exec"), self._scope)
        endpoint = self._scope["endpoint"]
        endpoint.__wrapped__ = handler  # as functools.wraps leaves it, for who wants to know
        endpoint.source = source
        return endpoint

    def _line(self, text: str) -> None:
        self._lines.append(f"{'    ' * self._indent}{text}\n")

    def _put(self, name: str, value: Any) -> str:
        """Make a value known to the source under a name of its own."""
        name = f"{name}{len(self._scope)}"
        self._scope[name] = value
        return name

    # Values of the request...

    def _bind(self, wanted: Iterable[Parameter | BodyPart], are_guards: bool = False) -> None:
        """Lines that read all of these that were not read yet, and refuse what does not fit."""
        new = [of for of in wanted if id(of) not in self._names]
        new = [of for index, of in enumerate(new) if of not in new[:index]]
        if not new:
            return
        self._line("try:")
        self._indent += 1
        for of in new:
            self._names[id(of)] = f"v{len(self._names)}"
            if isinstance(of, Parameter):
                self._read_parameter(of, self._names[id(of)])
        parts = [of for of in new if isinstance(of, BodyPart)]
        if parts:
            self._read_body(parts)
        self._indent -= 1
        self._line("except FAULTS as error:")
        self._line(f"    {self._put('refuse', self._refuser(new, are_guards))}(request, error)")

    def _refuser(self, wanted: list[Parameter | BodyPart], are_guards: bool) -> Refuse:
        """What tells of all that is wrong; to strangers, of what the guards ask for alone."""
        plan, given = self._plan, self._given
        parameters = plan.parameters
        body = plan.body
        if are_guards:
            parameters = tuple(of for of in wanted if isinstance(of, Parameter))
            body = body if any(isinstance(of, BodyPart) for of in wanted) else None
        return refuser_of(parameters, body, given.formats, given.strict, self._form)

    def _read_parameter(self, parameter: Parameter, name: str) -> None:
        if parameter.source == "path":
            self._read_path(parameter, name)
        elif parameter.source == "query" and parameter.shape == "value":
            self._read_query(parameter, name)
        else:
            self._line(f"{name} = {self._put('get', getter_of(parameter))}(request)")

    def _read_path(self, parameter: Parameter, name: str) -> None:
        self._once("path = request.path_values")
        made = self._given.path_types.get(parameter.alias, str)
        value = f"path[{parameter.alias!r}]"
        read = reader_of(parameter.type)
        if read is None or parameter.type is made:
            self._line(f"{name} = {value}")
        elif parameter.type is int and made is str:
            self._line(f"text = {value}")
            self._line(f"{name} = {self._int(self._put('read', read))}")
        else:
            self._line(f"{name} = {self._put('read', read)}({value})")

    def _read_query(self, parameter: Parameter, name: str) -> None:
        self._once("query = read_fields(request.head.query) if request.head.query else NOTHING")
        read = reader_of(parameter.type)
        if parameter.required:
            text = f"query[{parameter.alias!r}][-1]"
            value = text if read is None else f"{self._put('read', read)}({text})"
            self._line(f"{name} = {value}")
            return
        make = maker_of(parameter.default)
        default = self._put("default", parameter.default if make is None else make)
        default += "" if make is None else "()"
        self._line(f"{name} = query.get({parameter.alias!r})")
        empty = "" if takes_empty(parameter.type) else f" or not {name}[-1]"
        value = f"{name}[-1]" if read is None else f"{self._put('read', read)}({name}[-1])"
        self._line(f"{name} = {default} if {name} is None{empty} else {value}")

    @staticmethod
    def _int(read: str) -> str:
        # PERF: a call less for what nearly all numbers in paths look like.
        plain = "len(text) < 19 and text.isdecimal() and text.isascii()"
        return f"int(text) if {plain} else {read}(text)"

    def _once(self, line: str) -> None:
        if line not in self._there:
            self._there.add(line)
            self._line(line)

    # The body...

    def _read_body(self, parts: list[BodyPart]) -> None:
        body = self._plan.body
        assert body is not None
        if body.kind == "data":
            decode: Decode = decoder_of(body, self._given.formats, strict=self._given.strict)
            self._once(f"body = {self._put('decode', decode)}(request)")
            for part in parts:
                member = f".{part.name}" if body.embedded else ""
                self._line(f"{self._names[id(part)]} = body{member}")
        elif body.kind == "form":
            self._once("form = read_form(request)")
            for part in parts:
                get = self._put("field", field_getter(part))
                self._line(f"{self._names[id(part)]} = {get}(form)")
        else:
            raw = self._put("raw", raw_reader(parts[0], body.kind, body.media_types))
            self._line(f"{self._names[id(parts[0])]} = {raw}(request)")

    # Providers...

    def _call_all(self, dependencies: list[Dependency]) -> None:
        waiting = list(dependencies)
        while waiting:
            wave = [d for d in waiting if d.concurrent and self._is_ready(d, waiting)]
            if len(wave) > 1:
                calls = ", ".join(f"lambda: {self._value(d)}" for d in wave)
                names = ", ".join(self._name(d) for d in wave)
                self._line(f"{names} = together({calls})")
            else:
                wave = waiting[:1]
                self._line(f"{self._name(wave[0])} = {self._value(wave[0])}")
            waiting = [d for d in waiting if d not in wave]

    @staticmethod
    def _is_ready(dependency: Dependency, waiting: list[Dependency]) -> bool:
        needs = [argument.of for argument in dependency.arguments]
        return not any(other in needs for other in waiting)

    def _name(self, dependency: Dependency) -> str:
        return self._names.setdefault(id(dependency), f"d{len(self._names)}")

    def _value(self, dependency: Dependency) -> str:
        if dependency.scope == "app":
            scope = self._put("app_scope", self._given.app_scope)
            return f"{scope}[{self._put('key', key_of(dependency))}]"
        provider = self._put("provider", dependency.provider)
        call = f"{provider}({self._filled(dependency.arguments, dependency)})"
        if dependency.kind == "value":
            return call
        enter = "enter" if dependency.kind == "generator" else "enter_context"
        return f"opened_{dependency.scope}.{enter}({provider}, {call})"

    def _filled(self, arguments: Iterable[Argument], dependency: Dependency | None = None) -> str:
        texts = []
        for argument in arguments:
            if argument.of == "request" or argument.of == "websocket":
                value = str(argument.of)
            elif argument.of == "scopes":
                scopes = dependency.scopes if dependency is not None else ()
                value = self._put("scopes", SecurityScopes(scopes))
            else:
                value = self._names[id(argument.of)]
            texts.append(value if argument.positional else f"{argument.name}={value}")
        return ", ".join(texts)


def _asked_for(dependencies: Iterable[Dependency]) -> list[Parameter | BodyPart]:
    return [of for d in dependencies if d.scope != "app" for of in _of_arguments(d.arguments)]


def _of_arguments(arguments: Iterable[Argument]) -> list[Parameter | BodyPart]:
    return [a.of for a in arguments if isinstance(a.of, (Parameter, BodyPart))]
