"""What a server with four workers answers to `stats`, as the real ones do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from photon.cli.top_state import Look
from photon.runtime.debug.histogram import Histogram

WHO = {
    "pid": 4700,
    "app": "shop:app",
    "addresses": ["http://127.0.0.1:8000"],
    "version": "0.5.0",
    "supervised": True,
}

# Route, share of the load, seconds of a request, seconds of the slowest.
_ROUTES = (
    ("GET /items/{item_id}", 0.6, 0.0012, 0.041),
    ("GET /search", 0.25, 0.019, 0.310),
    ("POST /orders", 0.1, 0.085, 1.35),
    ("GET /customers/{customer_id}/orders/{order_id}/invoices", 0.04, 0.006, 0.052),
    ("GET (no route)", 0.01, 0.0004, 0.001),
)


def route(count: int, seconds: float, longest_s: float, errors: int = 0) -> dict[str, Any]:
    """What is measured of one route."""
    took = Histogram()
    for number in range(count):
        took.add(seconds * (0.5 + number / count))
    took.add(longest_s)
    return {
        "requests": took.count,
        "per_second": took.count / 10,
        "p50_ms": 1.0,
        "errors_4xx": errors * 3,
        "errors_5xx": errors,
        "gone": errors // 2,
        "histogram": took.to_json(),
    }


def worker(index: int, answered: int = 100_000, **more: Any) -> dict[str, Any]:
    """One worker that serves."""
    measured = {
        name: route(int(share * 2000), seconds, longest, errors=4 if name == "POST /orders" else 0)
        for name, share, seconds, longest in _ROUTES
    }
    return {
        "index": index,
        "pid": 4711 + index,
        "generation": 3,
        "state": "ready",
        "ok": {
            "uptime_s": 4000.0,
            "hub": {"lag_ms": 0.4 + index, "longest_lag_ms": 9.5, "blocked": 0, "blocked_s": 0.0},
            "carriers": {"made": 40 + index, "busy": 12, "idle": 28, "ready": 0},
            "memory": {"rss_bytes": 84_000_000 + index * 2_000_000},
            "answered": answered,
            "busy": 12 + index,
            "connections": 250 + index,
            "routes": {"POST /orders": {"waiting": 9, "oldest_s": 1.3, "handling": 9}},
            "measured": {"is_on": True, "seconds": 10.0, "routes": measured},
        },
        "board": {
            "connections": 250,
            "busy": 12,
            "answered": answered,
            "blocked": 0,
            "lag_us": 400,
            "rss_bytes": 84_000_000,
            "silent_s": 0.01,
        },
        **more,
    }


def stuck(index: int) -> dict[str, Any]:
    """One worker whose hub stands still."""
    told = worker(index)
    del told["ok"]
    told["error"] = "it does not answer: its hub has stood still for 4.2 s"
    told["board"]["silent_s"] = 4.2
    return told


def look(workers: Sequence[dict[str, Any]], steady: float = 100.0, **supervisor: Any) -> Look:
    """A look at a server with a supervisor."""
    about = {
        "pid": 4700,
        "uptime_s": 8000.0,
        "size": len(workers),
        "generation": 3,
        "restarts": 0,
        "reloading": False,
        "last_failure": "",
        "stopping": False,
        **supervisor,
    }
    return Look(
        at=1_800_000_000.0 + steady,
        steady=steady,
        who=WHO,
        stats={"supervisor": about, "workers": list(workers)},
        cpu_s={one["pid"]: steady * 0.42 for one in workers},
    )
