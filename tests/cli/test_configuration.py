"""Settings of files and the environment, as commands get them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from photon.cli.configuration import configuration_of
from photon.cli.dotenv import MARK
from photon.cli.exits import ExitCode
from photon.cli.main import cli
from photon.cli.run import run
from photon.cli.worker import worker
from tests.processes import get, photon, photon_ends

VARIABLES = ("PORT", "PHOTON_PORT", "PHOTON_APP", "PHOTON_HOST", MARK, "FROM_ENV_FILE")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, in which files may be put; what they put into the environment goes."""
    before = dict(os.environ)
    for name in before:
        if name in VARIABLES or name.startswith("PHOTON_"):
            del os.environ[name]
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def params(
    *arguments: str, toml: str = "", env: str = "", command: click.Command = run
) -> dict[str, Any]:
    """What a command gets."""
    Path("photon.toml").write_text(toml)
    Path(".env").write_text(env)
    return command.make_context(command.name, [*arguments]).params


# Which one wins...


def test_flags_win_over_the_environment_and_that_over_env_and_that_over_toml(
    folder: Path,
) -> None:
    toml, env = 'app = "a"\nport = 1', "PHOTON_PORT=2"
    assert params("a", toml="")["port"] == 8000
    assert params(toml=toml)["port"] == 1
    assert params(toml=toml, env=env)["port"] == 2
    os.environ.pop(MARK)
    os.environ["PHOTON_PORT"] = "3"
    assert params(toml=toml, env=env)["port"] == 3
    assert params("--port", "4", toml=toml, env=env)["port"] == 4


def test_keys_are_kebab_or_snake_grouped_or_not(folder: Path) -> None:
    given = params(
        toml='app = "shop"\nlog-level = "debug"\naccess_log = true\n'
        'timeout-head = 3\n[timeout]\nidle = "500ms"\nhandler = 1.5\n'
        '[limit]\nbody = "1KiB"\nhead-bytes = 100\n'
    )
    assert (given["app"], given["log_level"], given["access_log"]) == ("shop", "debug", True)
    assert (given["timeout_head_s"], given["timeout_idle_s"]) == (3, 0.5)
    assert given["timeout_handler_s"] == 1.5
    assert (given["limit_body_bytes"], given["limit_head_bytes"]) == (1024, 100)


def test_a_section_of_a_command_is_for_that_one_alone(folder: Path) -> None:
    toml = 'app = "a"\nlog-level = "error"\n[worker]\nlog-level = "debug"\nqueue = ["x", "y"]\n'
    assert params(toml=toml)["log_level"] == "error"
    given = params(toml=toml, command=worker)
    assert (given["log_level"], given["queues"]) == ("debug", ("x", "y"))


def test_a_single_text_is_a_list_of_one(folder: Path) -> None:
    assert params(toml='app = "a"\nqueue = "x"', command=worker)["queues"] == ("x",)


def test_questions_are_settings_of_their_own_command_alone(folder: Path) -> None:
    (folder / "shop.py").write_text("from photon import Photon\napp = Photon()\n")
    Path("photon.toml").write_text('app = "shop:app"\n[routes]\njson = true\n')
    assert photon_ends("routes", folder=folder).out.startswith("{")
    Path("photon.toml").write_text('app = "shop:app"\njson = true\n')
    ended = photon_ends("routes", folder=folder)
    assert "photon.toml:2: json is a setting of " in ended.err
    assert "[routes]" in ended.err


# What is put into the environment...


def test_env_is_for_the_application_too(folder: Path) -> None:
    params("a", env="FROM_ENV_FILE=yes\nPORT=5\n")
    assert (os.environ["FROM_ENV_FILE"], os.environ["PORT"]) == ("yes", "5")


def test_env_may_name_the_settings_file(folder: Path) -> None:
    (folder / "other.toml").write_text("port = 7")
    assert params("a", env="PHOTON_CONFIG=other.toml")["port"] == 7


@pytest.mark.parametrize("flag", [["--no-env-file"], ["--env-file", "other.env"]])
def test_env_may_be_left_alone_or_another_file(flag: list[str], folder: Path) -> None:
    (folder / "other.env").write_text("PORT=8000")
    assert params("a", *flag, env="this is nonsense")["port"] == 8000


