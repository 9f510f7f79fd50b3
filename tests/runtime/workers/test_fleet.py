"""What the fleet does, whatever happens."""

from __future__ import annotations

import logging
from signal import SIGKILL, SIGTERM

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photon.runtime.workers.board import BOOTING, DRAINING, READY
from photon.runtime.workers.fleet import Fleet
from photon.runtime.workers.orders import Start
from tests.runtime.workers.fleets import World


def serving(size: int = 2, **options: object) -> World:
    world = World(size, **options)
    world.all_ready()
    return world


def test_as_many_are_started_as_are_wanted() -> None:
    world = World(3)
    assert [start.slot for start in world.started] == [0, 1, 2]
    world.all_ready()
    world.pass_time(100)
    assert world.serves_fully
    assert len(world.started) == 3


def test_one_that_dies_is_replaced_at_once() -> None:
    world = serving()
    world.pass_time(10)
    world.exits(1, -SIGKILL)
    assert [start.slot for start in world.started] == [0, 1, 0]
    assert "worker 0 (pid 1) ended by SIGKILL, and is replaced" in world.log[-1].text
    assert world.fleet.restarts == 1


def test_one_that_dies_again_and_again_is_started_ever_later() -> None:
    world = serving(1)
    starts = []
    for _ in range(12):
        (pid,) = world.serving
        world.exits(pid, 1)
        began = world.now
        while not world.of(BOOTING):
            world.pass_time(0.05)
        starts.append(round(world.now - began, 2))
        world.all_ready()
    assert starts[:4] == pytest.approx([0.1, 0.2, 0.4, 0.8], abs=0.06)
    assert max(starts) == pytest.approx(10, abs=0.1)
    world.pass_time(60)  # it lives: all is forgiven
    world.exits(world.serving[0], 1)
    assert world.of(BOOTING)


# The start...


def test_a_boot_that_fails_ends_all_with_its_reason_and_its_code() -> None:
    world = World(3)
    world.exits(2, 4, "Error: there is no module 'shop'", 4)
    assert not world.is_over
    assert world.killed == [(1, SIGKILL), (3, SIGKILL)]
    world.exits(1, -SIGKILL)
    world.exits(3, -SIGKILL)
    assert world.end is not None
    assert (world.end.code, world.end.why) == (4, "Error: there is no module 'shop'")
    assert not [entry for entry in world.log if entry.level >= logging.WARNING]


def test_a_boot_that_ends_without_a_word_has_a_code_of_ours() -> None:
    world = World(1)
    world.exits(1, -11)
    assert world.end is not None
    assert world.end.code == 3
    assert "worker 0 (pid 1) ended by SIGSEGV before it could serve" in world.end.why


def test_a_boot_that_takes_too_long_is_killed_and_told() -> None:
    world = World(1, boot_timeout_s=5)
    world.pass_time(4.9)
    assert not world.killed
    world.pass_time(0.2)
    assert world.killed == [(1, SIGKILL)]
    world.exits(1, -SIGKILL)
    assert world.end is not None
    assert "not ready after 5 s" in world.end.why
    assert "--boot-timeout" in world.end.why


def test_when_it_served_once_a_boot_that_fails_is_tried_again() -> None:
    world = serving()
    world.pass_time(10)
    world.exits(1, -SIGKILL)
    world.exits(3, 3, "Error: the database is away", 3)
    assert world.end is None
    assert "is tried again in 0.1 s" in world.log[-1].text
    assert world.log[-1].details == "Error: the database is away"
    world.pass_time(0.2)
    world.all_ready()
    assert world.serves_fully


def test_when_nobody_serves_and_nobody_can_it_gives_up() -> None:
    world = serving(1)
    world.pass_time(10)
    world.exits(1, -SIGKILL)
    for _ in range(100):
        if world.end is not None:
            break
        for member in world.of(BOOTING):
            world.exits(member.pid, 3, "Error: the database is away", 3)
        world.pass_time(0.5)
    assert world.end is not None
    assert (world.end.code, world.end.why) == (3, "Error: the database is away")


def test_a_system_that_refuses_to_fork_is_asked_again() -> None:
    world = serving(1)
    world.pass_time(10)
    world.refuses_to_fork = True
    world.exits(1, -SIGKILL)
    for _ in range(20):
        world.pass_time(0.1)
    assert "worker 0 cannot be started: no more processes" in world.log[-1].text
    assert len(world.started) < 8
    world.refuses_to_fork = False
    world.pass_time(10)
    world.all_ready()
    assert world.serves_fully


