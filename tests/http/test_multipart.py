"""Forms part by part, as they come."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from photon.http.errors import BadBody, BodyTooLarge, HTTPError, PartTooLarge
from photon.http.form_rules import FormLimits
from photon.http.request import Request
from tests.http.form_bodies import (
    BOUNDARY,
    File,
    bytewise,
    closing,
    encode,
    form_request,
    part,
)
from tests.http.requests import make_request

TWO = encode([("a", "one"), ("b", File("b.txt", b"two\r\n--", "Text/Plain; x=y"))])


def read_parts(request: Request) -> list[tuple[str, str | None, bytes]]:
    return [(part.name, part.filename, part.read()) for part in request.parts()]


def read_fully(request: Request, limits: FormLimits | None) -> None:
    for each in request.parts(limits):
        if each.filename is None:
            each.text()
        else:
            each.read()


def refusal(*pieces: bytes, limits: FormLimits | None = None) -> HTTPError:
    """How a body is refused when all of it is read; byte by byte it is the same."""
    refused = []
    for body in (pieces, bytewise(b"".join(pieces))[:20_000]):
        with pytest.raises(HTTPError) as caught:
            read_fully(form_request(*body), limits)
        refused.append(caught.value)
    assert str(refused[0]) == str(refused[1])
    return refused[0]


# What comes...


@pytest.mark.parametrize("split", [lambda body: [body], bytewise], ids=["whole", "bytewise"])
def test_parts_come_with_their_names(split: Callable[[bytes], list[bytes]]) -> None:
    parts = form_request(*split(TWO)).parts()
    first = next(parts)
    assert (first.name, first.filename, first.content_type) == ("a", None, "text/plain")
    assert repr(first) == "<Part 1 'a', 0 bytes unread>"
    assert first.text() == "one"
    assert repr(first) == "<Part 1 'a', 3 bytes read>"
    second = next(parts)
    assert (second.name, second.filename, second.content_type) == ("b", "b.txt", "text/plain")
    assert second.headers["content-type"] == "Text/Plain; x=y"
    assert (second.safe_name, second.number) == ("b.txt", 2)
    assert b"".join(second.chunks()) == b"two\r\n--"
    assert next(parts, None) is None


def test_nothing_is_asked_for_before_it_is_needed() -> None:
    big = part('form-data; name="b"', content=b"x" * 100)
    request = form_request(part('form-data; name="a"', content=b"1")[:-2], b"\r\n" + big, closing())
    parts = request.parts()
    first = next(parts)
    assert request._source._taken < 90
    assert first.read() == b"1"
    assert [each.name for each in parts] == ["b"]


def test_what_is_not_read_is_skipped() -> None:
    body = encode([("a", "x" * 9), ("b", File("b", b"y" * 9)), ("c", "z")])
    for pieces in ([body], bytewise(body)):
        assert [part.name for part in form_request(*pieces).parts()] == ["a", "b", "c"]
        half = []
        for each in form_request(*pieces).parts():
            half.append(next(each.chunks())[:1])
        assert half == [b"x", b"y", b"z"]


def test_a_part_that_is_skipped_may_be_of_any_size() -> None:
    request = form_request(encode([("a", "x" * 100), ("b", "y")]))
    parts = request.parts(FormLimits(field_bytes=10))
    assert next(parts).name == "a"
    assert next(parts).read() == b"y"


def test_an_empty_form_has_no_parts() -> None:
    assert read_parts(form_request(closing())) == []
    assert read_parts(form_request(f"--{BOUNDARY}--".encode())) == []


def test_what_stands_after_the_parts_is_no_part() -> None:
    """RFC 2046 §5.1.1: an epilogue is to be ignored."""
    for body in (TWO + b"epilogue", b"\r\n" + TWO, TWO + TWO, TWO[:-2]):
        for pieces in ([body], bytewise(body)):
            request = form_request(*pieces)
            assert [name for name, _, _ in read_parts(request)] == ["a", "b"]
            assert request._source._complete


def test_parts_of_one_name_and_of_none_are_given_as_they_come() -> None:
    body = encode([("a", "1"), ("", "2"), ("a", File("", b"")), ("a", "3")])
    assert read_parts(form_request(body)) == [
        ("a", None, b"1"),
        ("", None, b"2"),
        ("a", "", b""),
        ("a", None, b"3"),
    ]


def test_content_that_looks_like_a_boundary_is_content() -> None:
    content = f"\r\n--{BOUNDARY[:-1]}\r\n--\r\r\n--{BOUNDARY.upper()}\r\n-".encode()
    body = encode([("a", File("a", content))])
    for pieces in ([body], bytewise(body)):
        assert read_parts(form_request(*pieces)) == [("a", "a", content)]


# Each once...


def test_a_part_is_read_once() -> None:
    (each,) = parts = list(form_request(encode([("a", "x")])).parts())
    assert parts
    with pytest.raises(RuntimeError, match=r"part 1 \('a'\) was passed by .* request.form\(\)"):
        each.read()
    for each in form_request(encode([("a", "x")])).parts():
        each.read()
        with pytest.raises(RuntimeError, match=r"part 1 \('a'\) was read already .*: read it once"):
            each.chunks()


def test_who_reads_on_in_a_part_that_was_passed_by_is_told() -> None:
    parts = form_request(*bytewise(encode([("a", "xyz"), ("b", "c")]))).parts()
    chunks = next(parts).chunks()
    assert next(chunks) == b"x"
    second = next(parts)
    with pytest.raises(RuntimeError, match=r"part 1 .* was passed by"):
        next(chunks)
    assert second.read() == b"c"


# What is refused...


def test_another_content_type_is_refused_at_once() -> None:
    for kind in ("application/x-www-form-urlencoded", "multipart/mixed; boundary=a"):
        with pytest.raises(HTTPError, match="expected here: multipart/form-data") as refused:
            form_request(content_type=kind).parts()
        assert refused.value.status == 415
        assert refused.value.headers == {"accept": "multipart/form-data"}
    with pytest.raises(HTTPError, match="the body has no Content-Type"):
        make_request(method="POST").parts()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not complete: it ends before part 1"),
        (b"abc", "does not begin with its boundary '--" + BOUNDARY),
        (b"\r\n", "not complete: it ends before part 1"),
        (b"preamble\r\n" + TWO, "does not begin with its boundary"),
        (b"preamble " * 100 + TWO, "does not begin with its boundary"),
        (TWO[:10], "not complete: it ends before part 1"),
        (TWO.replace(BOUNDARY.encode(), b"other"), "does not begin with its boundary"),
        (TWO.replace(b"boundary\r\n", b"boundaryx\r\n", 1), "after first boundary, at part 1"),
        (TWO[: len(BOUNDARY) + 30], "it ends before part 1, without closing boundary"),
        (TWO[: TWO.index(b"one") + 1], "it ends in part 1, without closing boundary"),
        (TWO[: TWO.index(b"two") + 1], "it ends in part 2, without closing boundary"),
        (TWO[:-4], "it ends in part 2, without closing boundary"),
        (b"x" + TWO, "does not begin with its boundary"),
        (TWO.replace(b"-boundary\r\n", b"-boundary\n"), "after first boundary, at part 1"),
        (TWO.replace(b"one\r\n", b"one\r\n--" + BOUNDARY.encode() + b"x"), "boundary, at part 1"),
        (part("form-data", content=b"x") + closing(), "part 1 has no name"),
        (part('attachment; name="a"') + closing(), "wrong type, at part 1"),
        (b"--" + BOUNDARY.encode() + b"\r\n\r\nx\r\n" + closing(), "missing content-disposition"),
        (part("form-data; name=a", "nonsense") + closing(), "malformed segment header, at part 1"),
        (part("form-data; name=a", "a b: c") + closing(), "invalid segment header name"),
        (
            part("form-data; name=a", *["X: y"] * 32) + closing(),
            "more than 32 .* headers, at part 1",
        ),
        (part("form-data; name=a", " folded") + closing(), "folded segment header, at part 1"),
        (part("form-data; name=a", "X: \r") + closing(), "control character in its header x"),
        (part("form-data; name=a").replace(b"=a", b"=\xff") + closing(), "failed to decode"),
        (part("form-data; name=a", "Content-Length: 2", content=b"x") + closing(), "size does not"),
        (part("form-data; name=a", "Content-Type: a/b", "content-type: c/d") + closing(), "sever"),
        (part("form-data; name=a", content=b"\xff") + closing(), r"part 1 \('a'\) is not UTF-8"),
        (encode([("a", "b"), ("_charset_", "latin-1")]), "the form is said to be in 'latin-1'"),
        (
            part("form-data; name=a", "Content-Type: text/plain; charset=latin-1") + closing(),
            r"part 1 \('a'\) is said to be in 'latin-1'",
        ),
        (
            part("form-data; name=a", "Content-Type: multipart/mixed; boundary=b") + closing(),
            r"part 1 \('a'\) is a multipart within the form; send each of its files",
        ),
        (
            part("form-data; name=a", "Content-Transfer-Encoding: base64") + closing(),
            r"part 1 \('a'\) is in the transfer encoding 'base64'; send it as it is",
        ),
    ],
)
def test_broken_bodies_are_refused_with_the_place(body: bytes, message: str) -> None:
    refused = refusal(body)
    assert isinstance(refused, BadBody)
    assert re.search(message, str(refused))


def test_encodings_that_change_nothing_are_taken() -> None:
    headers = ("Content-Type: text/plain; charset=UTF-8", "Content-Transfer-Encoding: 8bit")
    body = part('form-data; name="a"', *headers, content="ä".encode()) + closing()
    assert [each.text() for each in form_request(body).parts()] == ["ä"]


def test_a_file_may_be_a_multipart() -> None:
    kind = "multipart/related; boundary=b"
    body = encode([("a", File("page.mht", b"--b--", kind))])
    assert [each.content_type for each in form_request(body).parts()] == ["multipart/related"]


@pytest.mark.parametrize("count", [1001, 10_000])
def test_there_are_not_too_many_parts(count: int) -> None:
    with pytest.raises(HTTPError, match="more than 1000 parts") as refused:
        read_parts(form_request(encode([("a", "b")] * count)))
    assert refused.value.status == 400
    assert len(read_parts(form_request(encode([("a", "b")] * 1000)))) == 1000


def test_there_are_not_too_many_files() -> None:
    limits = FormLimits(files=2)
    refused = refusal(encode([("a", "b"), *[("a", File("b", b""))] * 3]), limits=limits)
    assert (refused.status, refused.detail) == (400, "the form has more than 2 files")


@pytest.mark.parametrize(
    ("value", "what"),
    [("x" * 11, "part 2 ('a')"), (File("b", b"x" * 11), "part 2 ('a')")],
)
def test_no_part_is_too_large(value: str | File, what: str) -> None:
    limits = FormLimits(field_bytes=10, file_bytes=10)
    refused = refusal(encode([("a", "x" * 10), ("a", value)]), limits=limits)
    assert isinstance(refused, PartTooLarge)
    assert refused.detail == f"{what} is larger than the limit of 10 bytes"
    assert (refused.status, refused.limit, refused.part) == (413, 10, 2)


@pytest.mark.parametrize(
    "headers",
    [
        ["X: " + "a" * 9000],
        ["X: " + "a" * 300] * 30,
        ["X-" + "a" * 9000 + ": y"],
        ["X" * 9000],
    ],
)
def test_headers_of_a_part_are_not_too_large(headers: list[str]) -> None:
    body = encode([("a", "b")])[: -len(closing())] + part("form-data; name=c", *headers) + closing()
    refused = refusal(body)
    assert refused.detail == "the header section of part 2 is larger than the limit of 8192 bytes"
    assert refused.status == 413


def test_headers_are_counted_for_each_part() -> None:
    each = part("form-data; name=a", *["X: " + "a" * 200] * 31)
    assert len(read_parts(form_request(each * 5 + closing()))) == 5


def test_the_limit_of_the_body_counts() -> None:
    request = form_request(*bytewise(TWO), limit_bytes=len(TWO) - 1)
    with pytest.raises(BodyTooLarge):
        read_parts(request)


def test_who_reads_a_part_says_how_much_he_takes() -> None:
    parts = form_request(encode([("a", "x" * 11), ("b", "y")])).parts()
    with pytest.raises(PartTooLarge, match=r"part 1 \('a'\) .* 10 bytes"):
        next(parts).read(10)
    assert next(parts).read() == b"y"


def test_parts_are_asked_for_once() -> None:
    request = form_request(TWO)
    read_parts(request)
    with pytest.raises(RuntimeError, match="one way, once"):
        request.parts()


# Saving...


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_a_part_is_saved_as_it_comes(size: int, tmp_path: Path) -> None:
    content = os.urandom(size)
    body = encode([("a", File("../../b", content)), ("c", "d")])
    pieces = [body[i : i + 65536] for i in range(0, len(body), 65536)]
    parts = form_request(*pieces).parts()
    first = next(parts)
    assert first.save_to(tmp_path / first.safe_name) == size
    assert (tmp_path / "b").read_bytes() == content
    assert os.listdir(tmp_path) == ["b"]
    assert next(parts).read() == b"d"


def test_a_part_that_breaks_off_is_not_saved(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"old")
    body = encode([("a", File("b", b"x" * 3_000_000))])
    with pytest.raises(BadBody, match="in part 1"):
        next(form_request(body[:-100]).parts()).save_to(tmp_path / "b")
    assert os.listdir(tmp_path) == ["b"]
    assert (tmp_path / "b").read_bytes() == b"old"
