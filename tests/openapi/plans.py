"""Operations made by hand, for documents; what a signature becomes is tested elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from photon.binding.markers import Marker
from photon.binding.operation import Operation
from photon.binding.plan import Argument, BindingPlan, BodyPart, BodyPlan, Dependency, Parameter
from photon.openapi.document import Info, OpenAPI
from photon.openapi.generate import generate
from photon.routing.route import Route

INFO = Info(title="Shop", version="1.0")


def handler() -> None: ...


def query(name: str, type_: Any = str, **more: Any) -> Parameter:
    return Parameter(name=name, alias=more.pop("alias", name), source="query", type=type_, **more)


def in_path(name: str, type_: Any = str, **more: Any) -> Parameter:
    return Parameter(name=name, alias=name, source="path", type=type_, **more)


def header(name: str, type_: Any = str, **more: Any) -> Parameter:
    alias = more.pop("alias", name.replace("_", "-"))
    return Parameter(name=name, alias=alias, source="header", type=type_, style="simple", **more)


def cookie(name: str, type_: Any = str, **more: Any) -> Parameter:
    return Parameter(name=name, alias=name, source="cookie", type=type_, **more)


def part(name: str, type_: Any, **more: Any) -> BodyPart:
    return BodyPart(name=name, alias=more.pop("alias", name), type=type_, **more)


def data(type_: Any, *, marker: Marker | None = None, **more: Any) -> BodyPlan:
    return BodyPlan(kind="data", parts=(part("value", type_, marker=marker),), type=type_, **more)


def form(*parts: BodyPart) -> BodyPlan:
    return BodyPlan(kind="form", parts=parts)


def needs(provider: Any, *inner: Dependency, **more: Any) -> Dependency:
    arguments = tuple(Argument(f"a{i}", each) for i, each in enumerate(inner))
    return Dependency(provider=provider, key=provider, arguments=arguments, **more)


def operation(
    *parameters: Parameter,
    fn: Callable[..., Any] = handler,
    body: BodyPlan | None = None,
    depends: Iterable[Dependency] = (),
    returns: Any = None,
    **more: Any,
) -> Operation:
    depends = tuple(depends)
    plan = BindingPlan(
        handler=fn,
        arguments=tuple(Argument(f"d{i}", each) for i, each in enumerate(depends)),
        dependencies=depends,
        parameters=parameters,
        body=body,
        returns=returns,
    )
    return Operation(plan=plan, response_type=returns, **more)


def route(
    template: str, made: Operation, *methods: str, name: str = "", **more: Any
) -> tuple[Route, Operation]:
    return Route(template, methods or ("GET",), None, name=name, **more), made


def document(
    *pairs: tuple[Route, Operation], settings: OpenAPI | None = None, **more: Any
) -> dict[str, Any]:
    """The document, which is a valid one."""
    made = generate(INFO, pairs, settings or OpenAPI(), **more)
    validate(made)
    return made


def validate(made: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(made).validate()


def only(made: dict[str, Any]) -> dict[str, Any]:
    """The one operation of a document."""
    ((item),) = made["paths"].values()
    ((found),) = item.values()
    assert isinstance(found, dict)
    return found
