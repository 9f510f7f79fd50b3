"""Calls from unusual places: a native thread, and a callback of the hub."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gevent import monkey

from photon.runtime.hub import current_hub
from tests.clients import wait_until

start_thread = monkey.get_original("_thread", "start_new_thread")


def in_thread(fn: Callable[[], object]) -> Any:
    """What `fn` returns, or raises, in a native thread; everything else goes on meanwhile."""
    run, ends = _caught(fn)
    start_thread(run, ())
    wait_until(lambda: ends)
    return ends[0]


def in_hub(fn: Callable[[], object]) -> Any:
    """What `fn` returns, or raises, in a callback of the hub."""
    run, ends = _caught(fn)
    current_hub().run_soon(run)
    wait_until(lambda: ends)
    return ends[0]


def _caught(fn: Callable[[], object]) -> tuple[Callable[[], None], list[object]]:
    ends: list[object] = []

    def run() -> None:
        try:
            ends.append(fn())
        except BaseException as error:
            ends.append(error)

    return run, ends
