"""What a request costs in Python, without sockets: the server as it is, over a stream of our own.

    python -m loadtests.micro                  microseconds of each kind of request
    python -m loadtests.micro --steps          and of the steps in it
    python -m loadtests.micro --profile errors where the time of one kind goes, by cProfile

The kernel's share is missing here, which is more than half of a plain request. So the figures are
there to be compared with each other: they say what a change costs, or a feature. Each is the
lowest of many rounds, since a machine can only make a round slower; the rounds are interleaved.
"""

import argparse
import cProfile
import gc
import json
import os
import pstats
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from loadtests.apps.photon_app import Found, Order, Profile
from loadtests.scenarios.throughput import ORDER, WRONG_PROFILE
from photon import Depends, Photon
from photon.http.body import Body
from photon.http.request import Request
from photon.http.server.connection import Connection
from photon.http.server.server import Server
from photon.runtime.greenlets import sleep
from photon.runtime.net.stream import PeerState

ROUNDS = 40
TURNS = 250

app = Photon()


@app.get("/json")
def plain() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/timed", timeout=10)
def timed() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/items/{id}")
def typed(id: int, q: str | None = None, limit: int = 10) -> Found:
    return Found(id, q, limit)


@app.post("/orders")
def validated(order: Order) -> Order:
    return order


@app.post("/profiles")
def errors(profile: Profile) -> Profile:
    return profile


def user(token: str = "nobody") -> str:
    return token


def session() -> Iterator[str]:
    yield "session"


@app.get("/depends")
def depends(user: Annotated[str, Depends(user)]) -> dict[str, str]:
    return {"message": user}


@app.get("/generator")
def generator(session: Annotated[str, Depends(session)]) -> dict[str, str]:
    return {"message": session}


@dataclass(frozen=True)
class Case:
    """A kind of request. Args: status: of the answer that it shall get."""

    name: str
    path: str
    body: bytes = b""
    status: int = 200

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"

    @property
    def wire(self) -> bytes:
        length = f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n"
        return (head + (length if self.body else "") + "\r\n").encode() + self.body


