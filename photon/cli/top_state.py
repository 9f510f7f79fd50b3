"""What `photon top` shows, as data: two answers of a server to `stats`, and the time between them.

Everything here is a pure function. Rates are differences between two looks; how long requests took
is measured by the workers while somebody looks, and comes as histograms that can be added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from photon.runtime.debug.histogram import Histogram

BLOCKED_S = 1.0
_OTHERS = "(other routes)"

Object = Mapping[str, Any]


class WorkerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One worker. None is what is not known."""

    index: int
    pid: int
    generation: int | None = None
    state: str
    per_second: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    busy: int | None = None
    connections: int | None = None
    lag_ms: float | None = None
    blocked: int | None = None
    silent_s: float = 0.0
    greenlets: int | None = None
    rss_bytes: int | None = None
    cpu_percent: float | None = None
    error: str | None = None


class RouteRow(msgspec.Struct, frozen=True, kw_only=True):
    """One route, over all workers. Times are of the requests of the last ten seconds."""

    route: str
    per_second: float
    p50_ms: float | None = None
    p90_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    waiting: int = 0
    oldest_s: float = 0.0
    errors_4xx: int = 0
    errors_5xx: int = 0
    gone: int = 0


class View(msgspec.Struct, frozen=True, kw_only=True):
    """All of one moment."""

    at: float
    app: str = ""
    addresses: list[str] = []
    version: str = ""
    pid: int | None = None
    uptime_s: float | None = None
    generation: int | None = None
    per_second: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    errors_per_second: float = 0.0
    client_errors_per_second: float = 0.0
    connections: int = 0
    busy: int = 0
    workers: list[WorkerRow] = []
    routes: list[RouteRow] = []
    notes: list[str] = []
    lost: str | None = None


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen at one moment.

    Attributes: at: Unix time; steady: seconds that only go forward; who, stats: the answers of
        the server; cpu_s: seconds of CPU that each process has used, by its pid.
    """

    at: float
    steady: float
    who: dict[str, Any]
    stats: dict[str, Any]
    cpu_s: dict[int, float] = {}


def view_of(now: Look, before: Look | None = None) -> View:
    """What is to be shown.   Args: before: the look before this one, for what is per second."""
    found = [one for one in _list(now.stats.get("workers")) if isinstance(one, dict)]
    former = _by_pid(before)
    elapsed = 0.0 if before is None else now.steady - before.steady
    measured = [_measured(one) for one in found]
    workers = [
        _worker(one, former.get(_int(one.get("pid")) or 0), routes, now, before, elapsed)
        for one, routes in zip(found, measured, strict=True)
    ]
    routes = _routes(found, measured)
    took = _merged(_histogram(route) for routes_ in measured for route in routes_.values())
    supervisor = _dict(now.stats.get("supervisor"))
    rates = [row.per_second for row in workers if row.per_second is not None]
    seconds = max((_seconds(one) for one in found), default=0.0) or 1.0
    uptime = supervisor.get("uptime_s", _dict(found[0].get("ok")).get("uptime_s") if found else 0)
    return View(
        at=now.at,
        app=str(now.who.get("app", "")),
        addresses=[str(one) for one in _list(now.who.get("addresses"))],
        version=str(now.who.get("version", "")),
        pid=_int(now.who.get("pid")),
        uptime_s=_number(uptime),
        generation=_int(supervisor.get("generation")),
        per_second=round(sum(rates), 2) if rates else None,
        p50_ms=_ms(took, 0.5),
        p99_ms=_ms(took, 0.99),
        errors_per_second=round(sum(row.errors_5xx for row in routes) / seconds, 2),
        client_errors_per_second=round(sum(row.errors_4xx for row in routes) / seconds, 2),
        connections=sum(row.connections or 0 for row in workers),
        busy=sum(row.busy or 0 for row in workers),
        workers=workers,
        routes=routes,
        notes=_notes(supervisor, workers, former),
    )


def lost_view(last: View | None, at: float, why: str) -> View:
    """What is shown of a server that does not answer: what it said last, and since when."""
    since = at if last is None else last.at
    view = View(at=since) if last is None else last
    return msgspec.structs.replace(view, lost=f"no answer for {max(0.0, at - since):.0f} s: {why}")


# Workers...


def _worker(
    told: Object,
    former: Object | None,
    routes: dict[str, Object],
    now: Look,
    before: Look | None,
    elapsed: float,
) -> WorkerRow:
    pid = _int(told.get("pid")) or 0
    stats, board = _dict(told.get("ok")), _dict(told.get("board"))
    hub, memory = _dict(stats.get("hub")), _dict(stats.get("memory"))
    took = _merged(_histogram(route) for route in routes.values())
    per_second = cpu = None
    if former is not None and before is not None and elapsed > 0:
        answered, was = _answered(told), _answered(former)
        if answered is not None and was is not None:
            per_second = round(max(0, answered - was - _own_jobs(told)) / elapsed, 2)
        if pid in now.cpu_s and pid in before.cpu_s:
            cpu = round(max(0.0, now.cpu_s[pid] - before.cpu_s[pid]) / elapsed * 100, 1)
    lag_us = _number(board.get("lag_us"))
    return WorkerRow(
        index=_int(told.get("index")) or 0,
        pid=pid,
        generation=_int(told.get("generation")),
        state=str(told.get("state", "?")),
        per_second=per_second,
        p50_ms=_ms(took, 0.5),
        p99_ms=_ms(took, 0.99),
        busy=_first(stats.get("busy"), board.get("busy")),
        connections=_first(stats.get("connections"), board.get("connections")),
        lag_ms=_number(hub.get("lag_ms", None if lag_us is None else lag_us / 1000)),
        blocked=_first(hub.get("blocked"), board.get("blocked")),
        silent_s=_number(board.get("silent_s")) or 0.0,
        greenlets=_int(_dict(stats.get("carriers")).get("made")),
        rss_bytes=_first(memory.get("rss_bytes"), board.get("rss_bytes")),
        cpu_percent=cpu,
        error=None if told.get("error") is None else str(told["error"]),
    )


def _answered(told: Object) -> int | None:
    return _first(_dict(told.get("ok")).get("answered"), _dict(told.get("board")).get("answered"))


def _own_jobs(told: Object) -> int:
    """What a look makes a worker do, which counts as answered, too: "watch" and "stats"."""
    return 2 if "ok" in told else 0


def _by_pid(look: Look | None) -> dict[int, Object]:
    workers = [] if look is None else _list(look.stats.get("workers"))
    return {_int(one.get("pid")) or 0: one for one in workers if isinstance(one, dict)}


# Routes...


def _measured(told: Object) -> dict[str, Object]:
    routes = _dict(_dict(_dict(told.get("ok")).get("measured")).get("routes"))
    return {str(name): route for name, route in routes.items() if isinstance(route, dict)}


def _seconds(told: Object) -> float:
    return _number(_dict(_dict(told.get("ok")).get("measured")).get("seconds")) or 0.0


def _routes(found: list[dict[str, Any]], measured: list[dict[str, Object]]) -> list[RouteRow]:
    waiting: dict[str, list[Object]] = {}
    for one in found:
        for name, route in _dict(_dict(one.get("ok")).get("routes")).items():
            if isinstance(route, dict):
                waiting.setdefault(str(name), []).append(route)
    rows = []
    for name in {**waiting, **{name: None for routes in measured for name in routes}}:
        parts = [routes[name] for routes in measured if name in routes]
        took = _merged(_histogram(part) for part in parts)
        waits = waiting.get(name, [])
        rows.append(
            RouteRow(
                route=name,
                per_second=round(sum(_number(part.get("per_second")) or 0.0 for part in parts), 2),
                p50_ms=_ms(took, 0.5),
                p90_ms=_ms(took, 0.9),
                p99_ms=_ms(took, 0.99),
                max_ms=round(took.longest_s * 1000, 3) if took.count else None,
                waiting=sum(_int(one.get("waiting")) or 0 for one in waits),
                oldest_s=max((_number(one.get("oldest_s")) or 0.0 for one in waits), default=0.0),
                errors_4xx=sum(_int(part.get("errors_4xx")) or 0 for part in parts),
                errors_5xx=sum(_int(part.get("errors_5xx")) or 0 for part in parts),
                gone=sum(_int(part.get("gone")) or 0 for part in parts),
            )
        )
    return sorted_routes(rows, "load")


SORTS = ("load", "p99", "waiting", "errors", "route")


def sorted_routes(rows: list[RouteRow], by: str) -> list[RouteRow]:
    """The routes, those first that are looked for.   Args: by: one of `SORTS`."""
    keys: dict[str, Any] = {
        "load": lambda row: (-row.per_second, -row.waiting),
        "p99": lambda row: -(row.p99_ms or 0.0),
        "waiting": lambda row: (-row.waiting, -row.oldest_s),
        "errors": lambda row: (-row.errors_5xx, -row.errors_4xx),
        "route": lambda row: (),
    }
    return sorted(rows, key=lambda row: (row.route == _OTHERS, *_tuple(keys[by](row)), row.route))


def _tuple(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _histogram(route: Object) -> Histogram | None:
    try:
        return Histogram.from_json(route["histogram"])
    except (KeyError, TypeError, ValueError):
        return None  # of another version; what it says besides is shown


def _merged(parts: Any) -> Histogram:
    whole = Histogram()
    for part in parts:
        if part is not None:
            whole.merge(part)
    return whole


def _ms(took: Histogram, share: float) -> float | None:
    return round(took.quantile(share) * 1000, 3) if took.count else None


# Notes...


def _notes(supervisor: Object, workers: list[WorkerRow], former: dict[int, Object]) -> list[str]:
    notes = []
    if supervisor.get("stopping"):
        notes.append("the server stops")
    if supervisor.get("reloading"):
        notes.append(f"reloading: generation {supervisor.get('generation')} takes over")
    if failure := supervisor.get("last_failure"):
        notes.append(f"the last reload failed, the old workers go on: {_gist(str(failure))}")
    for row in workers:
        name = f"worker {row.index} (pid {row.pid})"
        if row.state == "booting":
            notes.append(f"{name} boots")
        elif row.error is not None:
            notes.append(f"{name}: {row.error}")
        elif row.silent_s > BLOCKED_S:
            notes.append(f"{name}: its hub has stood still for {row.silent_s:.1f} s")
        elif row.state == "draining":
            notes.append(f"{name} drains: {row.busy or 0} requests are left")
        was = _blocked(former.get(row.pid))
        if row.blocked is not None and was is not None and row.blocked > was:
            notes.append(f"{name}: its hub was blocked; the log names what held it")
    return notes


def _blocked(told: Object | None) -> int | None:
    if told is None:
        return None
    hub, board = _dict(_dict(told.get("ok")).get("hub")), _dict(told.get("board"))
    return _first(hub.get("blocked"), board.get("blocked"))


# What came from outside...


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _int(value: Any) -> int | None:
    return int(value) if isinstance(value, (int, float)) else None


def _first(*values: Any) -> int | None:
    return next((found for value in values if (found := _int(value)) is not None), None)


def _gist(failure: str) -> str:
    """The line of a traceback that says what went wrong; there is room for no more."""
    lines = [line for line in failure.split("\n") if line and not line[0].isspace()]
    if len(lines) > 1 and lines[-1].endswith("see above"):
        lines.pop()
    return lines[-1] if lines else failure.strip()
