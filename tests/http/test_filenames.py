"""The names of files that clients send, made safe."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.http.filenames import safe_name


@pytest.mark.parametrize(
    ("sent", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Größe 3.txt", "Größe 3.txt"),
        ("Gro\u0308ße", "Größe"),
        ("日本.png", "日本.png"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a/b\\c", "c"),
        ("C:evil", "C_evil"),
        ("a.txt:stream", "a.txt_stream"),
        (".htaccess", "htaccess"),
        ("...", "file"),
        ("..", "file"),
        ("", "file"),
        ("dir/", "file"),
        ("-rf", "rf"),
        ("a\x00.png\r\n", "a.png"),
        ("a\x1b[31m", "a[31m"),
        ("exe\u202egnp.scr", "exegnp.scr"),
        ("\ud800a", "a"),
        ("a. . ", "a"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("com1.x", "_com1.x"),
        ("console", "console"),
        ('<a>"b"|c?*', "_a__b__c__"),
        ("a" * 300 + ".jpeg", "a" * 195 + ".jpeg"),
        ("ä" * 300, "ä" * 100),
        ("a." + "b" * 300, "a." + "b" * 198),
    ],
)
def test_what_is_dangerous_is_left_out(sent: str, safe: str) -> None:
    assert safe_name(sent) == safe


def test_what_nothing_is_left_of_has_a_name_still() -> None:
    assert safe_name("///", default="upload") == "upload"


@given(st.text(st.characters()))
def test_any_name_can_be_created_in_a_directory(sent: str) -> None:
    name = safe_name(sent)
    assert Path("dir", name).resolve().parent == Path("dir").resolve()
    assert os.path.basename(name) == name
    assert 0 < len(name.encode()) <= 200
    assert name[0] not in ".- "
    assert not {"/", "\\", "\0", ":"} & set(name)
    assert not any(unicodedata.category(c) == "Cc" for c in name)
    assert safe_name(name) == name
