from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from loadtests.interruption import Seen, is_complete, tell


def noted(late_ms: list[float], begun: int | None = None, **sources: int) -> dict[str, Any]:
    begun = len(late_ms) if begun is None else begun
    return {"begun": begun, "late_ms": late_ms, "sources": sources}


@pytest.mark.parametrize(
    ("late_ms", "sources", "answers", "begun", "holds"),
    [
        ([1.0, 20.0], {"deadline": 2}, {504: 2}, 2, True),
        ([1.0, 20.1], {"deadline": 2}, {504: 2}, 2, False),  # too late
        ([-1.0, 2.0], {"deadline": 2}, {504: 2}, 2, False),  # too early
        ([1.0], {"deadline": 1}, {504: 2}, 2, False),  # one cleanup is missing
        ([1.0, 2.0], {"deadline": 1, "nothing": 1}, {504: 2}, 2, False),  # it was not waiting
        ([1.0, 2.0], {"deadline": 2}, {504: 1, 500: 1}, 2, False),
        ([], {}, {500: 2}, 2, False),
    ],
)
def test_what_is_enough(
    late_ms: list[float],
    sources: dict[str, int],
    answers: dict[int, int],
    begun: int,
    holds: bool,
) -> None:
    seen = Seen(Counter(answers))
    assert tell("sleep", seen, noted(late_ms, begun, **sources), 504, 20.0) == holds


@pytest.mark.parametrize(
    ("answer", "complete"),
    [
        (b"HTTP/1.1 504 Gateway Timeout\r\n", False),
        (b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 2\r\n\r\n{", False),
        (b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
    ],
)
def test_an_answer_is_read_to_its_end(answer: bytes, complete: bool) -> None:
    assert is_complete(answer) == complete
