"""Where templates come from, and what is said when they are not there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from photon.templating.errors import TemplateBroken, TemplateNotFound
from photon.templating.sources import Folders, missing, sources_of


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names_of(given: Any) -> list[str]:
    return sorted(sources_of(given, "utf-8").scan())


def test_names_are_paths_inside_the_folder(tmp_path: Path) -> None:
    write(tmp_path, a_html="1", sub__b_html="2", sub__deep__c_txt_j2="3")
    assert names_of(tmp_path) == ["a.html", "sub/b.html", "sub/deep/c.txt.j2"]
    assert sources_of(str(tmp_path), "utf-8").read("sub/b.html") == "2"


def test_what_is_no_template_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, a_html="1")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff")
    (tmp_path / ".DS_Store").write_bytes(b"\0\0\0\1Bud1\xff")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.html").write_bytes(b"\xff")
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "nowhere.html").symlink_to(tmp_path / "gone.html")
    os.mkfifo(tmp_path / "pipe.html")
    assert names_of(tmp_path) == ["a.html"]


def test_the_first_folder_that_has_a_name_counts(tmp_path: Path) -> None:
    write(tmp_path / "mine", a_html="mine")
    write(tmp_path / "theirs", a_html="theirs", b_html="theirs")
    sources = sources_of([tmp_path / "mine", tmp_path / "theirs"], "utf-8")
    assert sorted(sources.scan()) == ["a.html", "b.html"]
    assert [sources.read("a.html"), sources.read("b.html")] == ["mine", "theirs"]


def test_a_relative_folder_is_one_of_the_current_directory_when_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "templates", a_html="1")
    monkeypatch.chdir(tmp_path)
    sources = sources_of("templates", "utf-8")
    assert sources.place("a.html") == "templates/a.html"
    monkeypatch.chdir("/")
    assert sources.read("a.html") == "1"


def test_a_folder_that_is_not_there_is_found_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no folder 'tmeplates'.*looked for in /.*make it"):
        sources_of("tmeplates", "utf-8")
    with pytest.raises(FileNotFoundError, match="/nowhere/at/all"):
        sources_of(["/nowhere/at/all"], "utf-8")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="which is a file"):
        sources_of("file", "utf-8")


@pytest.mark.parametrize("given", [None, 5, b"templates", {"a.html"}])
def test_templates_come_from_folders_or_a_mapping(given: Any) -> None:
    with pytest.raises(TypeError, match=r"a folder, a list of folders, or a mapping"):
        sources_of(given, "utf-8")


def test_no_folder_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="no folder of templates was given"):
        sources_of([], "utf-8")


@pytest.mark.parametrize("given", [{"a.html": b"1"}, {1: "a"}, {"a.html": None}])
def test_a_mapping_has_names_and_texts(given: Any) -> None:
    with pytest.raises(TypeError, match="a name and a text each"):
        sources_of(given, "utf-8")


def test_an_encoding_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="utf-9"):
        sources_of(tmp_path, "utf-9")


def test_a_file_of_another_encoding_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"caf\xe9")
    with pytest.raises(TemplateBroken, match=r"a\.html: byte 3 is not utf-8.*encoding='latin-1'"):
        sources_of(tmp_path, "utf-8").read("a.html")
    assert sources_of(tmp_path, "latin-1").read("a.html") == "café"


def test_a_byte_order_mark_is_no_part_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"\xef\xbb\xbfx")
    assert sources_of(tmp_path, "utf-8").read("a.html") == "x"


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    write(tmp_path, a_html="1")
    sources = Folders([tmp_path], "utf-8")
    before = sources.scan()
    assert sources.scan() == before
    status = os.stat(tmp_path / "a.html")
    write(tmp_path, new_html="2")
    os.replace(tmp_path / "new.html", tmp_path / "a.html")  # of the same size...
    os.utime(tmp_path / "a.html", ns=(status.st_atime_ns, status.st_mtime_ns))  # ...and time
    assert sources.scan() != before


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../secret.html", "leaves the templates' folder"),
        ("a/../../secret.html", "leaves the templates' folder"),
        ("..\\secret.html", "leaves the templates' folder"),
        ("sub\\b.html", "write '/' between folders"),
        ("/etc/passwd", "a name is a path inside"),
        ("logo.png", "its extension is none of a template"),
        ("a.htm", "did you mean 'a.html'"),
    ],
)
def test_a_name_that_is_not_there_says_why(tmp_path: Path, name: str, says: str) -> None:
    write(tmp_path, a_html="1", logo_png="2")
    sources = sources_of(tmp_path, "utf-8")
    error = missing(name, sorted(sources.scan()), sources)
    assert isinstance(error, TemplateNotFound)
    assert error.name == name
    assert says in str(error)
