"""The broker within one process."""

from __future__ import annotations

import pytest

from photon.runtime.greenlets import checkpoint
from photon.ws.brokers.local import LocalBroker
from tests.clients import wait_until


def test_subscribers_get_what_is_published_from_then_on() -> None:
    with LocalBroker() as broker:
        heard: list[bytes] = []
        assert broker.is_connected
        assert broker.publish("a", b"before")
        first = broker.subscribe("a", heard.append)
        second = broker.subscribe("a", heard.append)
        broker.publish("a", b"1")
        broker.publish("b", b"other")
        second.close()
        second.close()
        broker.publish("a", b"2")
        assert repr(broker) == "<LocalBroker topics=1>"
        assert repr(second) == "<subscription to 'a' closed>"
        first.close()
        broker.publish("a", b"after")
        assert heard == [b"1", b"1", b"2"]
        statistics = broker.statistics()
        assert (statistics.published, statistics.received, statistics.topics) == (5, 3, 0)


def test_a_start_is_told_soon_and_not_to_who_has_left() -> None:
    broker = LocalBroker()
    started: list[str] = []
    stays = broker.subscribe("a", lambda payload: None, lambda: started.append("stays"))
    leaves = broker.subscribe("a", lambda payload: None, lambda: started.append("leaves"))
    leaves.close()
    assert started == []
    wait_until(lambda: started)
    checkpoint()
    assert started == ["stays"]
    stays.close()


def test_a_subscriber_that_fails_is_logged_and_keeps_nobody_from_hearing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = LocalBroker()
    heard: list[bytes] = []

    def fail(payload: bytes) -> None:
        raise LookupError("of the subscriber")

    broker.subscribe("a", fail)
    broker.subscribe("a", heard.append)
    broker.publish("a", b"1")
    assert heard == [b"1"]
    assert "LookupError: of the subscriber" in caplog.text
