"""What is refused when a handler is registered: each message has the place and the way out."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import pytest
from msgspec import Struct

from photon.app.photon import Photon
from photon.binding.errors import HandlerError
from photon.binding.markers import (
    Body,
    Cookie,
    Depends,
    File,
    Form,
    Header,
    Path,
    Query,
    Security,
    SecurityScopes,
)
from photon.binding.signature import read_plan
from photon.http.request import Request
from photon.http.response import Response, StreamResponse
from photon.http.uploads import UploadFile
from tests.binding.asking import ask

if TYPE_CHECKING:
    from nowhere import Missing  # type: ignore[import-not-found]


class Item(Struct):
    name: str


class Nested(Struct):
    item: Item


class Unresolved(Struct):
    item: Missing


class Model:
    """As if it were one of pydantic's."""

    __module__ = "pydantic.main"


class Own:
    def __init__(self, a: int) -> None: ...


def provider() -> int:
    return 1


def generator() -> Iterator[int]:
    yield 1


async def async_provider() -> None: ...


def many(*args: int) -> None: ...


def cycle_a(b: Annotated[int, Depends(lambda b: b)]) -> None: ...


def cycle_b(a: Annotated[int, Depends(cycle_a)]) -> None: ...


cycle_a.__annotations__["b"] = Annotated[int, Depends(cycle_b)]


def self_cycle(a: int) -> None: ...


self_cycle.__annotations__["a"] = Annotated[int, Depends(self_cycle, cached=False)]


def of_request(of: Annotated[int, Depends(provider)]) -> None: ...


def of_handler(of: Annotated[int, Depends(provider, scope="handler")]) -> None: ...


def asks_the_request(request: Request) -> None: ...


def takes_bytes(data: Annotated[bytes, Body()]) -> None: ...


@dataclass
class Limiter:
    rate: int

    def __call__(self) -> None: ...


def one(annotation: Any, default: Any = inspect.Parameter.empty) -> Callable[..., None]:
    """A handler with one parameter, `value`."""

    def handler(value: Any) -> None: ...

    handler.__annotations__["value"] = annotation
    if default is not inspect.Parameter.empty:
        handler.__defaults__ = (default,)
    return handler


def two(a: Any, b: Any) -> Callable[..., None]:
    """A handler with the parameters `a` and `b`."""

    def handler(a: Any, b: Any) -> None: ...

    handler.__annotations__ |= {"a": a, "b": b}
    return handler


