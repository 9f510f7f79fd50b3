"""What several requests share, or one request is seen as from two places: nothing leaks."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Annotated

import pytest

from photon.app.photon import Photon
from photon.binding.markers import Depends, Header
from photon.http.request import Request
from photon.http.response import Response
from photon.http.uploads import UploadFile
from photon.runtime.greenlets import sleep, spawn
from photon.templating.response import TemplateResponse
from photon.testing.client import TestClient


def test_a_value_of_the_application_is_made_once_though_many_ask_at_once() -> None:
    made: list[int] = []

    def pool() -> int:
        made.append(1)
        sleep(0.01)
        return len(made)

    app = Photon()

    @app.get("/")
    def handler(number: Annotated[int, Depends(pool, scope="app")]) -> int:
        return number

    client = TestClient(app)  # its lifespan is not entered, so the first request makes it
    handles = [spawn(lambda: client.get("/").json()) for _ in range(5)]
    for handle in handles:
        handle.join()
    assert [handle.result for handle in handles] == [1] * 5
    assert made == [1]


def test_a_stream_that_a_mounted_application_gives_to_everybody_stays_as_it_is() -> None:
    shared = Response.stream([b"a", b"b"])
    before = shared.chunks
    app = Photon()
    app.mount("/in", lambda request: shared)
    with TestClient(app) as client:
        assert [client.get("/in").text for _ in range(3)] == ["ab"] * 3
    assert shared.chunks is before


def test_a_page_that_is_given_with_a_status_once_has_its_own_the_next_time() -> None:
    page = TemplateResponse("page.txt")
    app = Photon(templates={"page.txt": "hello"})

    @app.get("/missing")
    def missing() -> tuple[TemplateResponse, int]:
        return page, 404

    @app.get("/there")
    def there() -> TemplateResponse:
        return page

    with TestClient(app) as client:
        assert client.get("/missing").status == 404
        assert client.get("/there").status == 200


def test_files_of_a_form_are_open_still_when_providers_are_left() -> None:
    seen: list[bytes] = []

    def keeping(request: Request) -> Iterator[None]:
        yield
        for file in request.form().files:
            file.seek(0)
            seen.append(file.read())

    app = Photon()

    @app.post("/")
    def handler(file: UploadFile, _: Annotated[None, Depends(keeping)]) -> None: ...

    with TestClient(app) as client:
        client.post("/", files={"file": ("a.txt", b"content")})
    assert seen == [b"content"]


def test_what_a_mounted_application_puts_off_sees_the_request_from_there() -> None:
    seen: list[tuple[str, str]] = []
    inner = Photon()

    @inner.get("/x")
    def handler(request: Request) -> None:
        request.on_done(lambda: seen.append((request.root, request.path)))

    outer = Photon()
    outer.mount("/api", inner)

    @outer.middleware
    def around(request: Request, application: object) -> Response:
        request.on_done(lambda: seen.append((request.root, request.path)))
        return application(request)  # type: ignore[no-any-return,operator]

    with TestClient(outer) as client:
        client.get("/api/x")
    assert seen == [("/api", "/x"), ("", "/api/x")]


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize("name", ["x-colour"])
def test_what_stands_in_a_header_is_not_repeated(name: str) -> None:
    app = Photon()

    @app.get("/")
    def handler(x_colour: Annotated[Colour, Header()]) -> None: ...

    with TestClient(app) as client:
        answer = client.get("/", headers={name: "s3cret"})
    assert answer.status == 422
    assert "s3cret" not in answer.text


def test_an_answer_that_none_can_take_varies_by_what_was_asked_for() -> None:
    app = Photon(formats=("json", "msgpack"))

    @app.get("/")
    def handler() -> int:
        return 1

    with TestClient(app) as client:
        answer = client.get("/", headers={"accept": "image/png"})
    assert (answer.status, answer.headers["vary"]) == (406, "accept")
