"""A supervisor and its workers, which are real processes."""

from __future__ import annotations

import os

from tests.runtime.workers.playing import play


def test_a_worker_that_is_killed_is_replaced_and_the_other_is_left_alone() -> None:
    played = play("one_that_is_killed")
    assert played.seen == {"kept": True, "restarts": 1}
    assert played.has_logged("ended by SIGKILL, and is replaced")
    assert played.code == 0


def test_workers_are_asked_and_nobody_is_waited_for_in_vain() -> None:
    played = play("questions")
    assert played.seen == {
        "where": [[0, True, 0], [1, True, 1]],
        "big": [5_000_000, 5_000_000],
        "one": [1],
        "nobody": [[]],
        "silent": ["it does not answer"] * 2,
        "dying": "it has just ended",
    }


def test_a_worker_that_talks_nonsense_is_replaced() -> None:
    played = play("nonsense")
    assert played.has_logged("says what cannot be read")
    assert played.has_logged("ended, and is replaced")


def test_each_signal_does_what_it_means() -> None:
    played = play("signals")
    assert played.seen["hup"] == 2
    assert played.has_logged("reloaded: generation 2 serves")
    assert played.has_logged("workers: 3 instead of 2")
    assert played.has_logged("workers: 2 instead of 3")
    assert played.has_logged("SIGUSR1 does nothing here")
    assert played.log[-1] == "SIGTERM: stopping"
    assert played.code == 0


def test_a_signal_for_a_worker_that_was_just_forked_is_not_taken_for_its_parents() -> None:
    played = play("reloads_without_a_pause")
    assert not played.has_logged("SIGTERM: stopping")
    assert played.has_logged("reloaded: generation 101 serves")


def test_a_worker_that_stands_still_is_replaced() -> None:
    played = play("one_that_stands_still")
    assert played.seen == {"kept": True}
    assert played.has_logged("has stood still for 0.5 s (--hang-timeout), and is killed")


def test_a_worker_that_wants_to_retire_is_replaced() -> None:
    played = play("one_that_wants_to_retire")
    assert played.seen == {"kept": True}
    assert not played.has_logged("ended")


def test_a_worker_that_cannot_boot_ends_all_with_its_own_code_and_words() -> None:
    played = play("one_that_cannot_boot")
    assert (played.code, played.why) == (4, "there is no module 'x'")


def test_children_that_are_no_workers_are_told_apart() -> None:
    assert play("others_that_end").seen == {"codes": [5]}


def test_workers_end_when_their_supervisor_is_killed() -> None:
    pids = play("a_supervisor_that_is_killed").seen["pids"]  # all that had its output have ended
    for pid in pids:
        assert not os.path.exists(f"/proc/{pid}/exe") or _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def test_workers_that_come_and_go_leave_nothing_behind() -> None:
    seen = play("many").seen
    assert seen["counts"][0] == seen["counts"][-1]
    assert max(seen["rows"]) <= 3
