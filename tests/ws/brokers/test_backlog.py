"""What is still to be sent to a broker's server."""

from __future__ import annotations

import pytest

from photon.ws.brokers import backlog
from photon.ws.brokers.backlog import Backlog


def test_it_goes_out_in_order_and_in_batches() -> None:
    waiting = Backlog()
    for number in range(250):
        waiting.put("a", b"%d" % number)
    assert repr(waiting) == "<Backlog 250 messages, 640 bytes>"
    batches = [waiting.take() for _ in range(3)]
    assert [len(batch) for batch in batches] == [100, 100, 50]
    assert [payload for batch in batches for _, payload in batch] == [b"%d" % n for n in range(250)]
    assert (len(waiting), waiting.take()) == (0, [])


def test_a_large_message_goes_out_as_one() -> None:
    waiting = Backlog()
    waiting.put("a", b"x" * (2 << 20))
    waiting.put("a", b"y")
    assert [len(waiting.take()) for _ in range(2)] == [1, 1]


def test_it_is_full_by_count_or_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "QUEUE_MESSAGES", 2)
    monkeypatch.setattr(backlog, "QUEUE_BYTES", 10)
    waiting = Backlog()
    states: list[bool] = []
    for payload in (b"x", b"x"):
        waiting.put("a", payload)
        states.append(waiting.is_full)
    assert waiting.clear() == 2
    states.append(waiting.is_full)
    waiting.put("a", b"x" * 10)
    states.append(waiting.is_full)
    waiting.take()
    states.append(waiting.is_full)
    assert states == [False, True, False, True, False]
