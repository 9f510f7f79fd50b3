"""`photon check`, as a newcomer meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from photon.cli.exits import ExitCode
from tests.processes import Ended, photon_ends

APP = "from photon import Photon\napp = Photon()\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(APP)
    return tmp_path


def check(folder: Path, *arguments: str, **env: str) -> Ended:
    # PYTHONWARNINGS=error of the tests would be of the application, too: nothing warns.
    return photon_ends("check", *arguments, folder=folder, env={"PHOTON_PORT": "0", **env})


def about(ended: Ended, what: str) -> str:
    """The lines of one finding, in one."""
    lines = ended.out.splitlines()
    first = next(i for i, line in enumerate(lines) if line[6:].startswith(f"{what} "))
    rest = (line for line in lines[first + 1 :])
    more = []
    for line in rest:
        if not line.startswith(" " * 8):
            break
        more.append(line.strip())
    return " ".join([lines[first], *more])


def test_a_small_application_is_well(folder: Path) -> None:
    ended = check(folder, "shop:app", "--start")
    assert (ended.code, ended.err) == (ExitCode.OK, "")
    assert about(ended, "python").startswith("ok ")
    assert "shop:app is imported in " in about(ended, "application")
    assert "it started in " in about(ended, "lifespan")
    assert about(ended, "patch").startswith("ok ")
    assert about(ended, "address").startswith("ok ")
    assert "fail" not in ended.out


def test_the_application_may_be_named_by_a_file(folder: Path) -> None:
    (folder / "photon.toml").write_text('app = "shop:app"\nbacklog = 100\n')
    ended = check(folder)
    assert ended.code == ExitCode.OK
    assert "backlog  100       photon.toml:2" in about(ended, "settings")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import nothere", "fail 'shop' failed while it was imported Is 'nothere' installed in"),
        ("def f():\n    return 1 / 0\nf()", 'File "/shop.py", line 2, in f'),
        ("import sys\nsys.exit('no')", "shop:app ended the process: SystemExit('no')"),
        ("import os\nos._exit(7)", "the interpreter ended with exit code 7 while shop:app was"),
        ("import os\nos.kill(os.getpid(), 9)", "the interpreter ended by signal 9"),
        ("app = 3", "shop:app is no application but int 3"),
        ("app = 3 +", "SyntaxError"),
    ],
)
def test_an_application_that_cannot_be_imported(source: str, told: str, folder: Path) -> None:
    (folder / "shop.py").write_text(source)
    ended = check(folder, "shop:app")
    words = about(ended, "application").replace(str(folder), "").replace("  application  ", " ")
    assert told in " ".join(words.split())
    assert (ended.code, ended.err) == (ExitCode.FAILURE, "")


@pytest.mark.parametrize(
    ("lifespan", "told"),
    [
        ("    raise OSError('no database')\n    yield\n", "shop:app failed to start"),
        ("    yield\n    raise OSError('no database')\n", "shop:app failed to stop"),
    ],
)
def test_an_application_that_does_not_start_or_stop(lifespan: str, told: str, folder: Path) -> None:
    source = f"from photon import Photon\ndef life():\n{lifespan}app = Photon(lifespan=life)\n"
    (folder / "shop.py").write_text(source)
    assert check(folder, "shop").code == ExitCode.OK
    ended = check(folder, "shop", "--start")
    assert ended.code == ExitCode.FAILURE
    assert told in about(ended, "lifespan")
    assert "OSError: no database" in about(ended, "lifespan")


def test_what_blocks_is_pointed_out(folder: Path) -> None:
    (folder / "pyodbc.py").touch()
    (folder / "psycopg2").mkdir()
    (folder / "psycopg2" / "__init__.py").touch()
    (folder / "psycopg2" / "extensions.py").write_text("def get_wait_callback(): return print\n")
    (folder / "shop.py").write_text(f"import pyodbc, psycopg2, sqlite3\n{APP}")
    ended = check(folder, "shop")
    assert "pyodbc waits for its database in C, and every request with it" in ended.out
    assert "psycopg2" not in ended.out
    assert "sqlite3 waits for the disk" in ended.out
    assert ended.code == ExitCode.OK
    assert check(folder, "shop", "--strict").code == ExitCode.FAILURE


def test_what_was_imported_before_the_patch_is_named(folder: Path) -> None:
    (folder / "early.py").write_text("from time import sleep\n")
    (folder / "sitecustomize.py").write_text("import early\n")
    # The folder comes first, so its sitecustomize does.
    from tests.processes import ROOT

    ended = check(folder, "shop", PYTHONPATH=f"{folder}:{ROOT}", PYTHONWARNINGS="ignore")
    assert "early" in about(ended, "patch")
    assert "sitecustomize" in about(ended, "patch")


@pytest.mark.parametrize(
    ("toml", "arguments", "told"),
    [
        ("prot = 1", [], "photon.toml:1: there is no setting 'prot'; did you mean port?"),
        ("", ["--prot", "1"], "No such option"),
        ("", ["--uds", "a", "--fd", "3"], "there can be one of them"),
        ("", ["--pin"], "--pin is for workers"),
    ],
)
def test_settings_that_are_wrong(toml: str, arguments: list[str], told: str, folder: Path) -> None:
    (folder / "photon.toml").write_text(toml)
    ended = check(folder, "shop", *arguments)
    assert (ended.code, ended.err) == (ExitCode.FAILURE, "")
    assert told in about(ended, "settings")


def test_kubernetes_sets_a_port_that_is_none(folder: Path) -> None:
    ended = check(folder, "shop", PHOTON_PORT="tcp://10.0.0.1:80")
    assert "enableServiceLinks: false" in about(ended, "settings")


def test_without_an_application_those_that_are_there_are_named(folder: Path) -> None:
    ended = check(folder)
    assert ended.code == ExitCode.FAILURE
    assert "Name it: photon check shop:app" in about(ended, "application")


def test_json_is_for_programs(folder: Path) -> None:
    ended = check(folder, "shop", "--json")
    document = json.loads(ended.out)
    found = {each["about"]: each for each in document["findings"]}
    assert found["application"]["state"] == "ok"
    assert sum(document["counts"].values()) == len(document["findings"])
