"""Preconditions and ranges, by the tables of RFC 9110 §13 and §14."""

from __future__ import annotations

from typing import Literal

import pytest

from photon.http.conditional import (
    Decision,
    Verdict,
    decide,
    evaluate,
    parse_range,
    range_applies,
)
from photon.http.dates import http_date

NOW = 784111777
BEFORE, SAME, AFTER = http_date(NOW - 1), http_date(NOW), http_date(NOW + 1)
ETAG = '"abc"'

SEND: Verdict = "send"
NOT: Verdict = "not modified"
FAILED: Verdict = "precondition failed"


@pytest.mark.parametrize(
    ("headers", "get", "put"),
    [
        ({}, SEND, SEND),
        # §13.1.1 If-Match: strong comparison
        ({"if-match": ETAG}, SEND, SEND),
        ({"if-match": "*"}, SEND, SEND),
        ({"if-match": '"x", "abc"'}, SEND, SEND),
        ({"if-match": '"x","abc"'}, SEND, SEND),
        ({"if-match": '"x"'}, FAILED, FAILED),
        ({"if-match": 'W/"abc"'}, FAILED, FAILED),
        ({"if-match": ""}, FAILED, FAILED),
        ({"if-match": "abc"}, FAILED, FAILED),
        ({"if-match": '"ABC"'}, FAILED, FAILED),
        # §13.1.2 If-None-Match: weak comparison
        ({"if-none-match": ETAG}, NOT, FAILED),
        ({"if-none-match": "*"}, NOT, FAILED),
        ({"if-none-match": 'W/"abc"'}, NOT, FAILED),
        ({"if-none-match": '"x", W/"abc" , "y"'}, NOT, FAILED),
        ({"if-none-match": '"x"'}, SEND, SEND),
        ({"if-none-match": ""}, SEND, SEND),
        ({"if-none-match": "abc"}, SEND, SEND),
        # §13.1.3 If-Modified-Since: GET and HEAD only
        ({"if-modified-since": BEFORE}, SEND, SEND),
        ({"if-modified-since": SAME}, NOT, SEND),
        ({"if-modified-since": AFTER}, NOT, SEND),
        ({"if-modified-since": "yesterday"}, SEND, SEND),
        ({"if-modified-since": "Sun, 99 Nov 2094 08:49:37 GMT"}, SEND, SEND),
        # §13.1.4 If-Unmodified-Since
        ({"if-unmodified-since": BEFORE}, FAILED, FAILED),
        ({"if-unmodified-since": SAME}, SEND, SEND),
        ({"if-unmodified-since": AFTER}, SEND, SEND),
        ({"if-unmodified-since": "yesterday"}, SEND, SEND),
        # §13.2.2 precedence
        ({"if-match": ETAG, "if-unmodified-since": BEFORE}, SEND, SEND),
        ({"if-match": '"x"', "if-unmodified-since": AFTER}, FAILED, FAILED),
        ({"if-none-match": '"x"', "if-modified-since": AFTER}, SEND, SEND),
        ({"if-none-match": ETAG, "if-modified-since": BEFORE}, NOT, FAILED),
        ({"if-match": ETAG, "if-none-match": ETAG}, NOT, FAILED),
        ({"if-match": '"x"', "if-none-match": ETAG}, FAILED, FAILED),
        ({"if-unmodified-since": BEFORE, "if-none-match": ETAG}, FAILED, FAILED),
    ],
)
def test_preconditions(headers: dict[str, str], get: Verdict, put: Verdict) -> None:
    assert evaluate("GET", headers, ETAG, NOW) == get
    assert evaluate("HEAD", headers, ETAG, NOW) == get
    assert evaluate("PUT", headers, ETAG, NOW) == put
    assert evaluate("DELETE", headers, ETAG, NOW) == put


@pytest.mark.parametrize(
    ("etag", "header", "strong", "weak"),
    [
        # §8.8.3.2, its table
        ('W/"1"', 'W/"1"', False, True),
        ('W/"1"', 'W/"2"', False, False),
        ('W/"1"', '"1"', False, True),
        ('"1"', '"1"', True, True),
        # commas and spaces may stand between the quotes
        ('"a,b"', '"a,b"', True, True),
        ('"a,b"', '"x", "a,b"', True, True),
        ('"a', '"a,b"', False, False),
        ('"b"', '"a,"b"', False, False),
    ],
)
def test_entity_tags_are_compared(etag: str, header: str, strong: bool, weak: bool) -> None:
    assert (evaluate("GET", {"if-match": header}, etag, NOW) == SEND) is strong
    assert (evaluate("GET", {"if-none-match": header}, etag, NOW) == NOT) is weak