CASES = {
    "json": Case("plain JSON", "/json"),
    "timed": Case("plain JSON, with a timeout", "/timed"),
    "typed": Case("typed path value", "/items/42"),
    "typed-query": Case("typed path and query values", "/items/42?q=lamp&limit=5"),
    "validated": Case("POST of five fields", "/orders", json.dumps(ORDER).encode()),
    "errors": Case("ten errors", "/profiles", json.dumps(WRONG_PROFILE).encode(), 422),
    "depends": Case("one Depends", "/depends"),
    "generator": Case("a Depends that yields", "/generator"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with app.running():
        server = Server(app)
        gc.freeze()  # as `photon run` does
        gc.set_threshold(10_000, 20, 20)
        if options.profile:
            in_hub(server, lambda: profile(server, CASES[options.profile]))
            return 0
        whole = in_hub(server, lambda: lowest(turns_of(server)))
        show({name: {"us": us} for name, us in whole.items()})
        if options.steps:
            print()
            show({name: steps(server, name, us) for name, us in whole.items()})
    return 0


# A server whose stream is here...


class Stub:
    """The stream and the socket of a connection: always the same request, and then nothing."""

    peer = "stub:0"

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.is_there = False
        self.sent: bytes | memoryview = b""

    @property
    def raw(self) -> "Stub":
        return self

    def recv(self, limit: int) -> bytes:
        if not self.is_there:
            raise BlockingIOError
        self.is_there = False
        return self._data

    def send(self, data: bytes | memoryview) -> int:
        self.sent = data
        return len(data)

    send_nowait = send

    def receive_nowait(self, limit: int) -> bytes | None:
        return None

    def send_file_nowait(self, fd: int, offset: int, count: int) -> int:
        raise NotImplementedError

    def wait_readable(self) -> None:
        raise RuntimeError("nothing waits here: the whole request is there")

    wait_writable = wait_readable

    def interrupt_reader(self, error: BaseException) -> bool:
        return False

    interrupt_writer = interrupt_reader

    def watch(self, job: object) -> None: ...

    def unwatch(self) -> None: ...

    def look(self) -> PeerState:
        return PeerState.QUIET

    def has_hung_up(self) -> bool:
        return False

    def close_sending(self) -> None: ...

    def close(self) -> None: ...


def turns_of(server: Server) -> dict[str, Callable[[], None]]:
    return {name: turn_of(server, case) for name, case in CASES.items()}


def turn_of(server: Server, case: Case) -> Callable[[], None]:
    """What the hub does when this request has come, all of it: once it was seen to be right."""
    stub = Stub(case.wire)
    connection: Connection = server.adopt(stub)
    ready, work = server.carriers.ready.append, server.carriers._work

    def turn() -> None:
        stub.is_there = True
        ready(connection)
        work()

    turn()
    answer = bytes(stub.sent)
    if not answer.startswith(b"HTTP/1.1 %d " % case.status):
        raise SystemExit(f"{case.name}: {case.status} was expected: {answer!r}")
    return turn


def in_hub(server: Server, fn: Callable[[], Any]) -> Any:
    """Call `fn` where the server works: carriers go back to the hub when their job is over."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(fn())
        except BaseException as error:
            outcome.append(error)

    server.hub.run_soon(run)
    while not outcome:
        sleep(0.01)
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


# Measuring...


def lowest(functions: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Microseconds of one call of each, the lowest of the rounds."""
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(ROUNDS):
        for name, fn in functions.items():
            started = time.perf_counter()
            for _ in range(TURNS):
                fn()
            best[name] = min(best[name], (time.perf_counter() - started) / TURNS * 1e6)
    return best


def steps(server: Server, name: str, whole_us: float) -> dict[str, float]:
    """The same request taken apart, in microseconds; what is left of each is in its own column.

    server: carrier, connection, parsing, sending; route: finding the endpoint, and making a
    response of what it raises; bind: the arguments; handler; respond: the value as a response.
    """
    case = CASES[name]
    request = _Requests(server, case)
    route, _ = app.router.match(case.method, case.path.partition("?")[0])
    endpoint, application = route.endpoint, app.composed
    parts = {
        "request": request.new,
        "application": lambda: application(request.new()),
        "endpoint": lambda: _quietly(endpoint, request.routed()),
        "routed": request.routed,
    }
    if case.status == 200:
        value, handler, arguments = request.value()
        respond = app._responders_for(())[type(value)]
        parts["handler"] = lambda: handler(**arguments)
        parts["respond"] = lambda: respond(value, None, None)  # type: ignore[arg-type]
    us = lowest(parts)
    inside, endpoint_us = us["application"] - us["request"], us["endpoint"] - us["routed"]
    handled = us.get("handler", 0.0), us.get("respond", 0.0)
    return {
        "us": whole_us,
        "server": whole_us - inside,
        "route": inside - endpoint_us,
        "bind": endpoint_us - sum(handled),
        "handler": handled[0],
        "respond": handled[1],
    }


def _quietly(endpoint: Callable[[Request], object], request: Request) -> None:
    try:
        endpoint(request)
    except Exception:
        pass


class _Source:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def next_body_chunk(self) -> bytes:
        return self._data


class _Requests:
    """Requests of one kind, as the server makes them."""

    def __init__(self, server: Server, case: Case) -> None:
        self._case = case
        protocol = server._new_protocol()
        protocol.receive_data(case.wire)
        head = protocol.next_request()
        assert head is not None
        self._head = head
        self._source = _Source(case.body)
        self._values = app.router.match(case.method, head.path)[1]

    def new(self) -> Request:
        length = len(self._case.body)
        return Request(self._head, Body(self._source, length, 1 << 20) if length else None)

    def routed(self) -> Request:
        request = self.new()
        request.path_values = self._values
        return request

    def value(self) -> tuple[Any, Callable[..., Any], dict[str, Any]]:
        """What the handler returns, the handler, and what it was called with."""
        seen: dict[str, Any] = {}
        route, _ = app.router.match(self._case.method, self._head.path)
        handler = route.endpoint.__wrapped__
        operation = route.operation
        response = route.endpoint(self.routed())
        given = json.loads(response.body)
        for argument in operation.plan.arguments:
            seen[argument.name] = given.get(argument.name, given.get("message"))
        if self._case.body:
            (name,) = seen
            seen[name] = Order(**given)
        return handler(**seen), handler, seen


def profile(server: Server, case: Case) -> None:
    turn = turn_of(server, case)
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(ROUNDS * TURNS):
        turn()
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


# The command line...


def show(table: Mapping[str, Mapping[str, float]]) -> None:
    columns = list(next(iter(table.values())))
    plain_us = table["json"]["us"]
    print(f"{'':30}" + "".join(f"{name:>9}" for name in columns) + f"{'to plain':>10}")
    for name, row in table.items():
        figures = "".join(f"{us:9.2f}" for us in row.values())
        print(f"{CASES[name].name:30}{figures}{row['us'] / plain_us:10.2f}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.micro", description="What a request costs, without sockets."
    )
    parser.add_argument("--steps", action="store_true", help="the steps of each request as well")
    parser.add_argument("--profile", choices=list(CASES), help="profile one kind of request")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
