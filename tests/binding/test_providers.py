"""Providers in a running application: what is made when, what is closed when, who is called."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from msgspec import Struct

from photon.app.photon import Photon
from photon.binding.errors import HandlerError
from photon.binding.markers import Body, Depends, Header, Security, SecurityScopes
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import checkpoint, sleep_forever
from photon.testing.wire import Wire
from tests.binding.asking import Answer, ask, message, read_answer, received, refused
from tests.clients import wait_until

story: list[str] = []
"""What happened, in order."""


@pytest.fixture(autouse=True)
def _nothing_happened_yet() -> None:
    story.clear()


def make(path: str = "/", **options: Any) -> Callable[[Callable[..., Any]], Photon]:
    """An application with one handler."""

    def register(handler: Callable[..., Any]) -> Photon:
        app = Photon(openapi_url=None, docs_url=None)
        app.route(path, ["GET", "POST"], **options)(handler)
        return app

    return register


# Values...


def number() -> int:
    story.append("number")
    return 7


def double(number: Annotated[int, Depends(number)], factor: int = 2) -> int:
    story.append("double")
    return number * factor


def test_a_provider_has_parameters_as_a_handler_has() -> None:
    @make()
    def app(double: Annotated[int, Depends(double)]) -> int:
        return double

    assert ask(app, "GET", "/").json == 14
    assert ask(app, "GET", "/?factor=3").json == 21
    assert refused(ask(app, "GET", "/?factor=x")) == [("query", "factor")]


def test_a_provider_is_called_once_for_all_who_ask() -> None:
    @make()
    def app(
        a: Annotated[int, Depends(number)],
        b: Annotated[int, Depends(double)],
        c: Annotated[int, Depends(double)],
    ) -> list[int]:
        return [a, b, c]

    for _ in range(2):
        story.clear()
        assert ask(app, "GET", "/").json == [7, 14, 14]
        assert story == ["number", "double"]


def test_a_provider_is_called_each_time_where_it_is_asked_anew() -> None:
    @make()
    def app(
        a: Annotated[int, Depends(number)],
        b: Annotated[int, Depends(number, cached=False)],
        c: Annotated[int, Depends(number, cached=False)],
    ) -> int:
        return a + b + c

    assert ask(app, "GET", "/").json == 21
    assert story == ["number"] * 3


class Paging:
    def __init__(self, page: int = 1, *, size: int = 10) -> None:
        self.page, self.size = page, size


@dataclass
class Sorting:
    by: str
    paging: Annotated[Paging, Depends()]


def test_a_class_is_a_provider_of_itself() -> None:
    @make()
    def app(
        paging: Annotated[Paging, Depends], sorting: Annotated[Sorting, Depends()]
    ) -> list[Any]:
        assert sorting.paging is paging
        return [paging.page, paging.size, sorting.by]

    assert ask(app, "GET", "/?page=3&by=name").json == [3, 10, "name"]
    assert refused(ask(app, "GET", "/?page=x")) == [("query", "page"), ("query", "by")]


class Multiplied:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    def __call__(self, n: int) -> int:
        return self.factor * n

    def generated(self, n: int) -> Iterator[int]:
        yield self(n)
        story.append("closed")

    @contextmanager
    def managed(self, n: int) -> Iterator[int]:
        yield self(n)
        story.append("left")


class ManagedCall:
    @contextmanager
    def __call__(self) -> Iterator[str]:
        yield "managed"
        story.append("left")


times = Multiplied(2)


def test_providers_of_other_kinds() -> None:
    @make()
    def app(
        a: Annotated[int, Depends(times)],
        b: Annotated[int, Depends(times.generated)],
        c: Annotated[int, Depends(times.managed)],
        d: Annotated[int, Depends(functools.partial(times, 3))],
        e: Annotated[str, Depends(ManagedCall())],
    ) -> list[Any]:
        return [a, b, c, d, e]

    assert ask(app, "GET", "/?n=4").json == [8, 8, 8, 6, "managed"]
    assert story == ["left", "left", "closed"]


def responders(status: int, value: int) -> int:
    return status + value


def test_a_provider_may_have_the_name_of_anything_inside() -> None:
    @make()
    def app(
        handler: Annotated[int, Depends(responders)],
        request: Request,
        error: int,
        v0: int,
        opened: int = 1,
        Opened: int = 2,
        refuse: str = "r",
    ) -> list[Any]:
        return [handler, request.method, error, v0, opened, Opened, refuse]

    answer = ask(app, "GET", "/?status=1&value=2&error=3&v0=4&refuse=x")
    assert answer.json == [3, "GET", 3, 4, 1, 2, "x"]


def test_values_of_a_body_are_read_once_for_all() -> None:
    class_ = Annotated[dict[str, int], Body()]

    def total(sent: class_) -> int:
        return sum(sent.values())

    def handler(sent: Any, total: Annotated[int, Depends(total)]) -> Any:
        return [sent, total]

    total.__annotations__["sent"] = handler.__annotations__["sent"] = class_
    handler.__annotations__["total"] = Annotated[int, Depends(total)]
    assert ask(make()(handler), "POST", "/", json={"a": 1, "b": 2}).json == [{"a": 1, "b": 2}, 3]


def in_pipes(n: Annotated[list[int], Header()]) -> list[int]:
    return n


def as_texts(n: Annotated[list[str], Header()]) -> list[str]:
    return n


def test_two_types_of_one_value() -> None:
    @make()
    def app(
        a: Annotated[list[int], Depends(in_pipes)], b: Annotated[list[str], Depends(as_texts)]
    ) -> Any:
        return [a, b]

    assert ask(app, "GET", "/", "N: 1,2").json == [[1, 2], ["1", "2"]]


# Generators...


def opened(name: str, fails: str = "") -> Callable[..., Iterator[str]]:
    """A provider that tells what happens to it."""

    def provider() -> Iterator[str]:
        if fails == "opening":
            raise ValueError(f"{name} does not open")
        story.append(f"open {name}")
        try:
            yield name
        except BaseException as error:
            story.append(f"{name} gets {type(error).__name__}")
            raise
        finally:
            story.append(f"close {name}")
            if fails == "closing":
                raise ValueError(f"{name} does not close")

    return provider


A, B = opened("a"), opened("b")


def test_generators_are_closed_in_reverse_after_the_response_was_written() -> None:
    def told() -> Iterator[bytes]:
        yield b"x"
        story.append("written")

    @make()
    def app(a: Annotated[str, Depends(A)], b: Annotated[str, Depends(B)]) -> Response:
        story.append("handler")
        return Response.stream(told())

    with Wire(app) as wire:
        wire.send(message("GET", "/") * 2)
        assert wire.receive().count(b"200 OK") == 2
    once = ["open a", "open b", "handler", "written", "close b", "close a"]
    assert story == once * 2


def test_generators_are_told_of_what_ended_the_handler() -> None:
    @make()
    def app(a: Annotated[str, Depends(A)], b: Annotated[str, Depends(B)]) -> None:
        raise HTTPError(409)

    assert ask(app, "GET", "/").status == 409
    assert story == [
        "open a",
        "open b",
        "b gets HTTPError",
        "close b",
        "a gets HTTPError",
        "close a",
    ]


def test_generators_are_closed_when_a_later_provider_does_not_open() -> None:
    @make()
    def app(
        a: Annotated[str, Depends(A)], b: Annotated[str, Depends(opened("b", "opening"))]
    ) -> None: ...

    assert ask(app, "GET", "/").status == 500
    assert story == ["open a", "a gets ValueError", "close a"]


def test_generators_are_closed_when_a_value_cannot_be_sent() -> None:
    @make()
    def app(a: Annotated[str, Depends(A)]) -> Any:
        return object()

    assert ask(app, "GET", "/").status == 500
    assert story[0] == "open a"
    assert story[-1] == "close a"


def test_generators_are_told_of_what_ended_the_stream() -> None:
    @make()
    def broken(a: Annotated[str, Depends(A)]) -> Iterator[str]:
        yield "begun"
        raise ValueError(a)

    @make()
    def never_begun(a: Annotated[str, Depends(A)]) -> Iterator[str]:
        yield "begun" if a == "b" else cannot()

    @make()
    def left(a: Annotated[str, Depends(A)]) -> Iterator[str]:
        yield "begun"
        sleep_forever()

    told = ["open a", "a gets ValueError", "close a"]
    with Wire(broken) as wire:
        wire.send(message("GET", "/"))
        wait_until(lambda: "close a" in story)
    assert story == told
    story.clear()
    assert ask(never_begun, "GET", "/").status == 500
    assert story == told
    story.clear()
    with Wire(left) as wire:
        wire.send(message("GET", "/"))
        wire.reset()
        wait_until(lambda: "close a" in story)
    assert story == ["open a", "a gets Cancelled", "close a"]


def cannot() -> str:
    raise ValueError("cannot")


def test_generators_are_told_when_middleware_fails_behind_the_handler() -> None:
    def failing(request: Request, application: Callable[[Request], Response]) -> Response:
        application(request)
        raise ValueError("no")

    app = Photon(middleware=[failing])

    @app.get("/")
    def read(a: Annotated[str, Depends(A)]) -> str:
        return a

    assert ask(app, "GET", "/").status == 500
    assert story == ["open a", "a gets ValueError", "close a"]


def test_generators_are_closed_when_the_client_leaves() -> None:
    @make()
    def app(a: Annotated[str, Depends(A)], b: Annotated[str, Depends(B)]) -> None:
        sleep_forever()

    with Wire(app) as wire:
        wire.send(message("GET", "/"))
        assert story == ["open a", "open b"]
        wire.reset()
        wait_until(lambda: "close a" in story)
    assert story[2:] == ["b gets Cancelled", "close b", "a gets Cancelled", "close a"]


def test_each_generator_is_closed_whatever_another_one_raises(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @make()
    def app(
        a: Annotated[str, Depends(A)], b: Annotated[str, Depends(opened("b", "closing"))]
    ) -> str:
        return "fine"

    with Wire(app) as wire:
        wire.send(message("GET", "/"))
        assert read_answer(received(wire)).body == b"fine"
        wait_until(lambda: "close a" in story)
        wire.send(message("GET", "/"))
        assert read_answer(received(wire)).status == 200
    assert story[:5] == ["open a", "open b", "close b", "a gets ValueError", "close a"]
    assert "b does not close" in caplog.text


def never() -> Iterator[int]:
    yield from ()


def twice() -> Iterator[int]:
    yield 1
    yield 2


def test_a_generator_yields_once(caplog: pytest.LogCaptureFixture) -> None:
    @make()
    def never_app(a: Annotated[int, Depends(never)]) -> None: ...

    @make()
    def twice_app(a: Annotated[int, Depends(twice)]) -> None: ...

    assert ask(never_app, "GET", "/").status == 500
    assert "the provider never (tests/binding/test_providers.py:" in caplog.text
    assert "did not yield; it yields once" in caplog.text
    assert ask(twice_app, "GET", "/").status == 204
    wait_until(lambda: "yielded twice; it yields once" in caplog.text)


def swallowing() -> Iterator[int]:
    try:
        yield 1
    except ValueError:
        story.append("swallowed")


def test_a_generator_cannot_hide_what_ended_the_handler() -> None:
    @make()
    def app(a: Annotated[int, Depends(swallowing)]) -> None:
        raise ValueError

    assert ask(app, "GET", "/").status == 500
    assert story == ["swallowed"]


def logged(fn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fn)
    def logging_it(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return logging_it


def listed(fn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fn)
    def all_of_it(*args: Any, **kwargs: Any) -> Any:
        return list(fn(*args, **kwargs))

    return all_of_it


def counted(start: int) -> Iterator[int]:
    yield start
    story.append("closed")


def test_a_generator_under_decorators() -> None:
    @make()
    def app(
        a: Annotated[int, Depends(logged(counted))],
        b: Annotated[int, Depends(logged(contextmanager(counted)))],
        c: Annotated[list[int], Depends(listed(counted))],
    ) -> Any:
        return [a, b, c]

    assert ask(app, "GET", "/?start=5").json == [5, 5, [5]]
    assert story == ["closed"] * 3


# Of the scope "handler"...


def test_a_handlers_scope_is_over_before_the_response_is_sent() -> None:
    def told() -> Iterator[bytes]:
        yield b"x"
        story.append("written")

    @make()
    def app(
        a: Annotated[str, Depends(A, scope="handler")], b: Annotated[str, Depends(B)]
    ) -> Response:
        return Response.stream(told())

    assert ask(app, "GET", "/").status == 200
    assert story == ["open a", "open b", "close a", "written", "close b"]


def test_what_fails_when_a_handlers_scope_ends_is_a_500() -> None:
    @make()
    def app(
        a: Annotated[str, Depends(opened("a", "closing"), scope="handler")],
        b: Annotated[str, Depends(B)],
    ) -> str:
        return "fine"

    assert ask(app, "GET", "/").status == 500
    # One that commits when nothing is raised must not: the client was told of a failure.
    assert story == ["open a", "open b", "close a", "b gets ValueError", "close b"]


def test_a_handlers_scope_is_told_of_what_ended_the_handler() -> None:
    @make()
    def app(a: Annotated[str, Depends(A, scope="handler")]) -> None:
        raise HTTPError(404)

    assert ask(app, "GET", "/").status == 404
    assert story == ["open a", "a gets HTTPError", "close a"]


# Of the scope "app"...


def pool() -> Iterator[list[str]]:
    story.append("open pool")
    checkpoint()
    yield ["pool"]
    story.append("close pool")


def session(pool: Annotated[list[str], Depends(pool, scope="app")]) -> str:
    return pool[0]


def shop() -> Photon:
    @make()
    def app(
        pool: Annotated[list[str], Depends(pool, scope="app")],
        session: Annotated[str, Depends(session)],
    ) -> Any:
        return [pool, session]

    return app


def test_an_application_makes_it_once() -> None:
    app = shop()
    for _ in range(2):
        story.clear()
        with app.running():
            assert story == ["open pool"]
            with Wire(app.composed) as wire:
                for _ in range(3):
                    wire.send(message("GET", "/"))
                    assert read_answer(received(wire)).json == [["pool"], "pool"]
            assert story == ["open pool"]
        assert story == ["open pool", "close pool"]


def test_it_is_made_when_asked_for_where_nobody_runs_the_application() -> None:
    app = shop()
    with Wire(app.composed) as wire:
        assert story == []
        wire.send(message("GET", "/"))
        assert read_answer(received(wire)).status == 200
    assert story == ["open pool"]


def test_fifty_who_ask_at_once_get_the_same_one() -> None:
    app = shop()
    wires = [Wire(app.composed) for _ in range(50)]
    for wire in wires:
        wire.stream.inbox.append(message("GET", "/"))
        wire.stream.notify()
    for wire in wires:
        assert read_answer(received(wire)).status == 200
        wire.__exit__(None, None, None)
    assert story == ["open pool"]


def broken_pool() -> int:
    story.append("try")
    raise OSError("no database")


def test_an_application_that_cannot_have_it_does_not_start() -> None:
    @make()
    def app(
        pool: Annotated[list[str], Depends(pool, scope="app")],
        broken: Annotated[int, Depends(broken_pool, scope="app")],
    ) -> None: ...

    with pytest.raises(OSError, match="no database"), app.running():
        pass
    assert story == ["open pool", "try", "close pool"]


# Concurrent ones...


def meeting(name: str, other: str) -> Callable[[], str]:
    """A provider that goes on when another one is there."""

    def provider() -> str:
        story.append(name)
        wait_until(lambda: other in story)
        return name

    return provider


def test_concurrent_providers_wait_for_each_other() -> None:
    @make()
    def app(
        a: Annotated[str, Depends(meeting("a", "b"), concurrent=True)],
        b: Annotated[str, Depends(meeting("b", "a"), concurrent=True)],
    ) -> str:
        return a + b

    assert ask(app, "GET", "/").body == b"ab"


def waiting() -> Iterator[None]:
    story.append("wait")
    try:
        sleep_forever()
    except Cancelled:
        story.append("cancelled")
        raise
    yield


def failing() -> None:
    wait_until(lambda: "wait" in story)
    raise HTTPError(418)


def test_one_that_fails_cancels_the_others() -> None:
    @make()
    def app(
        a: Annotated[str, Depends(A, concurrent=True)],
        b: Annotated[None, Depends(waiting, concurrent=True)],
        c: Annotated[None, Depends(failing, concurrent=True)],
    ) -> None: ...

    assert ask(app, "GET", "/").status == 418
    assert story == ["open a", "wait", "cancelled", "a gets HTTPError", "close a"]


def test_the_cancel_of_a_request_reaches_concurrent_providers() -> None:
    @make()
    def app(
        b: Annotated[None, Depends(waiting, concurrent=True)],
        c: Annotated[None, Depends(waiting, concurrent=True, cached=False)],
    ) -> None: ...

    with Wire(app) as wire:
        wire.send(message("GET", "/"))
        wait_until(lambda: story == ["wait", "wait"])
        wire.reset()
        wait_until(lambda: story == ["wait", "wait", "cancelled", "cancelled"])


# In the place of others...


def test_a_fake_has_parameters_of_its_own() -> None:
    def fake(value: int = 1, n: Annotated[int, Header()] = 2) -> int:
        return value * n

    @make()
    def app(double: Annotated[int, Depends(double)]) -> int:
        return double

    with app.override(number, fake):
        assert ask(app, "GET", "/").json == 4
        assert ask(app, "GET", "/?value=5", "N: 3").json == 30
        assert refused(ask(app, "GET", "/?value=x")) == [("query", "value")]
        with app.override(number, lambda: 1), app.override(double, lambda: 100):
            assert ask(app, "GET", "/").json == 100
        assert ask(app, "GET", "/").json == 4
    assert ask(app, "GET", "/").json == 14
    assert story == ["double"] * 3 + ["number", "double"]


def test_a_fake_may_be_a_generator() -> None:
    @make()
    def app(number: Annotated[int, Depends(number)]) -> Any:
        return number

    with app.override(number, A):
        assert ask(app, "GET", "/").body == b"a"
    assert story == ["open a", "close a"]


def test_an_override_that_ends_leaves_requests_alone_that_began() -> None:
    gate: list[bool] = []

    def slow() -> str:
        wait_until(lambda: gate)
        return "fake"

    @make()
    def app(a: Annotated[str, Depends(A)], b: Annotated[int, Depends(number)]) -> Any:
        return [a, b]

    with app.override(A, slow), Wire(app) as wire:
        wire.send(message("GET", "/"))
        with app.override(number, lambda: 1):
            gate.append(True)
            assert read_answer(received(wire)).json == ["fake", 7]


def test_an_override_of_what_an_application_makes() -> None:
    app = shop()
    with Wire(app) as wire:

        def answer() -> Answer:
            wire.send(message("GET", "/"))
            return read_answer(received(wire))

        assert answer().json == [["pool"], "pool"]
        with app.override(pool, lambda: ["fake"]):
            assert answer().json == [["fake"], "fake"]
        assert answer().json == [["pool"], "pool"]


def engine(pool: Annotated[list[str], Depends(pool, scope="app")]) -> Iterator[str]:
    story.append(f"open engine on {pool[0]}")
    yield f"engine on {pool[0]}"
    story.append(f"close engine on {pool[0]}")


def test_an_override_below_what_an_application_makes() -> None:
    @make()
    def app(engine: Annotated[str, Depends(engine, scope="app")]) -> str:
        return engine

    with app.running():
        with Wire(app.composed) as wire:

            def body() -> bytes:
                wire.send(message("GET", "/"))
                return read_answer(received(wire)).body

            assert body() == b"engine on pool"
            with app.override(pool, lambda: ["fake"]):
                assert body() == b"engine on fake"
            assert body() == b"engine on pool"
    assert story == [
        "open pool",
        "open engine on pool",
        "open engine on fake",
        "close engine on fake",
        "close engine on pool",
        "close pool",
    ]


# Guards...


def key(x_key: Annotated[str, Header()]) -> str:
    story.append("key")
    if x_key != "open":
        raise HTTPError(401)
    return x_key


class Sent(Struct):
    name: str


def test_a_guard_wins_over_whatever_else_is_wrong() -> None:
    @make("/{id}", dependencies=[Depends(key)])
    def app(id: int, sent: Sent, page: int, a: Annotated[str, Depends(A)]) -> None: ...

    answer = ask(app, "POST", "/x?page=y", "X-Key: no", json={"name": 5})
    assert answer.status == 401
    assert story == ["key"]
    # Strangers learn what the guard needs, and nothing else.
    assert refused(ask(app, "POST", "/x?page=y", json={"name": 5})) == [("header", "x-key")]
    assert refused(ask(app, "POST", "/x?page=y", "X-Key: open", json={"name": 5})) == [
        ("path", "id"),
        ("query", "page"),
        ("body", "name"),
    ]


def body_guard(body: Annotated[Iterator[bytes], Body()]) -> None:
    story.append(f"body {b''.join(body)!r}")


def test_a_guard_may_have_read_the_stream_when_something_else_is_wrong() -> None:
    @make(dependencies=[Depends(body_guard)])
    def app(page: int) -> None: ...

    assert refused(ask(app, "POST", "/?page=y", body=b"x")) == [("query", "page")]
    assert story == ["body b'x'"]


def first_guard(key: Annotated[str, Depends(key)]) -> None:
    story.append("first")


def test_guards_that_stand_on_each_other_are_called_once() -> None:
    @make(dependencies=[Depends(first_guard), Depends(key), Depends(first_guard)])
    def app(key: Annotated[str, Depends(key)]) -> str:
        return key

    assert ask(app, "GET", "/", "X-Key: open").body == b"open"
    assert story == ["key", "first"]


def user(scopes: SecurityScopes, x_scopes: Annotated[list[str], Header()] = []) -> str:  # noqa: B006
    story.append(f"user {','.join(scopes)}")
    if set(scopes) - set(x_scopes):
        raise HTTPError(403)
    return "me"


def admin(user: Annotated[str, Security(user, scopes=["admin"])]) -> str:
    return f"admin {user}"


def test_security_collects_scopes_from_the_handler_down() -> None:
    @make()
    def app(
        page: int,
        admin: Annotated[str, Security(admin, scopes=["items"])],
        user: Annotated[str, Security(user)],
    ) -> Any:
        return [page, admin, user]

    assert ask(app, "GET", "/?page=x").status == 403
    assert story == ["user items,admin"]
    answer = ask(app, "GET", "/?page=1", "X-Scopes: items, admin")
    assert answer.json == [1, "admin me", "me"]
    assert sorted(story[1:]) == ["user ", "user items,admin"]
    assert refused(ask(app, "GET", "/?page=x", "X-Scopes: items,admin")) == [("query", "page")]


def test_guards_of_an_application_come_before_those_of_a_route() -> None:
    def outer() -> None:
        story.append("outer")

    app = Photon(dependencies=[Depends(outer)])

    @app.get("/", dependencies=[Depends(first_guard)])
    def handler() -> None: ...

    assert ask(app, "GET", "/", "X-Key: open").status == 204
    assert story == ["outer", "key", "first"]


# What is refused when a handler is registered is in test_signature; this needs a request.


def test_a_fake_that_does_not_fit_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    @make()
    def app(number: Annotated[int, Depends(number)]) -> int:
        return number

    def fake(*args: int) -> int:
        return 1

    with app.override(number, fake):
        assert ask(app, "GET", "/").status == 500
    assert "takes *args; name its parameters" in caplog.text
    with pytest.raises(HandlerError, match="is no provider"), app.override(number, 5):  # type: ignore[arg-type]
        pass


def path_of(request: Request) -> str:
    return request.path


def test_a_concurrent_provider_may_have_the_request() -> None:
    @make("/{rest:path}")
    def app(rest: str, path: Annotated[str, Depends(path_of, concurrent=True)]) -> Any:
        return [rest, path]

    assert ask(app, "GET", "/a/b").json == ["a/b", "/a/b"]
