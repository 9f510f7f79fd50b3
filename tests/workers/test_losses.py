"""What is lost when processes die, stop or hang: what they had in hand, and no more."""

from __future__ import annotations

import http.client
import signal
import socket
from pathlib import Path

import pytest

from photon.runtime.greenlets import spawn
from tests.fleet import PATIENCE_S, running
from tests.load import load
from tests.processes import get
from tests.workers.apps import PIDS, SLOW_IMPORT


def asked(port: int, path: str) -> http.client.HTTPConnection:
    """A connection that waits for its answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    client.request("GET", path)
    return client


def test_kill_9_of_a_worker_under_load(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "3", folder=tmp_path) as fleet:
        with load(fleet.port, connections=24, rate=1500) as clients:
            clients.wait_answered(24 * 20)
            before, victim = fleet.log.here, fleet.workers[1]
            inside = clients.report().last.count(str(victim))
            assert inside
            fleet.kill(signal.SIGKILL, victim)
            (successor,) = fleet.wait_ready(1, after=before)
            clients.wait_answered(24 * 20)
            report = clients.stop()
        # A connection has one request at a time, so the dead one had no more of them.
        assert report.lost <= inside, report
        assert report.lost == report.raced + report.reset + report.short, report
        assert set(report.statuses) == {"200"}
        assert fleet.workers[1] == successor
        assert len(fleet.workers) == 3
        assert fleet.log.count("ended by SIGKILL", after=before) == 1
        assert fleet.stop() == 0


def test_kill_9_of_all_workers_again_and_again(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path) as fleet:
        for _ in range(3):
            before = fleet.log.here
            for pid in fleet.workers.values():
                fleet.kill(signal.SIGKILL, pid)
            fleet.wait_ready(2, after=before)
            assert get(fleet.port, "/")[0] == 200
        assert fleet.stop() == 0


def test_kill_9_of_the_supervisor(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path) as fleet:
        waiting = asked(fleet.port, "/gate")
        fleet.log.wait_for("in the gate")
        fleet.kill(signal.SIGKILL)
        fleet.log.wait_for("the supervisor is gone: stopping", count=2)
        (tmp_path / "open").touch()
        answer = waiting.getresponse()
        assert (answer.status, answer.read()) == (200, b"through")
        waiting.close()
        assert fleet.wait() == -signal.SIGKILL
        with socket.create_server(("127.0.0.1", fleet.port)):
            pass


def test_kill_9_of_the_supervisor_while_it_boots(tmp_path: Path) -> None:
    with running(SLOW_IMPORT, "--workers", "2", folder=tmp_path, workers=0) as fleet:
        fleet.log.wait_for("imports", count=2)
        fleet.kill(signal.SIGKILL)
        fleet.process.wait()
        (tmp_path / "open").touch()
        assert fleet.wait() == -signal.SIGKILL


@pytest.mark.parametrize("path", ["/blocked", "/computes"])
def test_a_worker_that_hangs_is_replaced(tmp_path: Path, path: str) -> None:
    flags = ("--workers", "2", "--hang-timeout", "1s")
    with running(PIDS, *flags, folder=tmp_path) as fleet:
        waiting = asked(fleet.port, path)
        hung = fleet.log.wait_for("blocks")["pid"]
        before = fleet.log.here
        with load(fleet.port, connections=8, rate=400) as clients:
            # It has its share of the backlog at the most, which goes on with its successor.
            (successor,) = fleet.wait_ready(1, after=before)
            clients.wait_answered(200)
            report = clients.stop()
        assert hung not in fleet.workers.values()
        assert successor in fleet.workers.values()
        assert str(hung) not in report.texts
        assert report.failed == 0, report
        fleet.log.wait_for("has stood still for 1 s (--hang-timeout)", after=before)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            waiting.getresponse()
        waiting.close()
        assert fleet.stop() == 0


def test_a_worker_that_hangs_and_has_no_supervisor_any_more_ends(tmp_path: Path) -> None:
    flags = ("--workers", "1", "--hang-timeout", "500ms")
    with running(PIDS, *flags, folder=tmp_path) as fleet:
        client = asked(fleet.port, "/computes")
        fleet.log.wait_for("blocks")
        fleet.kill(signal.SIGSTOP)  # or it would be the quicker one
        fleet.kill(signal.SIGKILL)
        fleet.wait()
        client.close()


def test_a_worker_that_is_stopped_is_replaced(tmp_path: Path) -> None:
    flags = ("--workers", "2", "--hang-timeout", "1s")
    with running(PIDS, *flags, folder=tmp_path) as fleet:
        before, victim = fleet.log.here, fleet.workers[0]
        fleet.kill(signal.SIGSTOP, victim)
        (successor,) = fleet.wait_ready(1, after=before)
        assert successor != victim
        assert get(fleet.port, "/")[0] == 200
        assert fleet.stop() == 0


def test_a_worker_that_was_stopped_for_a_moment_goes_on(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "1", folder=tmp_path) as fleet:
        victim = fleet.workers[0]
        fleet.kill(signal.SIGSTOP, victim)
        asking = spawn(get, fleet.port, "/")
        fleet.kill(signal.SIGCONT, victim)
        asking.join()
        assert asking.result == (200, str(victim).encode())
        assert fleet.stop() == 0


def test_a_supervisor_that_was_stopped_goes_on(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", "--hang-timeout", "1s", folder=tmp_path) as fleet:
        before, victim = fleet.log.here, fleet.workers[0]
        fleet.kill(signal.SIGSTOP)
        fleet.kill(signal.SIGKILL, victim)
        with load(fleet.port, connections=4, rate=400) as clients:
            clients.wait_answered(600)  # longer than the hang time-out; the other one serves
            assert clients.stop().failed == 0
        fleet.kill(signal.SIGCONT)
        fleet.wait_ready(1, after=before)
        assert fleet.log.count("has stood still", after=before) == 0
        assert fleet.stop() == 0
