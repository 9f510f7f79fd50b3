"""`photon dump`: what is told of workers that answer, and of those that do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from photon.cli.dump import dump
from photon.cli.exits import ExitCode
from photon.runtime.debug.dump import dump as dump_here
from photon.runtime.workers.control_hub import serve_control
from tests.cli.fake_server import answering, run, workers

TOLD = {
    "pid": 4711,
    "took_ms": 3.0,
    "threads": [],
    "circles": [],
    "left_out": 0,
    "greenlets": [
        {
            "id": 1,
            "kind": "request",
            "name": "GET /slow",
            "state": "waiting",
            "waits_for": "a lock",
            "where": "shop.py:12 in page",
            "age_s": 8.1,
        }
    ],
}
ONE = {"index": 0, "pid": 4711, "generation": 1, "state": "ready", "ok": TOLD}
STUCK = {
    "index": 1,
    "pid": 4712,
    "generation": 1,
    "state": "ready",
    "error": "it does not answer: its hub has stood still for 4.2 s",
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    path = str(tmp_path / "control.sock")
    monkeypatch.setenv("PHOTON_CONTROL", path)
    return path


def test_each_worker_is_told_of(path: str) -> None:
    with answering(path, {"dump": lambda message: workers(ONE, STUCK)}) as came:
        ended = run(dump, "--stacks")
    assert came == [{"do": "dump", "stacks": True}]
    assert ended.exit_code == 0
    assert ended.output.startswith("worker 0 (pid 4711), ready, generation 1\nprocess 4711: 1 gr")
    assert "GET /slow: waits for a lock, at shop.py:12 in page, for 8.1 s" in ended.output
    assert "worker 1 (pid 4712), ready, generation 1\n  it does not answer: its hub has stood" in (
        ended.output
    )


def test_one_worker_is_asked_alone(path: str) -> None:
    with answering(path, {"dump": lambda message: workers(ONE)}) as came:
        assert run(dump, "--worker", "0").output.startswith("process 4711: 1 greenlet")
    assert came == [{"do": "dump", "stacks": False, "worker": 0}]


def test_json_is_what_was_answered(path: str) -> None:
    answer = workers(ONE, STUCK)
    with answering(path, {"dump": lambda message: answer}):
        assert json.loads(run(dump, "--json").output) == answer


def test_nobody_answered(path: str) -> None:
    with answering(path, {"dump": lambda message: workers(STUCK)}):
        ended = run(dump)
    assert ended.exit_code == ExitCode.FAILURE
    assert "has stood still for 4.2 s" in ended.output


def test_a_real_dump_of_this_process(path: str) -> None:
    def command(arguments: dict[str, Any]) -> Any:
        return dump_here(stacks=arguments["stacks"])

    with serve_control(path, {"dump": command}):
        ended = run(dump)
    assert ended.exit_code == 0
    assert "the main greenlet" in ended.output
