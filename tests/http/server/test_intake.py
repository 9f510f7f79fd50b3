"""The body of a request as it comes: turns, and whose bytes they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.http.server.settings import Limits
from photon.testing.wire import Wire
from tests.clients import Client, request, settings, wait_until


@pytest.fixture(params=["fast", "h11"])
def protocol(request: pytest.FixtureRequest) -> str:
    """Each implementation of HTTP/1 in turn."""
    return str(request.param)


# Others have their turn...


class Progress:
    """Counts what one client got done, and notes how much it was whenever another was served."""

    def __init__(self) -> None:
        self.done = 0
        self.seen: list[int] = []

    def note(self, request: Request) -> Response:
        self.seen.append(self.done)
        return Response("other")


def test_who_sends_a_body_in_chunks_of_one_byte_keeps_nobody_from_being_served() -> None:
    chunks = 300_000
    progress = Progress()

    def count(request: Request) -> Response:
        if request.method == "GET":
            return progress.note(request)
        for piece in request.chunks():
            progress.done += len(piece)
        return Response("counted")

    with Wire(count) as sender, Wire(count) as other:
        head = request("POST", "/", "Transfer-Encoding: chunked")
        sender.send(head + b"1\r\nx\r\n" * chunks)
        for _ in range(3):
            before = progress.done
            wait_until(lambda: progress.done > before)  # noqa: B023, it is over before the next
            other.send(request("GET", "/"))
            assert other.receive().endswith(b"other")
        assert len(progress.seen) == 3
        assert 0 < progress.seen[0] < progress.seen[-1] < chunks
        sender.send(b"0\r\n\r\n")
        wait_until(lambda: sender.stream.outbox)
        assert progress.done == chunks
        assert sender.receive().endswith(b"counted")


def test_who_has_a_body_read_as_a_whole_in_chunks_of_one_byte_does_neither() -> None:
    def read(request: Request) -> Response:
        return Response(request.body() or b"other")

    with Wire(read) as sender, Wire(read) as other:
        head = request("POST", "/", "Transfer-Encoding: chunked")
        sender.send(head + b"1\r\nx\r\n" * 300_000)
        for _ in range(3):
            other.send(request("GET", "/"))
            assert other.receive().endswith(b"other")
        assert sender.connection.is_busy
        assert sender.stream.inbox  # it has not come to wait for more


@pytest.mark.parametrize("path", ["/read", "/left"])
def test_who_pipelines_thousands_behind_a_body_keeps_nobody_from_being_served(path: str) -> None:
    behind = 2500  # more than is read at once
    progress = Progress()

    def application(request: Request) -> Response:
        if request.path == "/other":
            return progress.note(request)
        if request.path == "/read":
            request.body()
        progress.done += 1
        sum(range(10_000))  # some work
        return Response()

    with serve(application) as server, Client(server) as sender, Client(server) as other:
        sender.send(request("POST", path, body=b"x" * 5000) + request("GET", "/") * behind)
        wait_until(lambda: progress.done)
        queued = []
        for _ in range(3):
            assert other.ask("/other").body == b"other"
            queued.append(server.carriers.statistics()["ready"])
        assert 0 < progress.seen[0] < progress.seen[-1] < behind
        for _ in range(behind + 1):
            assert sender.answer().status == 200
            queued.append(server.carriers.statistics()["ready"])
        # Once it was queued again each round, for what the kernel had, and had more and more turns.
        assert max(queued) <= 2


def test_thousands_that_are_pipelined_behind_a_body_are_answered_in_order(protocol: str) -> None:
    def application(request: Request) -> Response:
        return Response(request.body() or request.path)

    with serve(application, settings=settings(protocol=protocol)) as server:
        with Client(server) as client:
            numbered = b"".join(request("GET", f"/{n}") for n in range(1000))
            client.send(request("POST", "/", body=b"body") + numbered)
            assert client.answer().body == b"body"
            assert [client.answer().body for _ in range(1000)] == [b"/%d" % n for n in range(1000)]


# Whose bytes they are...


def test_a_body_that_was_read_in_part_does_not_become_the_next_request(protocol: str) -> None:
    def first_piece(request: Request) -> Response:
        return Response(next(iter(request.chunks()), b"---")[:3])

    with serve(first_piece, settings=settings(protocol=protocol)) as server:
        with Client(server) as client:
            body = request("GET", "/smuggled")
            client.send(request("POST", "/", f"Content-Length: {len(body)}") + body[:5])
            assert client.answer().body == b"GET"
            client.send(body[5:] + request("GET", "/"))
            assert client.answer().body == b"---"
            client.end_sending()
            assert client.read_to_end() == b""


def test_the_word_to_continue_is_said_once_and_not_into_a_response(protocol: str) -> None:
    def echo(request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            if request.path == "/late":
                yield b"begun "
            yield from request.chunks()

        return Response.stream(pieces())

    with serve(echo, settings=settings(protocol=protocol)) as server, Client(server) as client:
        expecting = "Content-Length: 6", "Expect: 100-continue"
        client.send(request("POST", "/", *expecting))
        assert client.answer().status == 100
        client.send(b"abc")
        client.read_until(b"abc\r\n")
        client.send(b"def")
        assert client.read_until(b"0\r\n\r\n") == b"3\r\ndef\r\n0\r\n\r\n"
        client.send(request("POST", "/late", *expecting))
        client.read_until(b"begun \r\n")
        client.send(b"abcdef")
        assert client.read_until(b"0\r\n\r\n") == b"6\r\nabcdef\r\n0\r\n\r\n"
        assert client.ask("/").status == 200


def test_a_stream_whose_body_becomes_too_large_is_cut() -> None:
    def echo(request: Request) -> Response:
        return Response.stream(request.chunks())

    small = settings(limits=Limits(body_bytes=5))
    with serve(echo, settings=small) as server, Client(server) as client:
        client.send(request("POST", "/", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n")
        client.read_until(b"abc\r\n")
        client.send(b"3\r\ndef\r\n0\r\n\r\n")
        assert not client.read_to_end().endswith(b"0\r\n\r\n")
