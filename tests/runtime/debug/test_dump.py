"""A dump tells of every greenlet, and the hub goes on meanwhile."""

from __future__ import annotations

import json
import threading
import weakref
from typing import Any

import gevent
import pytest
from gevent import monkey

from photon.runtime.cancel import fail_after, move_on_after
from photon.runtime.debug.dump import circles, dump
from photon.runtime.debug.render import render
from photon.runtime.greenlets import checkpoint, sleep, sleep_forever, spawn
from photon.runtime.nursery import nursery
from photon.runtime.offload import offload
from photon.runtime.sync import Event, Lock
from tests.clients import wait_until

block = monkey.get_original("time", "sleep")


def named(name: str) -> dict[str, Any]:
    (found,) = [each for each in dump()["greenlets"] if each["name"].endswith(name)]
    entry: dict[str, Any] = found
    return entry


def test_spawned_functions_the_main_greenlet_and_threads() -> None:
    event = Event()

    def waits_here() -> None:
        with fail_after(60):
            event.wait()

    def in_thread() -> None:
        while not event.is_set:
            block(0.01)

    handle = spawn(waits_here)
    beside = spawn(offload, in_thread)
    wait_until(lambda: "pool: runs what was offloaded" in str(dump()["threads"]))
    told = dump(stacks=True)
    json.dumps(told)
    entry = next(each for each in told["greenlets"] if "waits_here" in each["name"])
    assert entry["kind"] == "spawned"
    assert entry["state"] == "waiting"
    assert entry["waits_for"] == "an event to be set"
    assert 50 < entry["deadline_left_s"] <= 60
    assert "test_dump.py" in entry["where"]
    assert "in test_spawned" in entry["spawned_at"][0]
    assert "in waits_here" in str(entry["stack"])
    (main,) = [each for each in told["greenlets"] if each["kind"] == "main"]
    assert main["state"] == "running"
    assert "in test_spawned" in main["where"]
    names = [each["name"] for each in told["threads"]]
    assert "pool: runs what was offloaded" in names
    assert told["circles"] == []
    event.set()
    handle.join()
    beside.join()


def test_greenlets_and_threads_of_libraries_are_told() -> None:
    stop = threading.Event()

    def library() -> None:
        gevent.sleep(60)

    raw = gevent.spawn(library)
    thread = threading.Thread(target=stop.wait, name="worker-7")
    thread.start()
    sleep(0.01)
    assert named("library")["kind"] == "gevent"
    assert named("library")["waits_for"] == "the end of its sleep of 60 s"
    assert named("worker-7")["kind"] == "thread"
    raw.kill()
    stop.set()
    thread.join()


def test_things_that_cannot_be_looked_at_are_left_alone() -> None:
    class Proxy:
        @property  # type: ignore[misc]
        def __class__(self) -> type:
            raise RuntimeError("working outside of a request")

    class Odd(type):
        __hash__ = None  # type: ignore[assignment]

    class Held(metaclass=Odd): ...

    kept = [Proxy(), Held(), weakref.proxy(Held())]
    assert dump()["greenlets"]
    assert len(kept) == 3


def test_a_greenlet_that_asked_which_thread_it_is_keeps_its_name() -> None:
    def asks() -> None:
        threading.current_thread()
        gevent.sleep(60)

    raw = gevent.spawn(asks)
    sleep(0.01)
    assert named("asks")["kind"] == "gevent"
    raw.kill()


def test_what_has_not_begun_is_told_as_such_or_not_at_all() -> None:
    raw = gevent.spawn(sleep_forever)
    states = {each["state"] for each in dump()["greenlets"] if each["kind"] == "gevent"}
    assert states <= {"pending", "waiting"}
    raw.kill()


def test_what_nobody_knows_is_told_by_its_line() -> None:
    queue = gevent.queue.Queue()

    def take() -> None:
        _ = queue.get()

    handle = spawn(take)
    sleep(0.01)
    assert named("take")["waits_for"] == "`_ = queue.get()`"
    queue.put(1)
    handle.join()


def test_a_lock_names_its_holder_and_one_that_was_left_behind_says_so() -> None:
    lock, held, go_on = Lock(), Event(), Event()

    def owner() -> None:
        lock.acquire()
        held.set()
        go_on.wait()

    def waiter() -> None:
        with move_on_after(30), lock:
            pass

    first = spawn(owner)
    held.wait()
    second = spawn(waiter)
    sleep(0.01)
    assert named("waiter")["waits_on"] == [named("owner")["id"]]
    assert ".waiter: waits for a lock (up to #" in render(dump())
    go_on.set()
    first.join()
    sleep(0.01)
    assert "which is over: nobody will release it" in named("waiter")["waits_for"]
    second.cancel()
    second.join()


def test_thousands_are_described_while_the_hub_goes_on() -> None:
    rounds: list[int] = []
    event = Event()

    def others() -> None:
        while not event.is_set:
            rounds.append(1)
            checkpoint()

    with nursery() as n:
        for _ in range(1000):
            n.spawn(event.wait)
        n.spawn(others)
        wait_until(lambda: rounds)
        before = len(rounds)
        told = dump()
        assert len(rounds) > before
        assert len(told["greenlets"]) >= 1000
        assert "1000 x Event.wait: waits for an event to be set" in render(told)
        assert dump(most=10)["left_out"] >= 990
        assert "more were left out" in render(dump(most=10))
        event.set()


@pytest.mark.parametrize(
    ("waits_on", "found"),
    [
        ({1: [2], 2: []}, []),
        ({1: [2], 2: [1]}, [[1, 2]]),
        ({1: [1]}, [[1]]),
        ({1: [2], 2: [3], 3: [2]}, [[2, 3]]),
        ({1: [2, 3], 2: [], 3: [1]}, [[1, 3]]),
        ({1: [9]}, []),
        ({1: [2], 2: [1], 3: [4], 4: [3]}, [[1, 2], [3, 4]]),
        ({each: [each + 1] for each in range(1, 5000)}, []),
    ],
)
def test_circles(waits_on: dict[int, list[int]], found: list[list[int]]) -> None:
    entries = [{"id": number, "waits_on": on} for number, on in waits_on.items()]
    assert circles(entries) == found


def test_what_clients_sent_moves_nobodys_cursor() -> None:
    entry = {
        "id": 1,
        "kind": "request",
        "name": "GET /\x1b[2J",
        "state": "waiting",
        "waits_for": "x\ny",
        "where": "here",
        "target": "/\x9b",
    }
    told = {"pid": 1, "took_ms": 1.0, "greenlets": [entry], "threads": [], "circles": []}
    text = render(told)
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "waits for x\\ny" in text


def test_groups_say_from_when_to_when() -> None:
    entries = [
        {
            "id": number,
            "kind": "request",
            "name": "GET /slow",
            "state": "waiting",
            "waits_for": f"bytes from 10.0.0.{number}:80, {number}.5 s left",
            "where": "shop.py:12 in page",
            "age_s": float(number),
        }
        for number in range(1, 301)
    ]
    told = {"pid": 7, "took_ms": 1.0, "greenlets": entries, "threads": [], "circles": []}
    lines = render(told).splitlines()
    assert lines[0] == "process 7: 300 greenlets and 0 native threads (told in 1 ms)"
    assert lines[2] == (
        "300 x GET /slow: waits for bytes from its peer, at shop.py:12 in page, for 1.0 s to 5 min"
    )
    assert "#300 GET /slow, request" in lines
