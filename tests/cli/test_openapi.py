"""`photon openapi`: real processes, real files."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from photon.cli.exits import ExitCode
from tests.processes import Ended, photon_ends

APP = """
import sys
from photon import Hosts, Photon

print("a greeting of the application")
app = Photon(title="Shop")

@app.lifespan
def life():
    print("the lifespan ran", file=sys.stderr)
    yield

@app.get("/items/{id}")
def show(id: int) -> str: ...

def create(): return app
hosts = Hosts({"a.test": app})
def plain(request): ...
broken = Photon()

class Strange: ...

@broken.get("/", operation_id="same")
def one() -> str: ...

@broken.get("/two", operation_id="same")
def two() -> str: ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def run(folder: Path, *arguments: str) -> Ended:
    return photon_ends("openapi", *arguments, folder=folder)


def test_prints_the_document_and_nothing_else(folder: Path) -> None:
    ended = run(folder, "app")
    assert ended.code == ExitCode.OK
    document = json.loads(ended.out)
    assert (document["openapi"], document["info"]["title"]) == ("3.1.0", "Shop")
    assert ended.out.startswith('{\n  "openapi"')
    assert ended.out.endswith("}\n")
    # What the application prints goes elsewhere, and its lifespan is not run.
    assert ended.err == "a greeting of the application\n"


def test_a_factory_is_called(folder: Path) -> None:
    assert json.loads(run(folder, "app:create", "--factory").out)["info"]["title"] == "Shop"


def test_writes_a_file_in_one_step(folder: Path) -> None:
    kept = folder / "openapi.json"
    kept.write_text("old")
    kept.chmod(0o640)
    link = folder / "link.json"
    link.symlink_to(kept)
    ended = run(folder, "app", "-o", "link.json")
    assert (ended.code, ended.out) == (ExitCode.OK, "")
    assert "link.json is written" in ended.err
    assert link.is_symlink()
    assert json.loads(kept.read_text())["info"]["title"] == "Shop"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert sorted(path.name for path in folder.iterdir() if path.suffix == ".json") == [
        "link.json",
        "openapi.json",
    ]
    assert run(folder, "app", "--check", "link.json").code == ExitCode.OK


def test_a_new_file_has_the_usual_mode(folder: Path) -> None:
    run(folder, "app", "--output", "new.json")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((folder / "new.json").stat().st_mode) == 0o666 & ~mask


def test_a_dash_is_standard_output(folder: Path) -> None:
    assert json.loads(run(folder, "app", "-o", "-").out)
    assert run(folder, "app", "-o", "/dev/stdout").out.startswith("{")


@pytest.mark.parametrize(
    ("file", "says"), [("no/where.json", "no folder 'no'"), (".", "directory")]
)
def test_what_cannot_be_written_is_told(folder: Path, file: str, says: str) -> None:
    ended = run(folder, "app", "-o", file)
    assert ended.code == ExitCode.FAILURE
    assert "cannot be written" in ended.err
    assert says in ended.err


def test_yaml(folder: Path) -> None:
    assert run(folder, "app", "--yaml").out.startswith("openapi: 3.1.0\n")
    assert run(folder, "app", "-o", "kept.yaml").code == ExitCode.OK
    assert (folder / "kept.yaml").read_text().startswith("openapi: 3.1.0\n")
    assert run(folder, "app", "--check", "kept.yaml").code == ExitCode.OK


def test_drift_is_told_with_the_way_out(folder: Path) -> None:
    run(folder, "app", "-o", "openapi.json")
    source = folder / "app.py"
    source.write_text(APP.replace("/items/{id}", "/things/{id}"))
    ended = run(folder, "app", "--check", "openapi.json")
    assert ended.code == ExitCode.FAILURE
    assert ended.out.splitlines() == ["- GET /items/{id}", "+ GET /things/{id}"]
    assert "openapi.json differs from app:app, 2 differences" in ended.err
    assert "photon openapi app:app -o openapi.json" in ended.err


NO_DOCUMENTS = [
    (None, "there is no file 'kept.json' to compare with"),
    (b"<<<<<<< HEAD", "'kept.json' is no JSON"),
    (b"\xff", "'kept.json' is no JSON"),
    (b"[" * 100_000, "'kept.json' is no JSON"),
    (b"[1]", "'kept.json' holds no OpenAPI document"),
    (b"{}", "'kept.json' holds no OpenAPI document"),
]


@pytest.mark.parametrize(("data", "says"), NO_DOCUMENTS)
def test_what_cannot_be_compared_is_told(folder: Path, data: bytes | None, says: str) -> None:
    if data is not None:
        (folder / "kept.json").write_bytes(data)
    ended = run(folder, "app", "--check", "kept.json")
    assert ended.code == ExitCode.FAILURE
    assert says in ended.err
    assert "Write it: photon openapi app:app -o kept.json" in ended.err


def test_a_yaml_file_that_is_none_is_told(folder: Path) -> None:
    (folder / "kept.yml").write_text("a: [")
    assert "'kept.yml' is no YAML" in run(folder, "app", "--check", "kept.yml").err
    assert "cannot be read" in run(folder, "app", "--check", ".").err


def test_one_thing_at_a_time(folder: Path) -> None:
    ended = run(folder, "app", "-o", "a", "--check", "b")
    assert ended.code == ExitCode.USAGE
    assert "there can be one only" in ended.err


def test_what_has_no_document_is_told(folder: Path) -> None:
    ended = run(folder, "app:hosts")
    assert ended.code == ExitCode.NOT_LOADED
    assert "app:hosts is Hosts, of which each application has a document of its own" in ended.err
    assert "app:plain is a plain function" in run(folder, "app:plain").err


def test_a_document_that_cannot_be_made_is_told(folder: Path) -> None:
    ended = run(folder, "app:broken")
    assert ended.code == ExitCode.FAILURE
    assert "two operations have the operation_id 'same'" in ended.err
    assert "Traceback" not in ended.err


def test_an_application_that_fails_is_told_as_by_run(folder: Path) -> None:
    (folder / "app.py").write_text("raise KeyError('no settings')")
    ended = run(folder, "app")
    assert ended.code == ExitCode.NOT_LOADED
    assert ended.out == ""
    assert "KeyError: 'no settings'" in ended.err
