"""`photon routes`: real processes, real terminals."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from photon.cli.exits import ExitCode
from photon.runtime.cancel import fail_after
from tests.processes import PATIENCE_S, Ended, environment, photon_ends

APP = """
import sys
from photon import Photon

print("server" if "photon.cli.run" in sys.modules else "no server", file=sys.stderr)
app = Photon(title="Shop")

@app.lifespan
def life():
    raise SystemExit("the lifespan ran")
    yield

@app.get("/items/{id:int}", timeout=2)
def show(id: int) -> str: ...

def plain(request): ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def run(folder: Path, *arguments: str, **env: str) -> Ended:
    return photon_ends("routes", *arguments, folder=folder, env=env)


def test_lists_the_routes_without_what_it_takes_to_serve(folder: Path) -> None:
    ended = run(folder, "app")
    assert (ended.code, ended.err) == (ExitCode.OK, "no server\n")
    assert "GET     /items/{id:int}  show  app.py:13  timeout 2s" in ended.out
    assert "\x1b" not in ended.out


def test_the_application_may_be_named_by_the_environment(folder: Path) -> None:
    assert "/items/{id:int}" in run(folder, PHOTON_APP="app:app").out


def test_a_terminal_gets_its_width_and_the_next_step(folder: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        with fail_after(PATIENCE_S):
            done = subprocess.run(
                [sys.executable, "-m", "photon", "routes", "app"],
                cwd=folder,
                env=environment({"COLUMNS": "45", "TERM": "xterm"}),
                stdin=theirs,
                stdout=theirs,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        read = os.read(ours, 65536)  # all of it: the terminal keeps what is so short
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    lines = read.decode().splitlines()
    assert lines[0] == "\x1b[1mShop 0.1.0\x1b[0m"
    assert lines[4].strip() == "timeout 2s"
    assert lines[-1].endswith("photon routes app:app --explain GET /")


def test_json_is_one_document(folder: Path) -> None:
    (part,) = json.loads(run(folder, "app", "--json").out)["parts"]
    assert part["routes"][0]["path"] == "/items/{id:int}"


def test_explains_a_request(folder: Path) -> None:
    ended = run(folder, "app", "--explain", "get", "/items/7")
    assert ended.code == ExitCode.OK
    assert ended.out.startswith("GET /items/7 is answered by show (app.py:13)\n")


def test_exits_with_1_when_nothing_answers(folder: Path) -> None:
    ended = run(folder, "app", "--explain", "GET", "/itms/7")
    assert ended.code == ExitCode.FAILURE
    assert "404 Not Found" in ended.out
    assert "/items/{id:int}" in ended.out


def test_a_terminal_that_knows_ascii_alone(folder: Path) -> None:
    ended = run(folder, "app", "--explain", "GET", "/items/7", PYTHONIOENCODING="ascii")
    assert "`- id  path  int" in ended.out


MISUSED = [
    (["--explain", "/items", "get"], "The method comes first: --explain GET /items"),
    (["--explain", "GET", "items"], "write '/items'"),
    (["--explain", "GET", "/", "--json"], "take one"),
    (["--header", "a: b"], "--header belongs to --explain METHOD PATH"),
    (["--explain", "GET", "/", "--header", "version"], "write 'name: value'"),
    (["--explain", "GET"], "requires 2 arguments"),
]


@pytest.mark.parametrize(("arguments", "says"), MISUSED)
def test_wrong_use_is_told_with_the_way_out(folder: Path, arguments: list[str], says: str) -> None:
    ended = run(folder, "app", *arguments)
    assert ended.code == ExitCode.USAGE
    assert says in ended.err


def test_a_plain_function_has_no_routes(folder: Path) -> None:
    ended = run(folder, "app:plain")
    assert ended.code == ExitCode.NOT_LOADED
    assert "app:plain is a plain function: it answers everything" in ended.err
