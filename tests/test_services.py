"""The neighbours of the tests are there, are each test's own, and are gone afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
import redis

from photon.runtime.greenlets import spawn
from tests import services


def test_redis_is_there(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("name", "value")
        assert client.get("name") == b"value"


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_its_own_redis_database(redis_url: str, turn: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.incr("turns") == 1


_prefixes: set[str] = set()


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_its_own_names_in_redis(redis_prefix: str, turn: int) -> None:
    assert redis_prefix not in _prefixes
    _prefixes.add(redis_prefix)


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_its_own_postgres_database(postgres_url: str, turn: int) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE turns (number int)")


def test_psycopg_lets_others_in_while_it_waits(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        order: list[str] = []
        other = spawn(order.append, "other")
        connection.execute("SELECT pg_sleep(0.01)")
        order.append("query")
        other.join()
        assert order == ["other", "query"]


_left_open: list[psycopg.pq.abc.PGconn] = []


def test_connections_that_are_left_open_are_cut(postgres_url: str) -> None:
    # The driver's own connection: psycopg's would complain of being left open.
    _left_open.append(psycopg.pq.PGconn.connect(postgres_url.encode()))


def test_servers_are_gone_with_their_folder() -> None:
    with services.redis_server() as socket:
        folder = socket.parent
        assert folder.exists()
    assert not folder.exists()


def test_nobody_runs_what_may_not_be_run_by_others(tmp_path: Path) -> None:
    assert services._is_open_to_all(Path("/usr/bin"))
    tmp_path.chmod(0o700)
    assert not services._is_open_to_all(tmp_path)


def test_a_missing_server_skips_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.delenv("PHOTON_REQUIRE_SERVICES", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no redis-server on the PATH"):
        with services.redis_server():
            pass
    monkeypatch.setenv("PHOTON_REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="PHOTON_REQUIRE_SERVICES=1 says"):
        with services.redis_server():
            pass
