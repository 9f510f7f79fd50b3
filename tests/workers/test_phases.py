"""Signals at the wrong moment: while it boots, reloads, stops. It always ends, and in order."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from photon.runtime.greenlets import spawn
from tests.fleet import running
from tests.processes import get
from tests.workers.apps import PIDS, SLOW_IMPORT

# Clients that were active get no further chance, which is tested under load.
QUICK = ("--settle", "0")

HARMLESS = [
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGQUIT,
]

# With those that nobody means, and that come all the same.
ALL = [*HARMLESS, signal.SIGWINCH, signal.SIGCHLD, signal.SIGPIPE]


@pytest.mark.parametrize("which", ALL)
def test_while_it_serves(tmp_path: Path, which: signal.Signals) -> None:
    with running(PIDS, "--workers", "2", *QUICK, folder=tmp_path) as fleet:
        fleet.kill(which)
        assert get(fleet.port, "/")[0] == 200
        assert fleet.stop() == 0
        assert fleet.log.count("Traceback") == 0


@pytest.mark.parametrize("which", HARMLESS)
def test_while_it_boots(tmp_path: Path, which: signal.Signals) -> None:
    with running(SLOW_IMPORT, "--workers", "2", *QUICK, folder=tmp_path, workers=0) as fleet:
        fleet.log.wait_for("imports", count=2)
        fleet.kill(which)
        (tmp_path / "open").touch()
        fleet.wait_serving(1)
        assert get(fleet.port, "/")[0] == 200
        assert fleet.stop() == 0
        assert fleet.log.count("Traceback") == 0


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_the_end_while_it_boots(tmp_path: Path, which: signal.Signals) -> None:
    with running(SLOW_IMPORT, "--workers", "2", *QUICK, folder=tmp_path, workers=0) as fleet:
        fleet.log.wait_for("imports", count=2)
        assert fleet.stop(which) == 0
        assert fleet.log.count("Traceback") == 0


@pytest.mark.parametrize("which", [*HARMLESS, signal.SIGTERM, signal.SIGINT])
def test_while_it_reloads(tmp_path: Path, which: signal.Signals) -> None:
    (tmp_path / "open").touch()
    with running(SLOW_IMPORT, "--workers", "2", *QUICK, folder=tmp_path) as fleet:
        (tmp_path / "open").unlink()
        before = fleet.log.here
        fleet.kill(signal.SIGHUP)
        fleet.log.wait_for("imports", after=before)
        fleet.kill(which)
        if which in HARMLESS:
            (tmp_path / "open").touch()
            fleet.log.wait_for("has left", after=before, count=2)
            assert get(fleet.port, "/")[0] == 200
            assert fleet.stop() == 0
        else:
            assert fleet.wait() == 0
        assert fleet.log.count("Traceback") == 0


@pytest.mark.parametrize("which", HARMLESS)
def test_while_it_stops(tmp_path: Path, which: signal.Signals) -> None:
    with running(PIDS, "--workers", "2", *QUICK, folder=tmp_path) as fleet:
        waiting = spawn(get, fleet.port, "/gate")
        fleet.log.wait_for("in the gate")
        fleet.kill(signal.SIGTERM)
        fleet.log.wait_for("leaving", count=2)
        fleet.kill(which)
        (tmp_path / "open").touch()
        waiting.join()
        assert waiting.result == (200, b"through")
        assert fleet.wait() == 0
        assert fleet.log.count("Traceback") == 0


def test_the_second_signal_hurries(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", *QUICK, folder=tmp_path) as fleet:
        waiting = spawn(_status_or_nothing, fleet.port, "/gate")
        fleet.log.wait_for("in the gate")
        fleet.kill(signal.SIGTERM)
        fleet.log.wait_for("SIGTERM: stopping")
        fleet.kill(signal.SIGTERM)
        assert fleet.wait() == 0
        waiting.join()
        assert waiting.result == 503


def test_the_third_signal_ends_what_does_not_end(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", *QUICK, folder=tmp_path) as fleet:
        waiting = spawn(_status_or_nothing, fleet.port, "/stubborn")
        fleet.log.wait_for("in the gate")
        for told in ("stopping", "hurrying", "ending at once"):
            fleet.kill(signal.SIGTERM)
            fleet.log.wait_for(f"SIGTERM: {told}")
        fleet.wait()
        waiting.join()
        assert waiting.result in (0, 503)


def _status_or_nothing(port: int, path: str) -> int:
    try:
        return get(port, path)[0]
    except OSError:
        return 0


def test_signals_in_a_heap(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", *QUICK, folder=tmp_path) as fleet:
        for _ in range(20):
            for which in ALL:
                fleet.kill(which)
        fleet.log.wait_for("reloading")
        assert get(fleet.port, "/")[0] == 200
        assert fleet.stop() == 0
        assert fleet.log.count("Traceback") == 0
