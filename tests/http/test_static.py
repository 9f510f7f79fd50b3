"""A directory of files as an application, from the request to the response."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from photon.http import shelf
from photon.http.dates import http_date
from photon.http.errors import HTTPError
from photon.http.files import FilePart
from photon.http.response import Response
from photon.http.static import FoundFile, StaticFiles
from tests.http.requests import make_request
from tests.http.test_files import open_files

MODIFIED_S = 784111777
BIG = b"0123456789" * 10_000


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    for name, content in {
        "index.html": b"<p>home",
        "css/site.css": b"p { }",
        "css/style.css.old": b"old",
        "docs/index.html": b"<p>docs",
        "docs/a b.txt": b"spaces",
        "empty/.keep": b"",
        ".env": b"SECRET=1",
        ".well-known/security.txt": b"mail us",
        "big.bin": BIG,
        "void.txt": b"",
        "404.html": b"<p>lost",
    }.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (MODIFIED_S, MODIFIED_S))
    return site


@pytest.fixture(autouse=True)
def _no_file_is_left_open() -> Iterator[None]:
    before = open_files()
    yield
    assert open_files() == before


def ask(
    files: StaticFiles, target: str, method: str = "GET", *, root: str = "", **headers: str
) -> Response:
    """The response as it would be sent."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = make_request(target, named, method=method)
    request.root = root
    return files(request).for_request(request)


def body(response: Response) -> bytes:
    try:
        if isinstance(response, FilePart):
            return os.pread(response.opened.fd, response.count, response.offset)
        return response.body
    finally:
        response.close()


def refusal(files: StaticFiles, target: str, method: str = "GET", **headers: str) -> HTTPError:
    with pytest.raises(HTTPError) as error:
        ask(files, target, method, **headers)
    return error.value


# What is there...


@pytest.mark.parametrize(
    ("path", "content", "content_type"),
    [
        ("/", b"<p>home", "text/html; charset=utf-8"),
        ("/index.html", b"<p>home", "text/html; charset=utf-8"),
        ("/css/site.css", b"p { }", "text/css; charset=utf-8"),
        ("/css/s%69te.css", b"p { }", "text/css; charset=utf-8"),
        ("/docs/", b"<p>docs", "text/html; charset=utf-8"),
        ("/docs/a%20b.txt?v=1", b"spaces", "text/plain; charset=utf-8"),
        ("/.well-known/security.txt", b"mail us", "text/plain; charset=utf-8"),
        ("/void.txt", b"", "text/plain; charset=utf-8"),
        ("/big.bin", BIG, "application/octet-stream"),
    ],
)
def test_files_are_served(site: Path, path: str, content: bytes, content_type: str) -> None:
    files = StaticFiles(site)
    for _ in range(2):  # looked up, then remembered
        response = ask(files, path)
        assert response.status == 200
        assert response.headers["content-type"] == content_type
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["last-modified"] == http_date(MODIFIED_S)
        assert response.headers["accept-ranges"] == "bytes"
        assert "cache-control" not in response.headers
        assert "vary" not in response.headers
        assert body(response) == content
        names = [name for name, _ in response.headers]
        assert len(names) == len(set(names))
        head = ask(files, path, "HEAD")
        assert list(head.headers) == list(response.headers)
        head.close()


