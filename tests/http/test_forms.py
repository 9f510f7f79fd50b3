"""Forms as a whole: by their names, within their limits, gone with their request."""

from __future__ import annotations

import errno
import logging
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.http import spool as spool_module
from photon.http.errors import BadBody, BodyTooLarge, HTTPError, PartTooLarge
from photon.http.forms import Form, FormLimits, read_form
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.http.server.settings import Limits
from photon.http.spool import AnonymousFile
from photon.http.uploads import UploadFile
from tests.clients import Client, expect_no_leaks, request, settings, wait_until
from tests.http.form_bodies import TYPE, File, bytewise, encode, form_request
from tests.http.open_files import descriptors
from tests.http.requests import make_request

URLENCODED = "application/x-www-form-urlencoded"


def file(form: Form, name: str) -> UploadFile:
    value = form[name]
    assert isinstance(value, UploadFile)
    return value


def entries(form: Form) -> list[tuple[str, object]]:
    """All of a form, comparable; its files are closed."""
    with form:
        return [
            (name, value)
            if isinstance(value, str)
            else (name, (value.filename, value.content_type, value.size, value.read()))
            for name, value in form.pairs()
        ]


# By their names...


@pytest.mark.parametrize("pieces", [1, 1000])
def test_a_multipart_form_is_a_mapping(pieces: int) -> None:
    body = encode(
        [("a", "1"), ("b", File("x/b.txt", b"two", "text/plain; charset=utf-8")), ("a", "ä\r\n")]
    )
    form = read_form(form_request(*([body] if pieces == 1 else bytewise(body))))
    assert list(form) == ["a", "b"]
    assert len(form) == 2
    assert form["a"] == "ä\r\n"
    assert form.get_all("a") == ["1", "ä\r\n"]
    assert form.get_all("c") == []
    assert form.get("c") is None
    upload = file(form, "b")
    assert (upload.name, upload.filename, upload.content_type) == ("b", "x/b.txt", "text/plain")
    assert upload.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert form.pairs() == [("a", "1"), ("a", "ä\r\n"), ("b", upload)]
    assert form.files == [upload]
    assert repr(form) == f"Form([('a', '1'), ('a', 'ä\\r\\n'), ('b', {upload!r})])"
    with form:
        assert upload.read() == b"two"
    assert upload.closed


@pytest.mark.parametrize("kind", [URLENCODED, URLENCODED.upper() + ';charset="UTF-8"'])
def test_an_urlencoded_form_is_one_too(kind: str) -> None:
    form = read_form(form_request(*bytewise(b"a=1&b=%C3%A4+b&a=2"), content_type=kind))
    assert form == {"a": "2", "b": "ä b"}
    assert form.get_all("a") == ["1", "2"]
    assert form.files == []


def test_what_a_route_says_holds_where_nobody_gives_limits() -> None:
    body = b"a=1&b=2"
    request = form_request(body, content_type=URLENCODED)
    request.limit_form(FormLimits(parts=1))
    with pytest.raises(HTTPError, match="400"):
        request.form()
    request = form_request(body, content_type=URLENCODED)
    request.limit_form(FormLimits(parts=1))
    assert len(request.form(FormLimits(parts=2))) == 2


def test_an_empty_body_is_an_empty_urlencoded_form() -> None:
    assert read_form(form_request(content_type=URLENCODED)) == {}
    assert read_form(make_request("/", {"Content-Type": URLENCODED})) == {}


def test_a_file_field_that_was_left_empty_is_false() -> None:
    with read_form(
        form_request(encode([("a", File("", b"", "application/octet-stream"))]))
    ) as form:
        assert not form["a"]
        assert file(form, "a").filename == ""


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="%"), max_size=9)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
CONTENT = st.binary(max_size=300) | st.lists(
    st.sampled_from([b"\r\n--", b"--", b"\r", b"\n", b"----test-boundary", b"x" * 70])
).map(b"".join).filter(lambda content: b"\r\n------test-boundary" not in content)
FILES = st.builds(File, NAMES, CONTENT, st.sampled_from([None, "image/png", "a/b; c=d"]))
ENTRIES = st.lists(st.tuples(NAMES, TEXTS | FILES), max_size=8)


