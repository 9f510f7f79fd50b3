"""The seams for tests."""

from __future__ import annotations

from typing import Any

import gevent

from photon.runtime.greenlets import checkpoint, spawn
from photon.runtime.hub import current_hub, getcurrent
from photon.runtime.tracing import telling_starts, telling_switches


def test_each_switch_is_told_from_whom_to_whom() -> None:
    switches: list[tuple[Any, Any]] = []
    me, native = getcurrent(), current_hub().native
    with telling_switches(lambda origin, target: switches.append((origin, target))):
        checkpoint()
    assert switches == [(me, native), (native, me)]
    checkpoint()
    assert len(switches) == 2


def test_several_may_listen() -> None:
    outer: list[Any] = []
    inner: list[Any] = []
    with telling_switches(lambda *pair: outer.append(pair)):
        with telling_switches(lambda *pair: inner.append(pair)):
            checkpoint()
        checkpoint()
    assert len(inner) == 2
    assert outer[:2] == inner
    assert len(outer) == 4


def test_greenlets_of_gevents_own_are_told() -> None:
    started: list[Any] = []
    with telling_starts(started.append):
        first = gevent.spawn(checkpoint)
        first.join()
        spawn(checkpoint).join()  # ours run on carriers
    gevent.spawn(checkpoint).join()
    assert started == [first]
