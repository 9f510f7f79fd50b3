"""What a scenario is: one question that every server is asked in the same way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from loadtests.machine import Cores
from loadtests.process import Running, running
from loadtests.servers import Server


@dataclass(frozen=True)
class Settings:
    """How long and from where a measurement is taken."""

    cores: Cores
    seconds: int
    warm_up_s: int = 1
    connections: int | None = None  # None: as many as the scenario asks for


@dataclass(frozen=True)
class Sample:
    """One round's answer: the figure that is compared, others shown beside it, what went wrong."""

    value: float
    beside: dict[str, float] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)


class Scenario(Protocol):
    """A figure and how it is taken; `name` is the word on the command line.

    `yardsticks` are figures of other scenarios that are taken in the same rounds, as pairs of a
    server and a scenario; their rows are named by both.
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def more_is_better(self) -> bool: ...
    @property
    def max_rounds(self) -> int: ...
    @property
    def yardsticks(self) -> tuple[tuple[str, str], ...]: ...

    def measure(self, server: Server, settings: Settings) -> Sample:
        """Raises: StartFailed, WrongAnswer, WrkFailed."""


class WrongAnswer(Exception):
    """The server does not answer what the scenario asks for: its speed would mean nothing."""


@contextmanager
def warm(server: Server, settings: Settings) -> Iterator[Running]:
    """The server, started, with its first requests behind it (lazy imports, caches, pools)."""
    with running(server, settings.cores.server) as target:
        for _ in range(200):
            check_message(target)
        yield target


def check_message(target: Running) -> None:
    status, body = target.ask("GET", "/json", {}, None)
    if status != 200 or b'"Hello, World!"' not in body:
        raise WrongAnswer(f"GET /json: {status} {body[:200]!r}")
