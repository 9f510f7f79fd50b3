"""A hundred thousand cancels at random moments, and none of them reaches the wrong job.

Carriers run one job after the other, so what a finished job left behind (a timer, a cancel, a
wake-up) would arrive at the next one: it would be interrupted by a stranger, wake up early, or find
a lock held by nobody.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from itertools import count

from photon.runtime.cancel import move_on_after
from photon.runtime.channel import open_channel
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import checkpoint, sleep, spawn
from photon.runtime.handle import Handle
from photon.runtime.hub import current_hub
from photon.runtime.net.stream import SocketStream
from photon.runtime.nursery import nursery
from photon.runtime.permits import Semaphore
from photon.runtime.sync import Event, Lock
from tests.clients import wait_until

CANCELS = 100_000
AT_ONCE = 200


class Trial:
    """Jobs that wait in all the ways there are, and know what may happen to them."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.lock = Lock()
        self.permits = Semaphore(3)
        self.sender, self.receiver = open_channel[int](2)
        self.event = Event()
        ends = socket.socketpair()
        ends[0].setblocking(False)
        self.ends = ends
        self.faults: list[str] = []
        self.cancelled = self.timed_out = self.finished = 0
        self.ways: list[Callable[[], object]] = [
            self.sleep,
            self.sleep_shortly,
            self.hold_lock,
            self.hold_permit,
            self.pass_item,
            self.wait_for_event,
            self.wait_for_child,
            self.join_other,
            self.read_socket,
        ]

    # The ways to wait...

    def sleep(self) -> None:
        sleep(self.chance.random() * 0.004)

    def sleep_shortly(self) -> None:
        began, seconds = now(), self.chance.random() * 0.0005
        sleep(seconds)
        if now() - began < seconds:
            self.faults.append("somebody was woken too early")

    def hold_lock(self) -> None:
        with self.lock:
            checkpoint()

    def hold_permit(self) -> None:
        with self.permits:
            sleep(0.0001)

    def pass_item(self) -> None:
        if self.chance.random() < 0.5:
            self.sender.send(1, timeout=0.01)
        else:
            self.receiver.receive(timeout=0.01)

    def wait_for_event(self) -> None:
        self.event.wait(timeout=0.003)

    def wait_for_child(self) -> None:
        with nursery() as n:
            n.spawn(sleep, 0.001)
            n.spawn(checkpoint)

    def join_other(self) -> None:
        spawn(checkpoint).join()

    def read_socket(self) -> None:
        stream = SocketStream(current_hub(), self.ends[0].dup())
        try:
            with move_on_after(0.002):
                stream.wait_readable()
        finally:
            stream.close()

    # One job...

    def job(self, number: int) -> None:
        """Wait in some way, in a scope of its own or in none."""
        name = str(number)
        try:
            with move_on_after(self.chance.random() * 0.003) as scope:
                try:
                    self.chance.choice(self.ways)()
                except TimeoutError:
                    pass
        except Cancelled as error:
            self.check(error, name)
            raise
        except BaseException as error:
            self.faults.append(f"{error!r}")
            return
        self.timed_out += scope.cancelled_caught
        self.finished += not scope.cancelled_caught

    def check(self, error: Cancelled, name: str) -> None:
        self.cancelled += 1
        if error.scope is not None:
            self.faults.append(f"job {name} got the cancel of a scope that is not its own")
        elif error.reason != name:
            self.faults.append(f"job {name} got the cancel of job {error.reason}")

    def run(self, cancels: int) -> None:
        """Until so many jobs were interrupted."""
        alive: list[tuple[int, Handle[None]]] = []
        for number in count():
            alive.append((number, spawn(self.job, number)))
            if len(alive) >= AT_ONCE:
                checkpoint()  # they begin
                if self.chance.random() < 0.3:
                    checkpoint()  # some have gone on
                for named, handle in self.chance.sample(alive, AT_ONCE * 3 // 4):
                    handle.cancel(str(named))
                for named, handle in alive:
                    if handle.is_over:  # which reaches nobody
                        handle.cancel(f"{named}, which is over")
                checkpoint()
                alive = [pair for pair in alive if not pair[1].is_over]
                if self.cancelled + self.timed_out >= cancels:
                    break
        for _, handle in alive:
            handle.join()

    def close(self) -> None:
        for end in self.ends:
            end.close()
        self.sender.close()
        self.receiver.close()


def test_nothing_that_a_finished_job_left_behind_reaches_the_next_one() -> None:
    hub = current_hub()
    wait_until(lambda: hub.carriers.busy == 0)
    trial = Trial(seed=20261121)
    try:
        trial.run(CANCELS)
    finally:
        trial.close()
    assert trial.faults == []
    # Each of the ends was hit, often; and nothing is left of all of it.
    assert trial.cancelled > CANCELS // 5
    assert trial.timed_out > 500
    assert trial.finished > 500
    wait_until(lambda: hub.carriers.busy == 0)
    wait_until(lambda: len(hub.deadlines) <= 1)  # that of `wait_until` itself
    assert not trial.lock.is_held
    assert trial.permits.value == 3
