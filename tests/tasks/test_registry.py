"""Tasks that can be sent: what decorators take, what they refuse, which queue takes them."""

from __future__ import annotations

import importlib.util
import re
import sys
from types import ModuleType
from typing import Any

import pytest

from photon.tasks.adapters.dramatiq import DramatiqQueue
from photon.tasks.adapters.procrastinate import ProcrastinateQueue
from photon.tasks.background import BackgroundTasks
from photon.tasks.choosing import queue_of
from photon.tasks.elsewhere import OF_BACKGROUND_TASKS, OF_QUEUED_TASKS
from photon.tasks.errors import DuplicateTask, ScheduleError, TaskError
from photon.tasks.inprocess import InProcessQueue
from photon.tasks.queue import Queue
from photon.tasks.queue_errors import QueueError
from photon.tasks.queued import QueuedTask
from photon.tasks.registry import Tasks


def double(n: int) -> int:
    """Twice as much."""
    return 2 * n


def with_connection(connection: Any) -> None: ...


async def coroutine() -> None: ...


def generator() -> Any:
    yield


def test_a_task_is_still_the_function() -> None:
    task = Tasks().task(double)
    assert task(2) == 4
    assert task.__doc__ == "Twice as much."
    assert task.name == "tests.tasks.test_registry.double"
    assert repr(task) == "<QueuedTask tests.tasks.test_registry.double of 'default'>"


def test_options_are_read() -> None:
    tasks = Tasks()
    decorate = tasks.task(
        name="double", queue="slow", priority=3, timeout="5m", retries=2, backoff="2s"
    )
    task = decorate(double)
    assert (task.name, task.queue, task.priority) == ("double", "slow", 3)
    assert (task.options.timeout_s, task.options.retries, task.options.backoff) == (300, 2, 2.0)
    assert tasks.get("double") is task
    assert tasks.queues == ["slow"]
    assert list(tasks) == [task]
    assert repr(tasks) == "<Tasks 1 into in-process>"


@pytest.mark.parametrize(
    ("fn", "options", "message"),
    [
        (lambda n: n, {}, "is a lambda, .*write def"),
        (coroutine, {}, r"coroutine \(.*test_registry.py:\d+\) is async"),
        (generator, {}, "has a yield"),
        (with_connection, {}, "has a parameter `connection`"),
        (3, {}, "a task is a function, and 3 is none"),
        ("double", {}, r"a keyword: task\(name='double'\)"),
        (double, {"queue": "a b"}, "queue is 'a b', but the name of a queue begins"),
        (double, {"queue": "jobs.DQ"}, "dramatiq keeps names with that end"),
        (double, {"priority": 1.5}, "priority is a whole number"),
        (double, {"retries": -1}, "retries is -1"),
        (double, {"time_limit": 5}, "a task has no option time_limit: .*timeout"),
        (double, {"prority": 5}, "did you mean priority"),
    ],
)
def test_what_can_be_no_task_is_refused(fn: Any, options: Any, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        Tasks().task(fn) if not options else Tasks().task(**options)(fn)


def test_a_timeout_is_a_length_of_time() -> None:
    with pytest.raises(ScheduleError, match="timeout"):
        Tasks().task(timeout="soon")(double)


def test_a_function_within_another_needs_a_name() -> None:
    def inner() -> None: ...

    tasks = Tasks()
    with pytest.raises(TaskError, match=r'is defined in a function.*@app.task\(name="inner"\)'):
        tasks.task(inner)
    assert tasks.task(name="inner")(inner).name == "inner"


def test_names_are_used_once() -> None:
    tasks = Tasks()
    tasks.task(double)
    with pytest.raises(DuplicateTask, match=r"two tasks are called '.*double'.*test_registry.py:"):
        tasks.task(double)


def test_a_script_is_named_as_who_imports_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def script() -> None: ...

    script.__module__, script.__qualname__ = "__main__", "script"
    main = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    main.__file__ = "/shop/app.py"
    assert Tasks().task(script).name == "app.script"
    main.__spec__ = importlib.util.spec_from_loader("shop.__main__", None)
    assert Tasks().task(script).name == "shop.script"


def test_the_queue_is_chosen_by_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTON_QUEUE", raising=False)
    assert isinstance(queue_of(None), InProcessQueue)
    assert isinstance(queue_of("redis://localhost"), DramatiqQueue)
    assert isinstance(queue_of("unix:///run/redis.sock"), DramatiqQueue)
    assert isinstance(queue_of("postgres://localhost/shop"), ProcrastinateQueue)
    queue = InProcessQueue()
    assert queue_of(queue) is queue
    monkeypatch.setenv("PHOTON_QUEUE", "postgresql:///shop")
    assert isinstance(queue_of(None), ProcrastinateQueue)
    assert isinstance(queue_of("in-process"), InProcessQueue)
    monkeypatch.setenv("PHOTON_QUEUE", "amqp://me:secret@rabbit")
    with pytest.raises(QueueError, match="PHOTON_QUEUE begins with 'amqp'; it is redis://") as told:
        Tasks()
    assert "secret" not in str(told.value)
    with pytest.raises(QueueError, match="queue is 3; give a URL"):
        queue_of(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "library", "extra"),
    [
        ("redis://localhost", "dramatiq", "dramatiq"),
        ("redis://localhost", "redis", "dramatiq"),
        ("postgresql:///shop", "procrastinate", "procrastinate"),
        ("postgresql:///shop", "psycopg", "procrastinate"),
    ],
)
def test_a_library_that_is_missing_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, url: str, library: str, extra: str
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "photon.tasks.adapters.servers.find_spec",
        lambda name: None if name == library else find(name),
    )
    with pytest.raises(
        QueueError, match=rf"needs {library}, .*pip install 'photon-web\[{extra}\]'"
    ):
        queue_of(url)


def test_passwords_are_not_shown() -> None:
    for url in ("redis://me:secret@host:1/0?db=3", "postgresql://me:secret@host:1/shop"):
        queue = queue_of(url)
        assert "secret" not in f"{queue.name} {queue!r}"
        assert "host:1" in queue.name


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("delay", "a QueuedTask has no 'delay': here it is send"),
        ("apply_async", "here it is send(...), or send_after(seconds, ...)"),
        ("enqueue", "here it is send"),
        ("defer", "here it is send"),
        ("enqueue_in", "here it is send_after(seconds, ...)"),
        ("sendd", "did you mean send?"),
    ],
)
def test_what_others_call_it_is_told(name: str, says: str) -> None:
    task = Tasks().task(double)
    with pytest.raises(AttributeError, match=re.escape(says)):
        getattr(task, name)


def test_what_others_call_it_is_nowhere_here() -> None:
    assert not [name for name in OF_QUEUED_TASKS if hasattr(QueuedTask, name)]
    assert not [name for name in OF_BACKGROUND_TASKS if hasattr(BackgroundTasks, name)]


def test_a_queue_of_items_is_a_channel() -> None:
    with pytest.raises(TypeError, match=r"InProcessQueue\(\).* go through open_channel"):
        Queue(10)  # type: ignore[call-arg, misc]
