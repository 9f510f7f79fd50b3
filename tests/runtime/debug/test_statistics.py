"""A process in numbers."""

from __future__ import annotations

import json
import os

from photon.runtime.debug.pulse import pulsing
from photon.runtime.debug.statistics import open_descriptors, process_statistics
from photon.runtime.greenlets import sleep_forever, spawn
from photon.runtime.hub import current_hub


def test_all_of_it_is_json() -> None:
    handle = spawn(sleep_forever)
    with pulsing():
        told = process_statistics(current_hub())
    json.dumps(told)
    assert told["hub"]["blocked"] == 0
    assert told["memory"]["rss_bytes"] > 1_000_000
    assert told["threads"] >= 1
    assert any(region["alive"] for region in told["regions"])
    assert len(told["gc"]["threshold"]) == 3
    assert 0 < told["descriptors"]["open"] < told["descriptors"]["limit"]
    handle.cancel()
    handle.join()


def test_without_a_pulse_nothing_is_said_of_the_hub() -> None:
    assert process_statistics(current_hub())["hub"] is None


def test_descriptors_are_counted() -> None:
    before = open_descriptors()
    ends = os.pipe()
    assert open_descriptors() == before + 2
    for end in ends:
        os.close(end)
