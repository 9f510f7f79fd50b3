"""From a signature to an application: what handlers may ask for, and what is refused at once."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import pytest

from photon.app.endpoint import Surroundings, make_operation
from photon.app.endpoint import make_endpoint as make
from photon.app.overrides import Overrides
from photon.app.respond import Responders
from photon.binding.app_scope import AppScope
from photon.binding.errors import HandlerError
from photon.binding.markers import Path
from photon.http.application import Application
from photon.http.errors import HTTPError
from photon.http.form_rules import FormLimits
from photon.http.request import Request
from tests.app.requests import make_request

if TYPE_CHECKING:
    from nowhere import Missing  # type: ignore[import-not-found]


def make_endpoint(
    handler: Callable[..., Any], path_types: dict[str, type], **options: Any
) -> Application:
    given = Surroundings(
        responders=Responders, overrides=Overrides(), app_scope=AppScope(), checks_responses=False
    )
    return make(make_operation(handler, path_types, options), path_types, options, given)


def call(handler: Callable[..., Any], /, **path_values: Any) -> bytes:
    """What the endpoint of `handler` answers to a request with these values in its path."""
    request = make_request("GET", "/somewhere")
    request.path_values = path_values
    types = {name: type(value) for name, value in path_values.items()}
    return make_endpoint(handler, types)(request).body


def test_its_limits_hold_for_a_form_that_the_handler_reads_itself() -> None:
    def handler(request: Request) -> int:
        return len(request.form())

    request = make_request("POST", "/", **{"content-type": "application/x-www-form-urlencoded"})
    request._body = b"a=1&b=2"
    with pytest.raises(HTTPError, match="400"):
        make_endpoint(handler, {}, form_limits=FormLimits(parts=1))(request)


# What a handler may ask for...


def test_nothing_at_all() -> None:
    assert call(lambda: "fine") == b"fine"


def test_the_request_by_its_type_under_whatever_name() -> None:
    def handler(asked: Request) -> str:
        return asked.method

    assert call(handler) == b"GET"


def test_the_request_by_its_name() -> None:
    assert call(lambda request: request.method) == b"GET"


class Special(Request):
    pass


def test_a_subclass_of_request_as_annotation() -> None:
    def handler(request: Special) -> str:
        return request.method

    assert call(handler) == b"GET"


def test_a_path_value_of_no_type_as_it_is() -> None:
    assert call(lambda name: name * 2, name="ab") == b"abab"


def test_a_path_value_named_request() -> None:
    def handler(request: str) -> str:
        return request

    assert call(handler, request="text") == b"text"


@pytest.mark.parametrize("name", ["handler", "responders", "status", "value", "endpoint"])
def test_a_path_value_named_like_something_inside(name: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def handler({name}: int): return {name} + 1", scope)
    assert call(scope["handler"], **{name: "6"}) == b"7"


TYPES = [
    (int, "7", 7),
    (int, 7, 7),
    (float, "2.5", 2.5),
    (float, 2, 2.0),
    (str, "text", "text"),
    (bool, "true", True),
    (UUID, "12345678123456781234567812345678", UUID("12345678" * 4)),
    (date, "2025-01-31", date(2025, 1, 31)),
    (Literal["a", "b"], "a", "a"),
    (int | None, "7", 7),
    (Any, "text", "text"),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), TYPES)
def test_a_path_value_as_its_annotated_type(annotation: Any, value: Any, expected: Any) -> None:
    seen: list[Any] = []

    def handler(value: Any) -> None:
        seen.append(value)

    handler.__annotations__["value"] = annotation
    call(handler, value=value)
    assert seen == [expected]
    assert type(seen[0]) is type(expected)


def test_a_path_value_that_does_not_fit_is_a_422_that_says_where() -> None:
    def handler(number: int) -> int:
        return number

    with pytest.raises(HTTPError) as caught:
        call(handler, number="seven")
    assert caught.value.status == 422
    (error,) = caught.value.extra["errors"]
    assert error["loc"] == ["path", "number"]
    assert "int" in error["msg"]


def test_positional_parameters_keep_their_order() -> None:
    def handler(a: str, b: str, /, c: str, *, d: str) -> str:
        return a + b + c + d

    assert call(handler, d="4", c="3", b="2", a="1") == b"1234"


class Counter:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, step: int) -> int:
        self.count += step
        return self.count

    def method(self, step: int) -> int:
        return self(step)


def prefixed(prefix: str, name: str) -> str:
    return prefix + name


@functools.wraps(prefixed)
def wrapped(*args: Any, **kwargs: Any) -> Any:
    return prefixed(*args, **kwargs)


def test_handlers_of_other_kinds() -> None:
    counter = Counter()
    assert call(counter, step="2") == b"2"
    assert call(counter.method, step="3") == b"5"
    assert call(wrapped, prefix="a", name="b") == b"ab"


def test_a_partial_keeps_the_types_of_its_function() -> None:
    def power(base: int, exponent: int) -> int:
        return int(base**exponent)

    assert call(functools.partial(power, 2), exponent="10") == b"1024"


def test_the_status_of_the_route_is_for_what_does_not_say_another() -> None:
    request = make_request("GET", "/")
    assert make_endpoint(lambda: "x", {}, status=201)(request).status == 201
    assert make_endpoint(lambda: ("x", 202), {}, status=201)(request).status == 202


# What is refused when it is registered...


async def async_handler() -> None: ...


async def async_generator() -> AsyncIterator[bytes]:
    yield b""


class AsyncCallable:
    async def __call__(self) -> None: ...


def takes_too_little() -> None: ...


def takes_too_much(name: str, missing: Annotated[str, Path()]) -> None: ...


def has_unknown_type(name: Missing) -> None: ...


def has_bad_attribute(name: functools.nothing) -> None: ...  # type: ignore[name-defined]


def has_no_type_at_all(name: str) -> None: ...


has_no_type_at_all.__annotations__["name"] = "1 +"


def has_unreadable_type(name: list[int] | set[int]) -> None: ...


def takes_any_number(*name: str) -> None: ...


def takes_any_name(**name: str) -> None: ...


class Shelf:
    def __init__(self, name: str) -> None: ...


def takes_a_shelf(name: Shelf) -> None: ...


def takes_a_shelf_or_none(name: Shelf | None) -> None: ...


def takes_a_list(name: list[int]) -> None: ...


FAULTS: list[tuple[Callable[..., Any], str]] = [
    (async_handler, "is async; handlers here are plain functions: write `def`"),
    (async_generator, "is async"),
    (AsyncCallable(), "is async"),
    (functools.partial(async_handler), "is async"),
    (takes_too_little, "does not take 'name' from the path; add it .* `name: str`"),
    (takes_too_much, "a parameter 'missing' that nothing fills.*Put {missing} into the path"),
    (has_unknown_type, "annotation that is not defined where it stands: .*Missing"),
    (has_bad_attribute, "annotation that is not defined where it stands: .*nothing"),
    (has_no_type_at_all, "annotation that is not defined where it stands"),
    (has_unreadable_type, "a parameter 'name' of a type that cannot be read"),
    (Shelf, "Shelf .*is a class; register a function, or an object"),
    (takes_a_shelf, "'name' of the type Shelf, which cannot be made from the text of a path"),
    (takes_a_shelf_or_none, "'name' of the type .*Shelf.*Take `name: str` and make it there"),
    (takes_a_list, "which cannot be made .* a converter: Photon.converters=.Converter"),
    (takes_any_number, r"takes \*name; name its parameters"),
    (takes_any_name, r"takes \*name; name its parameters"),
]


@pytest.mark.parametrize(("handler", "says"), FAULTS)
def test_a_handler_that_cannot_be_called_is_refused_with_its_place(
    handler: Callable[..., Any], says: str
) -> None:
    with pytest.raises(HandlerError, match=says) as caught:
        make_endpoint(handler, {"name": str})
    assert "test_endpoint.py:" in str(caught.value)


@pytest.mark.parametrize("handler", [5, "text", None])
def test_what_cannot_be_called_is_refused(handler: Any) -> None:
    with pytest.raises(HandlerError, match="is no handler; register a function"):
        make_endpoint(handler, {})


@pytest.mark.parametrize("handler", [takes_a_shelf, takes_a_shelf_or_none])
def test_a_converter_may_make_what_text_cannot(handler: Callable[..., Any]) -> None:
    request = make_request("GET", "/")
    request.path_values = {"name": Shelf("a")}
    assert make_endpoint(handler, {"name": Shelf})(request).status == 204


# What a handler must not return...


def test_a_value_that_cannot_be_sent_names_the_handler_in_one_traceback() -> None:
    def noparen(request: Request) -> Any:
        return request.json

    with pytest.raises(HandlerError) as caught:
        call(noparen)
    error = caught.value
    assert "noparen (tests/app/test_endpoint.py:" in str(error)
    assert str(error).endswith(") returned the method Request.json: call it")
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_a_type_error_of_the_handlers_own_stays_as_it_is() -> None:
    def wrong() -> None:
        raise TypeError("mine")

    with pytest.raises(TypeError, match=r"^mine$"):
        call(wrong)


def test_an_endpoint_knows_its_handler() -> None:
    assert make_endpoint(takes_too_little, {}).__wrapped__ is takes_too_little  # type: ignore[attr-defined]


def test_what_has_no_signature_is_refused() -> None:
    with pytest.raises(HandlerError):
        make_endpoint(dict.update, {})
