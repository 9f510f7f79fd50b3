"""What an application opens before its first request and closes after its last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any

import pytest

from photon.app.lifespan import running
from photon.app.photon import Photon
from photon.http.server.serving import serve
from tests.clients import Client


def test_lifespans_are_opened_in_order_and_closed_in_reverse() -> None:
    story: list[str] = []

    def one() -> Iterator[None]:
        story.append("open one")
        yield
        story.append("close one")

    def two(app: object) -> Iterator[None]:
        story.append(f"open two of {app}")
        yield
        story.append("close two")

    with running("app", [one, two]):
        story.append("between")
    assert story == ["open one", "open two of app", "between", "close two", "close one"]


def test_a_lifespan_may_be_a_context_manager() -> None:
    story: list[str] = []

    @contextmanager
    def decorated(app: object) -> Iterator[None]:
        story.append("open")
        yield
        story.append("close")

    def giving() -> AbstractContextManager[None]:
        return decorated(None)

    with running(None, [decorated, giving]):
        pass
    assert story == ["open", "open", "close", "close"]


def test_those_that_were_opened_are_closed_when_a_later_one_fails() -> None:
    story: list[str] = []

    def one() -> Iterator[None]:
        try:
            yield
        finally:
            story.append("close one")

    def two() -> Iterator[None]:
        if story == []:
            raise ValueError("no database")
        yield

    with pytest.raises(ValueError, match="no database"), running(None, [one, two]):
        raise AssertionError
    assert story == ["close one"]


def test_all_are_closed_though_one_fails_to() -> None:
    story: list[str] = []

    def one() -> Iterator[None]:
        yield
        story.append("close one")

    def two() -> Iterator[None]:
        try:
            yield
        finally:
            raise ValueError("while closing")

    with pytest.raises(ValueError, match="while closing"), running(None, [one, two]):
        pass
    assert story == []  # the error passed through `one`, as through a `with` block


@pytest.mark.parametrize("given", [None, 1, "text"])
def test_what_is_no_lifespan_is_refused_with_what_it_should_be(given: object) -> None:
    with pytest.raises(TypeError, match="a generator function that yields once"):
        with running(None, [lambda: given]):
            raise AssertionError


def never() -> Iterator[None]:
    yield from ()


def twice() -> Iterator[None]:
    yield
    yield


def twice_after_an_error() -> Iterator[None]:
    try:
        yield
    except KeyError:
        yield


def test_a_lifespan_that_does_not_yield_once_is_named() -> None:
    with pytest.raises(RuntimeError, match=r"never \(tests/app/test_lifespan\.py:\d+\) did not yi"):
        with running(None, [never]):
            raise AssertionError
    says = r"the lifespan twice \(tests/app/test_lifespan\.py:\d+\) yielded twice; it yields once"
    with pytest.raises(RuntimeError, match=says), running(None, [twice]):
        pass
    with pytest.raises(RuntimeError, match="yielded twice"), running(None, [twice_after_an_error]):
        raise KeyError


def test_a_lifespan_may_swallow_an_error_and_may_raise_another() -> None:
    def swallowing() -> Iterator[None]:
        try:
            yield
        except KeyError:
            pass

    def raising() -> Iterator[None]:
        try:
            yield
        except KeyError as error:
            raise ValueError from error

    with pytest.raises(ValueError), running(None, [raising]):  # noqa: PT011
        raise KeyError
    with running(None, [swallowing]):
        raise KeyError


async def opens() -> AsyncIterator[None]:
    yield


async def waits() -> None: ...


def needs_two(app: Photon, settings: object) -> Iterator[None]:
    yield


class Database:
    pass


@pytest.mark.parametrize(
    ("lifespan", "says"),
    [
        (opens, r"the lifespan opens \(tests/app/test_lifespan\.py:\d+\) is async: write def"),
        (waits, "the lifespan waits .* is async: write def"),
        (asynccontextmanager(opens), "the lifespan opens .* is async: write def"),
        (needs_two, "needs_two .* cannot be called with the application or nothing: it takes 2"),
        (Database, "the lifespan Database is a class"),
        (5, "5 is no lifespan; give a function"),
    ],
)
def test_what_cannot_be_opened_is_refused_when_it_is_registered(lifespan: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Photon().lifespan(lifespan)
    with pytest.raises(TypeError, match=says):
        Photon(lifespan=lifespan)


def test_what_turns_out_to_be_async_is_refused_when_it_is_opened() -> None:
    with pytest.raises(TypeError, match="is async: write def"):
        with running(None, [lambda: asynccontextmanager(opens)()]):
            raise AssertionError


def test_an_application_is_open_while_it_is_served() -> None:
    story: list[str] = []

    def lifespan(app: Photon) -> Iterator[None]:
        app.state.database = "open"
        story.append("open")
        yield
        story.append("close")

    app = Photon(lifespan=lifespan)

    @app.lifespan
    def second() -> Iterator[None]:
        story.append("open second")
        yield

    @app.get("/")
    def index() -> str:
        story.append("request")
        return str(app.state.database)

    for _ in range(2):
        with serve(app) as server, Client(server) as client:
            assert client.ask("/").body == b"open"
    assert story == ["open", "open second", "request", "close"] * 2