# Reload...


def test_a_reload_replaces_one_at_a_time_and_never_serves_with_less() -> None:
    world = serving(3)
    world.do(world.fleet.reload(world.now))
    generations = []
    while world.fleet.is_reloading:
        assert len(world.of(READY)) == 3
        (successor,) = world.of(BOOTING)
        world.ready(successor.pid)
        generations.append(sorted(m.generation for m in world.of(READY)))
    assert generations == [[1, 1, 2], [1, 2, 2], [2, 2, 2]]
    stops = [(pid, message["do"], message["restarts"]) for pid, message in world.told]
    assert stops == [(1, "stop", True), (2, "stop", True), (3, "stop", True)]
    world.log_of("reloaded: generation 2 serves")


def test_a_reload_of_broken_code_leaves_the_old_one_in_place() -> None:
    world = serving(3)
    world.do(world.fleet.reload(world.now))
    (successor,) = world.of(BOOTING)
    world.exits(successor.pid, 4, "SyntaxError: oh no", 4)
    assert world.serving == [1, 2, 3]
    assert not world.told
    assert not world.fleet.is_reloading
    assert world.fleet.last_failure == "SyntaxError: oh no"
    entry = world.log_of("the reload has failed, the code of before serves on with 3 workers")
    assert entry.details == "SyntaxError: oh no"
    world.do(world.fleet.reload(world.now))
    world.settle()
    assert {m.generation for m in world.of(READY)} == {3}
    assert world.fleet.last_failure == ""


def test_a_reload_within_a_reload_has_the_newest_code_in_the_end() -> None:
    world = serving(2)
    world.do(world.fleet.reload(world.now))
    (first,) = world.of(BOOTING)
    world.do(world.fleet.reload(world.now))
    assert world.killed == [(first.pid, SIGTERM)]
    world.settle()
    assert {m.generation for m in world.of(READY)} == {3}


def test_one_that_was_told_to_end_is_no_successor_though_it_is_ready_just_then() -> None:
    world = serving(1)
    world.do(world.fleet.reload(world.now))
    (first,) = world.of(BOOTING)
    world.do(world.fleet.reload(world.now))
    world.ready(first.pid)  # it said so before the signal came
    assert world.serving == [1]
    assert not world.told
    world.settle()
    assert {m.generation for m in world.of(READY)} == {3}


def test_a_reload_for_which_the_system_refuses_to_fork_has_failed() -> None:
    world = serving(2)
    world.refuses_to_fork = True
    world.do(world.fleet.reload(world.now))
    world.pass_time(1)
    assert not world.fleet.is_reloading
    assert world.fleet.last_failure == "worker 0 cannot be started: no more processes"
    assert not [entry for entry in world.log if "reloaded" in entry.text]
    assert world.serving == [1, 2]
    world.refuses_to_fork = False
    world.do(world.fleet.reload(world.now))
    world.settle()
    assert {m.generation for m in world.of(READY)} == {3}


def test_a_reload_is_over_when_one_that_was_not_there_serves_as_well() -> None:
    world = serving(1)
    world.pass_time(5)
    world.exits(1, -SIGKILL)
    world.do(world.fleet.reload(world.now))
    world.exits(2, -SIGKILL)  # it had old code, and booted
    reloading = [world.fleet.is_reloading]
    world.all_ready()
    reloading.append(world.fleet.is_reloading)
    assert reloading == [True, False]
    world.log_of("reloaded: generation 2 serves")
    assert world.serving == [3]


def test_a_reload_has_failed_when_one_that_was_not_there_cannot_boot() -> None:
    world = serving(1)
    world.pass_time(5)
    world.exits(1, -SIGKILL)
    world.do(world.fleet.reload(world.now))
    world.exits(2, -SIGKILL)
    world.exits(3, 4, "SyntaxError: oh no", 4)
    assert not world.fleet.is_reloading
    assert world.fleet.last_failure == "SyntaxError: oh no"
    world.pass_time(0.2)
    world.all_ready()
    assert not [entry for entry in world.log if "reloaded" in entry.text]


def test_one_that_dies_while_its_successor_boots_is_replaced_by_that() -> None:
    world = serving(1)
    world.pass_time(5)
    world.do(world.fleet.reload(world.now))
    world.exits(1, -SIGKILL)
    assert len(world.of(BOOTING)) == 1
    world.all_ready()
    assert world.serves_fully
    assert not world.fleet.is_reloading


