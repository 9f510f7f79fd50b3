"""What was asked, and what answers: the request and its surroundings as rows of name and value."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec

import photon
from photon.http.request import Request
from photon.runtime.source import shown_path
from photon.telemetry.debug_page.secrets import REDACTED, Redactor, is_secret_name
from photon.telemetry.debug_page.values import Values

Rows = list[tuple[str, str]]

_MOST_ROWS = 60
_LONGEST = 1000
_BODY_BYTES = 4096


def request_rows(request: Request, values: Values, redactor: Redactor) -> list[tuple[str, Rows]]:
    """The parts of a request that have something in them, by title."""
    cookies = _or_none(lambda: request.cookies) or {}
    for value in cookies.values():
        redactor.remember(value)
    parts = [
        ("Request", _head(request, redactor)),
        ("Path values", [(n, values.shown(v, n)) for n, v in request.path_values.items()]),
        ("Query", _pairs(request.query_string, redactor)),
        ("Headers", list(_headers(request, redactor))),
        # Which of them is somebody's session nobody can tell from its name.
        ("Cookies", [(name, f"{REDACTED} ({len(v)} characters)") for name, v in cookies.items()]),
        ("Body", _body(request, redactor)),
        ("State", _state(request, values)),
    ]
    return [(title, rows[:_MOST_ROWS]) for title, rows in parts if rows]


def clean_target(request: Request, redactor: Redactor) -> str:
    """The path and query of a request, without secrets in its query."""
    query = request.query_string
    told = "&".join(f"{n}={v}" for n, v in _pairs(query, redactor)) if query else ""
    path = f"{request.root}{request.raw_path}"
    return redactor.clean(f"{path}?{told}" if told else path)[:_LONGEST]


def _head(request: Request, redactor: Redactor) -> Rows:
    return [
        ("Method", request.method),
        ("Target", clean_target(request, redactor)),
        ("Version", f"HTTP/{request.http_version}"),
        ("Client", request.peer or "-"),
        ("Request id", request.id),
    ]


def _pairs(text: str, redactor: Redactor) -> Rows:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return [("…", "more than 1000 fields")]
    return [(name, _clean(name, value, redactor)) for name, value in pairs]


def _headers(request: Request, redactor: Redactor) -> Iterator[tuple[str, str]]:
    for name, value in request.headers.pairs():
        if name.lower() == "cookie":
            yield name, REDACTED
        elif name.lower() in ("referer", "origin"):
            base, _, query = value.partition("?")
            told = "&".join(f"{n}={v}" for n, v in _pairs(query, redactor))
            yield name, redactor.clean(f"{base}?{told}" if query else base)[:_LONGEST]
        else:
            yield name, _clean(name, value, redactor)


def _clean(name: str, value: str, redactor: Redactor) -> str:
    if is_secret_name(name):
        redactor.remember(value)
        return REDACTED
    value = redactor.clean(value)
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}… ({len(value):,} characters)"


def _body(request: Request, redactor: Redactor) -> Rows:
    """What of the body was read, or came with the head: nothing is waited for here."""
    body: Any = request._body
    data = body if isinstance(body, bytes) else getattr(body, "_buffered", None)
    if not data:
        return (
            [("", "not read")] if body is not None and data is None and _has_body(request) else []
        )
    size = f"{len(data):,} bytes of {request.content_type or 'no type'}"
    if request.content_type == "application/x-www-form-urlencoded":
        pairs = _pairs(data[:_BODY_BYTES].decode("latin-1"), redactor)
        return [("", size), *pairs]
    return [("", size), ("Preview", _preview(request, data, redactor))]


def _has_body(request: Request) -> bool:
    return request.head.fields.body_bytes != 0


def _preview(request: Request, data: bytes, redactor: Redactor) -> str:
    if request.content_type.endswith("json") and len(data) <= 64 * 1024:
        value = _or_none(lambda: msgspec.json.decode(data))
        if value is not None:
            told = msgspec.json.format(msgspec.json.encode(_without(value, redactor)), indent=2)
            return redactor.clean(told.decode())[:_BODY_BYTES]
    if b"\0" in data[:_BODY_BYTES]:
        return repr(data[:256])
    if request.content_type == "multipart/form-data":
        return "(the parts of a form are not shown)"
    return redactor.clean(data[:_BODY_BYTES].decode("utf-8", "replace"))


def _without(value: Any, redactor: Redactor, depth: int = 0) -> Any:
    if depth > 12:
        return "…"
    if isinstance(value, dict):
        return {
            name: REDACTED if redactor.hides(name, item) else _without(item, redactor, depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_without(item, redactor, depth + 1) for item in value[:100]]
    return value


def _state(request: Request, values: Values) -> Rows:
    if request._state is None:
        return []
    return [(name, values.shown(value, name)) for name, value in vars(request.state).items()]


def _or_none(fn: Callable[[], Any]) -> Any:
    try:
        return fn()
    except Exception:
        return None


def surroundings() -> Rows:
    """What the request was answered by."""
    return [
        ("Photon", photon.__version__),
        ("Python", f"{platform.python_version()} ({shown_path(sys.executable)})"),
        ("Process", f"{os.getpid()}"),
        ("Folder", os.getcwd()),
        ("System", f"{platform.system()} {platform.release()}"),
    ]
