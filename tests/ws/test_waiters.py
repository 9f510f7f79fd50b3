"""Greenlets that wait until something is so."""

from __future__ import annotations

import pytest

from photon.runtime.cancel import CancelScope
from photon.runtime.greenlets import checkpoint, sleep_forever, spawn
from photon.ws.waiters import Waiters
from tests.clients import PATIENCE_S, wait_until


def test_what_is_so_is_not_waited_for() -> None:
    waiters = Waiters()
    assert waiters.wait_for(lambda: True, 0)
    assert not waiters.wait_for(lambda: False, 0)
    assert not waiters.wait_for(lambda: False, -1)
    assert len(waiters) == 0


def test_who_waits_is_woken_when_it_is_so_and_not_before() -> None:
    waiters = Waiters()
    found: list[int] = []
    handles = [spawn(waiters.wait_for, lambda: found, PATIENCE_S) for _ in range(3)]
    wait_until(lambda: len(waiters) == 3)
    waiters.wake()
    checkpoint()
    assert len(waiters) == 3
    found.append(1)
    waiters.wake()
    for handle in handles:
        handle.join()
        assert handle.result is True
    assert repr(waiters) == "<Waiters 0>"


def test_who_has_waited_long_enough_goes_on() -> None:
    waiters = Waiters()
    assert not waiters.wait_for(lambda: False, 0.001)
    assert len(waiters) == 0


def test_who_was_cancelled_is_not_woken_where_it_waits_next() -> None:
    waiters = Waiters()
    scope = CancelScope()
    went_on: list[bool] = []

    def wait() -> None:
        with scope:
            waiters.wait_for(lambda: False, PATIENCE_S)
        sleep_forever()
        went_on.append(True)

    handle = spawn(wait)
    wait_until(lambda: len(waiters) == 1)
    scope.cancel()
    waiters.wake()
    wait_until(lambda: len(waiters) == 0)
    checkpoint()
    assert not went_on
    handle.cancel()
    handle.join()


def test_a_condition_that_raises_raises_for_who_waits() -> None:
    waiters = Waiters()

    def broken() -> bool:
        raise LookupError

    with pytest.raises(LookupError):
        waiters.wait_for(broken, 1)
    assert len(waiters) == 0
