"""What a server tells: people by its log, and its supervisor when it cannot serve."""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import TYPE_CHECKING

import photon
from photon.cli.exits import CommandError
from photon.cli.plan import Plan
from photon.runtime.net.address import Address, TcpAddress
from photon.telemetry.logging import LineHandler, configure_logging

if TYPE_CHECKING:
    from photon.runtime.workers.link import Link

logger = logging.getLogger("photon.cli")


def begin_logging(plan: Plan, process: str = "") -> LineHandler:
    """Have this process log as it was told.   Args: process: its name among others."""
    log_format = None if plan.log_format == "auto" else plan.log_format
    return configure_logging(plan.log_level, log_format, process=process)  # type: ignore[arg-type]


def tell_notes(plan: Plan) -> None:
    """Log what is odd about the settings."""
    for note in plan.notes:
        logger.warning("%s", note)


def tell_started(plan: Plan, addresses: str, workers: int | None = None) -> None:
    """Log what is served, and where.   Args: workers: how many; None for this process alone."""
    count = {None: "", 1: " with 1 worker"}.get(workers, f" with {workers} workers")
    logger.info(
        "Photon %s serves %s on %s%s (%s stops)",
        photon.__version__,
        plan.name,
        addresses,
        count,
        "Ctrl+C" if sys.stderr.isatty() else "SIGTERM",
        extra={"pid": os.getpid()},
    )


def shown_addresses(plan: Plan, addresses: list[Address]) -> str:
    """Addresses as people click them."""
    urls = (a.url if isinstance(a, TcpAddress) else str(a) for a in addresses)
    return ", ".join(
        f"https{url.removeprefix('http')}" if plan.tls and url.startswith("http:") else url
        for url in urls
    )


def tell_failure(link: Link, error: CommandError) -> int:
    """Tell the supervisor why this worker cannot serve.   Returns: its exit code."""
    text = io.StringIO()
    error.show(text)
    code = error.exit_code
    link.last_words({"tell": "failed", "text": text.getvalue().rstrip(), "code": code})
    return code
