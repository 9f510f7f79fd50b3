"""`.env`, and what it puts into the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from photon.cli.dotenv import (
    MARK,
    find_env_file,
    load_env_file,
    return_inherited,
    shown,
    take_inherited,
)
from photon.cli.exits import CommandError, ExitCode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_variables_are_set_where_they_are_not(path: Path) -> None:
    path.write_text("# c\nA=1\n\n\nB='x\ny'\nC=${A}2\nexport D=4 # c\nNAME\nE=new\n")
    environ = {"E": "old"}
    read = load_env_file(path, environ)
    del environ[MARK]
    assert environ == {"A": "1", "B": "x\ny", "C": "12", "D": "4", "E": "old"}
    assert read.lines == {"A": 2, "B": 5, "C": 7, "D": 8}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"A=1\n\n  this is nonsense\n", ".env:3: this is no NAME=value"),
        (b"A=1\nX='unclosed\n", ".env:2: this is no NAME=value"),
        (b"=1\n", ".env:1: this is no NAME=value"),
        (b"A='1' 2\n", ".env:1: this is no NAME=value"),
        (b"A=1\nB=\xff\n", ".env:2: it is not UTF-8"),
        (b"A=1\n" * 300_000, ".env cannot be read: it is larger than 1 MiB"),
    ],
)
def test_what_cannot_be_understood_is_told_with_its_line(
    text: bytes, told: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    path.write_bytes(text)
    with pytest.raises(CommandError) as caught:
        load_env_file(path, {})
    assert (caught.value.message, caught.value.exit_code) == (told, ExitCode.USAGE)
    assert "--no-env-file" in caught.value.hint


def test_a_value_that_no_variable_has_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    path.write_text("\nSOME_ZERO=a\0b\n")
    with pytest.raises(CommandError, match=r"\.env:2: SOME_ZERO cannot be set to that"):
        load_env_file(path)


def test_a_file_that_is_named_has_to_be_there(path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file") as caught:
        load_env_file(path, {})
    assert "--env-file" in caught.value.hint


def test_a_folder_of_that_name_is_no_file(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    (inner / ".env").mkdir(parents=True)
    (tmp_path / ".env").touch()
    assert find_env_file([inner]) is None
    assert find_env_file([inner, tmp_path]) == tmp_path / ".env"


def test_what_a_photon_before_put_there_is_read_anew(path: Path) -> None:
    path.write_text("A=1\nB=2\n")
    environ: dict[str, str] = {}
    load_env_file(path, environ)
    path.write_text("B=3\n")
    inherited = take_inherited(environ)
    assert environ == {}
    return_inherited(inherited, path, environ)
    load_env_file(path, environ)
    assert (environ.get("A"), environ.get("B")) == (None, "3")


def test_what_another_file_put_there_stays(path: Path) -> None:
    path.write_text("A=1\n")
    environ: dict[str, str] = {}
    load_env_file(path, environ)
    inherited = take_inherited(environ)
    return_inherited(inherited, path.with_name("other.env"), environ)
    assert environ == {"A": "1"}


def test_what_a_file_put_there_that_is_gone_goes_too(path: Path) -> None:
    path.write_text("A=1\n")
    environ: dict[str, str] = {}
    load_env_file(path, environ)
    path.unlink()
    return_inherited(take_inherited(environ), None, environ)
    assert environ == {}


@pytest.mark.parametrize("mark", ["", "nonsense", "[]", "[1, 2]", '["a", "b"]', '["a", [1]]'])
def test_a_mark_that_is_none_is_forgotten(mark: str) -> None:
    environ = {MARK: mark, "A": "1"}
    return_inherited(take_inherited(environ), None, environ)
    assert environ == {"A": "1"}


def test_a_path_is_shown_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "a" / "b") == os.path.join("a", "b")
    assert shown(Path("/etc")) == "/etc"
