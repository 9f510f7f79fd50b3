"""The control socket of a server, as its flag says, and what it can be asked there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TypeVar

from photon.cli.exits import CommandError, ExitCode
from photon.cli.plan import Plan
from photon.runtime.workers.commanding import Command

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


class LateCommands(Mapping[str, Command]):
    """Commands by name, which are made when the first of them is looked up; some are added."""

    def __init__(self, make: Callable[[], dict[str, Command]]) -> None:
        self._make = make
        self._added: dict[str, Command] = {}

    def add(self, name: str, command: Command) -> None:
        """One more, or another one of that name; the others are not made for it."""
        self._added[name] = command

    @cached_property
    def _made(self) -> dict[str, Command]:
        return self._make()

    def __getitem__(self, name: str) -> Command:
        return self._added[name] if name in self._added else self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._made, **self._added})

    def __len__(self) -> int:
        return len({**self._made, **self._added})
