"""How commands that look at an application come by it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from photon.cli.exits import ExitCode
from photon.cli.main import cli

COMMANDS = ["routes", "openapi"]


@pytest.mark.parametrize("command", COMMANDS)
def test_without_an_application_it_says_how_to_name_one(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PHOTON_APP", raising=False)
    result = CliRunner().invoke(cli, [command])
    assert result.exit_code == ExitCode.USAGE
    assert f"photon {command} app:app".replace("photon", "") in result.output
    assert "PHOTON_APP" in result.output


def test_without_an_application_those_that_are_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PHOTON_APP", raising=False)
    (tmp_path / "shop.py").write_text("app = Photon()\nadmin: Photon = photon.Photon(title='a')\n")
    (tmp_path / "other.py").write_text("raise SystemExit('imported')\n    inner = Photon()\n")
    (tmp_path / "broken.py").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.py").mkdir()
    output = CliRunner().invoke(cli, ["routes"]).output
    assert "routes shop:app" in output
    assert "There are: shop:app, shop:admin" in output
    assert "imported" not in output


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_has_examples(command: str) -> None:
    output = CliRunner().invoke(cli, [command, "--help"]).output
    assert f"  photon {command} app:app" in output
    assert "Which application:" in output


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_not_there_is_told_as_by_run(command: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, [command, "nowhere_at_all", "--app-dir", str(tmp_path)])
    assert result.exit_code == ExitCode.NOT_LOADED
    assert "there is no module 'nowhere_at_all'" in result.output
