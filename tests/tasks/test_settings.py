"""Settings of tasks: what cannot be is told when they are made."""

from __future__ import annotations

import re
from typing import Any

import pytest

from photon.tasks.queue import WorkerSettings
from photon.tasks.settings import TaskSettings


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        ({"drain_s": -1}, ValueError, "TaskSettings(drain_s=-1): what running jobs get to end"),
        ({"late_s": "60"}, TypeError, "it is a number"),
        ({"at_once": 0}, ValueError, "it is a whole number >= 1"),
        ({"tz": "UTC"}, TypeError, "TaskSettings has no setting 'tz': here it is timezone"),
        ({"drain": 5}, TypeError, "did you mean drain_s?"),
    ],
)
def test_a_mistake_is_told_when_it_is_made(
    given: dict[str, Any], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=re.escape(says)):
        TaskSettings(**given)


def test_those_of_workers_are_checked_too() -> None:
    with pytest.raises(ValueError, match="how many jobs run at once"):
        WorkerSettings(concurrency=0)
