"""`photon config`: settings with their origins."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest

from photon.cli.config import table
from photon.cli.options import SectionedCommand, setting
from photon.cli.resolved import HIDDEN, settings_in
from photon.telemetry.debug_page.secrets import without_url_passwords
from tests.processes import environment, photon_ends

TOML = 'app = "shop:app"\nport = 9000\n\n[timeout]\nidle = 5\n[worker]\nconcurrency = 20\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photon.toml").write_text(TOML)
    (tmp_path / ".env").write_text("\nPHOTON_LOG_LEVEL=debug\n")
    return tmp_path


def rows(out: str) -> dict[str, tuple[str, str]]:
    lines = [line.split(maxsplit=2) for line in out.partition("\n\n")[0].splitlines()]
    return {name: (value, origin) for name, value, origin in lines}


def test_each_setting_tells_where_it_is_from(folder: Path) -> None:
    env = {"PHOTON_HOST": "::1"}
    ended = photon_ends("config", "--backlog", "7", folder=folder, env=env)
    assert (ended.code, ended.err) == (0, "")
    found = rows(ended.out)
    assert found["app"] == ("shop:app", "photon.toml:1")
    assert found["port"] == ("9000", "photon.toml:2")
    assert found["timeout-idle"] == ("5s", "photon.toml:5")
    assert found["log-level"] == ("debug", ".env:2 PHOTON_LOG_LEVEL")
    assert found["host"] == ("::1", "environment PHOTON_HOST")
    assert found["backlog"] == ("7", "flag")
    assert found["timeout-head"] == ("10s", "default")
    assert found["uds"] == ("-", "default")


def test_an_application_may_be_given_and_need_not_be(folder: Path) -> None:
    assert rows(photon_ends("config", "other", folder=folder).out)["app"] == ("other", "argument")
    (folder / "photon.toml").unlink()
    assert rows(photon_ends("config", folder=folder).out)["app"] == ("-", "default")


def test_those_of_another_command(folder: Path) -> None:
    found = rows(photon_ends("config", "--for", "worker", folder=folder).out)
    assert found["concurrency"] == ("20", "photon.toml:7")
    assert "port" not in found


def test_a_table_of_pyproject_is_named(folder: Path) -> None:
    (folder / "photon.toml").rename(folder / "other.toml")
    (folder / "pyproject.toml").write_text("[tool.photon]\nport = 1\n")
    found = rows(photon_ends("config", folder=folder).out)
    assert found["port"] == ("1", "[tool.photon] of pyproject.toml:2")


def test_json_has_the_origins_in_parts(folder: Path) -> None:
    document = json.loads(photon_ends("config", "--json", "--port", "1", folder=folder).out)
    found = {each["name"]: each for each in document["settings"]}
    assert document["files"] == ["photon.toml", ".env"]
    assert found["port"]["value"] == 1
    assert found["port"]["origin"]["kind"] == "flag"
    assert found["timeout-idle"]["value"] == 5
    assert found["timeout-idle"]["origin"] == {
        "kind": "file",
        "text": "photon.toml:5",
        "file": "photon.toml",
        "line": 5,
        "variable": None,
    }


def test_notes_stand_below(folder: Path) -> None:
    ended = photon_ends("config", folder=folder, env={"PHOTON_PROT": "1"})
    assert ended.out.endswith(
        "\n\nNote: the variable PHOTON_PROT is of no setting; did you mean PHOTON_PORT?\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--for", "wroker"], "There is no command 'wroker'; did you mean worker?"),
        (["--nonsense"], "No such option"),
        (["--port", "many"], "'many' is not a valid integer"),
        (["--config", "none.toml"], "none.toml cannot be read: No such file"),
    ],
)
def test_a_mistake_is_told_as_the_command_tells_it(
    arguments: list[str], told: str, folder: Path
) -> None:
    ended = photon_ends("config", *arguments, folder=folder)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_a_terminal_gets_it_in_sections(folder: Path) -> None:
    mine, its = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "photon", "config"],
            cwd=folder,
            env=environment({"COLUMNS": "100", "TERM": "xterm"}),
            stdin=subprocess.DEVNULL,
            stdout=its,
            check=True,
        )
        seen = os.read(mine, 65536).decode()
    finally:
        os.close(mine)
        os.close(its)
    assert "of photon.toml and .env" in seen
    assert "\x1b[2mWhere to listen" in seen
    assert "\x1b[1mport " in seen


# Secrets...


@click.command(cls=SectionedCommand)
@setting("--api-token", section="")
@setting("--tls-key", section="", metavar="PATH")
@setting("--broker", section="")
@setting("--max-tokens", section="", type=int)
@setting("--secret", "secrets", section="", multiple=True)
def keeper(**options: object) -> None: ...


def test_secrets_are_not_shown() -> None:
    arguments = "--api-token abc --tls-key key.pem --broker redis://:abc@h/0 --max-tokens 3"
    ctx = keeper.make_context("keeper", [*arguments.split(), "--secret", "abc", "--secret", "d"])
    found = {each.name: each.text for each in settings_in(ctx)}
    assert found == {
        "api-token": HIDDEN,
        "tls-key": "key.pem",
        "broker": f"redis://:{HIDDEN}@h/0",
        "max-tokens": "3",
        "secret": f"{HIDDEN}, {HIDDEN}",
    }
    assert "abc" not in "".join(table(settings_in(ctx), in_sections=True))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:p@ss:word@host/db", f"postgresql://me:{HIDDEN}@host/db"),
        ("http://host:80/a@b", "http://host:80/a@b"),
        ("a redis://u:p@h and b", f"a redis://u:{HIDDEN}@h and b"),
        ("plain", "plain"),
    ],
)
def test_urls_lose_their_passwords(text: str, shown: str) -> None:
    assert without_url_passwords(text, HIDDEN) == shown
