"""Where log records go: from the standard library's loggers to one stream, as lines.

The rooms below log to "photon.http" and "photon.runtime", with what belongs to a request in
`extra=`; an application's own loggers come out the same way. One handler stands at the root.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Literal

from photon.runtime.output import LineWriter, native_rlock
from photon.telemetry.lines import ConsoleLines, JsonLines

Format = Literal["console", "json"]

# What a reader that does not read at the end of the process may hold it up.
_LAST_WORDS_S = 1.0


def configure_logging(
    level: str = "info",
    format: Format | None = None,
    *,
    descriptor: int | None = None,
    process: str = "",
) -> LineHandler:
    """Have every logger write lines to a descriptor, which is never waited for.

    Args:
        level: such as "info"; records below it are dropped.
        format: "console" is for people, "json" is one object a line; None takes console on a
            terminal and json elsewhere, where programs read.
        descriptor: None for stderr's.
        process: a name for people, where several write to the same terminal.
    Returns: the handler.
    """
    if descriptor is None:
        descriptor = _stderr()
    is_terminal = os.isatty(descriptor)
    format = format or ("console" if is_terminal else "json")
    colours = is_terminal and _likes_colours()
    handler = LineHandler(descriptor, format, colours=colours, process=process)
    root = logging.getLogger()
    for former in root.handlers[:]:
        root.removeHandler(former)
        former.close()
    root.addHandler(handler)
    root.setLevel(level.upper())
    # A warning on stderr as Python writes it would be two lines that are no JSON.
    logging.captureWarnings(format == "json")
    return handler


class LineHandler(logging.Handler):
    """Writes records to a descriptor as lines of a format.

    Attributes: format_name: "console" or "json"; has_colours: whether its lines have some;
    writer: takes lines as bytes.
    """

    def __init__(
        self, descriptor: int, format: Format, *, colours: bool = False, process: str = ""
    ) -> None:
        super().__init__()
        self.format_name = format
        self.has_colours = colours and format == "console"
        is_json = format == "json"
        self.setFormatter(
            JsonLines() if is_json else ConsoleLines(colours=colours, process=process)
        )
        self.writer = LineWriter(descriptor, on_lost=_tell_lost)

    def createLock(self) -> None:
        super().createLock()  # which also sees to forks
        # The log of who holds the hub, and what is offloaded, write from native threads.
        self.lock = native_rlock()

    def emit(self, record: logging.LogRecord) -> None:
        # The lock around this call is safe in the hub: nothing in here waits or switches.
        try:
            line = self.format(record)
        except Exception as error:
            line = f"a log record could not be written: {error!r} {record.pathname!r}"
        self.writer.write(line.encode("utf-8", "backslashreplace") + b"\n")

    def flush(self) -> None:
        self.writer.flush()

    def close(self) -> None:
        self.writer.drain(_LAST_WORDS_S)
        super().close()


def adopt_structlog() -> None:
    """Have structlog's events come out as all the others do, if the application uses structlog.

    After the application was loaded, which may have configured structlog itself: then it is left
    alone. Importing structlog takes 90 ms, so it is not imported for those who do not use it.
    """
    if "structlog" not in sys.modules:
        return
    import structlog

    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.render_to_log_kwargs,  # the event's values become `extra`
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _tell_lost(lines: int) -> None:
    logging.getLogger("photon.telemetry").warning(
        "%d log lines were lost: whoever reads stderr was too slow", lines
    )


def _stderr() -> int:
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return 2  # it was replaced by something without a descriptor


def _likes_colours() -> bool:
    # https://no-color.org: "when present and not an empty string (regardless of its value)"
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
