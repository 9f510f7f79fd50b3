"""`photon tasks`: real processes, and its table by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from photon.app.photon import Photon
from photon.cli.exits import ExitCode
from photon.cli.task_list import document, table, upcoming
from photon.runtime.cancel import fail_after
from tests.processes import PATIENCE_S, Ended, environment

NOON = 1_800_000_000.0 // 86400 * 86400 + 43200  # 2027-01-15 12:00 UTC

APP = """
from photon import Photon

app = Photon(title="Shop")

@app.lifespan
def life():
    raise SystemExit("the lifespan ran")
    yield

@app.every("30s", run_on_start=True)
def sweep():
    raise SystemExit("a task ran")

@app.cron("0 4 * * *", timezone="Europe/Berlin", missed="once", timeout=60)
def back_up(): ...

def plain(request): ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def nothing() -> None: ...


def make() -> Photon:
    app = Photon(title="Shop")
    app.every("5m", name="sweep", overlap="queue", retries=1)(nothing)
    app.cron("30 3 * * *", name="back up", timezone="Europe/Berlin", missed="all", timeout=60)(
        nothing
    )
    app.cron("*/20 * * * * *", name="tick", once_per="worker", overlap="concurrent")(nothing)
    return app


# As users have it...


# As `python -m photon tasks` does it.
_COMMAND = """
from photon.runtime.monkey import patch
patch()
from photon.cli.tasks import tasks
tasks(prog_name="photon tasks")
"""


def run(folder: Path, *arguments: str) -> Ended:
    with fail_after(PATIENCE_S):
        done = subprocess.run(
            [sys.executable, "-c", _COMMAND, *arguments],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_lists_the_tasks_and_runs_none(folder: Path) -> None:
    ended = run(folder, "app")
    assert (ended.code, ended.err) == (ExitCode.OK, "")
    assert ended.out.startswith("Shop 0.1.0\n\nNAME ")
    line = next(line for line in ended.out.splitlines() if "sweep" in line)
    assert line.split("  ")[0] == "app.sweep"
    assert "every 30s" in line
    assert "at the start" in line
    assert "app.py:11" in line
    assert "\x1b" not in ended.out


def test_json_is_one_document(folder: Path) -> None:
    ended = run(folder, "app", "--json")
    (part,) = json.loads(ended.out)["parts"]
    assert [task["name"] for task in part["scheduled"]] == ["app.sweep", "app.back_up"]


def test_the_next_runs(folder: Path) -> None:
    ended = run(folder, "app", "--next", "3")
    assert len(ended.out.splitlines()) == 3
    assert "04:00 Europe/Berlin  in " in ended.out


MISUSED = [
    (["app", "--next", "3", "--json"], ExitCode.USAGE, "take one"),
    (["app", "--next", "0"], ExitCode.USAGE, "1<=x<=1000"),
    (["app:plain"], ExitCode.NOT_LOADED, "is a plain function, which has no tasks"),
    ([], ExitCode.USAGE, "photon tasks app:app"),
]


@pytest.mark.parametrize(("arguments", "code", "says"), MISUSED)
def test_wrong_use_is_told(folder: Path, arguments: list[str], code: int, says: str) -> None:
    ended = run(folder, *arguments)
    assert ended.code == code
    assert says in ended.err


# The table...


def test_each_task_has_its_line() -> None:
    head, _, columns, sweep, back_up, tick = table(make(), NOON, None)
    assert head == "Shop 0.1.0"
    assert columns.split() == ["NAME", "WHEN", "NEXT", "WHERE"]
    assert "every 5m" in sweep
    assert "5m after it" in sweep
    assert sweep.endswith("waits for the run before; 1 retry")
    assert 'cron "30 3 * * *" Europe/Berlin' in back_up
    assert "2027-01-16 03:30 (in 14h 30m)" in back_up
    assert back_up.endswith("once per machine; catches up with all; timeout 1m")
    assert "2027-01-15 12:00:20 (in 20s)" in tick
    assert tick.endswith("runs may overlap")
    assert "test_tasks.py:" in tick


def test_a_narrow_terminal_gets_lines_of_its_width() -> None:
    lines = table(make(), NOON, 40)
    assert max(map(len, lines)) <= 40
    assert "  next: 2027-01-16 03:30 (in 14h 30m)" in lines


def test_what_is_mounted_is_listed_once() -> None:
    app, inner = Photon(title="Shop"), make()
    app.mount("/a", inner)
    app.mount("/b", inner)
    lines = table(app, NOON, None)
    assert sum("sweep" in line for line in lines) == 1
    assert "/a: Shop 0.1.0" in lines


def test_an_application_without_tasks_says_how_to_have_one() -> None:
    assert "@app.every(30)" in table(Photon(), NOON, None)[-1]
    assert "no cron tasks" in upcoming(Photon(), NOON, 5)[0]


def test_the_next_runs_of_all_are_in_their_order() -> None:
    app = make()
    app.cron("1 12 * * *", name="noon")(nothing)
    assert upcoming(app, NOON, 4) == [
        "2027-01-15 12:00:20 UTC  in 20s  tick",
        "2027-01-15 12:00:40 UTC  in 40s  tick",
        "2027-01-15 12:01 UTC     in 1m   noon",
        "2027-01-15 12:01 UTC     in 1m   tick",
    ]


def test_tasks_that_are_sent_are_listed_too() -> None:
    app = Photon()
    app.task(queue="mail", priority=3, retries=2)(nothing)
    line = table(app, NOON, None)[-1]
    assert f"{__name__}.nothing  when sent to mail" in line
    assert line.endswith("priority 3; 2 retries")
    (sent,) = document(app, "app:app", NOON)["parts"][0]["sent"]
    assert (sent["queue"], sent["priority"], sent["retries"]) == ("mail", 3, 2)


def test_the_document_says_what_is_known() -> None:
    known: dict[str, Any] = document(make(), "app:app", NOON)
    assert (known["format"], known["application"]) == (1, "app:app")
    sweep, back_up, _ = known["parts"][0]["scheduled"]
    assert (sweep["every_s"], sweep["jitter_s"], sweep["overlap"]) == (300.0, 0.0, "queue")
    assert back_up["next"].isoformat() == "2027-01-16T02:30:00+00:00"
    assert (back_up["cron"], back_up["timezone"]) == ("30 3 * * *", "Europe/Berlin")
    assert (back_up["missed"], back_up["once_per"]) == ("all", "machine")
