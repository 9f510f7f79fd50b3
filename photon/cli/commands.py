"""What a process that serves answers to `photon top`, `dump` and `ctl`."""

from __future__ import annotations

import logging
from typing import Any

from photon.http.server.server import Server
from photon.runtime.debug.dump import dump
from photon.runtime.debug.render import render
from photon.runtime.workers.commanding import Command

logger = logging.getLogger("photon.cli")


def commands_of(server: Server) -> dict[str, Command]:
    """Functions by their name on the control socket."""

    def dump_to_log(arguments: dict[str, Any]) -> None:
        logger.warning("a dump was asked for\n%s", render(dump()))

    def dump_all(arguments: dict[str, Any]) -> Any:
        return dump(stacks=bool(arguments.get("stacks")))

    return {
        "stats": lambda arguments: server.statistics(),
        "dump": dump_all,
        "dump-to-log": dump_to_log,
    }
