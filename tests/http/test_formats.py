"""Formats, and which of them a request is answered in."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.http import formats as rooms
from photon.http.errors import BadBody, HTTPError
from photon.http.formats import (
    JSON,
    MESSAGEPACK,
    YAML,
    Format,
    format_of,
    formats_named,
    negotiate,
)
from tests.http.requests import make_request

ALL = (JSON, MESSAGEPACK, YAML)


class Item(msgspec.Struct):
    name: str
    price: Decimal
    born: date
    at: datetime
    key: UUID
    raw: bytes = b""
    tags: set[str] = set()
    count: int | None = None


ITEM = Item(
    "no",
    Decimal("1.5"),
    date(2024, 2, 29),
    datetime(2024, 1, 1, 12, 30, tzinfo=UTC),
    UUID(int=5),
    b"\x00\xff",
    {"a"},
)


@pytest.fixture(params=ALL, ids=lambda each: each.name)
def each_format(request: pytest.FixtureRequest) -> Format:
    assert isinstance(request.param, Format)
    return request.param


# There and back...


def test_what_is_encoded_is_decoded_again(each_format: Format) -> None:
    assert each_format.decode(each_format.encode([ITEM]), list[Item], True) == [ITEM]


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
@given(value=_VALUES)
def test_plain_values_come_back_as_they_were(each: Format, value: Any) -> None:
    assert each.decode(each.encode(value)) == value


def test_a_value_that_cannot_be_encoded_is_named(each_format: Format) -> None:
    with pytest.raises(TypeError, match="Encoding objects of type object is unsupported"):
        each_format.encode(object())


def test_what_is_no_number_anywhere_is_null_in_text() -> None:
    for each in (JSON, YAML):
        assert each.decode(each.encode([float("nan"), float("-inf")])) == [None, None]


# Another shape...


def test_data_of_another_shape_is_told_where(each_format: Format) -> None:
    data = each_format.encode([{"name": 1}])
    with pytest.raises(msgspec.ValidationError, match=r"got `int` - at `\$\[0\].name`"):
        each_format.decode(data, list[Item], True)


def test_text_is_a_number_when_that_is_wanted(each_format: Format) -> None:
    data = each_format.encode({"a": "1"})
    assert each_format.decode(data, dict[str, int], False) == {"a": 1}
    with pytest.raises(msgspec.ValidationError):
        each_format.decode(data, dict[str, int], True)


# Broken data...

BROKEN_JSON = [
    (b"", "it ends too early at line 1, column 1 (byte 0)"),
    (b'{"a":', "it ends too early at line 1, column 6 (byte 5)"),
    (b'{\n "a": x}', "invalid character at line 2, column 7 (byte 8)"),
    (b"[1]\n\n2", "trailing characters at line 3, column 1 (byte 5)"),
    (b"[NaN]", "invalid character at line 1, column 2 (byte 1)"),
    (b"[Infinity]", "invalid character at line 1, column 2 (byte 1)"),
    (b'"\xc3\xa4\xc3\xa4" x', "trailing characters at line 1, column 6 (byte 7)"),
    (b'["a",\n "b\xff"]', "bytes that are not UTF-8 at line 2, column 4 (byte 9)"),
    (b'\xef\xbb\xbf{"a":1}', "invalid character at line 1, column 1 (byte 0)"),
]


@pytest.mark.parametrize(("data", "says"), BROKEN_JSON)
def test_broken_json_is_told_where(data: bytes, says: str) -> None:
    with pytest.raises(BadBody) as refused:
        JSON.decode(data)
    assert refused.value.detail == f"the body is not JSON: {says}"
    extra = refused.value.extra
    assert f"line {extra['line']}, column {extra['column']} (byte {extra['byte']})" in says


BROKEN_MSGPACK = [
    (b"", "it ends too early at byte 0"),
    (b"\x92\x01", "it ends too early at byte 2"),
    (b"\xc1", "invalid opcode '\\xc1' at byte 0"),
    (b"\x01\x02", "trailing characters at byte 1"),
    (b"\x92\x01\xa2a\xff", "a string that is not UTF-8 at byte 4"),
    (b"\x81\x80\x01", "map keys must be hashable at byte 3"),
    (b"\xdd\xff\xff\xff\xff", "it ends too early at byte 5"),
    (b"\xdf\xff\xff\xff\xff\x01", "it ends too early at byte 6"),
    (b"\xc6\xff\xff\xff\xff", "it ends too early at byte 5"),
]


@pytest.mark.parametrize(("data", "says"), BROKEN_MSGPACK)
def test_broken_messagepack_is_told_where(data: bytes, says: str) -> None:
    with pytest.raises(BadBody) as refused:
        MESSAGEPACK.decode(data)
    assert refused.value.detail == f"the body is not MessagePack: {says}"
    assert says.endswith(f"byte {refused.value.extra['byte']}")


class Nested(msgspec.Struct):
    a: Nested | None = None


DEEP = 10_000
DEEPLY_NESTED = [
    (JSON, b"[" * DEEP + b"]" * DEEP),
    (JSON, b'{"a":' * DEEP + b"null" + b"}" * DEEP),
    (MESSAGEPACK, b"\x91" * DEEP + b"\xc0"),
    (MESSAGEPACK, b"\x81\xa1a" * DEEP + b"\xc0"),
    (YAML, b"[" * DEEP + b"]" * DEEP),
    (YAML, b"{a: " * DEEP + b"}" * DEEP),
    (YAML, b"- " * DEEP),
    (YAML, b"\n".join(b" " * level + b"a:" for level in range(1000))),
]


@pytest.mark.parametrize(("each", "data"), DEEPLY_NESTED, ids=lambda _: "")
@pytest.mark.parametrize("type", [Any, Nested, list[Any]])
def test_nesting_without_end_is_refused(each: Format, data: bytes, type: Any) -> None:
    with pytest.raises((BadBody, msgspec.ValidationError)) as refused:
        each.decode(data, type, True)
    if isinstance(refused.value, BadBody):
        assert "nested too deeply" in str(refused.value)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
@given(data=st.binary(max_size=40) | st.text(st.sampled_from('{}[]:,"-? \n&*!|>01aä.~')))
def test_no_data_is_any_other_error(each: Format, data: bytes | str) -> None:
    try:
        each.decode(data.encode() if isinstance(data, str) else data)
    except (BadBody, msgspec.ValidationError):
        pass


# Naming formats...


def test_formats_go_by_their_names() -> None:
    own = Format(name="own", media_types=("text/own",), encode=repr_bytes, decode=JSON.decode)
    assert formats_named("json", own, "msgpack", "yaml") == (JSON, own, MESSAGEPACK, YAML)
    assert formats_named() == ()
    assert repr(own) == "<Format own text/own>"


def repr_bytes(value: Any) -> bytes:
    return repr(value).encode()


def test_an_unknown_name_is_an_error_that_says_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no format 'xml': name one of json, msgpack, yaml, or"):
        formats_named("json", "xml")


def test_yaml_without_pyyaml_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install photon-web\[yaml\]"):
        formats_named("yaml")
    monkeypatch.delitem(sys.modules, "photon.http.yaml_text", raising=False)
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install photon-web\[yaml\]"):
        YAML.encode(1)


@pytest.mark.parametrize("media_types", [(), ("yaml",)])
def test_a_format_has_media_types(media_types: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="media type"):
        Format(name="own", media_types=media_types, encode=repr_bytes, decode=JSON.decode)


# For a response...

NEGOTIATED = [
    ({}, JSON),
    ({"Accept": "*/*"}, JSON),
    ({"Accept": "text/html, */*;q=0.1"}, JSON),
    ({"Accept": "application/yaml"}, YAML),
    ({"Accept": "text/yaml;q=0.5, application/x-msgpack"}, MESSAGEPACK),
    ({"Accept": "application/vnd.msgpack, application/json;q=0.9"}, MESSAGEPACK),
    ({"Accept": "text/*"}, YAML),
    ({"Accept": "application/json;q=0, */*"}, MESSAGEPACK),
    ({"Accept": "a/b," * 200 + "application/yaml"}, YAML),
]


@pytest.mark.parametrize(("headers", "format"), NEGOTIATED)
def test_the_client_chooses(headers: dict[str, str], format: Format) -> None:
    assert negotiate(make_request(headers=headers), ALL) is format


def test_what_nobody_can_write_is_not_acceptable() -> None:
    request = make_request(headers={"Accept": "text/html, image/*"})
    with pytest.raises(HTTPError) as refused:
        negotiate(request, formats_named("json", "yaml"))
    assert refused.value.status == 406
    assert refused.value.extra == {
        "accepts": ["application/json", "application/yaml", "text/yaml", "application/x-yaml"]
    }
    assert "not as text/html, image/*" in str(refused.value)


# For a body...

OF_BODIES = [
    ("application/json", JSON),
    ("Application/JSON ; charset=utf-8", JSON),
    ('application/json; charset="UTF8"', JSON),
    ("application/json; charset=us-ascii; x=y", JSON),
    ("application/merge-patch+json", JSON),
    ("application/vnd.openapi+yaml; version=3", YAML),
    ("application/vnd.x+msgpack", MESSAGEPACK),
    ("application/x-msgpack; charset=latin-1", MESSAGEPACK),
    ("text/yaml", YAML),
    ("text/html", None),
    ("application/xjson", None),
    ("application/x+xml", None),
    ("", None),
    ("json", None),
]


@pytest.mark.parametrize(("content_type", "format"), OF_BODIES)
def test_the_content_type_says_what_a_body_is(content_type: str, format: Format | None) -> None:
    assert format_of(content_type, ALL) is format


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=latin-1", "text/yaml;charset=utf-16"]
)
def test_text_in_another_charset_is_not_taken(content_type: str) -> None:
    with pytest.raises(HTTPError, match="is read as UTF-8 here") as refused:
        format_of(content_type, ALL)
    assert refused.value.status == 415


def test_a_format_that_is_not_offered_is_not_taken() -> None:
    assert format_of("application/yaml", formats_named("json")) is None
