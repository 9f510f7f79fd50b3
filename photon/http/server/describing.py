"""What a connection says of itself in dumps, and what its handler waits for.

Nothing is noted for it while a request runs: the request is found in the frames of its greenlet,
and its route by asking the application once more which one it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

from photon.http.protocol.events import RequestHead
from photon.http.request import Request
from photon.http.server.phases import NAMES, READING
from photon.runtime.clock import now
from photon.runtime.debug.frames import local, place_of
from photon.runtime.debug.waits import WAITS, Locals
from photon.runtime.debug.who import told
from photon.runtime.hub import current_hub

if TYPE_CHECKING:
    from photon.http.application import Application
    from photon.http.server.connection import Connection

_LONGEST_TARGET = 200
_MOST_NAMES = 20


def describe(connection: Connection, frame: FrameType | None) -> dict[str, Any]:
    """A connection and the request that it is about, see `debug.who.Described`.

    Args: frame: the innermost one of the greenlet that works for it.
    """
    head = connection.protocol.request
    phase = NAMES[connection.phase]
    known: dict[str, Any] = {"kind": "connection", "name": "a connection", "phase": phase}
    if connection.peer:
        known["peer"] = connection.peer
    if head is None:
        known["age_s"] = round(now() - connection.since, 3)
        return known
    route = route_of(connection.server.application, head)
    known["kind"] = "request" if connection.session is None else "websocket"
    known["name"] = f"{head.method} {route or _path_of(head)}"
    known["method"] = head.method
    known["target"] = shown_target(head)
    if route is not None:
        known["route"] = f"{head.method} {route}"
    request = request_in(frame)
    if request is not None:
        known["request_id"] = request.id  # from here on the log names it so, too
    if connection.has_waited:
        known["age_s"] = round(now() - connection.began, 3)
    return known


def unfinished(connections: Iterable[Connection]) -> Iterator[str]:
    """What each of them is still about, and where in whose code: for the log of an end.

    Such as "GET /slow (request 7f3a-1) of 10.0.0.7:4711, after 45 s, at shop.py:12 in page".
    """
    carriers = {id(each.job): each for each in current_hub().carriers.all if each.job is not None}
    for connection in connections:
        carrier = carriers.get(id(connection))
        frame = None if carrier is None else carrier.gr_frame
        known = describe(connection, frame)
        parts = [told(known) + (f" of {known['peer']}" if "peer" in known else "")]
        if "age_s" in known:
            parts.append(f"after {known['age_s']:.3g} s")
        parts.append(f"at {place_of(frame)}" if frame is not None else str(known["phase"]))
        yield ", ".join(parts)


def request_in(frame: FrameType | None) -> Request | None:
    """The request that a greenlet works for; None if there is none in its frames."""
    for function in ("_answer_with_body", "run"):
        request = local(frame, "server/connection.py", function, "request")
        if isinstance(request, Request):
            return request
    return None


def route_of(application: Application, head: RequestHead) -> str | None:
    """The template of the route that takes a request, such as "/items/{id}".

    Returns: None where no route takes it, or the application does not tell.
    """
    ask = getattr(application, "route_of", None)
    if ask is None:
        return None
    try:
        template: str | None = ask(head.method, head.path)
    except Exception:  # converters are the user's
        return None
    return template


def shown_target(head: RequestHead) -> str:
    """The path, and the names in its query: their values may be secrets, or long."""
    if not head.query:
        return _path_of(head)
    names = [pair.partition("=")[0] for pair in head.query[:4096].split("&")[:_MOST_NAMES]]
    return f"{_path_of(head)}?{'&'.join(f'{name}=...' for name in names)}"[:_LONGEST_TARGET]


def _path_of(head: RequestHead) -> str:
    return head.path if len(head.path) <= _LONGEST_TARGET else f"{head.path[:_LONGEST_TARGET]}..."


# What is waited for in here...


def _of_connection(local: Locals) -> str:
    connection, phase = local["self"], local["phase"]
    left = connection.left_s
    whose = f"of the client {connection.peer}" if connection.peer else "of the client"
    if phase == READING:
        return f"the next bytes of the body {whose}, {left:.1f} s left"
    return f"the client {connection.peer} to take the response, {left:.1f} s left"


WAITS |= {
    ("server/connection.py", "wait"): _of_connection,
    ("ws/incoming.py", "_receive"): lambda local: "the next message of its client",
    ("server/upgrade.py", "wait_readable"): lambda local: "the next message of its client",
    ("server/upgrade.py", "wait_writable"): lambda local: "its client to take a message",
    ("ws/outgoing.py", "_hold"): lambda local: "others of this WebSocket to have sent theirs",
    ("ws/waiters.py", "wait_for"): lambda local: "what its WebSocket is to do",
    ("server/server.py", "_wait_until_over"): lambda local: "all requests to end: the server stops",
}
