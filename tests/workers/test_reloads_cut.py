"""A reload, or a replacement of the program, in which somebody dies or stays behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import sleep, spawn
from tests.fleet import PATIENCE_S, Fleet, running
from tests.load import load
from tests.processes import get
from tests.workers.apps import PIDS, SLOW_IMPORT

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/self/task"), reason="whose children there are only Linux tells"
)


def children(fleet: Fleet, *known: int) -> list[int]:
    """The processes that the supervisor has, but those; as Linux lists them."""
    found = Path(f"/proc/{fleet.pid}/task/{fleet.pid}/children").read_text().split()
    return [pid for pid in map(int, found) if pid not in known]


def test_a_successor_that_dies(tmp_path: Path) -> None:
    (tmp_path / "open").touch()
    with running(SLOW_IMPORT, "--workers", "2", folder=tmp_path) as fleet:
        (tmp_path / "open").unlink()
        before, old = fleet.log.here, fleet.workers
        fleet.kill(signal.SIGHUP)
        fleet.log.wait_for("imports", after=before)
        (successor,) = children(fleet, *old.values())
        fleet.kill(signal.SIGKILL, successor)
        fleet.log.wait_for("the reload has failed", after=before)
        assert fleet.workers == old
        (tmp_path / "open").touch()
        fleet.kill(signal.SIGHUP)
        fleet.log.wait_for("has left", after=before, count=2)
        assert not set(old.values()) & set(fleet.workers.values())
        assert fleet.stop() == 0


def test_an_old_one_that_dies_before_its_successor_is_ready(tmp_path: Path) -> None:
    (tmp_path / "open").touch()
    with running(SLOW_IMPORT, "--workers", "2", folder=tmp_path) as fleet:
        (tmp_path / "open").unlink()
        before, old = fleet.log.here, fleet.workers
        fleet.kill(signal.SIGHUP)
        fleet.log.wait_for("imports", after=before)
        for pid in old.values():
            fleet.kill(signal.SIGKILL, pid)
        fleet.log.wait_for("ended by SIGKILL", after=before, count=2)
        (tmp_path / "open").touch()
        fleet.wait_ready(2, after=before)
        assert get(fleet.port, "/")[0] == 200
        assert len(fleet.workers) == 2
        assert len(children(fleet)) == 2
        assert fleet.stop() == 0


def test_a_trial_that_is_killed_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "open").touch()
    with running(SLOW_IMPORT, "--workers", "2", folder=tmp_path) as fleet:
        (tmp_path / "open").unlink()
        before, old = fleet.log.here, fleet.workers
        fleet.kill(signal.SIGUSR2)
        fleet.log.wait_for("imports", after=before)
        (trial,) = children(fleet, *old.values())
        fleet.kill(signal.SIGKILL, trial)
        fleet.log.wait_for("the new program cannot serve", after=before)
        assert get(fleet.port, "/")[0] == 200
        assert fleet.workers == old
        assert fleet.stop() == 0


def test_the_end_waits_for_workers_of_the_program_before(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path) as fleet:
        waiting = spawn(get, fleet.port, "/gate")
        inside = fleet.log.wait_for("in the gate")["pid"]
        before = fleet.log.here
        fleet.kill(signal.SIGHUP)
        fleet.log.wait_for("has left", after=before)  # the other one
        fleet.kill(signal.SIGUSR2)
        fleet.log.wait_for("has taken over", after=before)
        fleet.log.wait_for("has left", after=before, count=3)
        fleet.kill(signal.SIGTERM)
        fleet.log.wait_for("SIGTERM: stopping")
        # The other two leave; this one has a request, and is the supervisor's child as before.
        with fail_after(PATIENCE_S):
            while children(fleet) != [inside]:
                sleep(0.01)
        assert fleet.process.poll() is None
        (tmp_path / "open").touch()
        waiting.join()
        assert waiting.result == (200, b"through")
        assert fleet.wait() == 0


def test_a_storm_of_reloads(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path) as fleet:
        with load(fleet.port, connections=8, rate=400) as clients:
            before = fleet.log.here
            for _ in range(100):
                fleet.kill(signal.SIGHUP)
                clients.wait_answered(2)
            fleet.log.wait_for("reloaded: generation", after=before)
            clients.wait_answered(100)
            report = clients.stop()
        assert report.failed == 0, report
        assert fleet.stop() == 0
