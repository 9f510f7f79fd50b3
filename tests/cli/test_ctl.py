"""`photon ctl`: what it asks, what it says, how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from photon.cli import ctl as module
from photon.cli.ctl import ctl, health_of, worker_lines
from photon.cli.exits import ExitCode
from photon.runtime.workers.control_hub import serve_control
from tests.cli.fake_server import answering, run, workers


def worker(index: int, generation: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "index": index,
        "pid": 4711 + index,
        "generation": generation,
        "state": "ready",
        "ok": None,
        "board": {"connections": 7, "busy": 2, "silent_s": 0.01},
        **more,
    }


BOTH = workers(worker(0), worker(1))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    path = str(tmp_path / "control.sock")
    monkeypatch.setenv("PHOTON_CONTROL", path)
    monkeypatch.setattr(module, "_LOOK_S", 0.001)
    return path


@pytest.mark.parametrize(
    ("arguments", "asked", "said"),
    [
        (["scale", "3"], {"do": "scale", "size": 3}, "there will be 3 workers"),
        (["drain"], {"do": "drain"}, "draining"),
        (["drain", "1"], {"do": "drain", "worker": 1}, "worker 1 is being replaced"),
        (["stop"], {"do": "stop"}, "stopping"),
    ],
)
def test_what_is_asked_and_said(
    path: str, arguments: list[str], asked: dict[str, Any], said: str
) -> None:
    with answering(path, {asked["do"]: lambda message: BOTH}) as came:
        ended = run(ctl, *arguments)
        as_json = run(ctl, arguments[0], "--json", *arguments[1:])
    assert (ended.exit_code, ended.output) == (0, f"{said}\n")
    assert came == [asked, asked]
    assert json.loads(as_json.output) == BOTH


def test_workers_are_a_table() -> None:
    lines = worker_lines(
        [
            worker(0),
            worker(1, 2, state="draining", board={"connections": 1, "busy": 1, "silent_s": 4.21}),
            worker(2, state="booting", board=None),
        ]
    )
    assert lines == [
        "WORKER  PID   STATE     GENERATION  CONNECTIONS  BUSY  HUB",
        "0       4711  ready     1           7            2     moves",
        "1       4712  draining  2           1            1     has stood still for 4.2 s",
        "2       4713  booting   1           -            -     moves",
    ]


def test_health_is_an_exit_code(path: str) -> None:
    with answering(path, {"workers": lambda message: BOTH}):
        ended = run(ctl, "health")
        assert (ended.exit_code, ended.output) == (0, "ok: 2 of 2 workers are ready\n")
    stuck = worker(0, board={"silent_s": 9.0})
    with answering(path, {"workers": lambda message: workers(stuck)}):
        assert run(ctl, "health").exit_code == ExitCode.FAILURE
        report = json.loads(run(ctl, "health", "--json").output)
    assert report == {"status": "not ready", "workers": 1, "ready": 0, "blocked": 1}
    assert health_of([])["status"] == "not ready"


def test_log_levels_are_told_of_each_worker(path: str) -> None:
    told = workers(
        worker(0, ok={"logger": "shop", "level": "debug", "before": "info"}),
        worker(1, ok={"logger": "shop", "level": "info", "before": "info"}),
        worker(2, error="its hub has stood still\x1b[2J"),
    )
    with answering(path, {"log-level": lambda message: told}) as came:
        ended = run(ctl, "log-level", "debug", "--logger", "shop")
    assert came == [{"do": "log-level", "level": "debug", "logger": "shop"}]
    assert ended.output.splitlines() == [
        "worker 0  pid 4711  debug (was info)",
        "worker 1  pid 4712  info",
        "worker 2  pid 4713  its hub has stood still\\x1b[2J",
    ]
    assert "'loud' is not one of" in run(ctl, "log-level", "loud").output


def test_stats_are_json_and_fail_when_nobody_answers(path: str) -> None:
    with answering(path, {"stats": lambda message: workers(worker(0, ok={"busy": 1}))}) as came:
        assert json.loads(run(ctl, "stats", "--worker", "0").output)["workers"][0]["ok"]
    assert came == [{"do": "stats", "worker": 0}]
    silent = worker(0, error="it does not answer")
    del silent["ok"]
    with answering(path, {"stats": lambda message: workers(silent)}):
        assert run(ctl, "stats").exit_code == ExitCode.FAILURE


# A reload that is waited for...


def looks(*answers: dict[str, Any]) -> Any:
    """What "workers" answers, one after the other; the last one again and again."""
    left: Iterator[dict[str, Any]] = chain(answers, repeat(answers[-1]))
    return lambda message: next(left)


def test_reload_waits_until_all_workers_are_new(path: str) -> None:
    answers = {
        "reload": lambda message: BOTH,
        "workers": looks(
            BOTH,
            workers(worker(0), worker(1), generation=2, reloading=True),
            workers(worker(0, 2), worker(1), generation=2),
            workers(worker(0, 2, state="booting"), worker(1, 2), generation=2),
            workers(worker(0, 2), worker(1, 2), worker(0, 1, state="draining"), generation=2),
        ),
    }
    with answering(path, answers) as came:
        ended = run(ctl, "reload", "--wait")
    assert (ended.exit_code, ended.output) == (0, "reloaded: generation 2 serves\n")
    assert [message["do"] for message in came] == ["workers", "reload", *["workers"] * 4]


def test_a_reload_that_fails_says_why(path: str) -> None:
    failed = workers(worker(0), generation=2, last_failure="app.py:3: SyntaxError")
    answers = {"reload": lambda message: BOTH, "workers": looks(BOTH, failed)}
    with answering(path, answers):
        ended = run(ctl, "reload", "--wait")
    assert ended.exit_code == ExitCode.FAILURE
    assert "the reload failed, the old workers go on: app.py:3: SyntaxError" in ended.output


def test_the_lines_of_a_traceback_stay_lines(path: str) -> None:
    why = 'Traceback:\n  File "shop.py"\n\nValueError: \x1b[2J\n'
    failed = workers(worker(0), generation=2, last_failure=why)
    answers = {"reload": lambda message: BOTH, "workers": looks(BOTH, failed)}
    with answering(path, answers):
        ended = run(ctl, "reload", "--wait")
    assert ended.output.splitlines() == [
        "Error: the reload failed, the old workers go on:",
        *("  Traceback:", '    File "shop.py"', "  ", "  ValueError: \\x1b[2J"),
    ]


def test_a_reload_that_takes_too_long_is_told(path: str) -> None:
    answers = {"reload": lambda message: BOTH, "workers": looks(BOTH)}
    with answering(path, answers):
        ended = run(ctl, "reload", "--wait", "--timeout", "0.01")
    assert ended.exit_code == ExitCode.FAILURE
    assert "the reload was not over within 0.01 s" in ended.output


def test_a_reload_that_is_not_waited_for(path: str) -> None:
    answers = {"reload": lambda message: BOTH, "workers": looks(BOTH)}
    with answering(path, answers):
        assert "photon ctl reload --wait" in run(ctl, "reload").output


def test_stop_may_be_waited_for(path: str) -> None:
    def stop(message: dict[str, Any]) -> Any:
        Path(path).unlink()  # as a server does at its end
        return BOTH

    with answering(path, {"stop": stop}):
        assert run(ctl, "stop", "--wait").output == "stopped\n"
    with answering(path, {"stop": lambda message: BOTH}):
        ended = run(ctl, "stop", "--wait", "--timeout", "0.01")
    assert ended.exit_code == ExitCode.FAILURE
    assert "stop once more to hurry it" in ended.output


# A process without supervisor...


def test_a_process_without_supervisor_says_what_it_would_need(path: str) -> None:
    with serve_control(path, {}):
        for arguments in (["scale", "4"], ["reload"], ["reload", "--wait"]):
            ended = run(ctl, *arguments)
            assert ended.exit_code == ExitCode.FAILURE
            assert "start it with --workers" in ended.output
        assert run(ctl, "health").output == "ok: 1 of 1 workers are ready\n"


def test_what_is_wrong_is_told(path: str) -> None:
    ended = run(ctl, "workers")
    assert (ended.exit_code, "there is no such socket" in ended.output) == (1, True)
    assert run(ctl, "scale", "0").exit_code == ExitCode.USAGE
    with answering(path, {"workers": lambda message: ["of another Photon"]}):
        assert "of another version?" in run(ctl, "workers").output