FAULTS: list[tuple[str, Any, str]] = [
    # Types.
    ("/", one(Own), r"'value' of the type Own, which cannot be made .*Depends\("),
    ("/", one("Nowhere"), "annotation that is not defined where it stands: name 'Nowhere'"),
    ("/", one(Unresolved), "a type with an annotation that is not defined.*'Missing'"),
    ("/", one(list[int] | set[int]), "a type that cannot be read"),
    ("/", one(bytes), r"of bytes, and nothing says where.*Body\(\)"),
    ("/", one(Iterator[bytes]), r"of bytes, and nothing says where.*Body\(\)"),
    ("/", one(Annotated[list[Item], Query()]), r"elements cannot be made from text.*Body\(\)"),
    ("/", one(Annotated[Nested, Query()]), "field 'item' is an object itself.*from the body"),
    ("/", one(Annotated[dict[str, str], Query()]), "fields are not known.*deepObject"),
    ("/", one(Annotated[dict[str, str], Form()]), "fields are not known; take a Struct"),
    ("/", one(Annotated[str, File()]), "neither UploadFile nor bytes"),
    ("/", one(Response), r"type Response, which.*return \(value, status, headers\)"),
    ("/", one(StreamResponse | None), r"which cannot be made.*return \(value, status, headers\)"),
    ("/", one(Model), r"type Model, which.*a msgspec\.Struct or a dataclass"),
    ("/", one(list[Model]), r"which cannot be made.*a msgspec\.Struct or a dataclass"),
    # Constraints.
    ("/", one(Annotated[str, Query(ge=1)]), r"with Query\(ge=1\), which does not fit .* str: Can"),
    ("/", one(Annotated[int, Header(max_length=1)]), r"Header\(max_length=1\), which does not fit"),
    ("/", one(Annotated[int, Cookie(pattern="x")]), r"Cookie\(pattern='x'\), which does not fit"),
    ("/", one(Annotated[str, Query(pattern="[")]), r"Query\(pattern='\['\).*unterminated"),
    ("/", one(Annotated[int, Query(ge=1, gt=1)]), "Cannot specify both"),
    ("/", one(Annotated[Item, Body(ge=1)]), r"with Body\(ge=1\), which does not fit its type Item"),
    ("/{value}", one(Annotated[UUID, Path(le=1)]), r"with Path\(le=1\), which does not fit"),
    # The path.
    ("/{id}", one(int), "does not take 'id' from the path; add it .* `id: str`"),
    ("/", one(Annotated[int, Path()]), "'value' that nothing fills.*{value} into the path"),
    ("/{value}", one(list[int]), "cannot be made from the text of a path"),
    ("/{value:int}", one(str), "of the type str, and the path makes int of it: write `value: int`"),
    ("/{value:int}", one(date), "the path makes int of it"),
    ("/{value:float}", one(UUID), "the path makes float of it"),
    ("/{value:uuid}", one(str | None), "the path makes UUID of it.*or {value} in the path"),
    ("/{value:uuid}", one(int), "the path makes UUID of it"),
    # Markers.
    ("/", one(int, Query()), r"Query\(...\) as the default of 'value'.*Annotated\[int, Query"),
    ("/", one(inspect.Parameter.empty, Depends(provider)), r"`value: Annotated\[\.\.\., Depends"),
    ("/", one(Annotated[int, Query(), Header()]), "'value' with Query and Header: keep one"),
    ("/", one(Annotated[int, Query, Depends(provider)]), "with Query and Depends: keep one"),
    # Bodies.
    (
        "/",
        two(Item, Annotated[int, Form()]),
        r"fields of a form and 'a' from a JSON body.*Form\(\)",
    ),
    ("/", two(UploadFile, Item), "fields of a form and 'b' from a JSON body"),
    ("/", two(Annotated[bytes, Body()], Item), "takes the body raw and in another way, too"),
    # Providers.
    ("/", one(Annotated[int, Depends(async_provider)]), "async_provider .*is async; .*write `def`"),
    ("/", one(Annotated[int, Depends(many)]), r"provider many .*takes \*args; name its parameters"),
    ("/", one(Annotated[Any, Depends()]), r"names no provider: Depends\(function\)"),
    ("/", one(Annotated[int, Depends]), r"Depends at 'value' .*`value: Annotated\[int, Depends\("),
    ("/", one(Annotated[list[int], Depends()]), r"Depends at 'value' .*list\[int\] makes none"),
    ("/", one(Annotated[int | None, Security()]), "Security at 'value' .*without a provider"),
    ("/", one(Annotated[int, Depends(provider, scope="app ")]), "scope 'app '; it is 'app' or"),  # type: ignore[arg-type]
    ("/", one(Annotated[int, Depends(5)]), "5 is no provider"),  # type: ignore[arg-type]
    ("/", one(Annotated[int, Depends(Limiter(5))]), "Limiter.*has no hash.*frozen=True"),
    (
        "/",
        one(Annotated[int, Depends(cycle_a)]),
        "depends on itself: cycle_a -> cycle_b -> cycle_a",
    ),
    ("/", one(Annotated[int, Depends(self_cycle)]), "depends on itself: self_cycle -> self_cycle"),
    ("/", one(Annotated[int, Depends(of_request, scope="app")]), "depends on provider, which has"),
    (
        "/",
        one(Annotated[int, Depends(of_handler)]),
        "has the scope 'handler' and is over before it",
    ),
    (
        "/",
        one(Annotated[int, Depends(asks_the_request, scope="app")]),
        "asks for a part of a request",
    ),
    ("/", one(Annotated[int, Depends(functools.partial(max, 1))]), "a function of your own"),
    (
        "/",
        two(
            Annotated[int, Depends(generator, scope="handler")], Annotated[int, Depends(generator)]
        ),
        "asked for with the scope 'handler' and with 'request'.*give both the same",
    ),
]


