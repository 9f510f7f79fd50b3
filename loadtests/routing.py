"""Matches per second of the router alone, on one core.

    python -m loadtests.routing

The routes are what a larger HTTP API has: 200 of them, half static, half with one or two
placeholders, a tenth of those typed. Every path is a new string each time, as it is when it comes
off the wire: a string that was hashed before would make the look-ups cheaper than they are.
"""

import os
import statistics
import time
from collections.abc import Callable

from photon.routing.errors import MatchError
from photon.routing.route import Route
from photon.routing.router import Router

ROUNDS = 101
PATHS_PER_ROUND = 2_000

RESOURCES = "users orders items teams projects invoices products carts payments reviews".split()  # noqa: SIM905
RESOURCES += "images comments posts tags events rooms hosts files jobs keys".split()  # noqa: SIM905
STATIC = [
    f"/api/v1/{resource}{end}"
    for resource in RESOURCES
    for end in ("", "/search", "/export", "/recent", "/statistics")
]
ONE = [
    f"/api/v1/{resource}/{{id}}{end}"
    for resource in RESOURCES
    for end in ("", "/history", "/permissions")
]
TWO = [
    f"/api/v1/{resource}/{{id}}/{child}/{{{child}_id}}"
    for resource in RESOURCES[:15]
    for child in ("orders", "notes")
]
TYPED = [f"/api/v1/archive/{resource}/{{id:int}}" for resource in RESOURCES[:10]]
MIXED = STATIC + ONE + TWO + TYPED

MISSES = ["/favicon.ico", "/api/v1/users/4711/nothing", "/wp-admin/setup.php", "/api/v2/users"]
ENCODED = ["/api/v1/users/caf%C3%A9", "/api/v1/%75sers/search"]


def main() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    assert len(MIXED) == 200
    router = Router(*(Route(template, ["GET"], template) for template in MIXED))
    started = time.perf_counter()
    router.compile()
    print(f"compiled in {(time.perf_counter() - started) * 1e3:.1f} ms: {router}")
    cases = {
        "static": STATIC,
        "one placeholder": ONE,
        "two placeholders": TWO,
        "one int": TYPED,
        "all 200 routes": MIXED,
        "escapes": ENCODED,
    }
    for name, templates in cases.items():
        report(name, router.match, [path_of(template) for template in templates])
    report("misses", lambda method, path: swallow(router, method, path), MISSES)


def path_of(template: str) -> str:
    return (
        template.replace("{id}", "4711")
        .replace("{id:int}", "4711")
        .replace("{", "")
        .replace("}", "")
    )


def swallow(router: Router, method: str, path: str) -> None:
    try:
        router.match(method, path)
    except MatchError:
        pass


def report(name: str, match: Callable[[str, str], object], paths: list[str]) -> None:
    rates = [measure(match, fresh(paths)) for _ in range(ROUNDS)]
    rate = statistics.median(rates)
    print(f"{name:>16}  {rate:>12,.0f} matches/s  {1e9 / rate:>6,.0f} ns")


def fresh(paths: list[str]) -> list[str]:
    """Copies without a cached hash, all paths in turn."""
    return [paths[i % len(paths)].encode().decode() for i in range(PATHS_PER_ROUND)]


def measure(match: Callable[[str, str], object], paths: list[str]) -> float:
    started = time.perf_counter()
    for path in paths:
        match("GET", path)
    return len(paths) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
