"""Header fields: read from the wire, and checked on their way to it."""

from __future__ import annotations

import pytest

from photon.http.headers import Headers, ResponseHeaders, wire_field

RAW = (
    b"Host: a\r\nACCEPT:\ttext/html \r\nx:\r\naccept: */*\r\n"
    b"Cookie: a=b\r\nCookie: c=d\r\nY: a:b\r\n"
)

# What would end a header, or the head, where it is written.
SPLITTING = [
    "a\r\nSet-Cookie: b=c",
    "a\nb",
    "a\rb",
    "a\r\n\r\n<html>",
    "\r\n",
    "a\0b",
    "a\x7f",
    "\n",
]


@pytest.fixture(params=["from the wire", "from pairs"])
def headers(request: pytest.FixtureRequest) -> Headers:
    if request.param == "from the wire":
        return Headers(RAW)
    lines = RAW.decode().split("\r\n")[:-1]
    pairs = (line.split(":", 1) for line in lines)
    return Headers([(name, value.strip(" \t")) for name, value in pairs])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "a"),
        ("Host", "a"),
        ("x", ""),
        ("y", "a:b"),
        ("accept", "text/html, */*"),
        ("cookie", "a=b; c=d"),
    ],
)
def test_a_field_is_found_by_any_writing_of_its_name(
    headers: Headers, name: str, value: str
) -> None:
    assert headers[name] == headers[name.upper()] == value
    assert name in headers
    assert name.upper() in headers


def test_a_field_that_is_not_there(headers: Headers) -> None:
    assert "z" not in headers
    assert headers.get("z") is None
    assert headers.get_all("z") == []
    with pytest.raises(KeyError):
        headers["z"]


def test_fields_of_one_name_are_also_given_singly(headers: Headers) -> None:
    assert headers.get_all("Accept") == ["text/html", "*/*"]
    assert headers.get_all("COOKIE") == ["a=b", "c=d"]


def test_it_is_a_mapping(headers: Headers) -> None:
    assert list(headers) == ["host", "accept", "x", "cookie", "y"]
    assert len(headers) == 5
    assert headers.pairs()[:3] == [("host", "a"), ("accept", "text/html"), ("accept", "*/*")]
    assert repr(headers).startswith("Headers([('host', 'a')")


def test_what_is_given_out_can_be_changed_without_harm(headers: Headers) -> None:
    headers.get_all("accept").clear()
    headers.pairs().clear()
    assert headers.get_all("accept") == ["text/html", "*/*"]


def test_octets_beyond_ascii_are_kept() -> None:
    headers = Headers(b"x: caf\xc3\xa9\x85\xa0\r\n")
    assert headers["x"].encode("latin-1") == b"caf\xc3\xa9\x85\xa0"


def test_no_headers() -> None:
    assert len(Headers()) == len(Headers(b"")) == len(Headers([])) == 0


# Of responses...


def test_set_replaces_all_of_the_name_where_the_first_stood() -> None:
    headers = ResponseHeaders([("a", "1"), ("B", "2"), ("A", "3"), ("c", "4"), ("a", "5")])
    headers["A"] = "new"
    assert list(headers) == [("a", "new"), ("b", "2"), ("c", "4")]
    headers["d"] = "last"
    assert list(headers)[-1] == ("d", "last")


def test_append_adds_beside_the_others() -> None:
    headers = ResponseHeaders({"Set-Cookie": "a=b"})
    headers.append("set-cookie", "c=d")
    assert headers.get_all("Set-Cookie") == ["a=b", "c=d"]
    assert headers["set-cookie"] == "a=b"
    assert len(headers) == 2


def test_setdefault_keeps_what_is_there() -> None:
    headers = ResponseHeaders([("etag", '"a"')])
    assert headers.setdefault("ETag", '"b"') == '"a"'
    assert headers.setdefault("x", "y") == "y"
    assert list(headers) == [("etag", '"a"'), ("x", "y")]


def test_delete_removes_all_of_the_name_and_never_fails() -> None:
    headers = ResponseHeaders([("a", "1"), ("b", "2"), ("A", "3")])
    del headers["A"]
    del headers["nobody"]
    assert list(headers) == [("b", "2")]
    assert "a" not in headers
    with pytest.raises(KeyError):
        headers["a"]
    assert headers.get("a", "default") == "default"


@pytest.mark.parametrize(
    ("there", "added", "vary"),
    [
        (None, ["Accept"], "Accept"),
        ("Accept", ["accept"], "Accept"),
        ("Accept, Cookie", ["Origin", "cookie"], "Accept, Cookie, Origin"),
        (" ,Accept,", ["Origin"], "Accept, Origin"),
        ("*", ["Origin"], "*, Origin"),
    ],
)
def test_vary_names_nothing_twice(there: str | None, added: list[str], vary: str) -> None:
    headers = ResponseHeaders({} if there is None else {"vary": there})
    headers.add_vary(*added)
    assert headers["vary"] == vary


@pytest.mark.parametrize("value", ["", "a b", "\ta ", "é", "a\tb", '~!"#'])
def test_values_that_can_be_sent(value: str) -> None:
    headers = ResponseHeaders()
    headers["x"] = value
    assert headers["x"] == value.strip(" \t")
    assert wire_field("X", value) == (b"x", value.strip(" \t").encode("latin-1"))


@pytest.mark.parametrize("value", [*SPLITTING, "a\x0bb", "€", "\ud800"])
def test_a_value_cannot_split_the_response(value: str) -> None:
    headers = ResponseHeaders()
    for put in (
        lambda: headers.append("x", value),
        lambda: headers.setdefault("x", value),
        lambda: headers.__setitem__("x", value),
        lambda: headers.add_vary(value),
        lambda: ResponseHeaders({"x": value}),
        lambda: wire_field("x", value),
    ):
        with pytest.raises(ValueError, match="line break"):
            put()
    assert list(headers) == []


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "a\n", "\na", "é", "(a)", "a\0", " a"])
def test_a_name_cannot_split_the_response(name: str) -> None:
    headers = ResponseHeaders()
    for put in (
        lambda: headers.append(name, "x"),
        lambda: headers.setdefault(name, "x"),
        lambda: headers.__setitem__(name, "x"),
    ):
        with pytest.raises(ValueError, match="name of a header"):
            put()
    assert repr(headers) == "ResponseHeaders([])"


def test_a_copy_is_changed_apart() -> None:
    headers = ResponseHeaders({"a": "1"})
    copied = headers.copy()
    copied["a"] = "2"
    copied.append("b", "3")
    assert list(headers) == [("a", "1")]
    assert list(copied) == [("a", "2"), ("b", "3")]


@pytest.mark.parametrize(
    "headers",
    [
        Headers(b"Host: test\r\nAccept: a\r\nX: caf\xe9\r\naccept: b\r\n"),
        Headers([("Host", "test"), ("Accept", "a"), ("X", "caf\xe9"), ("accept", "b")]),
        Headers(),
    ],
)
def test_folded_headers_are_what_they_were(headers: Headers) -> None:
    before = headers.pairs()
    headers.fold()
    headers.fold()
    assert headers.pairs() == before
