"""The flags of commands that log, and how they begin with it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from photon.cli.configuration import configuration_of
from photon.cli.options import setting, together

if TYPE_CHECKING:
    from photon.telemetry.logging import LineHandler

logger = logging.getLogger("photon.cli")

LEVELS = ("debug", "info", "warning", "error", "critical")

LOGS = "Logs"

logging_options = together(
    setting(
        "--log-level",
        section=LOGS,
        type=click.Choice(LEVELS, case_sensitive=False),
        default="info",
        help="what is less than that is not logged  [info]",
    ),
    setting(
        "--log-format",
        section=LOGS,
        type=click.Choice(("auto", "console", "json")),
        default="auto",
        help="auto is console on a terminal, json elsewhere  [auto]",
    ),
)
"""Adds `--log-level` and `--log-format`."""


def begin_logging(ctx: click.Context, options: Mapping[str, Any]) -> LineHandler:
    """Configure logging as the flags of `logging_options` say, and log notes about settings.

    Args: options: what the command got, with `log_level` and `log_format`.
    """
    from photon.telemetry.logging import configure_logging

    log_format = None if options["log_format"] == "auto" else options["log_format"]
    log = configure_logging(options["log_level"], log_format)
    for note in configuration_of(ctx).notes:
        logger.warning("%s", note)
    return log
