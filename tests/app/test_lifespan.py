"""What an application opens before its first request and closes after its last."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Annotated, Any

import pytest

from photon.app.lifespan import running
from photon.app.photon import Photon
from photon.binding.markers import Depends
from photon.http.server.serving import serve
from photon.testing.client import TestClient
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


# Several who enter...


def telling(story: list[str], name: str) -> Any:
    def lifespan() -> Iterator[None]:
        story.append(f"open {name}")
        try:
            yield
        finally:
            story.append(f"close {name}")

    return lifespan


def test_two_clients_of_one_application_share_its_life() -> None:
    story: list[str] = []
    app = Photon(lifespan=telling(story, "one"))
    app.get("/")(lambda: "x")
    first, second = TestClient(app), TestClient(app)
    with first:
        with second:
            assert second.get("/").text == "x"
        assert story == ["open one"]
        assert first.get("/").text == "x"
        states = [app.is_running]
    assert [*states, app.is_running] == [True, False]
    assert story == ["open one", "close one"]
    with first, second:
        pass
    assert story == ["open one", "close one"] * 2


def test_who_comes_while_it_is_opened_waits_until_it_is() -> None:
    story: list[str] = []
    opening, going_on = threading.Event(), threading.Event()

    def slow() -> Iterator[None]:
        opening.set()
        going_on.wait()
        story.append("open")
        yield
        story.append("close")

    app = Photon(lifespan=slow)

    def enter() -> None:
        with app.running():
            story.append("in")

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    opening.wait()
    going_on.set()
    for thread in threads:
        thread.join()
    assert story in (
        ["open", "in", "in", "close"],
        ["open", "in", "close", "open", "in", "close"],
    )


def test_what_fails_half_way_is_closed_and_may_be_tried_again() -> None:
    story: list[str] = []
    fails = True

    def failing() -> Iterator[None]:
        if fails:
            raise OSError("no database")
        yield

    app = Photon(lifespan=telling(story, "one"))
    app.lifespan(failing)
    for _ in range(2):
        with pytest.raises(OSError, match="no database"), TestClient(app):
            raise AssertionError
        assert story.pop() == "close one"
        assert story.pop() == "open one"
    assert [app.is_running, story] == [False, []]
    fails = False
    with TestClient(app):
        assert story == ["open one"]


def test_what_is_mounted_and_fails_closes_what_was_opened() -> None:
    story: list[str] = []

    def failing() -> Iterator[None]:
        if story:
            raise OSError("no database")
        yield

    app = Photon(lifespan=telling(story, "outer"))
    app.mount("/longer", Photon(lifespan=telling(story, "first")))
    app.mount("/in", Photon(lifespan=failing))
    with pytest.raises(OSError, match="no database"), app.running():
        raise AssertionError
    assert story == ["open outer", "open first", "close first", "close outer"]


scope_story: list[str] = []


def resource() -> Iterator[str]:
    scope_story.append("open resource")
    yield "resource"
    scope_story.append("close resource")


def test_providers_of_the_application_live_inside_its_lifespans() -> None:
    scope_story.clear()
    app = Photon(lifespan=telling(scope_story, "lifespan"))
    app.mount("/in", Photon(lifespan=telling(scope_story, "mounted")))

    @app.get("/")
    def index(resource: Annotated[str, Depends(resource, scope="app")]) -> str:
        return resource

    with TestClient(app) as client:
        assert client.get("/").text == "resource"
    names = ["lifespan", "mounted", "resource"]
    opened, closed = [f"open {name}" for name in names], [f"close {name}" for name in names]
    assert scope_story == [*opened, *reversed(closed)]


def test_a_provider_that_fails_at_the_start_closes_all() -> None:
    scope_story.clear()
    app = Photon(lifespan=telling(scope_story, "lifespan"))

    def broken() -> str:
        raise OSError("no database")

    app.get("/one", dependencies=[Depends(resource, scope="app")])(lambda: None)
    app.get("/two", dependencies=[Depends(broken, scope="app")])(lambda: None)
    with pytest.raises(OSError, match="no database"), app.running():
        raise AssertionError
    assert scope_story == ["open lifespan", "open resource", "close resource", "close lifespan"]


def test_a_lifespan_comes_too_late_when_the_application_runs() -> None:
    app = Photon()
    with app.running(), pytest.raises(RuntimeError, match=r"the lifespan .* comes too late: <Ph"):
        app.lifespan(telling([], "late"))


def test_a_client_says_that_a_lifespan_is_to_be_opened() -> None:
    app = Photon(lifespan=telling([], "one"))
    app.get("/")(lambda: "x")
    with pytest.raises(RuntimeError, match="has a lifespan to open first"):
        TestClient(app).get("/")
    with app.running():
        assert TestClient(app).get("/").text == "x"
    assert (app.has_lifespan, Photon().has_lifespan) == (True, False)
