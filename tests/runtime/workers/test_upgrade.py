"""Another program in the place of a supervisor."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from photon.runtime.workers import upgrade
from photon.runtime.workers.board import Board
from photon.runtime.workers.fleet import Fleet
from photon.runtime.workers.supervisor import Supervisor
from tests.processes import environment
from tests.runtime.workers.playing import play


def test_another_program_goes_on_with_all_workers_whatever_they_do() -> None:
    played = play("replaced")
    assert played.seen == {
        "states": ["ready", "draining", "booting"],
        "connections": 77,
        "some": True,
        "inherited": False,
        "kept": [True, False, True],
        "where": [True, True, True],
        "generation": 2,
    }
    assert not played.has_logged("ended")
    assert played.code == 0


def test_one_that_was_cut_off_and_has_not_ended_is_taken_over_as_well() -> None:
    played = play("replaced_while_one_is_cut_off")
    assert played.seen == {"known": [True, False], "rows": 2}
    assert played.code == 0


def test_the_first_of_all_inherits_nothing() -> None:
    assert upgrade.inheritance() is None


def test_a_program_that_cannot_be_run_leaves_everything_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    board = Board()
    supervisor = Supervisor(Fleet(1), lambda post: 0, board=board)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/tmp")  # as on a machine that is read-only
    with pytest.raises(FileNotFoundError) as raised:
        upgrade.become_new(supervisor, [], {})
    assert "/nowhere/tmp" not in str(raised.value)
    assert "PHOTON_TAKE_OVER" not in os.environ
    assert not os.get_inheritable(board.descriptor)


STARTS_A_TRIAL = """
from photon.runtime.monkey import patch

patch()

import os
import sys

from photon.runtime.hub import has_hub
from photon.runtime.workers.upgrade import start_trial

os.chdir("/")
sys.executable, sys.orig_argv = "/bin/pwd", ["python"]
start_trial()
os.waitid(os.P_ALL, 0, os.WEXITED)
print(has_hub())
"""


def test_a_trial_begins_where_we_did_and_leaves_the_supervisor_without_a_hub(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTS_A_TRIAL],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(tmp_path), "False"]
