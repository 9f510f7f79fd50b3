"""Tasks, and how one run of them goes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any

import pytest
import structlog

from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import checkpoint, sleep, sleep_forever, spawn
from photon.tasks import task as module
from photon.tasks.errors import JobTimedOut, TaskError
from photon.tasks.task import Job, Task, TaskOptions, current_job, run_job
from tests.clients import wait_until

variable = ContextVar("variable", default="nothing")


def fails(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def job_of(fn: Callable[..., Any], *args: Any, **options: Any) -> Job:
    return Job(Task(fn, name="work", options=TaskOptions(**options)), args)


# Tasks...


def test_a_task_has_the_name_of_its_function_and_is_called_as_it() -> None:
    task = Task(divmod)
    assert (task.name, task(7, 2)) == ("builtins.divmod", (3, 1))
    assert Task(fails).name == f"{__name__}.fails"
    assert Task(partial(fails, ValueError())).name == f"{__name__}.fails"
    assert Task(fails, name="mine").name == "mine"
    assert Task([].append).name == "list.append"
    assert "test_task.py:" in Task(fails).place
    assert repr(Task(divmod)) == "<Task builtins.divmod>"


async def waits() -> None: ...


class Awaited:
    async def __call__(self) -> None: ...


def yields() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("fn", "says"),
    [
        (waits, "waits (.*) is async.*write def"),
        (Awaited(), "is async"),
        (partial(waits), "is async"),
        (yields, "yields (.*) has a yield"),
        (3, "3 is none; name the function, do not call it"),
        ("shop.sweep", "'shop.sweep' is none"),
    ],
)
def test_what_does_no_work_when_called_is_refused(fn: Any, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        Task(fn)


# One run...


def test_a_job_runs_to_its_end() -> None:
    job = Job(Task(divmod), (7, 2))
    assert (job.state, job.duration_s, job.started_at) == ("pending", None, None)
    assert run_job(job) is job
    assert (job.state, job.result, job.error, job.attempt) == ("done", (3, 1), None, 1)
    assert job.duration_s is not None
    assert job.started_at is not None
    assert repr(job).startswith(f"<Job builtins.divmod {job.id} done, ")


def test_a_job_runs_once() -> None:
    ran: list[int] = []
    job = job_of(ran.append, 1)
    run_job(run_job(job))
    assert ran == [1]


def test_a_job_sees_a_fresh_context_or_the_one_it_was_given() -> None:
    variable.set("of the caller")
    try:
        assert run_job(job_of(variable.get)).result == "nothing"
        job = Job(Task(variable.get), context=copy_context())
        assert run_job(job).result == "of the caller"
    finally:
        variable.set("nothing")


def test_a_job_knows_itself() -> None:
    job = job_of(current_job)
    assert run_job(job).result is job
    assert current_job() is None


def recurse() -> None:
    recurse()


@pytest.mark.parametrize(
    "error", [ValueError("oh"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError()]
)
def test_what_a_function_raises_is_kept_and_logged_once(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    job = run_job(job_of(fails(error)))
    assert (job.state, job.error) == ("failed", error)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"the job work ({job.id}) failed: ")
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert (record.job, record.job_id) == ("work", job.id)  # type: ignore[attr-defined]


def test_a_function_that_recurses_for_ever_fails() -> None:
    job = run_job(job_of(recurse))
    assert job.state == "failed"
    assert isinstance(job.error, RecursionError)


def test_what_a_job_logs_by_structlog_carries_its_name_and_id() -> None:
    assert "structlog" in sys.modules
    job = job_of(structlog.contextvars.get_contextvars)
    assert run_job(job).result == {"job": "work", "job_id": job.id}
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.parametrize("error", [OSError(28, "no space left"), SystemExit(1)])
def test_a_logger_that_fails_does_not_take_the_job_along(error: BaseException) -> None:
    def broken(record: logging.LogRecord) -> bool:
        raise error

    logger = logging.getLogger("photon.tasks")
    logger.addFilter(broken)
    told: list[Job] = []
    try:
        job = run_job(job_of(fails(ValueError("oh")), on_failure=lambda job, _: told.append(job)))
    finally:
        logger.removeFilter(broken)
    assert (job.state, told) == ("failed", [job])


# Ends that come from outside...


def test_a_job_that_takes_too_long_is_stopped_where_it_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cleaned: list[int] = []

    def hang() -> None:
        try:
            sleep_forever()
        finally:
            cleaned.append(1)

    job = run_job(job_of(hang, timeout_s=0.001))
    assert (job.state, cleaned) == ("timed out", [1])
    assert isinstance(job.error, JobTimedOut)
    assert isinstance(job.error.__cause__, Cancelled)
    (record,) = caplog.records
    assert "timed out: JobTimedOut: it took longer than 0.001 s" in record.getMessage()
    assert " in hang" in record.getMessage()


def test_a_job_is_cancelled_where_it_waits(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    job = job_of(sleep_forever, retries=3, timeout_s=60)
    job.handle = handle = spawn(run_job, job)
    checkpoint()
    job.cancel("enough")
    job.join()
    assert (job.state, handle.state) == ("cancelled", "cancelled")
    (record,) = caplog.records
    assert "cancelled by scope: enough" in record.getMessage()
    job.cancel()  # nothing any more


def test_a_job_that_is_cancelled_before_its_start_never_runs() -> None:
    ran: list[int] = []
    job = job_of(ran.append, 1)
    ended: list[Job] = []
    job.on_end = ended.append
    job.handle = spawn(run_job, job)
    job.cancel()
    job.join()
    checkpoint()
    assert (job.state, ran, ended) == ("cancelled", [], [job])


# Further attempts...


def test_a_job_is_tried_again_until_it_works(caplog: pytest.LogCaptureFixture) -> None:
    attempts: list[int] = []

    def flaky() -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise ConnectionError("refused")
        return "at last"

    job = run_job(job_of(flaky, retries=5, backoff=0.0))
    assert (job.state, job.result, job.attempt) == ("done", "at last", 3)
    assert [r.levelno for r in caplog.records] == [logging.WARNING] * 2
    assert "failed in attempt 1 of 6, the next one in 0s: ConnectionError: refused" in (
        caplog.records[0].getMessage()
    )


def test_a_job_that_never_works_fails_after_its_last_attempt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[tuple[Job, BaseException]] = []
    job = job_of(
        fails(ValueError("oh")),
        retries=2,
        backoff=0.0,
        on_failure=lambda *given: told.append(given),
    )
    run_job(job)
    assert (job.state, job.attempt) == ("failed", 3)
    assert told == [(job, job.error)]
    assert "failed after 3 attempts: ValueError: oh" in caplog.records[-1].getMessage()


def test_a_time_out_is_tried_again_each_attempt_with_its_own_time() -> None:
    attempts: list[int] = []

    def slow_at_first() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            sleep_forever()

    job = job_of(slow_at_first, retries=1, backoff=0.0, timeout_s=0.05, retry_on=KeyError)
    assert run_job(job).state == "done"


@pytest.mark.parametrize("error", [SystemExit(1), KeyError("not named")])
def test_what_is_not_worth_it_is_not_tried_again(error: BaseException) -> None:
    job = run_job(job_of(fails(error), retries=5, retry_on=(ValueError, OSError)))
    assert (job.state, job.attempt) == ("failed", 1)


def test_a_job_may_be_cancelled_between_two_attempts() -> None:
    job = job_of(fails(ValueError()), retries=1, backoff=lambda attempt: 250.0)
    job.handle = spawn(run_job, job)
    wait_until(lambda: job.attempt == 1)
    checkpoint()
    job.cancel()
    job.join()
    assert (job.state, job.attempt) == ("cancelled", 1)


@pytest.mark.parametrize("backoff", [lambda attempt: "soon", lambda attempt: 1 / 0])
def test_a_backoff_that_fails_ends_the_attempts(
    backoff: Any, caplog: pytest.LogCaptureFixture
) -> None:
    job = run_job(job_of(fails(ValueError("oh")), retries=3, backoff=backoff))
    assert (job.state, job.attempt) == ("failed", 1)
    assert "its backoff failed" in caplog.records[0].getMessage()


# Hooks...


@pytest.mark.parametrize("error", [ZeroDivisionError(), SystemExit(1)])
def test_a_hook_that_fails_is_reported_and_changes_nothing(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def hook(job: Job, told: BaseException) -> None:
        raise error

    job = run_job(job_of(fails(ValueError("oh")), on_failure=hook))
    assert job.state == "failed"
    assert isinstance(job.error, ValueError)
    assert "its on_failure" in caplog.records[-1].getMessage()


def test_a_hook_that_hangs_is_ended(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "HOOK_S", 0.001)
    run_job(job_of(fails(ValueError("oh")), on_failure=lambda *given: sleep(60)))
    assert "its on_failure took over 1ms" in caplog.records[-1].getMessage()


def test_who_wants_to_know_is_told_once_of_the_end() -> None:
    for fn in (int, fails(ValueError())):
        job = job_of(fn)
        ended: list[Job] = []
        job.on_end = ended.append
        run_job(job)
        job.end("done")
        assert ended == [job]
