"""Sending to Redis: from many greenlets, later, and when it is not there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from photon.runtime.nursery import nursery
from photon.tasks.adapters.dramatiq import DramatiqQueue
from photon.tasks.queue_errors import QueueError, QueueUnavailable
from photon.tasks.registry import Tasks
from tests.processes import get, photon, serving


def add(a: int, b: int = 2) -> int:
    return a + b


@pytest.fixture
def queue(redis_url: str) -> Iterator[DramatiqQueue]:
    queue = DramatiqQueue(redis_url, connections=3)
    yield queue
    queue.close()


def test_greenlets_share_a_few_connections(queue: DramatiqQueue, redis_url: str) -> None:
    task = Tasks(queue).task(add)
    with nursery() as n:
        for number in range(200):
            n.spawn(task.send, number)
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("dramatiq:default") == 200
        assert len(client.client_list()) <= 3 + 1


def test_what_is_sent_is_as_dramatiq_has_it(queue: DramatiqQueue, redis_url: str) -> None:
    from dramatiq import Message

    task = Tasks(queue).task(name="add", queue="sums")(add)
    id = task.send_after(60, 1, b=3)
    with redis.Redis.from_url(redis_url) as client:
        (text,) = client.hvals("dramatiq:sums.DQ.msgs")
        assert isinstance(text, bytes)
        message: Message[int] = Message.decode(text)
    assert (message.actor_name, message.kwargs, message.message_id) == ("add", {"a": 1, "b": 3}, id)
    assert message.options["eta"] > message.message_timestamp + 50_000


def test_what_it_cannot_do_is_told(queue: DramatiqQueue) -> None:
    task = Tasks(queue).task(name="add")(add)
    with pytest.raises(QueueError, match="by a transaction"):
        task.within(object()).send(1)
    with pytest.raises(QueueError, match="seven days at most"):
        task.send_after("8d", 1)
    with pytest.raises(QueueError, match=r"begins with redis://.* not with 'http'"):
        DramatiqQueue("http://localhost")


def test_a_server_that_is_not_there_is_named() -> None:
    task = Tasks(DramatiqQueue("redis://me:secret@127.0.0.1:1/0")).task(add)
    with pytest.raises(QueueUnavailable, match=r"redis://127.0.0.1:1/0.* nothing was enqu") as told:
        task.send(1)
    assert "secret" not in str(told.value)


def test_a_server_that_says_nothing_is_not_waited_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        queue = DramatiqQueue(f"redis://127.0.0.1:{silent.getsockname()[1]}", patience_s=0.1)
        task = Tasks(queue).task(add)
        with pytest.raises(QueueUnavailable, match="nothing was enqueued") as told:
            task.send(1)
        assert not told.value.may_be_enqueued
        queue.close()


def test_a_server_that_does_not_answer_may_have_the_job(
    queue: DramatiqQueue, redis_url: str
) -> None:
    impatient = DramatiqQueue(redis_url, patience_s=0.1)
    task = Tasks(impatient).task(add)
    task.send(1)
    with redis.Redis.from_url(redis_url) as client:
        client.client_pause(10_000, all=False)  # scripts that write wait
        with pytest.raises(QueueUnavailable, match="whether the job was enqueued is not") as told:
            task.send(2)
        assert told.value.may_be_enqueued
        client.client_unpause()
    impatient.close()


def test_it_sends_again_when_its_connections_were_cut(queue: DramatiqQueue, redis_url: str) -> None:
    task = Tasks(queue).task(add)
    task.send(1)
    with redis.Redis.from_url(redis_url) as client:
        client.client_kill_filter(_type="normal", skipme=True)
        task.send(2)
        assert client.llen("dramatiq:default") == 2


def test_a_closed_queue_opens_again(queue: DramatiqQueue) -> None:
    task = Tasks(queue).task(add)
    task.send(1)
    assert queue.close() == 0
    task.send(2)


PHOTON_APP = """
from photon import Photon

app = Photon()

@app.task(retries=2)
def greet(name: str) -> None:
    import logging
    logging.getLogger("app").warning("hello %s", name)

@app.post("/greet/{name}")
def send(name: str):
    return {"job": greet.send(name)}
"""


def test_a_photon_sends_what_its_worker_runs(redis_url: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PHOTON_APP)
    env = {"PHOTON_QUEUE": redis_url}
    with serving(folder=tmp_path, env=env) as (_, port):
        status, body = get(port, "/greet/you", b"")
        assert status == 200, body
        with photon("worker", "app:app", folder=tmp_path, env=env) as worker:
            worker.wait_line("hello you")
            assert worker.stop() == 0