@given(ENTRIES, st.data())
def test_what_was_sent_is_read_however_it_comes(
    sent: list[tuple[str, str | File]], data: st.DataObject
) -> None:
    body = encode(sent)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=20)))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    by_name: dict[str, list[tuple[str, object]]] = {}
    for name, value in sent:
        expected: object = value
        if isinstance(value, File):
            kind = (value.content_type or "text/plain").partition(";")[0]
            expected = (value.filename, kind, len(value.content), value.content)
        by_name.setdefault(name, []).append((name, expected))
    wanted = [pair for pairs in by_name.values() for pair in pairs]
    limits = FormLimits(spool_bytes=data.draw(st.sampled_from([0, 20, 1 << 20])))
    assert entries(read_form(form_request(*pieces), limits)) == wanted
    assert entries(read_form(form_request(*bytewise(body)))) == wanted
    streamed = [(part.name, part.filename, part.read()) for part in form_request(*pieces).parts()]
    assert streamed == [
        (name, value.filename, value.content)
        if isinstance(value, File)
        else (name, None, value.encode())
        for name, value in sent
    ]


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from('\r\n"\\;=')))
def test_names_that_browsers_encode_are_as_they_were(name: str) -> None:
    if "%0D" in name or "%0A" in name or "%22" in name:
        return  # browsers write these as they write what they stand for
    with read_form(form_request(encode([(name, File(name, b""))]))) as form:
        assert (list(form), form.files[0].filename) == ([name], name)


@given(st.binary())
def test_no_body_is_more_than_refused(body: bytes) -> None:
    begin = encode([("a", "b"), ("c", File("d", b"e"))])[:-20]
    for broken in (body, begin + body, body.join([begin[:70], begin[70:]])):
        for kind in (TYPE, URLENCODED):
            with suppress(BadBody, PartTooLarge):
                read_form(form_request(broken, content_type=kind)).close()


# Within their limits...


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("application/json", "the body is 'application/json'"),
        ("", "the body has no Content-Type"),
        ("multipart/mixed; boundary=a", "the body is 'multipart/mixed'"),
    ],
)
def test_what_is_no_form_is_refused(kind: str, what: str) -> None:
    with pytest.raises(HTTPError) as refused:
        read_form(form_request(b"{}", content_type=kind))
    accepted = f"{URLENCODED} or multipart/form-data"
    assert refused.value.detail == f"{what}; a form is expected here: {accepted}"
    assert refused.value.status == 415
    assert refused.value.headers == {"accept": f"{URLENCODED}, multipart/form-data"}


def test_an_urlencoded_form_in_another_encoding_is_refused() -> None:
    with pytest.raises(BadBody, match="the form is said to be in 'iso-8859-1'"):
        read_form(form_request(b"a=b", content_type=f"{URLENCODED}; charset=iso-8859-1"))


def test_an_urlencoded_form_is_not_too_large() -> None:
    limits = FormLimits(memory_bytes=9)
    assert read_form(form_request(b"a=1234567", content_type=URLENCODED), limits)
    with pytest.raises(BodyTooLarge, match="9 bytes"):
        read_form(form_request(b"a=1234567", b"8", content_type=URLENCODED), limits)


def test_fields_are_not_too_large_together() -> None:
    limits = FormLimits(memory_bytes=10)
    body = encode([("a", "x" * 5), ("b", File("b", b"y" * 100)), ("c", "x" * 5)])
    with read_form(form_request(body), limits) as form:
        assert not file(form, "b").is_in_memory
    with pytest.raises(PartTooLarge, match=r"up to part 2 \('d'\), without the files, is larger"):
        read_form(form_request(encode([("a", "x" * 6), ("d", "x" * 5)])), limits)


def test_files_are_kept_in_memory_while_they_are_small_and_few() -> None:
    limits = FormLimits(spool_bytes=10, memory_bytes=25)
    sizes = [10, 11, 10, 5, 1]
    body = encode([("f", File(str(size), b"x" * size)) for size in sizes])
    with read_form(form_request(body), limits) as form:
        assert [upload.is_in_memory for upload in form.files] == [True, False, True, True, False]
        assert [upload.size for upload in form.files] == sizes
        assert [len(upload.read()) for upload in form.files] == sizes


