"""A load that comes at a rate, and what it counts as lost."""

from __future__ import annotations

import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from loadtests.process import free_port
from loadtests.steady import Running, Steady, merged, whole_bytes
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.runtime.greenlets import spawn

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def load(port: int, requests: int, connections: int = 1) -> Steady:
    clients = Running(port, requests * 5, 0.2, connections=connections, processes=1)
    try:
        return clients.wait()
    finally:
        clients.end()


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """A server that answers the first request of each connection so, and closes; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def live() -> None:
            for answer in answers:
                client, _ = server.accept()
                with client:
                    client.recv(65536)
                    client.sendall(answer)

        handle = spawn(live)
        yield server.getsockname()[1]
        handle.join()


def test_all_that_is_due_is_asked_over_connections_that_are_kept() -> None:
    with serve(lambda request: Response("hello")) as server:
        seen = load(server.port, 100, connections=4)
        assert (seen.answered, seen.failures) == (100, [])
        assert seen.connections <= 4
        assert len(seen.latencies) == 100
        assert 0 < seen.quantile(0.5) <= seen.quantile(0.99)


def test_a_connection_ends_when_the_server_says_so() -> None:
    def application(request: Request) -> Response:
        return Response("hello", headers={"Connection": "close"})

    with serve(application) as server:
        seen = load(server.port, 20)
        assert (seen.answered, seen.connections, seen.failures) == (20, 20, [])


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "reset"),
        (b"HTTP/1.1 200 OK\r\n", "short"),
        (OK[:-1], "short"),
        (OK + b"more", "short"),
    ],
)
def test_an_answer_that_is_not_whole_is_lost(answer: bytes, kind: str) -> None:
    with answering(answer, OK) as port:
        seen = load(port, 2)
    assert seen.kinds == {kind: 1}
    assert seen.answered == 1


def test_a_server_that_fails_is_counted() -> None:
    with answering(OK.replace(b"200", b"503")) as port:
        seen = load(port, 1)
    assert (seen.answered, seen.kinds) == (1, {"status": 1})


def test_a_connection_that_is_refused_is_counted() -> None:
    assert load(free_port(), 3).kinds == {"refused": 3}


def test_a_connection_that_is_closed_while_idle_is_no_failure() -> None:
    with answering(OK, OK) as port:
        seen = load(port, 2)
    assert (seen.answered, seen.failures) == (2, [])
    assert seen.idle_closed


@pytest.mark.parametrize(
    ("answer", "size"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Le", 0),
        (OK, len(OK)),
        (OK[:-1], len(OK)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 27),
        (b"HTTP/1.1 200 OK\r\nDate: x\r\nCONTENT-LENGTH: 5\r\nX: y\r\n\r\n", 58),
    ],
)
def test_an_answer_says_how_long_it_is(answer: bytes, size: int) -> None:
    assert whole_bytes(answer) == size


def test_quantiles_are_of_the_spans_that_are_asked_for() -> None:
    seen = Steady(latencies=[(float(at), at * 1.0) for at in range(100)])
    assert seen.quantile(0.5) == 50
    assert seen.quantile(0.99, [(0, 10), (20, 30)]) == 29
    assert math.isnan(seen.quantile(0.5, []))


def test_what_several_processes_saw_is_one() -> None:
    first = Steady(answered=2, latencies=[(1.0, 5.0)], behind_ms=3, cpu_share=0.1)
    other = Steady(answered=3, failures=[(2.0, "reset")], behind_ms=9, cpu_share=0.05)
    both = merged(first, vars(other))
    assert (both.answered, both.behind_ms, both.cpu_share) == (5, 9, 0.1)
    assert both.kinds == {"reset": 1}
