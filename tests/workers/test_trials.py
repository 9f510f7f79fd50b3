"""A trial of the next program, which ends in time whatever comes between."""

from __future__ import annotations

from pathlib import Path
from signal import SIGTERM, SIGUSR2

from tests.fleet import Fleet, running

# Only who is tried takes so long to be imported.
SLOW_TO_TRY = """
import logging, os, time
from photon import Photon

app = Photon()

if "PHOTON_TRIAL" in os.environ:
    open("tried", "w").close()
    while True:
        time.sleep(0.01)

@app.get("/")
def hello():
    return "hello"
"""

# What no import shows: greenlets that a supervisor must not have.
SPAWNS_LATER = """
import os
from photon import Photon, spawn

app = Photon()

if os.path.exists("spawns"):
    spawn(print)

@app.get("/")
def hello():
    return "hello"
"""

# As when the interpreter is just being replaced.
WITHOUT_INTERPRETER = """
import sys
from photon import Photon

sys.executable = "/nowhere/python"
app = Photon()

@app.get("/")
def hello():
    return "hello"
"""


def begin_trial(fleet: Fleet) -> None:
    before = fleet.log.here
    fleet.kill(SIGUSR2)
    fleet.log.wait_for("trying the new program", after=before)


def test_a_server_that_stops_while_another_program_is_tried_does_not_come_back(
    tmp_path: Path,
) -> None:
    with running(SLOW_TO_TRY, "--workers", "1", folder=tmp_path) as fleet:
        begin_trial(fleet)
        assert fleet.stop(SIGTERM) == 0  # of all its processes, the tried one included
        assert not fleet.log.count("taken over")


def test_a_trial_that_never_ends_is_ended(tmp_path: Path) -> None:
    flags = ("--workers", "1", "--boot-timeout", "3s")
    with running(SLOW_TO_TRY, *flags, folder=tmp_path) as fleet:
        begin_trial(fleet)
        fleet.log.wait_for("the trial of the new program takes too long (--boot-timeout)")
        fleet.log.wait_for("the new program cannot serve")
        before = fleet.log.here
        fleet.kill(SIGUSR2)
        fleet.log.wait_for("trying the new program", after=before)  # and the next may begin
        assert fleet.stop() == 0


def test_what_only_a_supervisor_cannot_have_is_tried_as_well(tmp_path: Path) -> None:
    with running(SPAWNS_LATER, "--workers", "1", "--preload", folder=tmp_path) as fleet:
        (tmp_path / "spawns").touch()
        begin_trial(fleet)
        fleet.log.wait_for("the new program cannot serve")
        (pid,) = fleet.workers.values()
        assert pid > 0
        assert not fleet.log.count("taken over")
        assert fleet.stop() == 0


def test_a_trial_that_cannot_be_started_leaves_everything_as_it_was(tmp_path: Path) -> None:
    with running(WITHOUT_INTERPRETER, "--workers", "1", "--preload", folder=tmp_path) as fleet:
        for _ in range(2):
            before = fleet.log.here
            fleet.kill(SIGUSR2)
            fleet.log.wait_for("the new program cannot be tried, this one goes on", after=before)
        assert fleet.stop() == 0
