"""Files: whole, in part, or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from photon.http.dates import http_date
from photon.http.errors import HTTPError
from photon.http.files import FilePart, FileResponse, attachment
from photon.http.response import Response
from tests.http.requests import make_request

MODIFIED_S = 784111777


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.txt"
    path.write_bytes(b"0123456789")
    os.utime(path, (MODIFIED_S, MODIFIED_S))
    return path


def open_files() -> list[int]:
    """Descriptors of regular files: gevent's os.close leaves others to the hub's next turn."""
    return [fd for fd in range(256) if _is_regular(fd)]


def _is_regular(fd: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode)
    except OSError:
        return False


@pytest.fixture(autouse=True)
def _no_file_is_left_open() -> Iterator[None]:
    before = open_files()
    yield
    assert open_files() == before


def sent(response: Response) -> bytes:
    """What would be sent of it; closes it."""
    try:
        if isinstance(response, FilePart):
            return os.pread(response.opened.fd, response.count, response.offset)
        return response.body
    finally:
        response.close()


def asked(path: Path, method: str = "GET", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return FileResponse(path).for_request(make_request(headers=named, method=method))


def etag_of(path: Path) -> str:
    response = asked(path)
    response.close()
    return response.headers["etag"]


def test_a_file_is_sent_whole(path: Path) -> None:
    response = asked(path)
    assert isinstance(response, FilePart)
    assert (response.status, response.offset, response.count) == (200, 0, 10)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["last-modified"] == http_date(MODIFIED_S)
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["etag"].startswith('"')
    assert sent(response) == b"0123456789"
    assert response.opened.fd == -1


def test_head_is_answered_as_get(path: Path) -> None:
    get, head = asked(path), asked(path, "HEAD", range="bytes=0-1")
    assert list(get.headers) == list(head.headers)
    assert (head.status, sent(get)) == (200, sent(head))


@pytest.mark.parametrize(
    ("wanted", "content_range", "body"),
    [
        ("bytes=0-4", "bytes 0-4/10", b"01234"),
        ("bytes=5-", "bytes 5-9/10", b"56789"),
        ("bytes=-3", "bytes 7-9/10", b"789"),
        ("bytes=-99", "bytes 0-9/10", b"0123456789"),
        ("bytes=9-99", "bytes 9-9/10", b"9"),
        ("bytes=0-0", "bytes 0-0/10", b"0"),
    ],
)
def test_a_part(path: Path, wanted: str, content_range: str, body: bytes) -> None:
    response = asked(path, range=wanted)
    assert response.status == 206
    assert response.headers["content-range"] == content_range
    assert response.headers["etag"] == etag_of(path)
    assert sent(response) == body


@pytest.mark.parametrize("wanted", ["bytes=5-4", "bytes=0-1,4-5", "lines=1-2", "nonsense", ""])
def test_a_range_that_is_not_understood_is_not_there(path: Path, wanted: str) -> None:
    response = asked(path, range=wanted)
    assert response.status == 200
    assert "content-range" not in response.headers
    assert sent(response) == b"0123456789"


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_a_part_that_is_not_there(path: Path, wanted: str) -> None:
    with pytest.raises(HTTPError) as refused:
        asked(path, range=wanted)
    assert refused.value.status == 416
    assert refused.value.headers == {"content-range": "bytes */10"}


def test_a_range_is_for_get_alone(path: Path) -> None:
    """RFC 9110 §14.2: "A server MUST ignore a Range header field received with a request method
    that is unrecognized or for which range handling is not defined"."""
    response = asked(path, "POST", range="bytes=0-1")
    assert response.status == 200
    assert sent(response) == b"0123456789"


def test_if_range(path: Path) -> None:
    for validator, status in [
        (etag_of(path), 206),
        (http_date(MODIFIED_S), 206),
        ('"other"', 200),
        (f"W/{etag_of(path)}", 200),
        (http_date(MODIFIED_S + 1), 200),
    ]:
        response = asked(path, range="bytes=0-1", if_range=validator)
        assert response.status == status, validator
        response.close()


def test_if_range_spares_a_range_that_is_out_of_date(path: Path) -> None:
    response = asked(path, range="bytes=99-", if_range='"other"')
    assert response.status == 200
    response.close()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_not_modified(path: Path, method: str) -> None:
    etag = etag_of(path)
    for headers in (
        {"if_none_match": etag},
        {"if_none_match": f'"x", W/{etag}'},
        {"if_none_match": "*"},
        {"if_modified_since": http_date(MODIFIED_S)},
    ):
        response = asked(path, method, **headers)
        assert not isinstance(response, FilePart)
        assert (response.status, response.body) == (304, b"")
        assert response.headers["etag"] == etag
        assert "last-modified" in response.headers
        assert "content-type" not in response.headers


