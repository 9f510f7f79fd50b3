"""Conditional and range requests: decide what is sent instead of the whole.

Pure functions of the request's headers and the validators of what would be sent.
Source: RFC 9110 §13 (conditional requests) and §14 (range requests).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from photon.http.dates import parse_http_date

# RFC 9110 §8.8.3. What stands between the quotes may have commas.
_TAG = re.compile(r'(?:W/)?"[^"]*"')

# What has a say in what is sent, If-Range only beside Range. (§13.1, §14.2)
_CONDITIONS = frozenset(
    ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "range")
)

Verdict = Literal["send", "not modified", "precondition failed"]


class Decision(NamedTuple):
    """What to answer: 200, 206, 304, 412 or 416, and which bytes a 200 or 206 is of."""

    status: int
    start: int
    end: int


def decide(
    method: str, headers: Mapping[str, str], etag: str, modified_s: int, size: int
) -> Decision:
    """What a request for something of `size` bytes gets; see `evaluate` for the others."""
    if _CONDITIONS.isdisjoint(headers):  # PERF: 0.5 us; each of them asked for takes 10
        return Decision(200, 0, size)
    verdict = evaluate(method, headers, etag, modified_s)
    if verdict != "send":
        return Decision(304 if verdict == "not modified" else 412, 0, 0)
    wanted = headers.get("range")
    if wanted and method == "GET" and range_applies(headers, etag, modified_s):
        span = parse_range(wanted, size)
        if span == "unsatisfiable":
            return Decision(416, 0, 0)
        if span is not None:
            return Decision(206, *span)
    return Decision(200, 0, size)


def evaluate(method: str, headers: Mapping[str, str], etag: str, modified_s: int) -> Verdict:
    """What the request's preconditions say, in the order of RFC 9110 §13.2.2.

    Args:
        etag: the current entity tag, with its quotes.
        modified_s: when it last changed, whole seconds since 1970.
    """
    if_match = headers.get("if-match")
    if if_match is not None:
        if not _names(if_match, etag, weak=False):
            return "precondition failed"
    else:
        unmodified_since = _date(headers, "if-unmodified-since")
        if unmodified_since is not None and modified_s > unmodified_since:
            return "precondition failed"
    if_none_match = headers.get("if-none-match")
    if if_none_match is not None:
        if _names(if_none_match, etag, weak=True):
            return "not modified" if method in ("GET", "HEAD") else "precondition failed"
    elif method in ("GET", "HEAD"):
        modified_since = _date(headers, "if-modified-since")
        if modified_since is not None and modified_s <= modified_since:
            return "not modified"
    return "send"


def range_applies(headers: Mapping[str, str], etag: str, modified_s: int) -> bool:
    """Whether If-Range, when there is one, names what the client has a part of (§13.1.5)."""
    if_range = headers.get("if-range")
    if if_range is None:
        return True
    if if_range.startswith(('"', "W/")):
        return if_range == etag and not etag.startswith("W/")
    return parse_http_date(if_range) == modified_s


def parse_range(header: str, size: int) -> tuple[int, int] | Literal["unsatisfiable"] | None:
    """The one range of a Range header as (first byte, byte after the last).

    None means: send all. That is for another unit, for what cannot be read, and for several
    ranges at once; RFC 9110 §14.2: "A server MAY ignore the Range header field."
    """
    unit, equals, text = header.partition("=")
    if unit.strip().lower() != "bytes" or not equals or "," in text:
        return None
    first, dash, last = text.strip().partition("-")
    if not dash or not _digits(first) or not _digits(last) or not (first or last):
        return None
    if not first:  # the last so many bytes
        length = int(last)
        return (max(0, size - length), size) if length and size else "unsatisfiable"
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        return "unsatisfiable"
    return start, min(int(last) + 1, size) if last else size


def _date(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name)
    return None if text is None else parse_http_date(text)


def _digits(text: str) -> bool:
    return len(text) <= 18 and (not text or (text.isascii() and text.isdecimal()))


def _names(header: str, etag: str, *, weak: bool) -> bool:
    """Whether a list of entity tags names this one, by weak or strong comparison (§8.8.3.2)."""
    if header.strip() == "*":
        return True
    tags = _TAG.findall(header)
    if weak:
        return etag.removeprefix("W/") in (tag.removeprefix("W/") for tag in tags)
    return etag in tags and not etag.startswith("W/")
