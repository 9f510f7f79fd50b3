"""Sending to PostgreSQL: as a part of a transaction, from many greenlets, and when it is away."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from photon.runtime.nursery import nursery
from photon.tasks.adapters.procrastinate import ProcrastinateQueue
from photon.tasks.queue_errors import ArgumentError, QueueError, QueueUnavailable
from photon.tasks.registry import Tasks
from tests.processes import ROOT, photon_ends

FOLDER = ROOT / "tests" / "tasks"


def add(a: int, b: int = 2) -> int:
    return a + b


def note(text: str) -> None: ...


@pytest.fixture
def queue(postgres_url: str) -> Iterator[ProcrastinateQueue]:
    queue = ProcrastinateQueue(postgres_url, connections=3)
    queue.apply_schema()
    yield queue
    queue.close()


def jobs(url: str, columns: str = "id") -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            f"SELECT {columns} FROM procrastinate_jobs ORDER BY id".encode()
        ).fetchall()


def test_a_job_is_a_part_of_its_transaction(queue: ProcrastinateQueue, postgres_url: str) -> None:
    task = Tasks(queue).task(add)
    with psycopg.connect(postgres_url) as connection:
        with pytest.raises(ZeroDivisionError):
            with connection.transaction():
                task.send(1, connection=connection)  # type: ignore[call-arg]
                assert jobs(postgres_url) == []  # not yet
                raise ZeroDivisionError
        assert jobs(postgres_url) == []  # and never
        with connection.transaction():
            id = task.within(connection).send(1)
            later = task.within(connection).send_after("1h", 2)
        assert jobs(postgres_url) == [(int(id),), (int(later),)]
        # The connection is as it was.
        row = connection.execute("SELECT 1").fetchone()
        assert row == (1,)


def test_what_is_sent_is_as_procrastinate_has_it(
    queue: ProcrastinateQueue, postgres_url: str
) -> None:
    task = Tasks(queue).task(name="add", queue="sums", priority=7)(add)
    task.send(1, b=3)
    row = jobs(postgres_url, "queue_name, task_name, priority, args, status, scheduled_at")
    assert row == [("sums", "add", 7, {"a": 1, "b": 3}, "todo", None)]


def test_greenlets_share_a_few_connections(queue: ProcrastinateQueue, postgres_url: str) -> None:
    task = Tasks(queue).task(add)
    with nursery() as n:
        for number in range(100):
            n.spawn(task.send, number)
    assert len(jobs(postgres_url)) == 100


def test_what_it_cannot_take_is_told(queue: ProcrastinateQueue) -> None:
    tasks = Tasks(queue)
    with pytest.raises(QueueError, match=r"connection= is object; give the psycopg.Connection"):
        tasks.task(add).within(object()).send(1)
    # PostgreSQL has no NUL in a jsonb, which JSON has.
    with pytest.raises(ArgumentError, match="PostgreSQL takes no such arguments"):
        tasks.task(note).send("a\0b")
    with pytest.raises(QueueError, match="begins with postgresql://, and not with 'mysql'"):
        ProcrastinateQueue("mysql://localhost")


def test_a_database_without_tables_is_told(postgres_url: str) -> None:
    queue = ProcrastinateQueue(postgres_url)
    task = Tasks(queue).task(add)
    with pytest.raises(
        QueueError, match=r"no tables of procrastinate: run `photon worker .*schema"
    ):
        task.send(1)
    queue.close()
    env = {"PHOTON_QUEUE": postgres_url}
    ended = photon_ends("worker", "engine_app:app", folder=FOLDER, env=env)
    assert ended.code == 3
    assert "has no tables of procrastinate" in ended.err


def test_a_server_that_is_not_there_is_named() -> None:
    queue = ProcrastinateQueue("postgresql://me:secret@127.0.0.1:1/shop", patience_s=0.1)
    task = Tasks(queue).task(add)
    with pytest.raises(QueueUnavailable, match=r"127.0.0.1:1/shop.*nothing was enqueued") as told:
        task.send(1)
    assert "secret" not in str(told.value)
    queue.close()
    with pytest.raises(QueueUnavailable, match=r"127.0.0.1:1/shop"):
        queue.check()


def test_a_server_that_says_nothing_is_not_waited_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://127.0.0.1:{silent.getsockname()[1]}/shop"
        queue = ProcrastinateQueue(url, patience_s=0.1)
        task = Tasks(queue).task(add)
        with pytest.raises(QueueUnavailable, match="nothing was enqueued"):
            task.send(1)
        queue.close()


def test_a_server_that_does_not_answer_may_have_the_job(
    queue: ProcrastinateQueue, postgres_url: str
) -> None:
    impatient = ProcrastinateQueue(postgres_url, patience_s=0.5)
    task = Tasks(impatient).task(add)
    task.send(1)
    with psycopg.connect(postgres_url) as other:
        other.execute("LOCK procrastinate_jobs")
        with pytest.raises(QueueUnavailable, match="whether the job was enqueued is not") as told:
            task.send(2)
        assert told.value.may_be_enqueued
    task.send(3)  # its connection was given up, not handed on
    impatient.close()


def test_it_sends_again_when_its_connections_were_cut(
    queue: ProcrastinateQueue, postgres_url: str
) -> None:
    task = Tasks(queue).task(add)
    task.send(1)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    task.send(2)
    assert len(jobs(postgres_url)) == 2


def test_a_closed_queue_opens_again(queue: ProcrastinateQueue) -> None:
    task = Tasks(queue).task(add)
    task.send(1)
    assert queue.close() == 0
    task.send(2)
