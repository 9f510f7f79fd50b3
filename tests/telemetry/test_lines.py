"""Log records as lines that nobody can forge."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.telemetry.lines import ConsoleLines, JsonLines, encode_line, escape, local_time


def record(
    message: object = "it happened", *arguments: object, level: int = logging.INFO, **extra: Any
) -> logging.LogRecord:
    logger = logging.getLogger("photon.test")
    return logger.makeRecord(
        "photon.test", level, __file__, 1, message, arguments, None, extra=extra
    )


def failed(message: str) -> logging.LogRecord:
    made = record("failed")
    try:
        raise ValueError(message)
    except ValueError as error:
        made.exc_info = (ValueError, error, error.__traceback__)
    return made


# For machines...


def test_json_has_the_time_level_logger_event_and_fields() -> None:
    made = record("%d left", 3, level=logging.WARNING, request_id="a-1", path="/x")
    made.created = 1_700_000_000.25
    assert json.loads(JsonLines().format(made)) == {
        "timestamp": "2023-11-14T22:13:20.250000Z",
        "level": "warning",
        "logger": "photon.test",
        "event": "3 left",
        "pid": os.getpid(),
        "request_id": "a-1",
        "path": "/x",
    }


def test_json_has_the_traceback_in_one_line() -> None:
    line = JsonLines().format(failed("one\ntwo"))
    assert "\n" not in line
    exception = json.loads(line)["exception"]
    assert exception.startswith("Traceback (most recent call last):\n")
    assert exception.endswith("ValueError: one\ntwo")


def test_a_field_cannot_pose_as_one_of_ours() -> None:
    fields: dict[str, Any] = {"event": "false", "level": "critical"}
    made = logging.makeLogRecord({"name": "x", "msg": "true", "levelname": "INFO", **fields})
    line = json.loads(JsonLines().format(made))
    assert (line["event"], line["level"]) == ("true", "info")
    assert (line["event_"], line["level_"]) == ("false", "critical")


@pytest.mark.parametrize("value", [object(), {1, 2}, {(1, 2): 3}, 1 + 2j, "\ud800", b"\xff", 2**70])
def test_any_value_makes_a_line(value: object) -> None:
    assert "value" in json.loads(JsonLines().format(record("odd", value=value)))


@given(st.text())
def test_a_json_line_is_printable_and_means_the_text(text: str) -> None:
    line = encode_line({"text": text})
    assert line.isprintable()
    assert json.loads(line)["text"] == text


def test_half_a_surrogate_pair_is_written_out() -> None:
    assert json.loads(encode_line({"text": "\ud800"})) == {"text": "\\ud800"}


# For people...


def test_a_console_line_has_time_level_logger_message_and_fields() -> None:
    made = record("sold %s", "hats", level=logging.ERROR, shop="north")
    line = ConsoleLines(colours=False).format(made)
    assert line == f"{local_time(made.created)} ERROR   photon.test sold hats shop=north"


def test_what_the_message_says_is_not_said_again() -> None:
    line = ConsoleLines(colours=False).format(record("GET /x failed", method="GET", path="/x"))
    assert line.endswith(" GET /x failed")


def test_colours_are_for_terminals() -> None:
    assert "\x1b[31m" in ConsoleLines(colours=True).format(record(level=logging.ERROR))
    assert "\x1b" not in ConsoleLines(colours=False).format(record(level=logging.ERROR))


@pytest.mark.parametrize("text", ["one\ntwo", "a\rb", "\x1b[2J", "\x9b2J", "\u2028", "\u202e"])
def test_a_message_stays_one_printable_line(text: str) -> None:
    made = record("%s", text, value=text)
    line = ConsoleLines(colours=False).format(made)
    assert line.isprintable()
    assert repr(text)[1:-1] in line


def test_no_line_of_a_traceback_can_pose_as_a_record() -> None:
    text = ConsoleLines(colours=False).format(failed("one\n2026-01-01 00:00:00.000 INFO forged"))
    first, *rest = text.split("\n")
    assert first.endswith("failed")
    assert rest[0] == "    Traceback (most recent call last):"
    assert rest[-1] == "    2026-01-01 00:00:00.000 INFO forged"
    assert all(line.startswith("    ") for line in rest)


def test_escapes_what_is_not_printable_only() -> None:
    assert escape("Grüße, 世界") == "Grüße, 世界"
    assert escape("a\tb\x7f") == "a\\tb\\x7f"


# Both, of what is too much...


BOTH = [
    pytest.param(JsonLines(), id="json"),
    pytest.param(ConsoleLines(colours=False), id="console"),
]


@pytest.mark.parametrize("lines", BOTH)
@pytest.mark.parametrize("text", ["x" * 8_000_000, "x\n" * 100_000])
def test_the_text_of_a_huge_exception_is_cut_in_the_middle(
    lines: logging.Formatter, text: str
) -> None:
    told = lines.format(failed(f"{text}the end"))
    assert len(told) < 300_000
    assert "Traceback (most recent call last)" in told
    assert "ValueError: x" in told
    assert "characters left out" in told
    assert "the end" in told


@pytest.mark.parametrize("lines", BOTH)
@pytest.mark.parametrize("is_caused", [True, False])
def test_a_chain_of_thousands_of_exceptions_is_told(
    lines: logging.Formatter, is_caused: bool
) -> None:
    error: Exception | None = None
    for number in range(3000):
        following = ValueError(f"number {number}.")
        following.__context__ = error
        if is_caused:
            following.__cause__ = error
        error = following
    made = record("failed")
    assert error is not None
    try:
        raise error  # with a frame of ours, or nothing is trimmed
    except ValueError:
        made.exc_info = (ValueError, error, error.__traceback__)
    told = lines.format(made)
    assert "failed" in told
    assert "number 2999." in told
