"""What a child has of its parent's."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from photon.runtime.workers import forking
from photon.runtime.workers.forking import fork
from tests.runtime.workers.playing import play


def in_child(what: Callable[[], bool]) -> bool:
    """Whether it is so in a child that is forked here."""
    pid = fork()
    if not pid:
        code = 2
        try:
            code = 0 if what() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_what_was_printed_before_is_written_once() -> None:
    assert play("printed_before_the_fork").seen["printed"] == "by the parent\n"


def test_signals_mean_what_they_mean_to_any_process() -> None:
    seen: list[int] = []
    former = signal.signal(signal.SIGUSR2, lambda number, frame: seen.append(number))
    try:
        assert in_child(lambda: signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL)
        assert in_child(lambda: signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGUSR2)
    finally:
        signal.signal(signal.SIGUSR2, former)
    assert seen == [signal.SIGUSR2]  # the parent has its own still


def test_those_of_a_terminal_are_left_to_the_parent() -> None:
    def survives() -> bool:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGHUP)
        return True

    assert in_child(survives)


def test_nobody_blocks_signals_afterwards() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert in_child(lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_a_child_that_cannot_begin_ends_and_is_no_second_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails() -> None:
        raise OSError("no descriptors")

    monkeypatch.setattr(forking, "_have_own_signals", fails)
    parent = os.getpid()
    try:
        pid = fork()
    finally:
        if os.getpid() != parent:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1


def ends_itself() -> bool:
    os.kill(os.getpid(), signal.SIGTERM)
    return True


def test_a_signal_for_the_child_is_not_told_to_its_parent() -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    former_end = signal.set_wakeup_fd(write_end)
    former = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        assert not in_child(ends_itself)
        try:
            told = os.read(read_end, 10)
        except BlockingIOError:
            told = b""
    finally:
        signal.signal(signal.SIGTERM, former)
        signal.set_wakeup_fd(former_end)
        os.close(read_end)
        os.close(write_end)
    assert bytes([signal.SIGTERM]) not in told
