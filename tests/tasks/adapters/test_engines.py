"""What both engines do for a job: sent here, run by a real worker process, with a real server."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from photon.tasks.adapters.dramatiq import DramatiqQueue
from photon.tasks.adapters.procrastinate import ProcrastinateQueue
from photon.tasks.queue_errors import ArgumentError
from photon.tasks.queued import QueuedTask
from photon.tasks.registry import Tasks
from tests.processes import ROOT, Photon, photon
from tests.tasks import engine_app

FOLDER = ROOT / "tests" / "tasks"

StartWorker = Callable[..., AbstractContextManager[Photon]]


class Sender:
    """The sending half: the same tasks, in this process."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.tasks = engine_app.register(Tasks(url))

    def __getitem__(self, name: str) -> QueuedTask[..., Any]:
        task = self.tasks.get(name)
        assert task is not None
        return task

    def worker(
        self, *flags: str, env: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Photon]:
        variables = {"PHOTON_QUEUE": self.url, **(env or {})}
        return photon("worker", "engine_app:app", *flags, folder=FOLDER, env=variables)


@pytest.fixture(params=["dramatiq", "procrastinate"])
def sender(request: pytest.FixtureRequest) -> Iterator[Sender]:
    if request.param == "dramatiq":
        sender = Sender(request.getfixturevalue("redis_url"))
        assert isinstance(sender.tasks.queue, DramatiqQueue)
    else:
        sender = Sender(request.getfixturevalue("postgres_url"))
        assert isinstance(sender.tasks.queue, ProcrastinateQueue)
        assert sender.tasks.queue.apply_schema()
        assert not sender.tasks.queue.apply_schema()
    try:
        yield sender
    finally:
        sender.tasks.queue.close()


def test_jobs_are_run_by_a_worker(sender: Sender) -> None:
    order = engine_app.Order(UUID(int=7), date(2026, 2, 28))
    with sender.worker() as worker:
        worker.wait_line("the lifespan began")
        worker.wait_line("works for engine_app:app")
        sender["add"].send(1, b=4)
        worker.wait_line("added 5")
        # Dates, UUIDs and Structs are themselves again.
        sender["deliver"].send(order, note="süß \U0001f4a1")
        worker.wait_line(f"delivers {UUID(int=7)} on 2026-02-28")
        sender["other"].send(10)
        worker.wait_line("added 12")
        sender["add"].send_after(0.05, 20)
        worker.wait_line("added 22")
        sender["chain"].send(30)
        worker.wait_line("added 32")
        # Tried again, with its own id in each line, until it works.
        id = sender["flaky"].send(3)
        worker.wait_line("the job flaky", id, "failed in attempt 1 of 3")
        worker.wait_line("the job flaky", id, "failed in attempt 2 of 3")
        worker.wait_line("attempt 3 of", id, "works")
        # Until no attempt is left.
        sender["flaky"].send(9)
        worker.wait_line("the job flaky", "failed after 3 attempts", "ConnectionError: not yet")
        worker.wait_line("hook: flaky, 3 attempts, ConnectionError")
        # Stopped where it waits.
        sender["limited"].send()
        worker.wait_line("the job limited", "timed out", "engine_app.py")
        worker.wait_line("hook: limited, 1 attempts, JobTimedOut")
        # What a function does to itself is not done to the worker.
        sender["exits"].send()
        worker.wait_line("hook: exits, 1 attempts, SystemExit")
        sender["add"].send(100)
        worker.wait_line("added 102")
        assert worker.stop() == 0
    assert "the lifespan ended" in worker.stderr
    assert "stopped" in worker.stderr.splitlines()[-1]
    # Each failure is told once.
    assert worker.stderr.count("failed after 3 attempts") == 1
    assert "unhandled exception" not in worker.stderr
    assert "ended with status" not in worker.stderr


def test_a_thousand_jobs_are_run_once_each(sender: Sender) -> None:
    for number in range(1000):
        sender["add"].send(number, 0)
    with sender.worker("--concurrency", "50") as worker:
        for _ in range(1000):
            worker.wait_line("added ")
        assert worker.stop() == 0
    added = [line for line in worker.stderr.splitlines() if "added" in line]
    assert len(set(added)) >= 1000 - 5  # the same millisecond may log the same line, not more
    numbers = {int(line.split('"added ')[1].split('"')[0]) for line in added}
    assert numbers == set(range(1000))


def test_a_worker_that_is_stopped_lets_jobs_end(sender: Sender) -> None:
    with sender.worker() as worker:
        sender["hang"].send(0.3)
        worker.wait_line("hangs")
        assert worker.stop() == 0
    assert "jobs that run: 1" in worker.stderr
    assert "slept" in worker.stderr


def test_a_job_that_is_cut_off_is_not_lost(sender: Sender) -> None:
    id = sender["hang"].send()
    with sender.worker("--drain", "0.1") as worker:
        worker.wait_line("hangs")
        assert worker.stop() == 0
    assert "cleaned up" in worker.stderr
    assert f"the job hang ({id}) is cut off" in worker.stderr
    assert "1 jobs were cut off" in worker.stderr
    with sender.worker("--drain", "30") as another:
        another.wait_line("hangs")
        another.kill(signal.SIGTERM)
        another.wait_line("stopping")
        another.kill(signal.SIGTERM)  # hurry
        another.wait_line("hurrying")
        assert another.wait() == 0
    assert "1 jobs were cut off and will be run again" in another.stderr


def test_the_job_of_a_killed_worker_is_run_again(sender: Sender) -> None:
    sender["hang"].send()
    redelivery = {"TEST_REDELIVERY_S": "1"}
    with sender.worker(env=redelivery) as worker:
        worker.wait_line("hangs")
        worker.kill(signal.SIGKILL)
        worker.wait()
    with sender.worker("--drain", "0", env=redelivery) as another:
        another.wait_line("hangs")
        assert another.stop() == 0


def test_a_job_of_an_unknown_task_is_kept_and_told(sender: Sender) -> None:
    sender.tasks.task(name="gone")(lambda_like)
    gone = sender["gone"]
    with sender.worker() as worker:
        gone.send()
        worker.wait_line("gone", "this application does not have", "kept")
        sender["add"].send(1)
        worker.wait_line("added 3")
        assert worker.stop() == 0
    assert "Traceback" not in worker.stderr


def lambda_like() -> None:
    """A function that the worker does not know."""


def test_a_job_with_arguments_of_another_version_fails(sender: Sender) -> None:
    sender.tasks.task(name="newer")(newer)
    other = sender["newer"]
    other.name = "add"  # as if `add` had been another one when it was sent
    with sender.worker() as worker:
        other.send("text", c=1)
        worker.wait_line("the job add", "failed", "it has no parameter c")
        assert worker.stop() == 0


def newer(a: str, c: int) -> None:
    """What `add` is in another version."""


def test_a_worker_takes_jobs_of_the_queues_it_is_told(sender: Sender) -> None:
    sender["add"].send(1)
    sender["other"].send(2)
    with sender.worker("--queue", "other") as worker:
        worker.wait_line("added 4")
        assert worker.stop() == 0
    assert "added 3" not in worker.stderr


def test_what_cannot_be_sent_is_not_sent(sender: Sender) -> None:
    with pytest.raises(ArgumentError, match="missing a required argument: 'a'"):
        sender["add"].send()
    with pytest.raises(ArgumentError, match="the argument a of add does not fit"):
        sender["add"].send("x")