@pytest.mark.parametrize(
    "path",
    [
        "/nobody",
        "/css/",
        "/css",
        "/empty",
        "/empty/",
        "/index.html/",
        "/index.html/x",
        "/index.html/index.html",
        "/css/site.css/site.css",
        "/.env",
        "/%2eenv",
        "/../site/index.html",
        "/css/../index.html",
        "/css/%2e%2e/index.html",
        "/css/..%2findex.html",
        "/css%2fsite.css",
        "/css%5csite.css",
        "/css\\site.css",
        "//index.html",
        "//etc/passwd",
        "/index.html%00",
        "/" + "x" * 300,
        "/" + "x" * 5000,
        "/" + "x/" * 3000 + "x",
        "/%ff",
    ],
)
def test_all_else_is_404(site: Path, path: str) -> None:
    files = StaticFiles(site)
    for _ in range(2):
        assert refusal(files, path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods(site: Path, method: str) -> None:
    error = refusal(StaticFiles(site), "/", method)
    assert (error.status, error.headers) == (405, {"allow": "GET, HEAD"})


def test_a_directory_is_sent_to_its_slash(site: Path) -> None:
    files = StaticFiles(site)
    for method in ("GET", "HEAD"):
        response = ask(files, "/docs?a=1&b", method, root="/static")
        assert (response.status, response.headers["location"]) == (308, "/static/docs/?a=1&b")
    (site / "a b").mkdir()
    (site / "a b" / "index.html").touch()
    assert ask(files, "/a%20b").headers["location"] == "/a%20b/"


def test_the_root_of_a_mount_is_sent_to_its_slash(site: Path) -> None:
    """What is mounted at /static sees "/" for /static, whose links would be relative to "/"."""
    files = StaticFiles(site)
    for target, location in (
        ("/static", "/static/"),
        ("/static?a=1", "/static/?a=1"),
        ("http://host/static", "/static/"),
        ("/static/", None),
    ):
        request = make_request(target)
        request.root = "/static"
        request.head = msgspec.structs.replace(request.head, path="/")
        response = files(request)
        assert response.headers.get("location") == location
        assert response.status == (308 if location else 200)


def test_no_directory_is_sent_elsewhere(site: Path) -> None:
    """A location of two slashes would be another host."""
    for path in ("//docs", "/\\docs", "/%2fdocs", "/%5cdocs", "//evil.example/docs", "/docs/.."):
        assert refusal(StaticFiles(site), path).status == 404


def test_without_an_index_no_directory_answers(site: Path) -> None:
    files = StaticFiles(site, index=None)
    for path in ("/", "/docs", "/docs/"):
        assert refusal(files, path).status == 404
    assert body(ask(files, "/docs/index.html")) == b"<p>docs"


def test_hidden_files_when_asked_for(site: Path) -> None:
    assert body(ask(StaticFiles(site, hidden=True), "/.env")) == b"SECRET=1"
    assert refusal(StaticFiles(site, hidden=True), "/css/..").status == 404


def test_links(site: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (site / "out.txt").symlink_to("../secret")
    (site / "in.txt").symlink_to("css/site.css")
    (site / "loop").symlink_to("loop")
    files = StaticFiles(site)
    assert refusal(files, "/out.txt").status == 404
    assert refusal(files, "/loop").status == 404
    assert body(ask(files, "/in.txt")) == b"p { }"
    following = StaticFiles(site, follow_symlinks=True)
    assert body(ask(following, "/out.txt")) == b"secret"
    assert refusal(following, "/loop").status == 404


def test_pipes_and_devices_are_not_served(site: Path) -> None:
    os.mkfifo(site / "pipe")
    (site / "zero").symlink_to("/dev/zero")
    for follows in (False, True):
        files = StaticFiles(site, follow_symlinks=follows)
        assert refusal(files, "/pipe").status == 404
        assert refusal(files, "/zero").status == 404


# Conditions and ranges...


@pytest.mark.parametrize("path", ["/css/site.css", "/big.bin"])
def test_conditions(site: Path, path: str) -> None:
    files = StaticFiles(site, cache_control="no-cache")
    first = ask(files, path)
    first.close()
    etag = first.headers["etag"]
    for headers in (
        {"if_none_match": etag},
        {"if_none_match": f"W/{etag}"},
        {"if_modified_since": http_date(MODIFIED_S)},
    ):
        response = ask(files, path, **headers)
        assert (response.status, response.body) == (304, b"")
        assert response.headers["etag"] == etag
        assert response.headers["cache-control"] == "no-cache"
        assert "content-type" not in response.headers
    assert refusal(files, path, if_match='"x"').status == 412
    assert refusal(files, path, if_unmodified_since=http_date(MODIFIED_S - 1)).status == 412
    part = ask(files, path, range="bytes=1-2", if_range=etag)
    assert part.status == 206
    assert part.headers["content-range"].startswith("bytes 1-2/")
    assert len(body(part)) == 2
    whole = ask(files, path, range="bytes=1-2", if_range='"x"')
    assert whole.status == 200
    whole.close()
    error = refusal(files, path, range="bytes=999999-")
    assert error.status == 416
    assert error.headers["content-range"].startswith("bytes */")


def test_what_one_request_gets_changes_nothing_for_the_next(site: Path) -> None:
    files = StaticFiles(site)
    first = ask(files, "/css/site.css", range="bytes=0-0")
    first.headers["x-id"] = "1"
    second = ask(files, "/css/site.css")
    assert "x-id" not in second.headers
    assert "content-range" not in second.headers
    assert second.body == b"p { }"


# Encoded siblings...


@pytest.fixture
def packed(site: Path) -> Path:
    for ending, content in {".br": b"br", ".gz": b"gzip", ".zst": b"zst"}.items():
        (site / "css" / f"site.css{ending}").write_bytes(content)
    return site


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("zstd, gzip", "zstd"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("br;q=0, gzip;q=0", None),
        ("*", "br"),
        ("*, br;q=0", "zstd"),
        ("*;q=0, gzip", "gzip"),
        ("identity", None),
        ("deflate", None),
        ("", None),
        ("BR", "br"),
        ("x" * 1000 + ", br", "br"),
    ],
)
def test_the_client_gets_what_it_takes(packed: Path, accept: str, encoding: str | None) -> None:
    files = StaticFiles(packed)
    response = ask(files, "/css/site.css", accept_encoding=accept)
    assert response.headers.get("content-encoding") == encoding
    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert response.headers["vary"] == "accept-encoding"
    expected = {None: b"p { }", "br": b"br", "gzip": b"gzip", "zstd": b"zst"}
    assert body(response) == expected[encoding]


def test_each_encoding_has_its_tag(packed: Path) -> None:
    for name in ("site.css", "site.css.br", "site.css.gz", "site.css.zst"):
        (packed / "css" / name).write_bytes(b"equal")
        os.utime(packed / "css" / name, (MODIFIED_S, MODIFIED_S))
    files = StaticFiles(packed)
    tags = {}
    for encoding in ("identity", "br", "gzip", "zstd"):
        response = ask(files, "/css/site.css", accept_encoding=encoding)
        tags[encoding] = response.headers["etag"]
        again = ask(files, "/css/site.css", accept_encoding=encoding, if_none_match=tags[encoding])
        assert again.status == 304
        assert again.headers["vary"] == "accept-encoding"
        assert "content-encoding" not in again.headers
    assert len(set(tags.values())) == 4
    other = ask(files, "/css/site.css", accept_encoding="br", if_none_match=tags["gzip"])
    assert other.status == 200


def test_large_files_have_siblings_too(site: Path) -> None:
    (site / "big.bin.gz").write_bytes(BIG[:80_000])
    response = ask(StaticFiles(site), "/big.bin", accept_encoding="gzip")
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["etag"].endswith('-gzip"')
    assert body(response) == BIG[:80_000]


def test_a_sibling_of_an_older_state_is_left_aside(packed: Path) -> None:
    (packed / "css" / "site.css").write_bytes(b"new { }")
    for ending in (".br", ".gz", ".zst"):
        os.utime(packed / "css" / f"site.css{ending}", (MODIFIED_S, MODIFIED_S))
    response = ask(StaticFiles(packed), "/css/site.css", accept_encoding="gzip, br")
    assert body(response) == b"new { }"
    assert "vary" not in response.headers


def test_siblings_that_are_no_files_or_lead_out_are_left_aside(site: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (site / "css" / "site.css.br").mkdir()
    (site / "css" / "site.css.gz").symlink_to("../../secret")
    response = ask(StaticFiles(site), "/css/site.css", accept_encoding="gzip, br")
    assert body(response) == b"p { }"


def test_only_the_encodings_that_were_named(packed: Path) -> None:
    for encodings, expected in (((), b"p { }"), (["gzip"], b"gzip"), ("gzip", b"gzip")):
        files = StaticFiles(packed, precompressed=encodings)
        assert body(ask(files, "/css/site.css", accept_encoding="br, gzip")) == expected


# Pages instead...

HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


def test_the_page_of_an_application(site: Path) -> None:
    files = StaticFiles(site, fallback="index.html")
    for path in (
        "/users",
        "/users/17/edit",
        "/users/",
        "/users/jane.doe",
        "/v/1.2",
        "/css",
        "/css/",
    ):
        for accept in (HTML, "*/*", "text/*"):
            response = ask(files, path, accept=accept)
            assert (response.status, body(response)) == (200, b"<p>home"), path
        assert body(ask(files, path)) == b"<p>home"  # no Accept takes anything
        assert ask(files, path, "HEAD", accept=HTML).status == 200
    etag = ask(files, "/a").headers["etag"]
    assert ask(files, "/b", if_none_match=etag).status == 304


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/assets/old-3f2a.js", "*/*"),
        ("/assets/old.CSS", HTML),
        ("/logo.png", HTML),
        ("/about.html", HTML),
        ("/bundle.own", HTML),
        ("/users", "application/json"),
        ("/users", "image/avif,image/*"),
        ("/users", "text/html;q=0"),
        ("/.git/config", HTML),
        ("/a/../b", HTML),
    ],
)
def test_no_page_instead_of_a_file(site: Path, path: str, accept: str) -> None:
    files = StaticFiles(site, fallback="index.html", types={".own": "text/x-own"})
    assert refusal(files, path, accept=accept).status == 404


def test_a_page_for_what_is_not_there(site: Path) -> None:
    files = StaticFiles(site, not_found="404.html", cache_control="immutable")
    for path in ("/nobody", "/nobody.js", "/.env", "/a//b"):
        response = ask(files, path, accept=HTML, if_none_match="*", range="bytes=0-1")
        assert (response.status, body(response)) == (404, b"<p>lost")
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        for name in ("etag", "last-modified", "cache-control", "accept-ranges"):
            assert name not in response.headers
    assert refusal(files, "/nobody", accept="application/json").status == 404
    (site / "404.html").write_bytes(BIG)
    large = ask(StaticFiles(site, not_found="404.html"), "/nobody")
    assert (large.status, body(large)) == (404, BIG)
    (site / "404.html").unlink()
    assert refusal(StaticFiles(site), "/nobody").status == 404


def test_both_pages(site: Path) -> None:
    files = StaticFiles(site, fallback="index.html", not_found="404.html")
    assert ask(files, "/users", accept=HTML).status == 200
    assert ask(files, "/nobody.js", accept=HTML).status == 404


# Headers...


def test_cache_control(site: Path) -> None:
    asked: list[str] = []

    def policy(path: str) -> str | None:
        asked.append(path)
        return "public, max-age=31536000, immutable" if path.startswith("css/") else None

    files = StaticFiles(site, cache_control=policy)
    for _ in range(2):
        assert "immutable" in ask(files, "/css/site.css").headers["cache-control"]
        assert "cache-control" not in ask(files, "/").headers
    large = ask(files, "/big.bin")
    large.close()
    assert asked == ["css/site.css", "index.html", "big.bin"]  # once a look-up
    response = ask(StaticFiles(site, cache_control="no-cache"), "/")
    assert response.headers["cache-control"] == "no-cache"


def test_types_of_one_s_own(site: Path) -> None:
    (site / "a.Own").touch()
    (site / "b.css").touch()
    files = StaticFiles(site, types={".own": "text/x-own", ".CSS": "text/x-css"})
    assert ask(files, "/a.Own").headers["content-type"] == "text/x-own"
    assert ask(files, "/b.css").headers["content-type"] == "text/x-css"


# Changes...


def test_changes_show_at_once_when_nothing_is_remembered(site: Path) -> None:
    files = StaticFiles(site, remember_s=0)
    assert refusal(files, "/new.txt").status == 404
    (site / "new.txt").write_bytes(b"1")
    first = ask(files, "/new.txt")
    (site / "new.txt").write_bytes(b"two")
    second = ask(files, "/new.txt")
    (site / "new.txt").unlink()
    assert (body(first), body(second)) == (b"1", b"two")
    assert first.headers["etag"] != second.headers["etag"]
    assert refusal(files, "/new.txt").status == 404


@pytest.mark.parametrize("name", ["css/site.css", "big.bin"])
def test_a_file_that_changed_since_it_was_found_is_sent_as_it_is(site: Path, name: str) -> None:
    files = StaticFiles(site, remember_s=3600, memory_bytes=0)
    first = ask(files, f"/{name}")
    first.close()
    (site / name).write_bytes(b"short")
    second = ask(files, f"/{name}")
    assert second.headers["etag"] != first.headers["etag"]
    assert body(second) == b"short"
    assert second.status == 200
    (site / name).unlink()
    assert refusal(files, f"/{name}").status == 404
    (site / name).mkdir()
    assert refusal(files, f"/{name}").status == 404


def test_a_large_file_that_a_link_took_the_place_of(site: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"s" * 100_000)
    files = StaticFiles(site, remember_s=3600)
    ask(files, "/big.bin").close()
    (site / "big.bin").unlink()
    (site / "big.bin").symlink_to("../secret")
    assert refusal(files, "/big.bin").status == 404


def test_small_files_are_read_once(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "SETTLED_S", -1.0)
    files = StaticFiles(site, remember_s=0)
    reads = []
    really_read = StaticFiles._read

    def count(self: StaticFiles, name: str) -> Any:
        reads.append(name)
        return really_read(self, name)

    monkeypatch.setattr(files._reads, "_find", lambda name: count(files, name))
    for _ in range(3):
        assert body(ask(files, "/css/site.css")) == b"p { }"
    assert reads == ["css/site.css"]
    (site / "css" / "site.css").write_bytes(b"changed")
    assert body(ask(files, "/css/site.css")) == b"changed"
    assert reads == ["css/site.css"] * 2
    assert "1 files, 7 of" in repr(files)


def test_what_was_written_just_now_is_read_each_time(site: Path) -> None:
    """Two writes within one tick of the clock look the same."""
    files = StaticFiles(site)
    ask(files, "/css/site.css")
    assert "0 files, 0 of" in repr(files)


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "SETTLED_S", -1.0)
    really_read = os.pread

    def grow(fd: int, count: int, offset: int) -> bytes:
        data = really_read(fd, count, offset)
        with (site / "css" / "site.css").open("ab") as file:
            file.write(b"more")
        return data

    files = StaticFiles(site)
    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", grow)
        response = ask(files, "/css/site.css")
    assert isinstance(response, FilePart)
    assert body(response) == b"p { }more"
    assert "0 files" in repr(files)


def test_what_is_our_fault_is_no_404(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    files = StaticFiles(site)
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", fail)
        with pytest.raises(OSError, match="Too many"):
            ask(files, "/")
    assert body(ask(files, "/")) == b"<p>home"  # it was not remembered


def test_a_file_that_may_not_be_read_is_told_to_who_runs_the_server(
    site: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", "site.css")

    files = StaticFiles(site)
    monkeypatch.setattr(os, "open", refuse)
    assert refusal(files, "/css/site.css").status == 404
    (record,) = caplog.records
    assert "may not read it" in record.getMessage()
    assert "site.css" in record.getMessage()


def test_a_large_file_names_itself(site: Path) -> None:
    response = StaticFiles(site)(make_request("/big.bin"))
    assert isinstance(response, FoundFile)
    assert repr(response) == "<Response 200 OK big.bin>"


# Mistakes...


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"directory": "nowhere"}, FileNotFoundError, r"no directory .*nowhere.*__file__"),
        ({"directory": "/nowhere"}, FileNotFoundError, "no directory '/nowhere'$"),
        ({"directory": __file__}, NotADirectoryError, r"is a file.*Response\.file"),
        ({"index": "a/b.html"}, ValueError, "no plain name"),
        ({"index": ".."}, ValueError, "no plain name"),
        ({"index": ""}, ValueError, "no plain name"),
        ({"fallback": "nobody.html"}, FileNotFoundError, "no such file.*build it first"),
        ({"fallback": "../x"}, ValueError, "names no file"),
        ({"fallback": "/index.html"}, ValueError, "names no file"),
        ({"not_found": "docs"}, FileNotFoundError, "not_found='docs'"),
        ({"precompressed": ["deflate"]}, ValueError, "'br', 'zstd', 'gzip'"),
        ({"cache_control": 3600}, TypeError, "a str, a function"),
        ({"cache_control": "a\nb"}, ValueError, "line break"),
        ({"types": {"wasm": "application/wasm"}}, ValueError, r"with its dot, as '\.wasm'"),
        ({"types": {".tar.gz": "application/gzip"}}, ValueError, "no suffix"),
        ({"types": {".wasm": "wasm"}}, ValueError, "no media type"),
    ],
)
def test_mistakes(site: Path, options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        StaticFiles(**{"directory": site, **options})


def test_a_function_that_gives_no_cache_control(site: Path) -> None:
    def policy(path: str) -> Any:
        return 3600

    with pytest.raises(TypeError, match=r"policy|test_static.*returned int for 'index.html'"):
        ask(StaticFiles(site, cache_control=policy), "/")


def test_a_directory_is_kept_when_the_working_directory_changes(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.parent)
    files = StaticFiles("site")
    monkeypatch.chdir("/")
    assert body(ask(files, "/")) == b"<p>home"
