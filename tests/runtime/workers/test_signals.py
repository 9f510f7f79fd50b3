"""Signals as calls in the hub."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from signal import SIGTERM, SIGUSR1, SIGUSR2, Signals

import pytest

from photon.runtime.cancel import CancelScope, fail_after
from photon.runtime.greenlets import sleep_forever
from photon.runtime.hub import current_hub, getcurrent
from photon.runtime.workers.signals import watch_signals

PATIENCE_S = 10.0


def send(*signals: Signals) -> None:
    for which in signals:
        os.kill(os.getpid(), which)


def test_a_signal_is_a_call_in_the_hub() -> None:
    seen: list[tuple[Signals, bool]] = []
    with fail_after(PATIENCE_S), CancelScope() as scope:

        def note(which: Signals) -> None:
            seen.append((which, getcurrent() is current_hub().native))
            scope.cancel()

        with watch_signals([SIGUSR1], note):
            send(SIGUSR1)
            sleep_forever()
    assert seen == [(SIGUSR1, True)]


def test_nothing_is_called_before_the_hub_runs() -> None:
    seen: list[Signals] = []
    with watch_signals([SIGUSR1], seen.append):
        send(SIGUSR1)
        assert seen == []


def test_several_signals_arrive_each() -> None:
    seen: set[Signals] = set()
    with fail_after(PATIENCE_S), CancelScope() as scope:

        def note(which: Signals) -> None:
            seen.add(which)
            if len(seen) == 2:
                scope.cancel()

        with watch_signals([SIGUSR1, SIGUSR2], note):
            send(SIGUSR1, SIGUSR2)
            sleep_forever()
    assert seen == {SIGUSR1, SIGUSR2}


def test_signals_of_others_are_left_to_them() -> None:
    seen: list[Signals] = []
    others: list[int] = []
    former = signal.signal(SIGUSR2, lambda number, frame: others.append(number))
    try:
        with fail_after(PATIENCE_S), CancelScope() as scope:

            def note(which: Signals) -> None:
                seen.append(which)
                scope.cancel()

            with watch_signals([SIGUSR1], note):
                send(SIGUSR2, SIGUSR1)
                sleep_forever()
    finally:
        signal.signal(SIGUSR2, former)
    assert (seen, others) == ([SIGUSR1], [SIGUSR2])


def test_what_handled_a_signal_before_does_so_afterwards() -> None:
    def handler(number: int, frame: object) -> None: ...

    former = signal.signal(SIGUSR1, handler)
    try:
        with watch_signals([SIGUSR1], print):
            assert signal.getsignal(SIGUSR1) is not handler
        assert signal.getsignal(SIGUSR1) is handler
    finally:
        signal.signal(SIGUSR1, former)
    before = signal.set_wakeup_fd(-1)
    assert before == -1


def test_harmless_ones_never_end_the_process() -> None:
    seen: list[Signals] = []
    with fail_after(PATIENCE_S), CancelScope() as scope:

        def note(which: Signals) -> None:
            seen.append(which)
            if which is SIGUSR2:
                scope.cancel()

        with watch_signals([SIGUSR1, SIGUSR2], note, ends_at=2, harmless=[SIGUSR1]):
            for _ in range(3):
                send(SIGUSR1)
            send(SIGUSR2)
            sleep_forever()
    assert seen[0] is SIGUSR1


_STUCK = """
import signal, sys, time
from photon.runtime.monkey import patch
patch()
from photon.runtime.workers.signals import watch_signals
with watch_signals([signal.SIGHUP, signal.SIGINT, signal.SIGTERM], print):
    print("ready", flush=True)
    {wait}
"""


@pytest.mark.parametrize("wait", ["time.sleep(600)", "while True: pass"])
def test_the_last_signal_ends_the_process_even_where_the_hub_is_stuck(wait: str) -> None:
    with (
        fail_after(PATIENCE_S),
        subprocess.Popen(
            [sys.executable, "-c", _STUCK.format(wait=wait)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        # Three different ones: of equal ones the system keeps one.
        for which in (signal.SIGHUP, signal.SIGINT, SIGTERM):
            process.send_signal(which)
        assert -process.wait() in (signal.SIGHUP, signal.SIGINT, SIGTERM)
