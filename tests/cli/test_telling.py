"""What a server tells."""

from __future__ import annotations

import logging
import socket

import msgspec
import pytest

from photon.cli.exits import CommandError, ExitCode
from photon.cli.plan import Plan
from photon.cli.telling import shown_addresses, tell_failure, tell_notes, tell_started
from photon.http.server.settings import ServerSettings
from photon.runtime.net.address import Address, TcpAddress, UnixAddress
from photon.runtime.workers.link import Link

PLAN = Plan(
    app="shop",
    name="shop:app",
    app_dir=".",
    factory=False,
    address=TcpAddress("127.0.0.1", 0),
    settings=ServerSettings(),
    log_level="info",
    log_format="auto",
    access_log=False,
    notes=("a note",),
)


@pytest.mark.parametrize(
    ("workers", "said"),
    [(None, "on http://x (SIGTERM"), (1, "with 1 worker ("), (4, "with 4 workers (")],
)
def test_who_starts_it_is_told_how_many_serve(
    workers: int | None, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "photon.cli"):
        tell_started(PLAN, "http://x", workers)
    assert " serves shop:app on http://x" in caplog.text
    assert said in caplog.text


def test_notes_are_warnings(caplog: pytest.LogCaptureFixture) -> None:
    tell_notes(PLAN)
    assert [(each.levelname, each.message) for each in caplog.records] == [("WARNING", "a note")]


def test_addresses_are_shown_as_they_are_asked_for() -> None:
    addresses: list[Address] = [TcpAddress("127.0.0.1", 80), UnixAddress("/run/shop.sock")]
    assert shown_addresses(PLAN, addresses) == "http://127.0.0.1:80, unix:/run/shop.sock"
    with_tls = msgspec.structs.replace(PLAN, tls=object())
    assert shown_addresses(with_tls, addresses[:1]) == "https://127.0.0.1:80"


def test_a_supervisor_is_told_why_a_worker_cannot_serve() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        error = CommandError("it failed", hint="mend it", exit_code=ExitCode.NOT_STARTED)
        assert tell_failure(Link(theirs), error) == ExitCode.NOT_STARTED
        told = msgspec.json.decode(ours.recv(1000))
    assert (told["tell"], told["code"]) == ("failed", 3)
    assert "it failed" in told["text"]
    assert "mend it" in told["text"]
