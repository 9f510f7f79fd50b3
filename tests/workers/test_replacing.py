"""Workers come and go under load, and no request is lost by it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.fleet import running
from tests.load import load
from tests.workers.apps import PIDS


@pytest.mark.parametrize("connections", [4, 32])
def test_reloads(tmp_path: Path, connections: int) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path) as fleet:
        with load(fleet.port, connections=connections, rate=1000) as clients:
            clients.wait_answered(100)
            for _ in range(3):
                before, old = fleet.log.here, set(fleet.workers.values())
                fleet.kill(signal.SIGHUP)
                fleet.log.wait_for("reloaded: generation", after=before)
                fleet.log.wait_for("has left", after=before, count=2)
                assert not old & set(fleet.workers.values())
                clients.wait_answered(100)
            report = clients.stop()
        assert report.failed == 0, report
        assert len(report.texts) >= 4
        assert fleet.stop() == 0


def test_new_code_serves_after_a_reload(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path) as fleet:
        with load(fleet.port, connections=8, rate=400) as clients:
            clients.wait_answered(50)
            (tmp_path / "app.py").write_text(PIDS.replace("str(os.getpid())", "'new'"))
            before = fleet.log.here
            fleet.kill(signal.SIGHUP)
            fleet.log.wait_for("has left", after=before, count=2)
            clients.wait_answered(50)
            report = clients.stop()
        assert report.failed == 0, report
        assert set(report.last) == {"new"}
        assert fleet.stop() == 0


def test_reloads_in_haste_end_with_one_generation(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path) as fleet:
        with load(fleet.port, connections=8, rate=400) as clients:
            before = fleet.log.here
            for _ in range(5):
                fleet.kill(signal.SIGHUP)
                clients.wait_answered(5)
            fleet.log.wait_for("reloaded: generation", after=before)
            clients.wait_answered(100)
            report = clients.stop()
        assert report.failed == 0, report
        assert fleet.stop() == 0


def test_the_program_itself_is_replaced(tmp_path: Path) -> None:
    flags = ("--workers", "2", "--pid-file", "shop.pid")
    with running(PIDS, *flags, folder=tmp_path) as fleet:
        with load(fleet.port, connections=16, rate=800) as clients:
            for _ in range(2):
                clients.wait_answered(100)
                before, old = fleet.log.here, set(fleet.workers.values())
                fleet.kill(signal.SIGUSR2)
                fleet.log.wait_for("has taken over", after=before)
                fleet.log.wait_for("has left", after=before, count=2)
                assert not old & set(fleet.workers.values())
                assert (tmp_path / "shop.pid").read_text() == f"{fleet.pid}\n"
                clients.wait_answered(100)
            report = clients.stop()
        assert report.failed == 0, report
        assert fleet.stop() == 0
    assert not (tmp_path / "shop.pid").exists()


def test_a_new_program_that_cannot_serve_changes_nothing(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path) as fleet:
        (tmp_path / "app.py").write_text("raise RuntimeError('the shelf is empty')")
        before, workers = fleet.log.here, fleet.workers
        with load(fleet.port, connections=4, rate=400) as clients:
            fleet.kill(signal.SIGUSR2)
            fleet.log.wait_for("the new program cannot serve (exit code 4)", after=before)
            clients.wait_answered(50)
            assert clients.stop().failed == 0
        assert fleet.workers == workers
        assert fleet.stop() == 0


@pytest.mark.parametrize(
    "flags", [("--max-requests", "150"), ("--max-lifetime", "1s"), ("--max-rss", "1MiB")]
)
def test_workers_retire(tmp_path: Path, flags: tuple[str, ...]) -> None:
    with running(PIDS, "--workers", "2", *flags, folder=tmp_path) as fleet:
        with load(fleet.port, connections=8, rate=500) as clients:
            fleet.log.wait_for("has left", count=3)
            clients.wait_answered(50)
            report = clients.stop()
        assert report.failed == 0, report
        assert fleet.log.count(flags[0]) >= 3
        assert fleet.stop() == 0


def test_scaling(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path) as fleet:
        with load(fleet.port, connections=16, rate=800) as clients:
            clients.wait_answered(50)
            before = fleet.log.here
            for _ in range(2):
                fleet.kill(signal.SIGTTIN)
                fleet.wait_ready(1, after=before)
                before = fleet.log.here
            assert sorted(fleet.workers) == [0, 1, 2, 3]
            clients.wait_answered(100)
            for _ in range(3):
                fleet.kill(signal.SIGTTOU)
                fleet.log.wait_for("has left", after=before)
                before = fleet.log.here
            assert sorted(fleet.workers) == [0]
            fleet.kill(signal.SIGTTOU)
            fleet.log.wait_for("workers: 1 instead of 1", after=before)
            clients.wait_answered(100)
            report = clients.stop()
        assert report.failed == 0, report
        assert sorted(fleet.workers) == [0]
        assert fleet.stop() == 0


def test_an_orderly_end_under_load(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path) as fleet:
        with load(fleet.port, connections=16, rate=800) as clients:
            clients.wait_answered(200)
            assert fleet.stop() == 0
            report = clients.report()
        # Whoever connects after the end is refused, and nobody else loses anything.
        assert report.failed == report.refused, report


def test_connections_are_spread(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "4", folder=tmp_path) as fleet:
        with load(fleet.port, connections=64, rate=1500) as clients:
            clients.wait_answered(64 * 10)
            report = clients.stop()
        shares = [report.last.count(str(pid)) for pid in fleet.workers.values()]
        assert sum(shares) == 64
        assert max(shares) <= 1.3 * 16, shares
        assert report.failed == 0, report
        assert fleet.stop() == 0
