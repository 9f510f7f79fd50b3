"""The control socket of a server, as its flag says."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from photon.cli.exits import CommandError, ExitCode
from photon.cli.plan import Plan

T = TypeVar("T")

logger = logging.getLogger("photon.cli")


def open_control(plan: Plan, open_at: Callable[[str], T]) -> T | None:
    """Open it where `--control` says.   Returns: None, if there is none.

    A server serves without one, if nobody asked for it and the system does not allow it.
    Raises: CommandError, if somebody did.
    """
    if plan.control == "none":
        return None
    from photon.runtime.workers.control import ControlError
    from photon.runtime.workers.whereis import prepare_default_path

    try:
        return open_at(plan.control or prepare_default_path())
    except ControlError as error:
        if plan.control:
            message = f"--control {plan.control}: {error}"
            raise CommandError(message, exit_code=ExitCode.CANNOT_LISTEN) from None
        logger.warning("photon top, dump and ctl do not find this server: %s", error)
        return None
