"""Text as it comes: lines, and the events of `text/event-stream`.

Source: WHATWG HTML, "Server-sent events", §9.2.5 and §9.2.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event.

    Attributes:
        event: its kind, "message" when the server named none.
        data: its lines, joined by line feeds.
        id: the last one that the server gave, "" when it gave none.
        retry: milliseconds to wait before coming back, if the server said so since the last event.
    """

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None


def split_lines(texts: Iterable[str]) -> Iterator[str]:
    """Lines without their ends, each as soon as it is complete; the last one need have no end."""
    rest, ends_with_cr = "", False
    for text in texts:
        if not text:
            continue
        is_second_half = ends_with_cr and text.startswith("\n")  # of a CRLF that ended a line
        ends_with_cr = text.endswith("\r")
        text = text[is_second_half:]
        # Only what came is looked through: a line of many pieces costs no more than its length.
        first, *others = _LINE_END.split(text)
        if others:
            yield rest + first
            yield from others[:-1]
            rest = others[-1]
        else:
            rest += first
    if rest:
        yield rest


def parse_events(texts: Iterable[str]) -> Iterator[Event]:
    """The events of a stream, each as soon as it is complete; an incomplete last one is dropped."""
    data: list[str] = []
    kind, last_id = "", ""
    retry: int | None = None
    is_first = True
    for line in split_lines(texts):
        if is_first:
            line, is_first = line.removeprefix("\ufeff"), False
        if not line:
            if data:
                yield Event("\n".join(data), kind or "message", last_id, retry)
                retry = None
            data, kind = [], ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last_id = value
        elif name == "retry" and value.isascii() and value.isdecimal():
            retry = int(value)
