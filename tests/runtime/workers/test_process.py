"""What a worker has of its parent, and what not."""

from __future__ import annotations

import os

import pytest

from tests.runtime.workers.playing import play


def test_a_worker_has_no_socket_but_its_own_and_handles_all_signals() -> None:
    seen = play("descriptors").seen
    assert seen["sockets"] == [1, 1, 1, 1]
    assert seen["own"] == 4
    assert not any(seen["masks"])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="of Linux only")
def test_a_worker_stays_on_the_core_that_it_is_given() -> None:
    seen = play("pinned").seen
    assert seen["cores"] == seen["wanted"]


def test_a_worker_that_exits_has_that_code() -> None:
    played = play("one_that_exits")
    assert played.code == 7
    assert "ended with the exit code 7 before it could serve" in played.why


def test_a_worker_that_raises_shows_why() -> None:
    played = play("one_that_raises")
    assert played.code == 1
    assert "KeyError: 'x'" in played.errors