def test_files_of_a_form_that_is_refused_are_closed() -> None:
    before = descriptors()
    limits = FormLimits(spool_bytes=0, file_bytes=10)
    sent: list[tuple[str, str | File]] = [("a", File("a", b"x")), ("b", File("b", b"x"))]
    for body in (encode(sent)[:-24], encode([*sent, ("c", File("c", b"x" * 11))])):
        with pytest.raises(HTTPError):
            read_form(form_request(body), limits)
        assert descriptors() <= before


# With their request...


def test_a_request_reads_its_form_once() -> None:
    asked = form_request(encode([("a", "1")]))
    assert asked.form() is asked.form()
    assert asked.form() == {"a": "1"}
    with pytest.raises(RuntimeError, match="one way, once"):
        asked.body()
    asked = form_request(b"a=1", content_type=URLENCODED)
    assert asked.body() == b"a=1"
    assert asked.form() == {"a": "1"}


def test_a_request_takes_limits() -> None:
    body = encode([("a", "123")])
    with pytest.raises(PartTooLarge):
        form_request(body).form(FormLimits(field_bytes=2))
    with pytest.raises(PartTooLarge):
        next(form_request(body).parts(FormLimits(field_bytes=2))).read()


def test_files_are_there_until_the_response_was_sent() -> None:
    before = descriptors()
    kept: list[UploadFile] = []

    def handle(request: Request) -> Response:
        upload = file(request.form(FormLimits(spool_bytes=10)), "f")
        kept.append(upload)
        return Response(upload.read())

    body = encode([("f", File("f", b"x" * 100))])
    with serve(handle) as server, Client(server) as client:
        for _ in range(2):
            client.send(request("POST", "/", f"Content-Type: {TYPE}", body=body))
            assert client.answer().body == b"x" * 100
        wait_until(lambda: len(kept) == 2 and all(upload.closed for upload in kept))
        assert descriptors() <= before


def test_an_upload_beyond_the_servers_limit_is_taken_where_it_is_allowed() -> None:
    def handle(request: Request) -> Response:
        if request.path == "/large":
            request.limit_body(10_000_000)
        return Response(str(file(request.form(), "f").size))

    body = encode([("f", File("f", b"x" * 3_000_000))])
    with serve(handle, settings=settings(limits=Limits(body_bytes=1000))) as server:
        with Client(server) as client:
            client.send(request("POST", "/large", f"Content-Type: {TYPE}", body=body))
            assert client.answer().body == b"3000000"
        with Client(server) as client:
            head = request("POST", "/", f"Content-Type: {TYPE}", f"Content-Length: {len(body)}")
            client.send(head)
            assert client.answer().status == 413
        expect_no_leaks(server)


@pytest.mark.parametrize("how", ["form", "parts"])
def test_a_client_that_is_gone_half_way_leaves_nothing(how: str, tmp_path: Path) -> None:
    before = descriptors()
    ended: list[str] = []
    begun: list[Request] = []

    def handle(request: Request) -> Response:
        begun.append(request)
        try:
            if how == "form":
                request.form(FormLimits(spool_bytes=10))
            else:
                for part in request.parts():
                    part.save_to(tmp_path / part.safe_name)
        except BaseException as error:
            ended.append(type(error).__name__)
            raise
        return Response("not reached")

    body = encode([("f", File("f", b"x" * 3_000_000)), ("g", File("g", b"y" * 3_000_000))])
    with serve(handle) as server:
        client = Client(server)
        half = 1_500_000 if how == "parts" else 4_000_000
        client.send(request("POST", "/", f"Content-Type: {TYPE}", body=body)[:half])
        wait_until(lambda: begun)
        client.close()
        wait_until(lambda: ended)
        assert ended[0] in ("ClientDisconnected", "Cancelled")
        expect_no_leaks(server)
    begun.clear()
    wait_until(lambda: descriptors() <= before)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_a_500_that_the_operator_learns_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = descriptors()

    def full(file: AnonymousFile, data: memoryview) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spool_module, "_write", full)

    def handle(request: Request) -> Response:
        return Response(repr(request.form()))

    body = encode([("f", File("f", b"x" * 2_000_000))])
    with serve(handle) as server, Client(server) as client, caplog.at_level(logging.ERROR):
        client.send(request("POST", "/", f"Content-Type: {TYPE}", body=body))
        assert client.answer().status == 500
    assert "No space left on device" in caplog.text
    assert "set TMPDIR for another" in caplog.text
    caplog.clear()
    wait_until(lambda: descriptors() <= before)
