"""What a response says of itself, and how it is read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from photon.http.headers import Headers
from photon.http.request import Request
from photon.http.response import Response
from photon.testing.client import TestClient
from photon.testing.response import ClientResponse


def answer(body: bytes | str = b"", status: int = 200, **headers: str) -> ClientResponse:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return TestClient(lambda request: Response(body, status, fields)).get("/a")


def test_its_repr_shows_what_a_failing_assert_needs() -> None:
    assert repr(answer("hé", 201)) == (
        "<201 Created to GET http://testserver/a text/plain; charset=utf-8: hé>"
    )
    assert repr(answer(status=204)).startswith("<204 No Content to GET http://testserver/a")
    assert "…" in repr(answer("x" * 301))
    assert repr(answer("x" * 301)).endswith("x… (301 bytes)>")
    assert "3 bytes b'\\x00\\xff\\xfe'" in repr(answer(b"\0\xff\xfe"))
    assert len(repr(answer(b"\x80" * 1_000_000))) < 300


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain; charset=latin-1", b"h\xe9", "hé"),
        ('text/plain; a=b; Charset="UTF-16"', "hé".encode("utf-16"), "hé"),
        ("text/plain; charset=none-such", "hé".encode(), "hé"),
        ("text/plain; charset=hex", b"6a", "6a"),
        ("text/plain; charset=", b"a", "a"),
        ("text/plain", b"\xff", "\ufffd"),
    ],
)
def test_text(content_type: str, body: bytes, text: str) -> None:
    assert answer(body, content_type=content_type).text == text


class Item(msgspec.Struct):
    id: int


def test_json() -> None:
    made = answer('{"id": 1}')
    assert made.json() == {"id": 1}
    assert made.json(Item) == Item(1)
    assert made.json(dict[str, int]) == {"id": 1}
    with pytest.raises(ValueError, match=r"<200 OK to GET .*: nope> is no JSON"):
        answer("nope").json()
    with pytest.raises(ValueError, match=r"is no JSON of Item: .*missing required field `id`"):
        answer("{}").json(Item)


def test_a_problem() -> None:
    made = answer('{"status": 404}', 404, content_type="application/problem+json; charset=utf-8")
    assert made.problem == {"status": 404}
    with pytest.raises(ValueError, match=r"<404 Not Found .*> is no application/problem\+json"):
        _ = answer("{}", 404).problem


def test_events_want_their_media_type() -> None:
    with pytest.raises(ValueError, match="is no text/event-stream"):
        answer("data: 1\n\n").iter_events()


def test_names_of_other_clients_lead_to_ours() -> None:
    made: Any = answer()
    with pytest.raises(AttributeError, match="has no 'status_code': here it is status"):
        _ = made.status_code
    with pytest.raises(AttributeError, match=r"has no 'staus'$"):
        _ = made.staus
    assert not hasattr(made, "__array__")


def test_compressed_bodies_are_read() -> None:
    import gzip

    def handler(request: Request) -> Response:
        return Response(gzip.compress(b"plain"), headers={"content-encoding": "gzip"})

    client = TestClient(handler)
    assert client.get("/").content == b"plain"
    assert client.head("/").content == b""
    with client.stream("GET", "/") as streamed:
        assert "".join(streamed.iter_text()) == "plain"


def test_text_is_decoded_across_pieces() -> None:
    pieces = [b"h\xc3", b"\xa9", b"\xe2\x82"]
    client = TestClient(lambda request: Response.stream(iter(pieces), content_type="text/plain"))
    with client.stream("GET", "/") as streamed:
        assert list(streamed.iter_text()) == ["h", "é", "\ufffd"]
        assert isinstance(streamed.headers, Headers)
