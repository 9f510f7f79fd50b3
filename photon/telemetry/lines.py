"""A log record as lines: for people, or one JSON object a line for machines.

Nothing in a record can pretend to be another line: whatever is not printable is escaped, and the
lines of a traceback, the only ones that follow a record, are indented.

structlog renders such lines as well, but takes 90 ms to import (it pulls in asyncio), a third of
the time from start to first answer, and 10 us a line; these two functions take none, and 5 us.
Whoever logs with structlog in an application gets the same lines: see `logging.py`.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from photon.telemetry.tracebacks import users_traceback

_OWN_FIELDS = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
_LONGEST_TRACEBACK = 64 * 1024

_RESERVED = ("timestamp", "level", "logger", "event", "exception")

# ANSI: dim, green, yellow, red, bold red.
_DIM, _RESET = "\x1b[2m", "\x1b[0m"
_COLOURS = {
    "DEBUG": _DIM,
    "INFO": "\x1b[32m",
    "WARNING": "\x1b[33m",
    "ERROR": "\x1b[31m",
    "CRITICAL": "\x1b[1;31m",
}


def escape(text: str) -> str:
    """`text` on one line: what is not printable as Python writes it, such as \\n and \\x1b."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


# For machines...


class JsonLines(logging.Formatter):
    """One JSON object a record: timestamp, level, logger, event, the process id, the fields of
    `extra`, and the traceback as `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            "pid": record.process,  # of several workers that write to one log
        }
        for name, value in _fields(record).items():
            line[f"{name}_" if name in _RESERVED else name] = value
        exception = _traceback(record)
        if exception:
            line["exception"] = exception
        return encode_line(line)


_encoder = msgspec.json.Encoder(enc_hook=repr)


def encode_line(line: object) -> str:
    """A value as JSON without anything that a terminal could take for a command."""
    try:
        text = _encoder.encode(line).decode()
    except Exception:  # such as keys that JSON does not have, or half a surrogate pair
        text = _encoder.encode(_plain(line)).decode()
    if text.isprintable():
        return text
    # msgspec escapes what JSON says; DEL, the C1 controls (one is CSI) and the separators of
    # lines and directions are left to us.
    return "".join(c if c.isprintable() else _json_escape(c) for c in text)


def _plain(line: object) -> object:
    if isinstance(line, dict):
        return {_encodable(str(name)): _plain(value) for name, value in line.items()}
    return _encodable(line if isinstance(line, str) else repr(line))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


# For people...


class ConsoleLines(logging.Formatter):
    """Time of day with its date, level, logger, message, fields, and the traceback indented below.

    Args:
        colours: whether the reader is a terminal that shows them.
        process: its name, where several write to the same terminal.
    """

    def __init__(self, *, colours: bool, process: str = "") -> None:
        super().__init__()
        self._colours = colours
        self._process = [self._paint(process, _DIM)] if process else []

    def format(self, record: logging.LogRecord) -> str:
        message = escape(record.getMessage())
        parts = [
            self._paint(local_time(record.created), _DIM),
            self._paint(f"{record.levelname:<7}", _COLOURS.get(record.levelname, "")),
            *self._process,
            self._paint(escape(record.name), _DIM),
            message,
        ]
        for name, value in _fields(record).items():
            text = escape(str(value))
            if text not in message:  # what the sentence says already is not said twice
                parts.append(self._paint(f"{escape(name)}={text}", _DIM))
        line = " ".join(parts)
        exception = _traceback(record)
        return f"{line}\n{_indented(exception)}" if exception else line

    def _paint(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colours and colour else text


_second: tuple[int, str] = (0, "")


def local_time(moment: float) -> str:
    """Such as "2026-01-31 12:34:56.789", in this machine's time zone."""
    global _second
    whole = int(moment)
    if _second[0] != whole:
        _second = (whole, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(whole)))
    return f"{_second[1]}.{int((moment - whole) * 1000):03d}"


def _indented(text: str) -> str:
    return "\n".join(f"    {escape(line)}" for line in text.split("\n"))


# Both...


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What came as `extra=`."""
    return {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS}


def _traceback(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    told = users_traceback(error) if error is not None else record.exc_text or ""
    if record.stack_info:
        told += f"\n{record.stack_info}"
    return _cut(told.strip("\n"))


def _cut(text: str) -> str:
    """A text of bearable length: an exception may quote 8 MB that a client sent."""
    if len(text) <= _LONGEST_TRACEBACK:
        return text
    half = _LONGEST_TRACEBACK // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"
