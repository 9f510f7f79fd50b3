"""What an application opens before its first request and closes after its last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

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