@pytest.mark.parametrize(
    ("if_range", "applies"),
    [
        (None, True),
        (ETAG, True),
        ('"x"', False),
        ('W/"abc"', False),
        ('"x", "abc"', False),
        (SAME, True),
        (BEFORE, False),
        (AFTER, False),
        ("*", False),
        ("", False),
        ("abc", False),
    ],
)
def test_if_range(if_range: str | None, applies: bool) -> None:
    headers = {} if if_range is None else {"if-range": if_range}
    assert range_applies(headers, ETAG, NOW) is applies


def test_a_weak_tag_is_no_ground_for_a_part() -> None:
    assert not range_applies({"if-range": 'W/"abc"'}, 'W/"abc"', NOW)


@pytest.mark.parametrize(
    ("header", "size", "span"),
    [
        # §14.1.2
        ("bytes=0-499", 10000, (0, 500)),
        ("bytes=500-999", 10000, (500, 1000)),
        ("bytes=-500", 10000, (9500, 10000)),
        ("bytes=9500-", 10000, (9500, 10000)),
        ("bytes=0-0", 10, (0, 1)),
        ("bytes=9-9", 10, (9, 10)),
        ("bytes=0-", 10, (0, 10)),
        ("bytes=0-99", 10, (0, 10)),
        ("bytes=-99", 10, (0, 10)),
        ("BYTES=1-2", 10, (1, 3)),
        ("bytes= 1-2 ", 10, (1, 3)),
        ("bytes=10-", 10, "unsatisfiable"),
        ("bytes=10-20", 10, "unsatisfiable"),
        ("bytes=-0", 10, "unsatisfiable"),
        ("bytes=0-0", 0, "unsatisfiable"),
        ("bytes=-1", 0, "unsatisfiable"),
        # what is not understood is as if it were not there
        ("bytes=5-4", 10, None),
        ("bytes=20-10", 10, None),
        ("bytes=0-1,3-4", 10, None),
        ("bytes=", 10, None),
        ("bytes=-", 10, None),
        ("bytes=a-b", 10, None),
        ("bytes=1", 10, None),
        ("bytes=--1", 10, None),
        ("bytes=-1-", 10, None),
        ("bytes=+1-2", 10, None),
        ("bytes=1-2-3", 10, None),
        ("bytes=1 -2", 10, None),
        ("bytes=0x1-2", 10, None),
        ("bytes=1_0-", 100, None),
        ("bytes=\u0661-\u0662", 10, None),
        ("bytes=\xb2-", 10, None),
        ("bytes=" + "9" * 5000 + "-", 10, None),
        ("bytes 0-1", 10, None),
        ("lines=0-1", 10, None),
        ("", 10, None),
        ("=0-1", 10, None),
    ],
)
def test_a_range(
    header: str, size: int, span: tuple[int, int] | Literal["unsatisfiable"] | None
) -> None:
    assert parse_range(header, size) == span


# All of it...


@pytest.mark.parametrize(
    ("method", "headers", "decision"),
    [
        ("GET", {}, Decision(200, 0, 10)),
        ("GET", {"accept": "*/*", "if-range": '"x"'}, Decision(200, 0, 10)),
        ("GET", {"range": "bytes=2-4"}, Decision(206, 2, 5)),
        ("GET", {"range": "bytes=2-4", "if-range": '"x"'}, Decision(200, 0, 10)),
        ("GET", {"range": "bytes=2-4", "if-none-match": ETAG}, Decision(304, 0, 0)),
        ("GET", {"range": "bytes=2-4", "if-match": '"x"'}, Decision(412, 0, 0)),
        ("GET", {"range": "bytes=10-"}, Decision(416, 0, 0)),
        ("GET", {"range": "lines=1-2"}, Decision(200, 0, 10)),
        ("HEAD", {"range": "bytes=2-4"}, Decision(200, 0, 10)),
        ("HEAD", {"if-modified-since": SAME}, Decision(304, 0, 0)),
        ("GET", {"if-unmodified-since": BEFORE}, Decision(412, 0, 0)),
    ],
)
def test_what_is_answered(method: str, headers: dict[str, str], decision: Decision) -> None:
    assert decide(method, headers, ETAG, NOW, 10) == decision
