"""The command `photon` itself."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import photon
from photon.cli.exits import ExitCode
from photon.cli.main import cli
from tests.processes import environment, photon_ends


def test_tells_its_version() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    expected = f"Photon {photon.__version__} on CPython {platform.python_version()}\n"
    assert (result.exit_code, result.output) == (0, expected)


def test_without_a_command_it_tells_where_to_start() -> None:
    assert "photon dev app:app" in CliRunner().invoke(cli, []).output


def test_the_help_of_run_lists_its_flags_in_sections() -> None:
    # How wide it is, and so where its lines end, is the terminal's.
    text = " ".join(CliRunner().invoke(cli, ["run", "--help"]).output.split())
    places = [
        text.find(part)
        for part in (
            "Where to listen:",
            "--port NUMBER",
            "Which application:",
            "--factory",
            "Logs:",
            "--log-format",
            "Time-outs",
            "--timeout-idle SECONDS",
            "[75s, > 0]",
            "Limits",
            "--limit-body-bytes BYTES",
            "[16MiB, > 0]",
            "Others:",
            "--help",
            "PHOTON_TIMEOUT_IDLE",
        )
    ]
    assert -1 not in places, text
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("app:app", "app:app"),
        ("nowhere:main", "nowhere:main"),
        ("shop", "shop:app"),
        ("shop.py", "shop:app"),
        ("pack", "pack:app"),
        ("pack.inner", "pack.inner:app"),
    ],
)
def test_an_application_in_place_of_a_command_is_recognized(
    name: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pack").mkdir()
    for module in ("shop.py", "pack/__init__.py", "pack/inner.py"):
        (tmp_path / module).touch()
    result = CliRunner().invoke(cli, [name, "--port", "0"])
    assert result.exit_code == ExitCode.USAGE
    assert f"No such command {name!r}; did you mean: photon run {meant}?" in result.output


def test_any_other_command_is_unknown() -> None:
    result = CliRunner().invoke(cli, ["serve"])
    assert result.exit_code == ExitCode.USAGE
    assert "No such command 'serve'." in result.output
    assert "did you mean" not in result.output


def test_a_command_that_is_nearly_right_is_recognized() -> None:
    result = CliRunner().invoke(cli, ["rnu"])
    assert result.exit_code == ExitCode.USAGE
    assert "No such command 'rnu'; did you mean: photon run?" in result.output


FOREIGN = [
    (["--bind", "0.0.0.0:80"], "There is no --bind here: use --host and --port"),
    (["-b", ":80"], "There is no --bind here: use --host and --port"),
    (["--reload"], "There is no --reload here: photon dev starts anew when a file changes"),
]


@pytest.mark.parametrize(("flags", "says"), FOREIGN)
def test_flags_of_other_servers_are_answered_with_ours(flags: list[str], says: str) -> None:
    for arguments in (["run", *flags], ["run", "app:app", *flags]):
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == ExitCode.USAGE
        assert says in result.output
    assert flags[0] not in CliRunner().invoke(cli, ["run", "--help"]).output.split()


def test_patches_before_the_application_is_imported(tmp_path: Path) -> None:
    # PatchedTooLate would be an error: these processes run with -W error.
    (tmp_path / "app.py").write_text(
        "from time import sleep\n"
        "from types import BuiltinFunctionType\n"
        "raise SystemExit('late' if isinstance(sleep, BuiltinFunctionType) else 'patched')\n"
    )
    ended = photon_ends("run", "app", folder=tmp_path)
    assert ended.err == "patched\n"


def test_the_console_script_is_the_same_command(tmp_path: Path) -> None:
    code = "from photon.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--version"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"Photon ")
