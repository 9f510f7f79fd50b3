"""Files of a form, as handlers see them."""

from __future__ import annotations

import csv
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from photon.http.headers import Headers
from photon.http.spool import Spool
from photon.http.uploads import UploadFile


@pytest.fixture(params=["in memory", "on disk"])
def upload(request: pytest.FixtureRequest) -> UploadFile:
    """An upload that holds b"a,b\\nc,d\\n"."""
    spool = Spool(100 if request.param == "in memory" else 0)
    spool.write(b"a,b\nc,d\n")
    return UploadFile("table", "../t.csv", spool.finish(), spool.size, content_type="text/csv")


def test_it_tells_what_it_is(upload: UploadFile) -> None:
    assert (upload.name, upload.filename, upload.size) == ("table", "../t.csv", 8)
    assert (upload.safe_name, upload.content_type) == ("t.csv", "text/csv")
    assert upload.headers == {}
    where = "in memory" if upload.is_in_memory else "on disk"
    assert repr(upload) == f"<UploadFile 'table' '../t.csv', 8 bytes, {where}>"
    upload.close()
    assert repr(upload) == "<UploadFile 'table' '../t.csv', 8 bytes, closed>"


def test_it_is_read_as_a_file(upload: UploadFile) -> None:
    with upload:
        assert upload.read(3) == b"a,b"
        assert upload.read() == b"\nc,d\n"
        assert upload.read() == b""
        assert upload.seek(4) == 4
        assert upload.read(1) == b"c"
        assert upload.seek(-1, 2) == 7
        assert upload.read(10) == b"\n"


def test_it_is_given_in_pieces_from_its_beginning(upload: UploadFile) -> None:
    with upload:
        upload.read(5)
        assert list(upload.chunks(3)) == [b"a,b", b"\nc,", b"d\n"]
        assert list(upload.chunks()) == [b"a,b\nc,d\n"]
        with pytest.raises(ValueError, match="of one byte or more, not 0"):
            upload.chunks(0)


def test_libraries_read_it_as_a_file(upload: UploadFile) -> None:
    with upload:
        text = TextIOWrapper(upload.file, "utf-8", newline="")
        assert list(csv.reader(text)) == [["a", "b"], ["c", "d"]]
        text.detach()
        assert upload.file.seek(0) == 0
        assert upload.file.readline() == b"a,b\n"


def test_it_is_saved_whole_wherever_it_was_read_to(upload: UploadFile, tmp_path: Path) -> None:
    with upload:
        upload.read(3)
        assert upload.save_to(tmp_path / upload.safe_name) == 8
        upload.save_to(str(tmp_path / "again"))
        assert upload.read(1) == b"\n"
    assert (tmp_path / "t.csv").read_bytes() == b"a,b\nc,d\n"
    assert (tmp_path / "again").read_bytes() == b"a,b\nc,d\n"


def test_it_is_gone_when_it_is_closed(upload: UploadFile, tmp_path: Path) -> None:
    file = upload.file
    upload.close()
    upload.close()
    assert upload.closed
    assert file.closed
    for use in (
        upload.read,
        lambda: list(upload.chunks()),
        lambda: upload.save_to(tmp_path / "a"),
        lambda: upload.file,
    ):
        with pytest.raises(ValueError, match=r"'../t.csv' is closed: read or save it before"):
            use()


def test_what_a_library_closed_is_closed(upload: UploadFile) -> None:
    upload.file.close()
    with pytest.raises(ValueError, match="closed"):
        upload.read()
    upload.close()


def test_a_field_that_was_left_empty_is_false() -> None:
    assert not UploadFile("a", "", BytesIO(), 0)
    assert UploadFile("a", "empty.txt", BytesIO(), 0)
    assert UploadFile("a", "", BytesIO(b"x"), 1)


def test_one_can_be_made_for_a_test() -> None:
    upload = UploadFile("a", "b", BytesIO(b"x"), 1, headers=Headers([("X", "y")]))
    assert upload.content_type == "application/octet-stream"
    assert (upload.headers["x"], upload.read()) == ("y", b"x")
