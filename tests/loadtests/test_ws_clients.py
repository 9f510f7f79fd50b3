from __future__ import annotations

import pytest

from loadtests.machine import Cores
from loadtests.scenarios.base import Settings
from loadtests.scenarios.ws_echo import WebSocketEcho, at
from loadtests.scenarios.ws_idle import WebSocketIdle
from loadtests.ws import SERVERS
from loadtests.ws_clients import masked

ANYWHERE = Settings(Cores(None, None), seconds=1, warm_up_s=0, connections=4)


def test_a_text_is_masked_as_the_rfc_shows_it() -> None:
    # RFC 6455 §5.7: a single-frame masked text message that contains "Hello"
    frame = masked(b"Hello", b"\x37\xfa\x21\x3d")
    assert frame == bytes.fromhex("8185 37fa213d 7f9f4d5158")


def test_echoes_are_counted() -> None:
    sample = WebSocketEcho().measure(SERVERS["canned"], ANYWHERE)
    assert sample.errors == {}
    assert sample.value > 0
    assert sample.beside["p99 ms"] >= sample.beside["p50 ms"]


def test_idle_connections_are_weighed() -> None:
    sample = WebSocketIdle().measure(SERVERS["canned"], ANYWHERE)
    assert sample.errors == {}


@pytest.mark.parametrize(("share", "ms"), [(0.5, 1.0), (0.99, 5.0), (1.0, 5.0)])
def test_a_share_of_the_waits(share: float, ms: float) -> None:
    from collections import Counter

    assert at(Counter({100: 98, 500: 2}), share) == pytest.approx(ms)