def test_modified(path: Path) -> None:
    for headers in (
        {"if_none_match": '"x"'},
        {"if_modified_since": http_date(MODIFIED_S - 1)},
        {"if_none_match": '"x"', "if_modified_since": http_date(MODIFIED_S)},
        {"if_match": etag_of(path)},
    ):
        response = asked(path, **headers)
        assert response.status == 200
        response.close()


def test_precondition_failed(path: Path) -> None:
    for headers in (
        {"if_match": '"x"'},
        {"if_unmodified_since": http_date(MODIFIED_S - 1)},
        {"if_match": '"x"', "range": "bytes=0-1"},
    ):
        with pytest.raises(HTTPError) as refused:
            asked(path, **headers)
        assert refused.value.status == 412


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    response = asked(path)
    assert isinstance(response, FilePart)
    assert response.count == 0
    assert sent(response) == b""
    with pytest.raises(HTTPError, match="0 bytes"):
        asked(path, range="bytes=0-")


# Files come and go...


def test_no_such_file(tmp_path: Path) -> None:
    for path in (tmp_path / "nobody", tmp_path, "a\0b", "a" * 5000):
        with pytest.raises(HTTPError, match="no such file") as refused:
            Response.file(path)
        assert refused.value.status == 404


def test_a_file_that_vanishes_before_it_is_sent(path: Path) -> None:
    response = FileResponse(path)
    path.unlink()
    with pytest.raises(HTTPError) as refused:
        response.for_request(make_request())
    assert refused.value.status == 404


def test_a_file_that_a_folder_takes_the_place_of(path: Path) -> None:
    response = FileResponse(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(HTTPError) as refused:
        response.for_request(make_request())
    assert refused.value.status == 404


def test_a_file_that_a_pipe_takes_the_place_of_is_not_waited_for(path: Path) -> None:
    response = FileResponse(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(HTTPError) as refused:
        response.for_request(make_request())
    assert refused.value.status == 404


def test_a_file_that_vanishes_while_it_is_sent_is_sent(path: Path) -> None:
    response = asked(path)
    path.unlink()
    assert sent(response) == b"0123456789"


def test_one_response_may_be_given_again_when_the_file_has_changed(path: Path) -> None:
    response = FileResponse(path)
    first = response.for_request(make_request())
    path.write_bytes(b"more than before")
    second = response.for_request(make_request())
    assert first.headers["etag"] != second.headers["etag"]
    assert first.headers["last-modified"] != second.headers["last-modified"]
    assert (sent(first)[:4], sent(second)) == (b"more", b"more than before")
    assert len(response.headers) == 1


def test_a_part_is_closed_once(path: Path) -> None:
    response = asked(path)
    response.close()
    response.close()
    assert repr(response) == "<Response 200 OK 10 bytes of a file>"


# Headers...


def test_headers_of_the_handler_s_own_win(path: Path) -> None:
    whole = FileResponse(path, headers={"ETag": '"mine"', "Cache-Control": "no-store"})
    response = whole.for_request(make_request(headers={"If-None-Match": '"mine"'}))
    assert response.status == 304
    assert response.headers["cache-control"] == "no-store"
    part = whole.for_request(make_request(headers={"Range": "bytes=0-0", "If-Range": '"mine"'}))
    assert (part.status, part.headers["etag"]) == (206, '"mine"')
    part.close()


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.html", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.png", "image/png"),
        ("a.tar.gz", "application/gzip"),
        ("a.nobody-knows", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)
def test_the_media_type_is_guessed(tmp_path: Path, name: str, content_type: str) -> None:
    path = tmp_path / name
    path.touch()
    assert FileResponse(path).content_type == content_type
    assert FileResponse(path, content_type="a/b").content_type == "a/b"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ("é.txt", "attachment; filename=\"?.txt\"; filename*=UTF-8''%C3%A9.txt"),
        ('a"b', "attachment; filename=\"a'b\"; filename*=UTF-8''a%22b"),
        ("a\\b", "attachment; filename=\"a_b\"; filename*=UTF-8''a%5Cb"),
        ("a\r\nX: y", "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y"),
        ("a\udcff", "attachment; filename=\"a?\"; filename*=UTF-8''a%3F"),
    ],
)
def test_a_download_has_a_name(path: Path, name: str, header: str) -> None:
    assert attachment(name) == header
    response = Response.file(path, download_as=name)
    assert response.headers["content-disposition"] == header
