"""Forms with files, read back by the library that servers use."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import multipart  # type: ignore[import-untyped]
import pytest

from photon.testing.multipart import File, encode_multipart


def read(body: bytes, content_type: str) -> list[tuple[str, str | None, str, bytes]]:
    boundary = content_type.partition("boundary=")[2]
    parser = multipart.MultipartParser(io.BytesIO(body), boundary)
    return [(p.name, p.filename, p.content_type or "", p.raw) for p in parser.parts()]


def test_fields_and_files() -> None:
    files: dict[str, File | list[File]] = {
        "text": ("x.txt", "hé"),
        "raw": b"\r\n--",
        "own": ("n", b"", "a/b"),
        "json": (None, "{}"),
    }
    body, content_type = encode_multipart([("a", "1"), ("a", "ü")], files)
    parts = read(body, content_type)
    assert [part[:2] for part in parts] == [
        ("a", None),
        ("a", None),
        ("text", "x.txt"),
        ("raw", "raw"),
        ("own", "n"),
        ("json", None),
    ]
    assert [part[3] for part in parts] == [b"1", "ü".encode(), "hé".encode(), b"\r\n--", b"", b"{}"]
    assert parts[2][2] == "text/plain"
    assert parts[3][2] == "application/octet-stream"
    assert parts[4][2] == "a/b"


def test_open_files_bring_their_names(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"png")
    with path.open("rb") as file:
        parts = read(*encode_multipart([], [("a", file), ("a", io.StringIO("text"))]))
    assert parts[0] == ("a", "photo.png", "image/png", b"png")
    assert parts[1][3] == b"text"


def test_a_list_is_several_files_of_one_name() -> None:
    files: dict[str, File | list[File]] = {"a": [b"1", ("two.txt", b"2")], "b": b"3", "none": []}
    parts = read(*encode_multipart([], files))
    assert [(name, file_name, raw) for name, file_name, _, raw in parts] == [
        ("a", "a", b"1"),
        ("a", "two.txt", b"2"),
        ("b", "b", b"3"),
    ]


def test_names_cannot_break_out() -> None:
    body, _ = encode_multipart([('a"\r\nX: y', "1")], {"f": ('x"\r\n.txt', b"")})
    assert b'name="a%22%0D%0AX: y"' in body
    assert b'filename="x%22%0D%0A.txt"' in body
    with pytest.raises(ValueError, match="has a line break"):
        encode_multipart([], {"f": ("x", b"", "a/b\r\nX: y")})


@pytest.mark.parametrize("file", [3, None, ("x", 3), ("x", b"", "a/b", {}), ("x",)])
def test_what_is_no_file_is_told(file: Any) -> None:
    with pytest.raises(TypeError, match=r"the file 'f' .*; it is given as content, \(file name"):
        encode_multipart([], {"f": file})