@pytest.mark.parametrize(("path", "handler", "says"), FAULTS)
def test_what_cannot_work_is_refused_with_its_place(path: str, handler: Any, says: str) -> None:
    app = Photon()
    with pytest.raises(HandlerError, match=f"(?s){says}") as caught:
        app.post(path)(handler)
    if "5 is no provider" not in says:
        assert "test_signature.py:" in str(caught.value) or "function of your own" in says
    assert len(str(caught.value)) < 400
    assert app.router.routes == ()


def test_what_another_function_fills_is_no_parameter() -> None:
    def handler(a: int, secret: str, *, token: str = "t") -> list[Any]:
        return [a, secret, token]

    app = Photon()
    app.get("/")(functools.partial(functools.partial(handler, secret="s"), token="u"))
    assert ask(app, "GET", "/?a=1&secret=x&token=x").json == [1, "s", "u"]


def test_two_markers_that_say_the_same_are_one_parameter() -> None:
    handler = two(Annotated[int, Query(alias="n", ge=1)], Annotated[int, Query(alias="n", ge=1)])
    (parameter,) = read_plan(handler).parameters
    assert parameter.alias == "n"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (
            Annotated[list[int], Query(alias="n")],
            Annotated[list[int], Query(alias="n", explode=False)],
        ),
        (Annotated[int, Query(alias="n")], Annotated[str, Query(alias="n")]),
        (Annotated[int, Query(alias="n")], Annotated[int, Header(alias="n")]),
        (Annotated[Item, Query(alias="n")], Annotated[type("Item", (Item,), {}), Query(alias="n")]),
    ],
)
def test_one_name_read_in_two_ways_is_two_parameters(a: Any, b: Any) -> None:
    assert len(read_plan(two(a, b)).parameters) == 2


def test_where_values_come_from_when_nobody_says() -> None:
    def handler(
        request: Request,
        id: int,
        page: int,
        tags: list[str],
        item: Item,
        scopes: SecurityScopes,
        plain: str,
    ) -> None: ...

    del handler.__annotations__["plain"]
    plan = read_plan(handler, {"id": int})
    assert [a.of if isinstance(a.of, str) else "" for a in plan.arguments].count("request") == 1
    assert [p.name for p in plan.from_source("path")] == ["id"]
    assert [(p.name, p.shape) for p in plan.from_source("query")] == [
        ("page", "value"),
        ("tags", "list"),
        ("plain", "value"),
    ]
    assert plan.body is not None
    assert plan.body.type is Item
    assert not plan.body.has_files


def test_a_raw_body_of_a_provider_is_the_body() -> None:
    plan = read_plan(one(Annotated[int, Depends(takes_bytes)]))
    assert plan.body is not None
    assert plan.body.kind == "bytes"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there is no `type X = ...` before")
def test_a_type_with_a_name_of_its_own_is_what_it_stands_for() -> None:
    make_alias: Any = vars(typing)["TypeAliasType"]

    def handler(items: Any) -> None: ...

    handler.__annotations__["items"] = make_alias("Items", list[Item])
    body = read_plan(handler).body
    assert body is not None
    assert [part.name for part in body.parts] == ["items"]


def test_what_is_defined_in_a_function_may_name_what_is_defined_there_too() -> None:
    def provider() -> str:
        return "made"

    class Local(Struct):
        name: str

    def handler(value: Annotated[str, Depends(provider)], item: Local) -> None: ...

    plan = read_plan(handler)
    assert plan.dependencies[0].provider is provider
    assert plan.body is not None
    assert plan.body.type is Local