def test_a_successor_that_dies_fails_the_reload_and_nothing_else() -> None:
    world = serving(2)
    world.do(world.fleet.reload(world.now))
    (successor,) = world.of(BOOTING)
    world.exits(successor.pid, -SIGKILL)
    assert world.serving == [1, 2]


def test_one_that_wants_to_retire_is_replaced_first() -> None:
    world = serving(2)
    world.do(world.fleet.retire(1, "it holds 900 MiB of memory", world.now))
    world.do(world.fleet.retire(2, "it holds 901 MiB of memory", world.now))
    assert len(world.of(BOOTING)) == 1
    world.all_ready()
    assert world.told[0][1]["why"] == "it holds 900 MiB of memory"
    assert len(world.of(BOOTING)) == 1
    world.settle()
    assert world.fleet.generation == 1


# Scaling...


def test_more_and_fewer_workers() -> None:
    world = serving(2)
    world.do(world.fleet.scale(4, world.now))
    world.all_ready()
    assert world.serves_fully
    world.do(world.fleet.scale(1, world.now))
    assert world.serving == [1]
    assert len(world.of(DRAINING)) == 3
    world.do(world.fleet.scale(0, world.now))
    assert world.fleet.size == 1


def test_fewer_workers_while_one_of_them_is_replaced() -> None:
    world = serving(3)
    world.do(world.fleet.reload(world.now))
    world.all_ready()
    world.all_ready()
    (last,) = world.of(BOOTING)
    assert last.slot == 2
    world.do(world.fleet.scale(2, world.now))
    world.settle()
    assert world.serves_fully
    assert {m.generation for m in world.of(READY)} == {2}


# Those who do not move...


def test_one_that_stands_still_is_killed_and_replaced() -> None:
    world = serving(2, hang_timeout_s=10)
    world.pass_time(20)
    world.pass_time(1, {1: world.now - 8})
    assert not world.killed
    world.pass_time(1, {1: world.now - 10})
    assert world.killed == [(1, SIGKILL)]
    world.log_of("worker 0 (pid 1) has stood still for 10 s (--hang-timeout)")
    world.settle()
    assert world.serves_fully


def test_when_all_stood_still_nobody_is_to_blame() -> None:
    world = serving(2, hang_timeout_s=10)
    world.do(world.fleet.reload(world.now))
    world.all_ready()
    world.do(world.fleet.scale(3, world.now))
    world.pass_time(1)
    before = world.now
    world.sleep(600, dict.fromkeys(world.fleet.members, before))  # docker pause
    assert not world.killed
    world.pass_time(9, dict.fromkeys(world.fleet.members, before))
    assert not world.killed
    world.pass_time(2, {world.serving[0]: before})
    assert world.killed == [(world.serving[0], SIGKILL)]


def test_one_that_stood_still_is_replaced_at_once_however_often_that_happens() -> None:
    world = serving(1, hang_timeout_s=10)
    for _ in range(10):
        world.pass_time(20)
        (pid,) = world.serving
        world.pass_time(0.1, {pid: world.now - 15})
        world.killed.clear()
        world.exits(pid, -SIGKILL)
        world.all_ready()
        assert world.serves_fully


def test_one_that_does_not_end_is_killed() -> None:
    world = serving(1)
    world.do(world.fleet.reload(world.now))
    world.all_ready()
    world.pass_time(31)
    assert not world.killed
    world.pass_time(2)
    assert world.killed == [(1, SIGKILL)]


# The end...


def test_a_stop_waits_for_all() -> None:
    world = serving(2)
    world.do(world.fleet.stop(world.now))
    assert [(pid, m["do"], m["restarts"]) for pid, m in world.told] == [
        (1, "stop", False),
        (2, "stop", False),
    ]
    world.exits(1)
    assert not world.is_over
    world.exits(2)
    assert world.end is not None
    assert (world.end.code, world.end.why) == (0, "")


def test_a_second_stop_hurries_and_a_third_kills() -> None:
    world = serving(1)
    world.do(world.fleet.stop(world.now))
    world.do(world.fleet.stop(world.now))
    assert world.told[-1] == (1, {"do": "hurry"})
    world.do(world.fleet.stop(world.now))
    assert world.killed == [(1, SIGKILL)]


def test_a_stop_while_some_boot_ends_those_by_a_signal() -> None:
    world = World(2)
    world.ready(1)
    world.do(world.fleet.stop(world.now))
    assert world.killed == [(2, SIGTERM)]
    world.exits(2, -SIGTERM)
    world.exits(1)
    assert world.end is not None
    assert not [entry for entry in world.log if entry.level >= logging.WARNING]


