"""Dates as HTTP writes them, and as it may be asked to read them."""

from __future__ import annotations

import pytest

from photon.http.dates import http_date, parse_http_date

MOMENT = 784111777  # the example of RFC 9110 §5.6.7


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (MOMENT, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (MOMENT + 0.9, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951782400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (4102444800, "Fri, 01 Jan 2100 00:00:00 GMT"),
    ],
)
def test_a_moment_is_written(timestamp: float, text: str) -> None:
    assert http_date(timestamp) == text
    assert parse_http_date(text) == int(timestamp)


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 10:49:37 +0200",
        "Sun, 6 Nov 1994 08:49:37 GMT",
    ],
)
def test_every_form_is_read(text: str) -> None:
    assert parse_http_date(text) == MOMENT


def test_a_leap_second_is_no_error() -> None:
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == 1483228799


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "now",
        '"etag"',
        "1994-11-06T08:49:37Z",
        "6 Nov 1994",
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 99999 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +9999",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        ", , , , ,",
        "a" * 30_000,
        "1:" * 15_000,
        "\x00",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert parse_http_date(text) is None
