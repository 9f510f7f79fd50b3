"""Rooms over PostgreSQL: what is peculiar to it."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.ws.brokers import postgres
from photon.ws.brokers.postgres import Pieces, PostgresBroker, split
from tests.clients import wait_until


def test_a_connection_that_is_killed_is_made_again(postgres_url: str) -> None:
    with PostgresBroker(postgres_url) as broker:
        heard: list[bytes] = []
        starts: list[int] = []
        broker.subscribe("a", heard.append, lambda: starts.append(1))
        wait_until(lambda: starts)
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'photon rooms' AND datname = current_database()"
            )
            wait_until(lambda: len(starts) == 2)
            broker.publish("a", b"1")
            wait_until(lambda: heard == [b"1"])
            rows = admin.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE application_name = 'photon rooms' AND datname = current_database()"
            ).fetchall()
            assert rows == [(1,)]
        assert broker.statistics().losses == 1


def test_a_database_that_is_not_there_is_told(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = postgres_url.replace("/test_", "/no_such_test_").replace("postgres@", "postgres:secret@")
    with PostgresBroker(url) as broker:
        assert not broker.is_connected
    assert "does not exist" in caplog.text
    assert "secret" not in caplog.text


def test_what_others_notify_is_passed_over(postgres_url: str) -> None:
    with PostgresBroker(postgres_url) as broker:
        heard: list[bytes] = []
        starts: list[int] = []
        broker.subscribe("a", heard.append, lambda: starts.append(1))
        wait_until(lambda: starts)
        channel = broker._channel("a")
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            for payload in ("", "x", "a.b.c.d", "a.0.1.!", "a.0.1.eA==", "a.1.2.eA=="):
                admin.execute("SELECT pg_notify(%s, %s)", (channel, payload))
        broker.publish("a", b"y")
        wait_until(lambda: b"y" in heard)
        assert heard == [b"x", b"y"]


# Pieces...


@given(st.binary(max_size=100), st.integers(1, 9))
def test_messages_are_put_together_again(payload: bytes, size: int) -> None:
    before = postgres._PIECE_BYTES
    postgres._PIECE_BYTES = size
    try:
        texts = split("id", payload)
    finally:
        postgres._PIECE_BYTES = before
    pieces = Pieces()
    assert [pieces.add("c", text) for text in texts] == [None] * (len(texts) - 1) + [payload]


def test_each_piece_fits_into_a_notification() -> None:
    texts = split("f" * 16 + "ffffffffffff", b"x" * (1 << 22))
    assert max(map(len, texts)) < 8000


def test_a_message_whose_beginning_is_missing_is_none() -> None:
    first = split("first", b"a" * 20_000)
    second = split("second", b"b" * 20_000)
    pieces = Pieces()
    assert [pieces.add("c", text) for text in first[1:]] == [None] * (len(first) - 1)
    assert [pieces.add("c", text) for text in first[:2]] == [None, None]
    assert pieces.add("other", first[2]) is None
    got = [pieces.add("c", text) for text in second]
    assert got[-1] == b"b" * 20_000
    assert pieces.add("c", first[-1]) is None
    assert pieces.add("c", second[-1]) is None
