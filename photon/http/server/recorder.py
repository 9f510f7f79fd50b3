"""How long requests take, by route, while somebody looks.

    recorder.watch(5)      from now on, for 5 s
    recorder.watch(5)      again and again, by who looks on
    (nobody does)          nothing is left of it, and nothing costs anything

While it is on, it stands in the place of the server's `answer`, which is looked up for each
request. A request costs some 3 us more then: two looks at the clock, and one for its route.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from photon.http.request import Request
from photon.http.server.describing import route_of
from photon.http.status import CLIENT_CLOSED_REQUEST, SWITCHING_PROTOCOLS
from photon.runtime.clock import now
from photon.runtime.debug.histogram import Histogram

if TYPE_CHECKING:
    from photon.http.server.connection import Connection
    from photon.http.server.server import Server
    from photon.runtime.deadlines import Deadline

WINDOW_S = 10.0
"""What is told of are the requests of the last so many seconds."""

LONGEST_S = 3600.0
"""For how long one may ask at a time."""

_SLICE_S = 1.0
_LOOK_S = 1.0
_MOST_ROUTES = 1000
_OTHERS = "(other routes)"
_NO_ROUTE = "(no route)"


class Measured:
    """The requests of one route in one slice of time."""

    __slots__ = ("client_errors", "gone", "server_errors", "took")

    def __init__(self) -> None:
        self.took = Histogram()
        self.client_errors = 0
        self.server_errors = 0
        self.gone = 0

    def add(self, status: int, seconds: float) -> None:
        self.took.add(seconds)
        if status < 400:
            return
        if status >= 500:
            self.server_errors += 1
        elif status == CLIENT_CLOSED_REQUEST:
            self.gone += 1
        else:
            self.client_errors += 1

    def merge(self, other: Measured) -> None:
        self.took.merge(other.took)
        self.client_errors += other.client_errors
        self.server_errors += other.server_errors
        self.gone += other.gone

    def to_json(self, seconds: float) -> dict[str, Any]:
        took = self.took
        return {
            "requests": took.count,
            "per_second": round(took.count / seconds, 2) if seconds > 0 else 0.0,
            "p50_ms": _ms(took.quantile(0.5)),
            "p90_ms": _ms(took.quantile(0.9)),
            "p99_ms": _ms(took.quantile(0.99)),
            "max_ms": _ms(took.longest_s),
            "errors_4xx": self.client_errors,
            "errors_5xx": self.server_errors,
            "gone": self.gone,
            "histogram": took.to_json(),
        }


class Recorder:
    """Measures the requests of one server, while it is asked to."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._until = 0.0
        self._due: Deadline | None = None
        self._before: Any = None
        self._measuring: Any = None
        self._began = 0.0
        self._slices: deque[tuple[float, dict[str, Measured]]] = deque()
        self._slice: dict[str, Measured] = {}
        self._slice_ends = 0.0

    @property
    def is_on(self) -> bool:
        """Whether it measures."""
        return self._measuring is not None

    def watch(self, seconds: float) -> dict[str, Any]:
        """Measure for so long from now on, or for longer if it was asked to.

        Returns: as `measured`.
        """
        moment = now()
        self._until = max(self._until, moment + seconds)
        if not self.is_on:
            self._begin(moment)
        return self.measured()

    def measured(self) -> dict[str, Any]:
        """The requests of the last ten seconds, or of as many as it was on.

        A request counts when it is over; WebSockets do not.
        Returns: "seconds" (how many of them), "is_on", "routes": by route, such as "GET /items",
            "requests", "per_second", "p50_ms", "p90_ms", "p99_ms", "max_ms", "errors_4xx",
            "errors_5xx", "gone" (clients that left) and "histogram" (see `Histogram.from_json`, to
            add those of several workers).
        """
        moment = now()
        self._turn_slices(moment)
        oldest = self._slices[0][0] if self._slices else self._slice_ends - _SLICE_S
        seconds = max(moment - oldest, 0.0) if self.is_on else 0.0
        routes: dict[str, Measured] = {}
        for _, piece in (*self._slices, (0.0, self._slice)):
            for route, measured in piece.items():
                if route not in routes:
                    routes[route] = Measured()
                routes[route].merge(measured)
        return {
            "is_on": self.is_on,
            "seconds": round(seconds, 3),
            "routes": {route: each.to_json(seconds) for route, each in sorted(routes.items())},
        }

    # Measuring...

    def _begin(self, moment: float) -> None:
        server = self._server
        self._slices.clear()
        self._slice = {}
        self._slice_ends = moment + _SLICE_S
        self._before = before = server.answer

        def measuring(connection: Connection, request: Request) -> int:
            began = now()
            # A mount may put another head there, and does not put it back for what comes after.
            head = request.head
            status = before(connection, request)
            if status != SWITCHING_PROTOCOLS:
                self._note(route_of(server.application, head), head.method, status, now() - began)
            return status

        self._measuring = server.answer = measuring
        self._look()

    def _note(self, route: str | None, method: str, status: int, seconds: float) -> None:
        moment = now()
        if moment > self._slice_ends:
            self._turn_slices(moment)
        name = _NO_ROUTE if route is None else f"{method} {route}"
        measured = self._slice.get(name)
        if measured is None:
            if len(self._slice) >= _MOST_ROUTES:
                name = _OTHERS
            measured = self._slice.setdefault(name, Measured())
        measured.add(status, seconds)

    def _turn_slices(self, moment: float) -> None:
        """Begin another slice if it is time, and forget those that are too old."""
        if moment > self._slice_ends:
            self._slices.append((self._slice_ends - _SLICE_S, self._slice))
            self._slice = {}
            self._slice_ends = moment + _SLICE_S
        while self._slices and self._slices[0][0] < moment - WINDOW_S - _SLICE_S:
            self._slices.popleft()

    def _look(self) -> None:
        """End, if nobody has asked again, or the server has ended."""
        moment = now()
        if moment < self._until and self._server.state.value != "stopped":
            due = min(self._until, moment + _LOOK_S)
            self._due = self._server.hub.deadlines.add(due, self._look)
        else:
            self.end()

    def end(self) -> None:
        """Measure no more."""
        server = self._server
        if self._due is not None:
            self._due.cancel()
            self._due = None
        # A server that stops has put something of its own before us.
        if server.answer is self._measuring:
            server.answer = self._before
        elif server.answer_before_stop is self._measuring:
            server.answer_before_stop = self._before
        self._before = self._measuring = None
        self._until = 0.0
        self._slices.clear()
        self._slice = {}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