@pytest.mark.parametrize(
    ("said", "port"), [("1", 8000), ("yes", 8000), ("0", 9000), ("false", 9000), ("", 9000)]
)
def test_the_environment_says_whether_env_is_left_alone(said: str, port: int, folder: Path) -> None:
    os.environ["PHOTON_NO_ENV_FILE"] = said
    assert params("a", env="PHOTON_PORT=9000")["port"] == port


def test_a_command_that_follows_reads_the_file_anew(folder: Path) -> None:
    assert params("a", env="PHOTON_PORT=1")["port"] == 1
    assert params("a", env="PHOTON_PORT=2")["port"] == 2
    assert params("a", env="")["port"] == 8000


# Paths...


def test_paths_of_a_file_are_relative_to_it(folder: Path) -> None:
    (folder / "etc").mkdir()
    (folder / "etc" / "x.toml").write_text('app = "a"\nuds = "run/s"\napp-dir = "."')
    given = params("--config", "etc/x.toml")
    assert given["uds"] == str(folder / "etc" / "run" / "s")
    assert Path(given["app_dir"]).resolve() == folder / "etc"


def test_paths_of_a_file_in_the_current_folder_stay_short(folder: Path) -> None:
    assert params(toml='app = "a"\nuds = "run/s"')["uds"] == "run/s"


def test_an_application_is_looked_for_beside_the_file_that_names_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pyproject.toml").write_text('[tool.photon]\napp = "shop:app"\n')
    (folder / "inner").mkdir()
    monkeypatch.chdir(folder / "inner")
    assert run.make_context("run", []).params["app_dir"] == str(folder)
    assert run.make_context("run", ["other"]).params["app_dir"] == "."


def test_files_are_looked_for_where_modules_are(folder: Path) -> None:
    (folder / "src").mkdir()
    (folder / "src" / "photon.toml").write_text('app = "shop"\nport = 5\n')
    assert run.make_context("run", ["--app-dir", "src"]).params["port"] == 5


