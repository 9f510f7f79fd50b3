"""Rooms over Redis: what is peculiar to it."""

from __future__ import annotations

import pytest
import redis

from photon.ws.brokers.redis import RedisBroker
from tests.clients import wait_until


def test_connections_that_are_killed_are_made_again(redis_url: str, redis_prefix: str) -> None:
    with RedisBroker(redis_url, prefix=redis_prefix) as broker:
        heard: list[bytes] = []
        starts: list[int] = []
        broker.subscribe("a", heard.append, lambda: starts.append(1))
        wait_until(lambda: starts)
        with redis.Redis.from_url(redis_url) as admin:
            admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            wait_until(lambda: len(starts) == 2)
            broker.publish("a", b"1")
            wait_until(lambda: heard == [b"1"])
            # The one that publishes: redis-py sees that it is gone before it uses it again.
            admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            wait_until(lambda: broker.publish("a", b"2") and b"2" in heard)
        assert broker.statistics().losses == 1


def test_two_connections_however_many_rooms(redis_url: str, redis_prefix: str) -> None:
    with (
        RedisBroker(redis_url, prefix=redis_prefix) as broker,
        redis.Redis.from_url(redis_url) as admin,
    ):
        before = len(admin.client_list())
        started: list[int] = []
        for number in range(50):
            broker.subscribe(str(number), print, lambda: started.append(1))
        wait_until(lambda: len(started) == 50)
        for number in range(50):
            broker.publish(f"other {number}", b"x")
        wait_until(lambda: broker.statistics().queued == 0)
        wait_until(lambda: broker.statistics().published == 50)
        assert len(admin.client_list()) - before <= 1


def test_a_password_that_is_wrong_is_told(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    url = redis_url.replace("unix://", "unix://me:wrong@", 1)
    with RedisBroker(url) as broker:
        assert not broker.is_connected
    assert "AuthenticationError" in caplog.text
    assert "me:wrong" not in caplog.text
