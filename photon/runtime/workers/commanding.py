"""Commands: what a process that serves can be asked, each in a greenlet of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from photon.runtime.errors import Cancelled
from photon.runtime.hub import current_hub
from photon.runtime.workers.control import ControlError, told

logger = logging.getLogger("photon.runtime")

Command = Callable[[dict[str, Any]], Any]
"""Gets arguments, gives what JSON can say; may wait."""


def run_command(
    name: str,
    command: Command,
    arguments: dict[str, Any],
    then: Callable[[dict[str, Any]], object],
) -> CommandJob:
    """Run it on a carrier, and call `then` with {"ok": ...} or {"error": ...}."""
    hub = current_hub()
    job = CommandJob(name, command, arguments, then)
    hub.carriers.submit(job)
    return job


class CommandJob:
    """One command, on a carrier."""

    def __init__(
        self,
        name: str,
        command: Command,
        arguments: dict[str, Any],
        then: Callable[[dict[str, Any]], object],
    ) -> None:
        self._name = name
        self._command = command
        self._arguments = arguments
        self._then = then
        self._carrier: Any = None

    def run(self) -> None:
        """See `carriers.Job`."""
        try:
            answer = {"ok": self._command(self._arguments)}
        except Cancelled:
            answer = {"error": f"{self._name!r} was cut off: the server stops"}
        except BaseException as error:
            answer = {"error": told(self._name, error)}
            if not isinstance(error, ControlError):
                logger.exception("the control command %r failed", self._name)
        self._then(answer)

    def on_parked(self, carrier: Any) -> None:
        """See `carriers.Job`."""
        self._carrier = carrier

    def interrupt(self) -> None:
        """In the hub: end it, if it waits."""
        if self._carrier is not None:
            error = Cancelled("shutdown", "the server stops")
            current_hub().carriers.interrupt(self._carrier, self, error)

    def __repr__(self) -> str:
        return f"<control command {self._name}>"