def test_after_a_stop_nothing_is_started() -> None:
    world = serving(2)
    world.do(world.fleet.stop(world.now))
    world.do(world.fleet.reload(world.now))
    world.do(world.fleet.scale(9, world.now))
    world.do(world.fleet.retire(1, "", world.now))
    world.exits(1, -SIGKILL)
    world.pass_time(1)
    assert len(world.started) == 2
    world.exits(2)
    assert world.end is not None


# Development...


def test_the_old_one_waits_while_the_new_one_boots() -> None:
    world = serving(1, is_dev=True)
    world.do(world.fleet.reload(world.now))
    assert world.told == [(1, {"do": "pause"})]
    world.all_ready()
    assert world.told[-1][1]["do"] == "stop"


def test_the_old_one_goes_on_when_the_new_one_cannot_be_forked() -> None:
    world = serving(1, is_dev=True)
    world.refuses_to_fork = True
    world.do(world.fleet.reload(world.now))
    world.log_of("cannot be started")
    assert [message["do"] for _, message in world.told] == ["pause", "resume"]


def test_the_old_one_goes_on_when_the_new_one_is_broken() -> None:
    world = serving(1, is_dev=True)
    world.do(world.fleet.reload(world.now))
    world.exits(2, 4, "SyntaxError: oh no", 4)
    assert world.told[-1] == (1, {"do": "resume", "error": "SyntaxError: oh no"})
    assert world.serving == [1]


def test_what_is_broken_from_the_start_is_shown_until_it_is_mended() -> None:
    world = World(1, is_dev=True)
    world.exits(1, 4, "SyntaxError: oh no", 4)
    assert world.started[-1] == Start(0, 1, "SyntaxError: oh no")
    world.all_ready()
    world.do(world.fleet.reload(world.now))
    world.exits(3, 4, "SyntaxError: still", 4)
    assert world.told[-1] == (2, {"do": "resume", "error": "SyntaxError: still"})
    world.do(world.fleet.reload(world.now))
    world.settle()
    assert world.serves_fully
    assert world.started[-1].broken == ""


def test_saved_twice_while_it_boots() -> None:
    world = serving(1, is_dev=True)
    world.do(world.fleet.reload(world.now))
    world.do(world.fleet.reload(world.now))
    world.do(world.fleet.reload(world.now))
    world.settle()
    assert [m.generation for m in world.of(READY)] == [4]


# Anything at any moment...

events = st.lists(
    st.tuples(
        st.sampled_from(
            ["ready", "exit", "fail", "reload", "retire", "up", "down", "time", "nofork", "stop"]
        ),
        st.integers(0, 9),
    ),
    max_size=40,
)


@settings(max_examples=400, deadline=None)
@given(size=st.integers(1, 4), happens=events, is_dev=st.booleans())
def test_whatever_happens_it_serves_fully_in_the_end(
    size: int, happens: list[tuple[str, int]], is_dev: bool
) -> None:
    world = World(size, is_dev=is_dev)
    for what, which in happens:
        if world.end is not None:
            break
        pids = sorted(world.fleet.members)
        pid = pids[which % len(pids)] if pids else 0
        if what == "ready":
            world.ready(pid)
        elif what == "exit" and pid:
            world.exits(pid, -SIGKILL)
        elif what == "fail" and pid:
            world.exits(pid, 4, "broken", 4)
        elif what == "reload":
            world.do(world.fleet.reload(world.now))
        elif what == "retire":
            world.do(world.fleet.retire(pid, "old", world.now))
        elif what in ("up", "down"):
            more = 1 if what == "up" else -1
            world.do(world.fleet.scale(world.fleet.size + more, world.now))
        elif what == "time":
            world.pass_time(which)
        elif what == "nofork":
            world.refuses_to_fork = not world.refuses_to_fork
        elif which == 9:
            world.do(world.fleet.stop(world.now))
        per_slot = [m.slot for m in world.of(BOOTING, READY)]
        assert all(per_slot.count(slot) <= 2 for slot in per_slot)
        assert len(per_slot) <= world.fleet.size + 1
    world.refuses_to_fork = False
    if world.end is None:
        world.settle()
    if world.end is None and not world.fleet.is_stopping:
        assert world.serves_fully
        assert not world.fleet.is_reloading


def test_a_fleet_tells_how_it_is() -> None:
    assert repr(serving(2).fleet) == "<Fleet of 2: 2 ready, generation 1>"
    assert repr(Fleet(1)) == "<Fleet of 1: nobody, generation 1>"
