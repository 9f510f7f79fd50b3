"""Header fields on responses that others made."""

from __future__ import annotations

from pathlib import Path

import pytest

from photon.http.files import FileResponse
from photon.http.response import Response, StreamResponse
from photon.middleware.fields import add_missing, add_vary, owned


class Special(Response):
    """A response of the user's, with something more."""

    def __init__(self, more: str) -> None:
        super().__init__(more)
        self.more = more


@pytest.mark.parametrize("headers", [None, {"a": "b"}])
def test_an_owned_response_is_alike_and_another(headers: dict[str, str] | None) -> None:
    response = Response(b"body", 201, headers, "text/css")
    copied = owned(response)
    assert (copied.body, copied.status, copied.content_type) == (b"body", 201, "text/css")
    assert copied.headers.get("a") == response.headers.get("a")
    copied.headers["c"] = "d"
    copied.headers["content-type"] = "text/plain"
    assert "c" not in response.headers
    assert response.content_type == "text/css"


def test_responses_of_other_classes_keep_what_they_have(tmp_path: Path) -> None:
    special = Special("more")
    copied = owned(special)
    assert isinstance(copied, Special)
    assert copied.more == "more"
    copied.headers["a"] = "b"
    assert "a" not in special.headers
    (tmp_path / "a.txt").write_text("a")
    file = FileResponse(tmp_path / "a.txt")
    copied = owned(file)
    assert isinstance(copied, FileResponse)
    assert copied.path == file.path
    copied.headers["a"] = "b"
    assert "a" not in file.headers


def test_a_stream_of_a_list_may_be_sent_to_everybody() -> None:
    stream = StreamResponse([b"a"])
    copied = owned(stream)
    assert isinstance(copied, StreamResponse)
    assert list(copied.pieces()) == [b"a"]
    copied.headers["a"] = "b"
    assert "a" not in stream.headers


def test_what_is_there_is_kept() -> None:
    response = Response("text", headers={"A": "mine"})
    add_missing(response, (("a", "yours"), ("b", "yours")))
    assert list(response.headers) == [
        ("content-type", "text/plain; charset=utf-8"),
        ("a", "mine"),
        ("b", "yours"),
    ]
    add_missing(response, (("c", "more"),))
    assert response.headers["c"] == "more"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "origin"),
        ({"vary": "accept"}, "accept, origin"),
        ({"vary": "Origin"}, "Origin"),
    ],
)
def test_vary_names_each_header_once(before: dict[str, str], after: str) -> None:
    response = Response("text", headers=before)
    add_vary(response, "origin")
    add_vary(response, "origin")
    assert response.headers.get_all("vary") == [after]
