"""What is uploaded comes back as it was; what is too much, or no picture, is not kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from examples.uploads import MB, Stored, app, folder, stored
from photon.testing import TestClient
from tests.clients import wait_until

PNG = b"\x89PNG\r\n\x1a\n"
FILM = bytes(range(256)) * 10_000


@pytest.fixture(scope="module", autouse=True)
def _folder() -> Iterator[None]:
    yield
    shutil.rmtree(folder)


@pytest.fixture
def client() -> Iterator[TestClient]:
    stored.clear()
    with TestClient(app) as client:
        yield client


def test_several_photos_are_kept(client: TestClient) -> None:
    made = client.post(
        "/photos",
        data={"album": "Rome"},
        files=[
            ("photos", ("forum.png", PNG + b"1", "image/png")),
            ("photos", ("../../etc/passwd", PNG + b"22", "image/png")),
        ],
    )
    assert made.status == 201
    forum, passwd = made.json(list[Stored])
    assert (forum.name, forum.size) == ("Rome: forum.png", 9)
    assert (passwd.name, passwd.size) == ("Rome: passwd", 10)
    assert client.get(f"/files/{passwd.id}").content == PNG + b"22"


def test_a_form_without_what_is_needed_says_all_that_is_missing(client: TestClient) -> None:
    refused = client.post("/photos", data={"album": ""}, files={"other": b"x"})
    assert refused.status == 422
    assert [error["loc"] for error in refused.problem["errors"]] == [
        ["body", "album"],
        ["body", "photos"],
    ]


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ([("page.html", b"<script>", "text/html")], 415),
        ([("large.png", bytes(10 * MB + 1), "image/png")], 413),
        ([(f"{n}.png", PNG, "image/png") for n in range(21)], 400),
    ],
)
def test_what_is_over_a_limit_is_refused(
    files: list[tuple[str, bytes, str]], status: int, client: TestClient
) -> None:
    pairs = [("photos", file) for file in files]
    refused = client.post("/photos", data={"album": "Rome"}, files=pairs)
    assert refused.status == status
    assert not stored


def test_a_film_is_taken_as_it_comes(client: TestClient) -> None:
    made = client.post(
        "/films", data={"title": "Holiday"}, files={"film": ("holiday.mp4", FILM, "video/mp4")}
    )
    [film] = made.json(list[Stored])
    assert (film.name, film.size) == ("holiday.mp4", len(FILM))

    whole = client.get(f"/files/{film.id}")
    assert whole.content == FILM
    assert whole.headers["content-disposition"] == 'attachment; filename="holiday.mp4"'
    part = client.get(f"/files/{film.id}", headers={"range": "bytes=0-99"})
    assert (part.status, part.content) == (206, FILM[:100])
    again = client.get(f"/files/{film.id}", headers={"if-none-match": whole.headers["etag"]})
    assert again.status == 304


def test_a_body_is_kept_as_it_comes(client: TestClient) -> None:
    pieces = (FILM[start : start + 100_000] for start in range(0, len(FILM), 100_000))
    backup = client.put("/backups", content=pieces).json(Stored)
    assert client.get(f"/files/{backup.id}").content == FILM


def test_of_a_client_that_leaves_half_way_nothing_is_kept(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        yield FILM
        assert set(folder.iterdir()) > before  # it is being written
        raise BrokenPipeError

    before = set(folder.iterdir())
    with pytest.raises(BrokenPipeError):
        client.put("/backups", content=pieces())
    wait_until(lambda: set(folder.iterdir()) == before)
    assert not stored


def test_nothing_else_is_found(client: TestClient) -> None:
    for id in ("none", "..%2Fsecret", "."):
        assert client.get(f"/files/{id}").status == 404


def test_the_page_has_a_form(client: TestClient) -> None:
    assert 'enctype="multipart/form-data"' in client.get("/").text
