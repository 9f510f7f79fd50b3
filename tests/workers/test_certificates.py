"""Certificates that are renewed under load: the new one is shown, and nobody notices."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from photon.runtime.cancel import fail_after
from tests.certificates import Authority
from tests.fleet import PATIENCE_S, running
from tests.load import load
from tests.workers.apps import PIDS


@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["alone", "2 workers"])
def test_certificates_are_renewed_under_load(tmp_path: Path, workers: tuple[str, ...]) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("localhost")
    flags = (*workers, "--tls-cert", certificate, "--tls-key", key)
    with running(PIDS, *flags, folder=tmp_path) as fleet:
        with load(fleet.port, connections=8, rate=300, ca=authority.ca) as clients:
            clients.wait_answered(100)
            (first,) = clients.report().certificates
            authority.issue("localhost")  # in the same files
            before = fleet.log.here
            fleet.kill(signal.SIGHUP)
            if workers:
                fleet.log.wait_for("has left", after=before, count=2)
            # Connections that are there keep what they have; a new one shows it.
            with fail_after(PATIENCE_S):
                while shown(fleet.port, authority) == {first}:
                    pass
            clients.wait_answered(100)
            renewed = shown(fleet.port, authority)
            report = clients.stop()
        assert first not in renewed
        assert len(renewed) == 1
        assert report.failed == 0, report
        assert fleet.stop() == 0


def shown(port: int, authority: Authority) -> set[str]:
    """The certificates that new connections are shown."""
    with load(port, connections=2, ca=authority.ca) as clients:
        clients.wait_answered(10)
        return set(clients.stop().certificates)


def test_a_renewed_certificate_that_is_broken_changes_nothing(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("localhost")
    flags = ("--workers", "2", "--tls-cert", certificate, "--tls-key", key)
    with running(PIDS, *flags, folder=tmp_path) as fleet:
        with load(fleet.port, connections=4, rate=200, ca=authority.ca) as clients:
            clients.wait_answered(20)
            Path(certificate).write_text("half of it")
            before, workers = fleet.log.here, fleet.workers
            fleet.kill(signal.SIGHUP)
            fleet.log.wait_for("the reload has failed", after=before)
            clients.wait_answered(20)
            report = clients.stop()
        assert fleet.workers == workers
        assert report.failed == 0, report
        assert fleet.stop() == 0
