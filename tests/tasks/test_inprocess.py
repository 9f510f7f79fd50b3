"""Jobs of the queue that needs nothing run here, soon, the most urgent first."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from photon.runtime.cancel import fail_after
from photon.runtime.errors import WrongThread
from photon.runtime.greenlets import sleep
from photon.runtime.offload import offload
from photon.runtime.sync import Event
from photon.tasks.inprocess import InProcessQueue
from photon.tasks.queue import WorkerSettings
from photon.tasks.queue_errors import QueueError, QueueFull
from photon.tasks.registry import Tasks
from photon.tasks.task import current_job


def wait(queue: InProcessQueue) -> None:
    with fail_after(10):
        queue._wait_until_over()


def test_a_job_runs_beside_who_sent_it() -> None:
    queue = InProcessQueue()
    seen: list[Any] = []

    def work(n: int, *, when: str = "now") -> None:
        job = current_job()
        assert job is not None
        seen.append((job.id, n, when))

    task = Tasks(queue).task(name="work")(work)
    id = task.send(1, when="later")
    assert seen == []
    wait(queue)
    assert seen == [(id, 1, "later")]


def test_attempts_deadline_and_hook_are_those_of_any_queue() -> None:
    queue = InProcessQueue()
    told: list[Any] = []
    tasks = Tasks(queue)

    def fails(n: int) -> None:
        told.append(n)
        raise ValueError("no")

    def hangs() -> None:
        sleep(60)

    def hook(job: Any, error: BaseException) -> None:
        told.append((job.name, job.attempt, type(error).__name__))

    tasks.task(name="fails", retries=1, backoff=0.001, on_failure=hook)(fails).send(7)
    wait(queue)
    tasks.task(name="hangs", timeout=0.001, on_failure=hook)(hangs).send()
    wait(queue)
    assert told == [7, 7, ("fails", 2, "ValueError"), ("hangs", 1, "JobTimedOut")]


def test_the_most_urgent_of_those_that_wait_is_next() -> None:
    queue = InProcessQueue(concurrency=1)
    tasks = Tasks(queue)
    order: list[str] = []
    plain = tasks.task(name="plain")(order.append)
    urgent = tasks.task(name="urgent", priority=1)(order.append)
    plain.send("first")  # it has the place already
    plain.send("second")
    urgent.send("urgent")
    assert repr(queue) == "<InProcessQueue: 1 run, 2 wait>"
    wait(queue)
    assert order == ["first", "urgent", "second"]


def test_later_jobs_run_later() -> None:
    queue = InProcessQueue()
    ran = Event()
    task = Tasks(queue).task(name="set")(ran.set)
    task.send_after("5ms")
    assert "1 later" in repr(queue)
    with fail_after(10):
        ran.wait()


def test_what_waits_is_bounded() -> None:
    queue = InProcessQueue(concurrency=1, limit=2)
    task = Tasks(queue).task(name="work")(lambda_like)
    for _ in range(3):
        task.send()
    with pytest.raises(QueueFull, match="2 jobs wait in this process already, so work was not"):
        task.send()
    wait(queue)
    task.send()
    wait(queue)


def lambda_like() -> None: ...


def test_it_knows_no_transactions_and_no_workers() -> None:
    tasks = Tasks(InProcessQueue())
    task = tasks.task(name="work")(lambda_like)
    with pytest.raises(QueueError, match="works with ProcrastinateQueue"):
        task.within(object()).send()
    with pytest.raises(QueueError, match="works with ProcrastinateQueue"):
        task.send(connection=object())  # type: ignore[call-arg]
    with pytest.raises(QueueError, match=r"nothing for a worker to do.*PHOTON_QUEUE"):
        tasks.queue.worker(tasks, WorkerSettings())
    with pytest.raises(QueueError, match="each is at least 1"):
        InProcessQueue(concurrency=0)


def test_closing_waits_and_tells_what_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    queue = InProcessQueue(concurrency=1)
    tasks = Tasks(queue)
    ended: list[str] = []

    def slow(name: str) -> None:
        try:
            sleep(0.01 if name == "short" else 60)
        finally:
            ended.append(name)

    task = tasks.task(name="slow")(slow)
    task.send("short")
    assert queue.close(drain_s=10) == 0
    assert ended == ["short"]
    task.send("long")
    task.send("never")
    task.send_after(60, "never")
    sleep(0)
    with caplog.at_level(logging.WARNING):
        assert queue.close(drain_s=0) == 3
    assert ended == ["short", "long"]
    assert "3 jobs are lost with this process: slow (3)" in caplog.text


def test_closing_ends_also_when_jobs_have_not_begun() -> None:
    queue = InProcessQueue(concurrency=1000)
    begun: list[int] = []
    task = Tasks(queue).task(name="work")(begun.append)
    for n in range(500):
        task.send(n)
    lost = queue.close(0.0, 10.0)
    assert lost == 500 - len(begun)
    assert repr(queue) == "<InProcessQueue: 0 run, 0 wait>"


def test_it_counts() -> None:
    queue = InProcessQueue(concurrency=1)
    done = Event()
    task = Tasks(queue).task(name="work")(lambda: done.wait() and None)
    task.send()
    task.send()
    task.send_after(60)
    assert queue.statistics() == {"running": 1, "waiting": 1, "later": 1}
    done.set()
    wait(queue)
    assert queue.statistics() == {"running": 0, "waiting": 0, "later": 1}
    assert queue.close() == 1


def test_what_is_sent_later_in_a_native_thread_is_refused_and_not_lost() -> None:
    queue = InProcessQueue()
    task = Tasks(queue).task(name="work")(sleep)
    with pytest.raises(WrongThread, match="this native thread has no hub"):
        offload(task.send_after, 1, 0)
    assert repr(queue) == "<InProcessQueue: 0 run, 0 wait>"


def test_thousands_of_jobs() -> None:
    queue = InProcessQueue()
    done: list[int] = []
    task = Tasks(queue).task(name="note")(done.append)
    for number in range(5000):
        task.send(number)
    wait(queue)
    assert sorted(done) == list(range(5000))  # many run at once, in any order
