"""`--health-port`: whether the server lives and is ready, told even when every hub stands still.

    GET /live     200 while at least one hub moves, or a worker boots; else 503: restart it
    GET /ready    200 while at least one worker takes requests; else 503: send it none
    GET /         as /ready

    {"status":"ok","workers":4,"ready":3,"blocked":1}

`HealthServer` is for the supervisor's loop over poll (`polled`), which no application can hold up;
`health_thread` serves a process without supervisor from a native thread. Both read nothing but
numbers that others keep up to date. C code that keeps the GIL stops the thread as well: then a
probe gets no answer, which means the same to who asks. The supervisor answers even then.

The HTTP of it is small and strict: one request a connection, GET and HEAD, 8 KiB, 5 s. Who opens 65
connections and says nothing loses the first of them; so nobody keeps the probe of a load balancer
out. No framework of ours is in it, since that is what it reports on.

Source: RFC 9112 §3 (the request line), RFC 9110 §15.
"""

from __future__ import annotations

import _socket
import json
import os
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NotRequired, TypedDict

from gevent import monkey

from photon.runtime.clock import now
from photon.runtime.net.address import Address
from photon.runtime.net.listener import open_socket
from photon.runtime.workers import board as cells
from photon.runtime.workers.polled import PolledServer

MOST_BYTES = 8 * 1024
MOST_CONNECTIONS = 64
REQUEST_S = 5.0
BLOCKED_S = 1.0
"""A hub that has not moved for so long is said to be blocked."""

_start_thread = monkey.get_original("_thread", "start_new_thread")
_allocate_lock = monkey.get_original("_thread", "allocate_lock")
_poll = monkey.get_original("select", "poll")


class Report(TypedDict):
    """How a server is: numbers of workers.

    workers: that there are; ready: that take new requests now; blocked: whose hub stands still;
    booting, draining: those that do.
    """

    workers: int
    ready: int
    blocked: int
    booting: NotRequired[int]
    draining: NotRequired[int]


def report_of(board: cells.Board, *, blocked_s: float = BLOCKED_S) -> Report:
    """What a board says. From any thread."""
    moment = cells.now_us()
    report = Report(workers=0, ready=0, blocked=0, booting=0, draining=0)
    for row in board.rows():
        state = row[cells.STATE]
        report["workers"] += 1
        if state == cells.BOOTING:  # its hub does not run yet
            report["booting"] += 1
            continue
        is_blocked = moment - row[cells.BEAT] > blocked_s * 1e6
        report["blocked"] += is_blocked
        report["draining"] += state == cells.DRAINING
        report["ready"] += state == cells.READY and not is_blocked
    return report


# The machine...


_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/1\.([01])\Z")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*\Z")
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)

_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def answer(head: bytes, report: Callable[[], Report] | Report) -> bytes:
    """The whole response to a request.

    Args:
        head: the request up to the empty line; what comes after that is ignored.
        report: numbers, or what gives them, which is asked only when they are needed.
    """
    lines = head.partition(b"\r\n\r\n")[0].split(b"\r\n")
    request = _REQUEST.match(lines[0])
    if request is None:
        return _response(400, {"status": "this is no request of HTTP/1.1"})
    method = request[1].decode()
    is_head = method == "HEAD"
    hosts = 0
    for line in lines[1:]:
        field = _FIELD.match(line)
        if field is None:
            return _response(400, {"status": "a header field is malformed"}, is_head=is_head)
        hosts += field[1].lower() == b"host"
    # RFC 9112 §3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1
    # request message that lacks a Host header field and to any [...] that contains more than one".
    if hosts > 1 or (request[3] == b"1" and hosts == 0):
        return _response(400, {"status": "a request has one Host field"}, is_head=is_head)
    path = _ORIGIN.sub("", request[2].decode(), count=1).partition("?")[0] or "/"
    if path not in ("/", "/live", "/ready"):
        return _response(404, {"status": "there are /live and /ready"}, is_head=is_head)
    if method not in ("GET", "HEAD"):
        return _response(405, {"status": "GET and HEAD are answered"})
    try:
        known = report() if callable(report) else report
        status, text = _verdict(path, known)
        return _response(status, {"status": text, **known}, is_head=is_head)
    except Exception as error:
        # Not logged: see `_ThreadServer`.
        text = f"not known: {type(error).__name__}: {error}"
        return _response(500, {"status": text}, is_head=is_head)


def _verdict(path: str, report: Report) -> tuple[int, str]:
    workers = report["workers"]
    if not workers:
        return 503, "there is no worker"
    if report["blocked"] >= workers:
        return 503, "every hub stands still" if workers > 1 else "the hub stands still"
    if path != "/live" and not report["ready"]:
        counts = {
            "boot": report.get("booting", 0),
            "drain": report.get("draining", 0),
            "stand still": report["blocked"],
        }
        known = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return 503, f"no worker is ready ({known})" if known else "no worker is ready"
    return 200, "ok"


