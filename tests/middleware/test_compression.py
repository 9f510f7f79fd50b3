"""Compressed responses, and those that are not."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photon.app.photon import Photon
from photon.http.application import Application
from photon.http.request import Request
from photon.http.response import Response, StreamResponse
from photon.http.sse import EventStream
from photon.middleware.compression import Compression, choose_coding, is_compressible
from photon.runtime.greenlets import sleep_forever, spawn
from photon.testing.wire import Wire
from tests.clients import expect_no_leaks, request, wait_until
from tests.http.requests import make_request
from tests.middleware.test_encoders import Inflater, inflate
from tests.middleware.wires import Reply, ask, read_chunks

TEXT = "All work and no play. " * 200
GZIP = "Accept-Encoding: gzip"
OFFERED = ("zstd", "br", "gzip")


def answering(response: Response, **options: Any) -> Application:
    """An application that gives this response, compressed."""
    return Photon(middleware=[Compression(**options), lambda request, inner: response])


def ask_for(response: Response, *headers: str, method: str = "GET", **options: Any) -> Reply:
    return ask(answering(response, **options), method, "/", *(headers or (GZIP,)))


# What the client would rather have...


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1.0, br;q=0.8", "gzip"),
        ("br;q=0.5, gzip;q=0.5", "br"),
        ("*", "zstd"),
        ("zstd;q=0, *", "br"),
        ("zstd;q=0, br;q=0, gzip;q=0, *", None),
        ("gzip;q=0", None),
        ("gzip;q=0, *;q=0", None),
        ("identity", None),
        ("identity, gzip", "gzip"),
        ("identity;q=1, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=1", "gzip"),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        ("identity;q=0", None),
        ("deflate", None),
        ("compress, deflate;q=0.3", None),
        ("", None),
        (",,;q=1,", None),
        ("gzip;q=nan, br;q=0.1", "br"),
        ("gzip;q=2", None),
    ],
)
def test_the_coding_that_is_chosen(header: str, coding: str | None) -> None:
    assert choose_coding(header, OFFERED) == coding


@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from([*OFFERED, "*", ";q=", "0", "1", ".5", ",", " ", "identity", '"'])
    ).map("".join)
)
def test_only_what_is_offered_and_accepted_is_chosen(header: str) -> None:
    chosen = choose_coding(header, OFFERED)
    assert chosen is None or chosen in OFFERED
    assert chosen is None or chosen in header.lower() or "*" in header


@pytest.mark.parametrize("header", ["," * 8000, "gzip;" * 1600, "a;q=0," * 1300, '"' * 8000])
def test_a_huge_header_is_read_once_and_not_kept(header: str) -> None:
    middleware = Compression()
    for _ in range(3):
        response = middleware(
            make_request(headers={"accept-encoding": header}), lambda _: Response(TEXT)
        )
        assert response.status == 200
    assert middleware._choose.cache_info().currsize == 0


# Whole bodies...


@pytest.mark.parametrize("coding", OFFERED)
@pytest.mark.parametrize("repeat", [1, 100])
def test_a_body_is_compressed(coding: str, repeat: int) -> None:
    reply = ask_for(Response(TEXT * repeat), f"Accept-Encoding: {coding}")
    assert reply.header("content-encoding") == coding
    assert reply.header("vary") == "accept-encoding"
    assert reply.header("content-length") == str(len(reply.body))
    assert len(reply.body) < len(TEXT) * repeat / 20
    assert inflate(coding, reply.body) == (TEXT * repeat).encode()


def test_what_an_application_answers_is_compressed_errors_too() -> None:
    app = Photon(middleware=[Compression()])

    @app.get("/items")
    def items() -> list[dict[str, str]]:
        return [{"name": "a thing"}] * 100

    reply = ask(app, "GET", "/items", GZIP)
    assert gzip.decompress(reply.body).startswith(b'[{"name":"a thing"}')
    reply = ask(app, "GET", "/" + "x" * 2000, GZIP)
    assert (reply.status, reply.header("content-encoding")) == (404, "gzip")


def test_a_client_that_cannot_read_it_gets_it_as_it_is() -> None:
    for header in ("Accept-Encoding: deflate", "Accept-Encoding:", "X: y"):
        reply = ask_for(Response(TEXT), header)
        assert reply.body == TEXT.encode()
        assert "content-encoding" not in reply.headers
        assert reply.header("vary") == "accept-encoding"


def test_a_response_that_all_are_given_is_compressed_for_each() -> None:
    response = Response(TEXT, headers={"etag": '"a"'})
    app = answering(response)
    for _ in range(2):
        assert inflate("gzip", ask(app, "GET", "/", GZIP).body) == TEXT.encode()
        assert ask(app, "GET", "/").body == TEXT.encode()
    assert response.headers["etag"] == '"a"'


def test_short_bodies_stay_as_they_are() -> None:
    reply = ask_for(Response("x" * 1023))
    assert "content-encoding" not in reply.headers
    assert "vary" not in reply.headers
    assert ask_for(Response("x" * 1024)).header("content-encoding") == "gzip"
    assert ask_for(Response("x" * 99), minimum_bytes=99).header("content-encoding") == "gzip"


def test_what_grows_stays_as_it_is() -> None:
    import random

    noise = random.Random(7).randbytes(2000)
    reply = ask_for(Response(noise, content_type="text/plain"))
    assert reply.body == noise
    assert "content-encoding" not in reply.headers
    assert reply.header("vary") == "accept-encoding"


@pytest.mark.parametrize(
    "response",
    [
        Response(TEXT, headers={"content-encoding": "gzip"}),
        Response(TEXT, headers={"cache-control": "public, No-Transform"}),
        Response(TEXT, 206, headers={"content-range": "bytes 0-3/5000"}),
        Response(TEXT, headers={"content-digest": "sha-256=:abc=:"}),
        Response(TEXT, content_type="image/png"),
        Response(TEXT, content_type="font/woff2"),
        Response(TEXT, content_type="application/zip"),
        Response(TEXT, content_type="video/mp4"),
        Response(TEXT.encode()),
        Response(TEXT, content_type=";"),
    ],
    ids=repr,
)
def test_what_is_left_alone(response: Response) -> None:
    reply = ask_for(response)
    assert reply.body == TEXT.encode()
    assert "vary" not in reply.headers
    assert reply.headers.get("content-encoding") in (None, ["gzip"])


@pytest.mark.parametrize("status", [204, 304])
def test_what_has_no_content(status: int) -> None:
    reply = ask_for(Response(b"", status, {"etag": '"a"'}))
    assert (reply.status, reply.header("etag")) == (status, '"a"')
    assert "content-encoding" not in reply.headers


@pytest.mark.parametrize(("before", "after"), [('"a"', 'W/"a"'), ('W/"a"', 'W/"a"')])
def test_a_strong_etag_becomes_weak(before: str, after: str) -> None:
    assert ask_for(Response(TEXT, headers={"etag": before})).header("etag") == after
    assert ask_for(Response(TEXT, headers={"etag": before}), "X: y").header("etag") == before


def test_ranges_are_not_offered_of_what_is_made_anew() -> None:
    reply = ask_for(Response(TEXT, headers={"accept-ranges": "bytes", "vary": "cookie"}))
    assert "accept-ranges" not in reply.headers
    assert reply.header("vary") == "cookie, accept-encoding"


def test_head_is_told_what_get_would_be() -> None:
    for response in (Response(TEXT), StreamResponse([TEXT], content_type="text/css")):
        get = ask_for(response)
        head = ask_for(response, method="HEAD")
        get.headers.pop("date"), head.headers.pop("date")
        assert head.headers == get.headers
        assert head.header("content-encoding") == "gzip"


def test_a_handler_of_head_alone_does_not_know_how_long_it_gets() -> None:
    headers = {"content-length": "5000", "etag": '"a"'}
    response = Response(b"", headers=headers, content_type="text/css")
    reply = ask_for(response, method="HEAD")
    assert "content-length" not in reply.headers
    assert reply.header("content-encoding") == "gzip"
    assert reply.header("etag") == 'W/"a"'
    reply = ask_for(response, "X: y", method="HEAD")
    assert reply.header("content-length") == "5000"
    assert reply.header("vary") == "accept-encoding"
    for other in ({"content-length": "50"}, {}):
        response = Response(b"", headers=other, content_type="text/css")
        reply = ask_for(response, method="HEAD")
        assert "content-encoding" not in reply.headers


def test_files_are_left_to_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text(TEXT)
    app = Photon(middleware=[Compression()])

    @app.get("/a.css")
    def css() -> Response:
        return Response.file(tmp_path / "a.css")

    reply = ask(app, "GET", "/a.css", GZIP)
    assert reply.body == TEXT.encode()
    assert "content-encoding" not in reply.headers
    reply = ask(app, "GET", "/a.css", GZIP, "Range: bytes=0-2")
    assert (reply.status, reply.body) == (206, b"All")


def test_a_response_that_decides_when_it_is_sent_is_left_alone() -> None:
    class Late(Response):
        def for_request(self, request: Request) -> Response:
            return Response("late")

    assert ask_for(Late(TEXT)).body == b"late"


def test_other_classes_of_responses_are_compressed() -> None:
    class Page(Response): ...

    assert inflate("gzip", ask_for(Page(TEXT)).body) == TEXT.encode()


# Streams...


@pytest.mark.parametrize("coding", OFFERED)
def test_each_piece_is_with_the_client_before_the_next_is_made(coding: str) -> None:
    seen: list[bytes] = []
    inflater = Inflater(coding)

    def pieces() -> Iterator[str]:
        for number in range(3):
            yield f"piece {number};"
            sent = b"".join(wire.stream.outbox)
            wire.stream.outbox.clear()
            body = sent if seen else sent.partition(b"\r\n\r\n")[2]
            seen.append(b"".join(map(inflater.feed, read_chunks(body))))

    app = answering(StreamResponse(pieces(), content_type="text/plain"))
    with Wire(app) as wire:
        wire.send(request("GET", "/", f"Accept-Encoding: {coding}"))
    assert seen == [b"piece 0;", b"piece 1;", b"piece 2;"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.parametrize("coding", OFFERED)
@given(
    body=st.binary(min_size=1, max_size=3000),
    repeat=st.integers(1, 40),
    cuts=st.lists(st.integers(0, 100_000), max_size=8),
)
def test_a_stream_in_any_pieces_is_the_same_body(
    coding: str, body: bytes, repeat: int, cuts: list[int]
) -> None:
    body *= repeat
    places = sorted({0, len(body), *(cut % len(body) for cut in cuts)})
    pieces = [body[a:b] for a, b in pairwise(places)]
    response = StreamResponse(pieces, content_type="text/plain")
    reply = ask_for(response, f"Accept-Encoding: {coding}")
    assert reply.header("content-encoding") == coding
    assert inflate(coding, reply.body) == body


def test_a_stream_that_says_its_length_says_it_no_more() -> None:
    headers = {"content-length": str(len(TEXT)), "x-mine": "kept"}
    reply = ask_for(StreamResponse([TEXT], 203, headers, "text/plain"))
    assert "content-length" not in reply.headers
    assert (reply.status, reply.header("x-mine")) == (203, "kept")
    assert inflate("gzip", reply.body) == TEXT.encode()
    reply = ask_for(StreamResponse(["abc"], headers={"content-length": "3"}, content_type="text/a"))
    assert reply.body == b"abc"


def test_an_empty_stream() -> None:
    assert inflate("gzip", ask_for(StreamResponse([], content_type="text/plain")).body) == b""


@pytest.mark.parametrize("heartbeat_s", [None, 15.0])
def test_events_are_left_alone_unless_they_are_named(heartbeat_s: float | None) -> None:
    def stream() -> Response:
        return EventStream(iter(["a", "b"]), heartbeat_s=heartbeat_s)

    reply = ask_for(stream())
    assert reply.body == b"data: a\n\ndata: b\n\n"
    assert "vary" not in reply.headers
    reply = ask_for(stream(), types=["text/event-stream"])
    assert inflate("gzip", reply.body) == b"data: a\n\ndata: b\n\n"
    assert reply.header("cache-control") == "no-store"


def test_a_client_that_leaves_closes_the_generator() -> None:
    events: list[str] = []

    def pieces() -> Iterator[str]:
        try:
            yield "first"
            sleep_forever()
        finally:
            events.append("closed")

    app = answering(StreamResponse(pieces(), content_type="text/plain"))
    with Wire(app) as wire:
        wire.send(request("GET", "/", GZIP))
        assert events == []
        wire.reset()
        wait_until(lambda: events)
        expect_no_leaks(wire.server)
    assert events == ["closed"]


def test_head_closes_the_generator_that_nobody_asked() -> None:
    events: list[str] = []

    class Source:
        def __iter__(self) -> Iterator[str]:
            events.append("asked")
            return iter(())

        def close(self) -> None:
            events.append("closed")

    ask_for(StreamResponse(Source(), content_type="text/plain"), method="HEAD")
    assert events == ["closed"]


def test_a_stream_that_fails_at_once_is_a_500() -> None:
    def pieces() -> Iterator[str]:
        yield from ()
        raise ValueError("no")

    reply = ask_for(StreamResponse(pieces(), content_type="text/plain"))
    assert reply.status == 500
    assert "content-encoding" not in reply.headers


def test_a_stream_that_fails_later_is_cut_off() -> None:
    def pieces() -> Iterator[str]:
        yield TEXT
        raise ValueError("no")

    with Wire(answering(StreamResponse(pieces(), content_type="text/plain"))) as wire:
        wire.send(request("GET", "/", GZIP))
        assert not wire.receive().endswith(b"0\r\n\r\n")
        assert wire.is_closed


def test_large_bodies_let_others_in() -> None:
    turns: list[int] = []
    middleware = Compression(encodings=["br"], levels={"br": 11})
    body = TEXT.encode() * 400
    asked = make_request(headers={"accept-encoding": "br"})
    job = spawn(middleware, asked, lambda _: Response(body, content_type="text/plain"))
    other = spawn(turns.append, 1)
    other.join()
    assert job.state != "done"
    job.join()
    assert inflate("br", job.result.body) == body


# Options...


@pytest.mark.parametrize(
    ("media_type", "worth"),
    [
        ("text/html", True),
        ("text/event-stream", False),
        ("application/json", True),
        ("application/problem+json", True),
        ("image/svg+xml", True),
        ("image/png", False),
        ("font/ttf", True),
        ("font/woff2", False),
        ("application/gzip", False),
        ("application/octet-stream", False),
        ("", False),
        ("text", False),
    ],
)
def test_what_is_worth_compressing(media_type: str, worth: bool) -> None:
    assert is_compressible(media_type) is (worth if media_type != "text" else True)


@pytest.mark.parametrize(
    ("types", "content_type", "is_compressed"),
    [
        (["application/pdf"], "application/pdf", True),
        (["application/pdf"], "text/html", False),
        (["TEXT/*"], "text/html; charset=utf-8", True),
        (["*/*+json"], "application/problem+json", True),
        ([], "text/html", False),
        (lambda kind: kind == "model/obj", "Model/OBJ", True),
        (lambda kind: kind == "model/obj", "model/stl", False),
    ],
)
def test_the_types_that_are_compressed(types: Any, content_type: str, is_compressed: bool) -> None:
    reply = ask_for(Response(TEXT, content_type=content_type), types=types)
    assert ("content-encoding" in reply.headers) is is_compressed


def test_levels_and_encodings_are_the_users() -> None:
    middleware = Compression(encodings=["gzip", "br"], levels={"gzip": 9})
    assert repr(middleware) == (
        "Compression(minimum_bytes=1024, encodings=['gzip', 'br'], levels={'gzip': 9, 'br': 4})"
    )
    assert "types=('text/*',)" in repr(Compression(types=["text/*"]))
    reply = ask_for(Response(TEXT), "Accept-Encoding: gzip, br, zstd", encodings=["gzip", "br"])
    assert reply.header("content-encoding") == "gzip"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"minimum_bytes": 0}, "give 1 or more"),
        ({"minimum_bytes": "1k"}, "give a whole number"),
        ({"encodings": "gzip"}, r"give a list, as in encodings=\['gzip'\]"),
        ({"encodings": ["deflate"]}, "no coding 'deflate'; choose among 'zstd', 'br', 'gzip'"),
        ({"encodings": []}, "names none; choose among"),
        ({"levels": {"gzip": 10}}, "10 is no level of gzip: 1 to 9"),
        ({"levels": {"zstd": 22}}, "22 is no level of zstd: 1 to 19"),
        ({"levels": {"br": True}}, "no level of br"),
        ({"levels": {"lz4": 1}}, "no coding 'lz4'"),
        ({"encodings": ["gzip"], "levels": {"br": 1}}, "'br', which is not in `encodings`"),
        ({"types": "text/html"}, "give a list"),
        ({"types": ["html"]}, "'html' is no media type; write it as 'application/json'"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        Compression(**options)


def test_packages_that_are_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("brotli", "zstandard"):
        monkeypatch.setitem(sys.modules, name, None)
    assert "encodings=['gzip']" in repr(Compression())
    with pytest.raises(
        ImportError, match=r"'br' is installed; pip install 'photon-web\[compress\]'"
    ):
        Compression(encodings=["br"])


def test_gzip_needs_no_package() -> None:
    assert (
        zlib.decompress(
            Compression(encodings=["gzip"])(
                make_request(headers={"accept-encoding": "gzip"}), lambda _: Response(TEXT)
            ).body,
            31,
        )
        == TEXT.encode()
    )
