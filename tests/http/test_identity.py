"""Names of requests."""

from __future__ import annotations

import os

import pytest

from photon.http.identity import new_request_id


def test_ids_are_unique_and_in_order() -> None:
    ids = [new_request_id() for _ in range(100)]
    prefixes = {one.partition("-")[0] for one in ids}
    numbers = [int(one.partition("-")[2]) for one in ids]
    assert len(prefixes) == 1
    assert numbers == list(range(numbers[0], numbers[0] + 100))


def test_a_child_process_has_a_prefix_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = new_request_id().partition("-")[0]
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    child = new_request_id().partition("-")[0]
    assert child != ours
    assert len(child) == len(ours) == 8


def test_an_id_can_be_a_header_and_a_word_in_a_log() -> None:
    assert new_request_id().replace("-", "").isalnum()
