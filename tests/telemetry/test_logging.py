"""Where log records go."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from gevent import monkey

from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import sleep, spawn
from photon.runtime.hub import current_hub
from photon.runtime.offload import offload
from photon.runtime.sync import Event
from photon.telemetry.logging import Format, LineHandler, configure_logging

PATIENCE_S = 10.0

block = monkey.get_original("time", "sleep")


class Sink(NamedTuple):
    """A pipe in place of stderr."""

    read_end: int
    write_end: int

    def configure(self, level: str = "info", format: Format | None = None) -> LineHandler:
        return configure_logging(level, format, descriptor=self.write_end)

    def read(self) -> str:
        return os.read(self.read_end, 65536).decode()


@pytest.fixture
def stderr() -> Iterator[Sink]:
    """A pipe to log to; the root logger is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    sink = Sink(*os.pipe())
    os.set_blocking(sink.read_end, False)  # a test that reads too much shall fail, not hang
    yield sink
    logging.captureWarnings(False)
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    os.close(sink.read_end)
    os.close(sink.write_end)


def test_every_logger_writes_to_stderr(stderr: Sink) -> None:
    stderr.configure(format="console")
    logging.getLogger("photon.http").warning("from below")
    logging.getLogger("shop").info("from an application")
    first, second = stderr.read().splitlines()
    assert first.endswith("WARNING photon.http from below")
    assert second.endswith("INFO    shop from an application")


def test_what_is_below_the_level_is_dropped(stderr: Sink) -> None:
    stderr.configure("warning", "console")
    logging.getLogger("shop").info("chatter")
    logging.getLogger("shop").warning("matter")
    assert stderr.read().endswith("matter\n")


def test_a_pipe_gets_json_unless_told_otherwise(stderr: Sink) -> None:
    assert stderr.configure().format_name == "json"
    logging.getLogger("shop").info("sold", extra={"item": "hat"})
    line = json.loads(stderr.read())
    assert (line["event"], line["item"]) == ("sold", "hat")


def test_colours_are_of_the_console_alone() -> None:
    handlers = [LineHandler(2, "console", colours=True), LineHandler(2, "json", colours=True)]
    assert [each.has_colours for each in handlers] == [True, False]
    for handler in handlers:
        handler.close()


def test_configuring_again_replaces_the_handler(stderr: Sink) -> None:
    stderr.configure(format="json")
    handler = stderr.configure(format="console")
    assert logging.getLogger().handlers == [handler]


def test_warnings_are_json_lines_too(stderr: Sink) -> None:
    stderr.configure(format="json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)  # pytest has put its own recorder in place since
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
    assert "old ways" in json.loads(stderr.read())["event"]


def test_the_hub_may_log_while_another_thread_does(stderr: Sink) -> None:
    handler = stderr.configure()
    held, done = Event(), Event()

    def hold() -> None:
        handler.acquire()
        held.set()
        block(0.05)
        handler.release()

    def log() -> None:
        logging.getLogger("shop").warning("from the hub")
        done.set()

    thread = spawn(offload, hold)
    held.wait(PATIENCE_S)
    current_hub().run_soon(log)
    assert done.wait(PATIENCE_S)
    thread.join()
    assert "from the hub" in stderr.read()


def test_a_record_that_cannot_be_formatted_is_told_of(stderr: Sink) -> None:
    stderr.configure(format="json")
    logging.getLogger("shop").info("%d hats", "many")
    text = stderr.read()
    assert "a log record could not be written" in text
    assert text.count("\n") == 1


def test_lost_lines_are_told_once_the_reader_is_back(stderr: Sink) -> None:
    handler = stderr.configure(format="console")
    logger = logging.getLogger("shop")
    while not handler.writer.lost:
        logger.info("x" * 50_000)
    seen = ""
    with fail_after(PATIENCE_S):
        while "log lines were lost" not in seen:
            try:
                seen = seen[-1000:] + stderr.read()
            except BlockingIOError:
                sleep(0.01)  # the hub tries again
    assert "WARNING photon.telemetry 1 log lines were lost" in seen