# What is wrong...


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("\nprot = 1", "photon.toml:2: there is no setting 'prot'; did you mean port?"),
        ("Port = 1", "there is no setting 'Port'; did you mean port?"),
        ("qqqqqqqq = 1", "no setting 'qqqqqqqq'; `photon config` lists them all"),
        ("[timeout]\nidel = 1", "photon.toml:2: there is no setting 'idel' in [timeout]; did you"),
        (
            "[timout]\nidle = 1",
            "photon.toml:2: there is no section [timout]; did you mean timeout?",
        ),
        ("[wroker]\nqueue = 1", "there is no section [wroker]; did you mean worker?"),
        ("[qqqqqqqq]\na = 1", "photon.toml:2: there is no section [qqqqqqqq]"),
        (
            "[worker]\nconcurency = 1",
            "[worker]: there is no setting 'concurency'; did you mean con",
        ),
        ("[run]\nconcurrency = 1", "concurrency is a setting of [worker], and not of [run]"),
        ('port = "many"', "photon.toml:1: port = \"many\": 'many' is not a valid integer"),
        ("port = 70000", "port = 70000: 70000 is not in the range 0<=x<=65535"),
        ("port = 1.5", "port = 1.5: '1.5' is not a valid integer"),
        ("port = true", "port = true: it is a number"),
        ("port = [1]", "port = [1]: it is a number, not a list"),
        ("port = {a = 1}", "photon.toml:1: [port]: it is a number, not a table"),
        ("[port]\na = {b = 1}", "[port]: it is a number, not a table"),
        ("port = 2020-01-01", "it is a number"),
        ("[timeout]\nidle = true", "photon.toml:2: timeout.idle = true: it is a number of seconds"),
        ("[timeout]\nidle = 0", "timeout.idle = 0: '0': it must be more than 0"),
        ("[timeout]\nidle = inf", "'inf' is no duration"),
        ("[timeout]\nidle = nan", "'nan' is no duration"),
        ('[limit]\nbody = "big"', "'big' is no size"),
        ("[limit]\nbody = 1\nbody-bytes = 2", "limit.body-bytes is set already, in line 2"),
        ("host = 1", "host = 1: it is a text"),
        ('access-log = "yes"', 'access-log = "yes": it is true or false'),
        ("access-log = 1", "it is true or false"),
        ("no-access-log = true", "no setting 'no-access-log'; did you mean access-log?"),
        ('log-level = "loud"', "'loud' is not one of 'debug', 'info'"),
        ("[worker]\nconcurrency = 0", "photon.toml:2: worker.concurrency = 0: '0': it must be"),
        ("[worker]\nqueue = [1]", "it is a text"),
        ('config = "x.toml"', "there is no setting 'config'"),
        (
            "[[timeout]]\nidle = 1",
            "photon.toml:1: timeout is a setting of [ctl.reload] or [ctl.stop] alone",
        ),
        ("run = 1", "there is no setting 'run'"),
        ('"" = 1', "there is no setting ''"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_place(toml: str, told: str, folder: Path) -> None:
    Path("photon.toml").write_text(toml)
    result = CliRunner().invoke(cli, ["run", "a"])
    assert told in result.output
    assert result.exit_code == ExitCode.USAGE


def test_empty_sections_are_no_mistakes(folder: Path) -> None:
    assert params("a", toml="[timeout]\n[worker]\n[run]\n")["port"] == 8000


def test_all_mistakes_are_told_at_once_up_to_a_number(folder: Path) -> None:
    Path("photon.toml").write_text("".join(f"key{i} = 1\n" for i in range(20)))
    lines = CliRunner().invoke(cli, ["run", "a"]).output.splitlines()
    assert lines[0].startswith("Error: photon.toml:1: ")
    assert lines[1].startswith("  photon.toml:2: ")
    assert lines[-1] == "  and 9 more"


def test_the_help_is_there_even_when_a_file_is_broken(folder: Path) -> None:
    Path("photon.toml").write_text("broken")
    Path(".env").write_text("this is nonsense")
    assert CliRunner().invoke(cli, ["run", "--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("env", "variables", "told"),
    [
        ("\nPHOTON_PORT=many", {}, "Invalid value for 'PHOTON_PORT' of .env:2: 'many' is no"),
        ("", {"PORT": "many"}, "Invalid value for 'PORT' of the environment: 'many' is no"),
    ],
)
def test_a_bad_value_of_the_environment_names_the_variable(
    env: str, variables: dict[str, str], told: str, folder: Path
) -> None:
    os.environ.update(variables)
    Path(".env").write_text(env)
    result = CliRunner().invoke(cli, ["run", "a"])
    assert (result.exit_code, told in result.output) == (ExitCode.USAGE, True)


def test_notes_are_of_hidden_files_and_unknown_variables(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.photon]\nport = 1\n")
    Path("photon.toml").touch()
    os.environ["PHOTON_PROT"] = "1"
    notes = configuration_of(run.make_context("run", ["a"])).notes
    assert notes == [
        "photon.toml is read, so [tool.photon] of pyproject.toml is not",
        "the variable PHOTON_PROT is of no setting; did you mean PHOTON_PORT?",
    ]


# Processes...


def test_a_file_is_enough_to_serve(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "import os\nfrom photon import Photon\napp = Photon()\n"
        "@app.get('/')\ndef index(): return os.environ['GREETING']\n"
    )
    (tmp_path / "photon.toml").write_text('app = "shop:app"\n[limit]\nbody = "1KiB"\n')
    (tmp_path / ".env").write_text("GREETING=hello\nPHOTON_PORT=0\n")
    with photon("run", folder=tmp_path) as process:
        assert get(process.wait_port(), "/") == (200, b"hello")


def test_notes_are_logged(tmp_path: Path) -> None:
    env = {"PHOTON_WROKER_QUEUES": "a"}
    ended = photon_ends("worker", "nothing", folder=tmp_path, env=env)
    assert "did you mean PHOTON_WORKER_QUEUES?" in ended.err


def test_no_file_costs_no_import(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import sys\nraise SystemExit(sorted({'tomllib', 'dotenv'} & sys.modules.keys()))\n"
    )
    (tmp_path / "pyproject.toml").write_text("[project]\ndependencies = ['photon-web']\n")
    assert photon_ends("run", "app", folder=tmp_path).err == "[]\n"
