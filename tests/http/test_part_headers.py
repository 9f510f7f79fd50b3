"""What the headers of a form and of its parts say, and which are refused."""

from __future__ import annotations

import pytest

from photon.http.errors import BadBody
from photon.http.headers import Headers
from photon.http.part_headers import boundary_of, headers_of, names_of


def names(disposition: str) -> tuple[str, str | None]:
    return names_of(3, Headers([("Content-Disposition", disposition)]))


# The boundary...


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", "abc"),
        ('multipart/form-data; boundary="a b:c"', "a b:c"),
        ("Multipart/Form-Data;Boundary=----WebKitFormBoundaryX", "----WebKitFormBoundaryX"),
        ("multipart/form-data; charset=utf-8; boundary=abc", "abc"),
        ("multipart/form-data; boundary=abc; charset=utf-8", "abc"),
        ("multipart/form-data; boundary=----=_Part_1", "----=_Part_1"),
        ("multipart/form-data; boundary=" + "a" * 70, "a" * 70),
    ],
)
def test_the_boundary_is_found(content_type: str, boundary: str) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("", "has no boundary"),
        ("; boundary", "has no boundary"),
        ("; boundary=", "'' is none by RFC 2046"),
        ('; boundary=""', "'' is none"),
        ("; boundary=" + "a" * 71, "is none"),
        ('; boundary="a "', "is none"),
        ('; boundary="a@b"', "is none"),
        ('; boundary="a\xe4"', "is none"),
        ("; boundary=a; boundary=b", "several boundaries"),
        ("; boundary=a, multipart/form-data; boundary=b", "several boundaries"),
    ],
)
def test_other_boundaries_are_refused(parameters: str, message: str) -> None:
    with pytest.raises(BadBody, match=message):
        boundary_of("multipart/form-data" + parameters)


# The names...


@pytest.mark.parametrize(
    ("disposition", "name", "filename"),
    [
        ('form-data; name="a"', "a", None),
        ('form-data; name=""', "", None),
        ('form-data; name="a"; filename=""', "a", ""),
        ('form-data; name="a"; filename="b.txt"', "a", "b.txt"),
        # as browsers write it: quotes and line breaks are encoded, nothing else is
        ('form-data; name="a%22b"; filename="c%0D%0Ad%22.txt"', 'a"b', 'c\r\nd".txt'),
        ('form-data; name="100%"; filename="%41%5c"', "100%", "%41%5c"),
        ('form-data; name="a;b=c"; filename="d; filename=e"', "a;b=c", "d; filename=e"),
        ('form-data; name="ä"; filename="ö 日本"', "ä", "ö 日本"),
        ('form-data; name="a\\"; filename="b\\"', "a\\", "b\\"),
        # the client's directories are told, and cut by `safe_name` only
        ('form-data; name="a"; filename="C:\\dir\\b.txt"', "a", "C:\\dir\\b.txt"),
        ('form-data; filename="C:\\dir\\b.txt"; name="a"', "a", "C:\\dir\\b.txt"),
        ('form-data; name="a"; filename="../../b"', "a", "../../b"),
        # as others write it
        ("form-data; name=a; filename=b.txt", "a", "b.txt"),
        ("form-data;name=a;filename=b.txt;", "a", "b.txt"),
        ('FORM-DATA; NAME="a"; FileName="b"', "a", "b"),
        ('form-data; filename="b"; name="a"', "a", "b"),
        ('form-data; name="a\\"b"; filename="c\\\\d\\"e"', 'a"b', 'c\\d"e'),
        ('form-data; name="a"; size=3; filename="b"', "a", "b"),
        # RFC 7578 §4.2 forbids it; who sends nothing else means a file all the same
        ("form-data; name=a; filename*=UTF-8''%C3%A4%20b", "a", "ä b"),
        ("form-data; name=a; filename*=utf-8'de'c", "a", "c"),
        ("form-data; name=a; filename*=UTF-8''c; filename=b", "a", "b"),
    ],
)
def test_names_are_read(disposition: str, name: str, filename: str | None) -> None:
    assert names(disposition) == (name, filename)


@pytest.mark.parametrize(
    ("disposition", "message"),
    [
        ("form-data", "part 3 has no name"),
        ('form-data; filename="a"', "part 3 has no name"),
        ('form-data; name="a"; name="b"', "a parameter twice"),
        ('form-data; name="a"; filename="b"; FILENAME=c', "a parameter twice"),
        ('form-data; name="a', "broken Content-Disposition"),
        ('form-data; name="a"; filename="b', "broken"),
        ('form-data; name="a"; filename="b"c"', "broken"),
        ('form-data; name="a" filename="b"', "broken"),
        ("form-data; name=a b", "broken"),
        ("form-data; name=ä", "broken"),
        ('form-data;\tname="a"', "broken"),
        ('form-data; x.y="; filename=b"; name=a', "broken"),
        ('form-data; name=a; x*="; filename=b"', "broken"),
        ("form-data; name=a; filename*=b", "filename. of part 3 is none by RFC 8187"),
        ("form-data; name=a; filename*=latin-1''b", "in 'latin-1'; .* UTF-8 only"),
        ("form-data; name=a; filename*=utf-8''%FF", "filename. of part 3 is not UTF-8"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(disposition: str, message: str) -> None:
    with pytest.raises(BadBody, match=message):
        names(disposition)


@pytest.mark.parametrize(
    "disposition",
    [
        'form-data; name="' + "\\" * 8000,
        "form-data" + "; " * 4000,
        "form-data" + ";a=" * 2500,
        "form-data; name=a" + ' ;b="\\"' * 1000,
        "form-data;" + " " * 8000 + "x",
        "form-data; " + "a" * 8000,
    ],
)
def test_no_header_takes_long(disposition: str) -> None:
    with pytest.raises(BadBody):
        names(disposition)


# Other headers...


def test_headers_are_a_mapping_that_ignores_case() -> None:
    headers = headers_of(1, [("Content-Disposition", "form-data "), ("X-Of-Mine", "ä\tb")])
    assert headers["content-disposition"] == "form-data"
    assert headers["x-of-mine"] == "ä\tb"


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("Content-Type", "a/b"), ("Content-Type", "c/d")], "part 2 has several .*content-type"),
        ([("Content-Disposition", "a")] * 2, "several headers content-disposition"),
        ([("X", "a\rb")], "control character in its header x"),
        ([("X", "a\0")], "control character"),
        ([("X", "a\nb")], "control character"),
    ],
)
def test_headers_that_are_not_clear_are_refused(pairs: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(BadBody, match=message):
        headers_of(2, pairs)
