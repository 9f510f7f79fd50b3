"""Where settings files are looked for, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from photon.cli.exits import CommandError, ExitCode
from photon.cli.settings_file import find_settings_file, folders_for, read_settings_file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inner = tmp_path / "project" / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    return inner


# Where...


@pytest.mark.parametrize("marker", ["pyproject.toml", ".git"])
def test_it_is_looked_for_up_to_where_the_project_begins(folder: Path, marker: str) -> None:
    project = folder.parents[1]
    (project / marker).touch()
    (project.parent / "pyproject.toml").touch()
    assert folders_for(folder) == [folder, folder.parent, project]


def test_without_a_project_it_is_looked_for_in_the_folder_alone(folder: Path) -> None:
    assert folders_for(folder) == [folder]


def test_without_a_project_it_is_looked_for_up_to_the_current_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parents[1])
    assert folders_for(Path("a/b")) == [folder, folder.parent, folder.parents[1]]


def test_a_folder_that_anybody_may_write_to_is_not_looked_into(folder: Path) -> None:
    project = folder.parents[1]
    (project / "pyproject.toml").touch()
    project.chmod(0o777)
    assert folders_for(folder) == [folder]


def test_the_nearest_file_is_read(folder: Path) -> None:
    (folder.parent / "photon.toml").write_text("port = 1")
    (folder.parents[1] / "photon.toml").write_text("port = 2")
    found, note = find_settings_file([folder, folder.parent, folder.parents[1]])
    assert found is not None
    assert (found.table, found.name, note) == ({"port": 1}, "../photon.toml", "")


def test_a_table_of_pyproject_is_read(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n\n[tool.photon]\nport = 1\n")
    found, note = find_settings_file([folder])
    assert found is not None
    assert (found.table, note) == ({"port": 1}, "")
    assert found.place(("port",)) == "[tool.photon] of pyproject.toml:5"


@pytest.mark.parametrize(
    "text",
    [
        "[project]\ndependencies = ['photon-web']\n",
        "[tool.ruff]\nline-length = 100\n",
        "[tool]\nphotons = 1",
        "this is no TOML, and not ours to tell",
    ],
)
def test_a_pyproject_that_says_nothing_of_photon_is_passed_over(text: str, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(text)
    assert find_settings_file([folder]) == (None, "")


@pytest.mark.parametrize("text", ["[tool]\nphoton.port = 1", "tool.photon.port = 1"])
def test_however_it_is_written(text: str, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(text)
    found, _ = find_settings_file([folder])
    assert found is not None
    assert found.table == {"port": 1}


def test_of_both_the_own_file_is_read_and_a_note_says_so(folder: Path) -> None:
    (folder / "photon.toml").write_text("port = 1")
    (folder / "pyproject.toml").write_text("[tool.photon]\nport = 2")
    found, note = find_settings_file([folder])
    assert found is not None
    assert found.table == {"port": 1}
    assert note == "photon.toml is read, so [tool.photon] of pyproject.toml is not"


# What is wrong...


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"a = 1\nb = \n", "photon.toml:2: this is no TOML: invalid value"),
        (b"a = [1", "photon.toml:1: this is no TOML: unclosed array"),
        (b"a = 1\na = 2\n", "photon.toml:2: this is no TOML: cannot overwrite a value"),
        (b"a = 1\nb = '\xff'\n", "photon.toml:2: it is not UTF-8, as TOML is"),
        (b"#" * 2_000_000, "photon.toml is larger than 1 MiB"),
        (b"a = " + b"[" * 5000, "photon.toml: it is too deeply nested"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text: bytes, told: str, folder: Path) -> None:
    (folder / "photon.toml").write_bytes(text)
    with pytest.raises(CommandError) as caught:
        find_settings_file([folder])
    assert (caught.value.message, caught.value.exit_code) == (told, ExitCode.USAGE)


def test_what_cannot_be_read_is_told(folder: Path) -> None:
    (folder / "photon.toml").mkdir()
    with pytest.raises(CommandError, match=r"photon\.toml cannot be read: Is a directory"):
        find_settings_file([folder])


def test_a_link_to_nowhere_is_told(folder: Path) -> None:
    (folder / "photon.toml").symlink_to("gone")
    with pytest.raises(CommandError, match=r"photon\.toml cannot be read: No such file"):
        find_settings_file([folder])


def test_a_file_that_is_named_may_have_any_name(folder: Path) -> None:
    (folder / "production.toml").write_text("port = 1")
    assert read_settings_file(folder / "production.toml").table == {"port": 1}


def test_a_pyproject_that_is_named_has_to_have_the_table(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(CommandError, match=r"pyproject\.toml has no \[tool\.photon\]"):
        read_settings_file(folder / "pyproject.toml")


def test_the_table_has_to_be_one(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool]\nphoton = 1\n")
    with pytest.raises(CommandError, match="is no table"):
        find_settings_file([folder])
