"""What a process that serves tells of itself, and the commands that ask it.

    commands(server, application)["stats"]({})

A command is a plain function of its arguments; it runs in a greenlet and may wait. What is wrong
with an argument is a ControlError.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from photon.http.protocol.events import RequestHead
from photon.http.server.describing import route_of
from photon.http.server.phases import NAMES
from photon.http.server.recorder import LONGEST_S, Recorder
from photon.http.server.server import Server
from photon.runtime.clock import now
from photon.runtime.debug.dump import dump
from photon.runtime.debug.render import render
from photon.runtime.debug.statistics import process_statistics
from photon.runtime.greenlets import Turn
from photon.runtime.hints import meant
from photon.runtime.workers.control import ControlError

logger = logging.getLogger("photon.http")

Command = Callable[[dict[str, Any]], Any]

_LEVELS = ("debug", "info", "warning", "error", "critical")
_DUMP_DETAILS = 10


def commands(server: Server, application: object = None) -> dict[str, Command]:
    """The commands of one server, by name.

    `stats`: see `statistics`, with what is measured while it is watched. `dump` {"stacks": bool,
    "text": bool}: see `debug.dump.dump`, or as text. `dump-to-log`. `watch` {"seconds": 5}: see
    `Recorder.watch`. `log-level` {"level": "debug", "logger": "photon"}: None leaves it as it is.

    Args: application: what else is asked for `statistics`, if it has them; the server's own when
        left out.
    """
    recorder = Recorder(server)
    began = now()

    def stats(arguments: dict[str, Any]) -> dict[str, Any]:
        check("stats", arguments, {})
        told = statistics(server, application)
        told["uptime_s"] = round(now() - began, 1)
        told["measured"] = recorder.measured() if recorder.is_on else None
        return told

    def dump_(arguments: dict[str, Any]) -> dict[str, Any]:
        check("dump", arguments, {"stacks": (bool,), "text": (bool,)})
        told = dump(stacks=arguments.get("stacks", False))
        return {"text": _text(told)} if arguments.get("text") else told

    def dump_to_log(arguments: dict[str, Any]) -> None:
        check("dump-to-log", arguments, {})
        log_dump()

    def watch(arguments: dict[str, Any]) -> dict[str, Any]:
        check("watch", arguments, {"seconds": (int, float)})
        seconds = arguments.get("seconds", 5)
        if not 0 < seconds <= LONGEST_S:
            raise ControlError(
                f"watch: seconds is for how long, more than 0 and at most {LONGEST_S:g}; who looks "
                f"on asks again; not {seconds!r}"
            )
        return recorder.watch(seconds)

    return {
        "stats": stats,
        "dump": dump_,
        "dump-to-log": dump_to_log,
        "watch": watch,
        "log-level": log_level,
    }


def statistics(server: Server, application: object = None) -> dict[str, Any]:
    """A server in numbers; it may wait for its turn.

    Returns: "pid", "state", "answered" (requests, and the few other jobs of carriers), "busy",
        "accepted", "connections", "phases" (how many connections are in each), "routes" (of those
        that wait: how many, and for how long the oldest has), "websockets", "application" (what it
        says of itself), and all of `process_statistics`.
    """
    told = server.statistics()
    routes, websockets = _by_route(server)
    tell = getattr(application or server.application, "statistics", None)
    return {
        **process_statistics(server.hub),
        **told,
        "pid": os.getpid(),
        "answered": server.carriers.jobs_run,
        "busy": server.busy,
        "routes": routes,
        "websockets": websockets,
        "application": None if tell is None else tell(),
    }


def _by_route(server: Server) -> tuple[dict[str, dict[str, Any]], int]:
    """The requests that wait, by route; and how many WebSockets there are."""
    routes: dict[str, dict[str, Any]] = {}
    known: dict[tuple[str, str], str] = {}
    websockets = 0
    turn = Turn()
    for connection in list(server.connections):
        turn.give_way()
        head = connection.protocol.request
        if head is None or not connection.is_busy:
            continue
        websockets += connection.session is not None
        route = known.get((head.method, head.path))
        if route is None:
            route = known[head.method, head.path] = _name_of(server, head)
        counts = routes.setdefault(route, {"waiting": 0, "oldest_s": 0.0})
        phase = NAMES[connection.phase]
        counts["waiting"] += 1
        counts[phase] = counts.get(phase, 0) + 1
        if connection.has_waited:
            counts["oldest_s"] = max(counts["oldest_s"], round(now() - connection.began, 3))
    return routes, websockets


def _name_of(server: Server, head: RequestHead) -> str:
    return f"{head.method} {route_of(server.application, head) or '(no route)'}"


def log_dump() -> None:
    """Have the log told of every greenlet, as text."""
    text = _text(dump())
    headline, _, rest = text.partition("\n")
    record = logger.makeRecord(
        logger.name, logging.WARNING, __file__, 0, f"a dump was asked for: {headline}", (), None
    )
    record.stack_info = rest.strip("\n")  # the one place for more than one line in a record
    logger.handle(record)


def _text(told: dict[str, Any]) -> str:
    return render(told, details=_DUMP_DETAILS, between=Turn().give_way)


def log_level(arguments: dict[str, Any]) -> dict[str, str]:
    """Set, or ask for, the level of a logger; the root's when none is named.

    Returns: "logger" and its "level", such as "debug", and what it was "before".
    """
    check("log-level", arguments, {"level": (str,), "logger": (str,)})
    name = arguments.get("logger", "")
    if name and name not in logging.root.manager.loggerDict:
        names = list(logging.root.manager.loggerDict)
        hint = meant(name, [each for each in names if "." not in each])
        raise ControlError(f"log-level: there is no logger {name!r} in this process{hint}")
    target = logging.getLogger(name or None)
    before = _level_of(target)
    level = arguments.get("level")
    if level is not None:
        if level.lower() not in _LEVELS:
            hint = meant(level.lower(), list(_LEVELS))
            raise ControlError(f"log-level: {level!r} is no level{hint}")
        target.setLevel(level.upper())
    return {"logger": name, "level": _level_of(target), "before": before}


def _level_of(target: logging.Logger) -> str:
    return logging.getLevelName(target.getEffectiveLevel()).lower()


def check(
    command: str, arguments: Mapping[str, Any], known: Mapping[str, tuple[type, ...]]
) -> None:
    """Check the arguments of a command.   Raises: ControlError."""
    for name, value in arguments.items():
        if name not in known:
            hint = meant(name, list(known)) if known else "; it takes none"
            raise ControlError(f"{command} has no argument {name!r}{hint}")
        kinds = known[name]
        # True is an int for Python, and for nobody else.
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = _WORDS[kinds[0]]
            raise ControlError(f"{command}: {name} is {wanted}, not {value!r}")


_WORDS: Mapping[type, str] = {bool: "true or false", int: "a number", str: "a text"}