def _response(status: int, body: dict[str, Any], *, is_head: bool = False) -> bytes:
    content = json.dumps(body, separators=(",", ":")).encode() + b"\n"
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
        "content-type: application/json\r\n"
        f"content-length: {len(content)}\r\n"
        "cache-control: no-store\r\n"
        + ("allow: GET, HEAD\r\n" if status == 405 else "")
        + "connection: close\r\n\r\n"
    )
    return head.encode() + (b"" if is_head else content)


class HealthSession:
    """One connection, which is one request. It is a `polled.Session`."""

    def __init__(self, report: Callable[[], Report]) -> None:
        self._report = report
        self._head = bytearray()
        self._output = memoryview(b"")
        self._is_answered = False
        self.due: float | None = now() + REQUEST_S
        self.on_output: Callable[[], object] = _nothing

    def receive(self, data: bytes) -> None:
        """Bytes of the client; b"" when no more will come."""
        if self._is_answered:
            return
        # RFC 9112 §2.2: "a server [...] SHOULD ignore at least one empty line (CRLF) received
        # prior to the request-line".
        self._head += data if self._head else data.lstrip(b"\r\n")
        if b"\r\n\r\n" in self._head[:MOST_BYTES]:
            self._answer(answer(bytes(self._head), self._report))
        elif len(self._head) >= MOST_BYTES:
            text = f"a request has {MOST_BYTES} bytes at the most"
            self._answer(_response(431, {"status": text}))
        elif not data:
            self._answer(b"")

    def _answer(self, response: bytes) -> None:
        self._is_answered = True
        self._head.clear()
        self._output = memoryview(response)

    @property
    def is_reading(self) -> bool:
        """Whether the request is not complete."""
        return not self._is_answered

    @property
    def is_over(self) -> bool:
        """Whether nothing comes after what is to be sent."""
        return self._is_answered

    def to_send(self) -> memoryview:
        """What is left of the response."""
        return self._output

    def sent(self, count: int) -> None:
        """So much of it is gone."""
        self._output = self._output[count:]

    def on_due(self) -> None:
        """The request did not come, or its answer was not taken."""
        text = f"the request did not come within {REQUEST_S:g} s"
        late = bool(self._head) and not self._is_answered
        self._answer(_response(408, {"status": text}) if late else b"")


def _nothing() -> None: ...


# The drivers...


class HealthServer(PolledServer[HealthSession]):
    """Answers on a socket, driven by whoever has a loop.

    Args:
        listener: a non-blocking socket that listens, as of `open_socket`; owned from here on.
        report: how the server is, asked at each request.
    """

    def __init__(self, listener: _socket.socket, report: Callable[[], Report]) -> None:
        super().__init__(listener, most=MOST_CONNECTIONS)
        self._report = report

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def meet(self, socket: _socket.socket) -> HealthSession:
        """The session of a new connection."""
        return HealthSession(self._report)

    def on_data(self, session: HealthSession, data: bytes) -> None:
        """Bytes of a connection."""
        session.receive(data)

    def __repr__(self) -> str:
        return f"<HealthServer connections={len(self._connections)}>"


@contextmanager
def health_thread(address: Address, report: Callable[[], Report]) -> Iterator[HealthServer]:
    """Answer at `address` from a native thread while the block runs.

    Args: report: called in that thread: reads numbers that the hub keeps, and waits for nothing.
    Raises: ListenError, if the address cannot be listened on.
    """
    server = _ThreadServer(open_socket(address, MOST_CONNECTIONS), report)
    wake_read, wake_write = os.pipe()
    ended = _allocate_lock()
    ended.acquire()
    _start_thread(_live, (server, wake_read, ended))
    try:
        yield server
    finally:
        # Not by a close, which gevent puts off until the hub runs again.
        os.write(wake_write, b"!")
        ended.acquire()  # within one round: the thread waits for nothing else
        os.close(wake_write)
        os.close(wake_read)


class _ThreadServer(HealthServer):
    """One that logs nothing. A handler of the log has a lock of gevent's, and who waits for such
    in a native thread gets a hub there; if no descriptor is left for it, libev ends the process.
    """

    def on_paused(self, error: OSError) -> None:
        """Descriptors ran out, which the hub will notice as well."""


def _live(server: HealthServer, wake: int, ended: Any) -> None:
    """The native thread."""
    try:
        while True:
            poll = _poll()
            poll.register(wake)
            for fd, events in server.watched():
                poll.register(fd, events)
            for fd, events in poll.poll(None if server.is_idle else 1000):
                if fd == wake:
                    return
                server.handle(fd, events)
            server.tick()
    except Exception:
        os.write(2, f"--health-port answers no more\n{traceback.format_exc()}".encode())
    finally:
        server.close()
        ended.release()
