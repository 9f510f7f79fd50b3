"""Workers as the fleet knows them, and what it orders the supervisor to do. Data alone."""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Struct

from photon.runtime.workers.board import BOOTING


class Member(Struct, kw_only=True):
    """A worker process.

    Attributes:
        slot: its number among those that serve at a time; row: its row on the board.
        generation: counts reloads, so a new one has newer code.
        broken: for one that only shows why there is no better one: that.
        since: when its state began; kill_at: when it is not waited for any longer.
        budget_s: what it may need to end, as it said itself.
        why: what it is told to end for; "" while nobody wants it to.
        hung: whether it stood still for too long, and was killed.
    """

    pid: int
    slot: int
    row: int
    generation: int
    state: int = BOOTING
    broken: str = ""
    since: float = 0.0
    kill_at: float | None = None
    budget_s: float = 60.0
    why: str = ""
    hung: bool = False

    def __str__(self) -> str:
        return f"worker {self.slot} (pid {self.pid})"


class Start(Struct, frozen=True):
    """Fork a worker, and call `started`.   Attributes: broken: why there is no better one."""

    slot: int
    generation: int
    broken: str = ""


class Tell(Struct, frozen=True):
    """Send it a message."""

    member: Member
    message: dict[str, Any]


class Kill(Struct, frozen=True):
    """Send it a signal."""

    member: Member
    signal: int


class Log(Struct, frozen=True):
    """Tell the operator.   Attributes: details: lines, such as a traceback."""

    level: int
    text: str
    details: str = ""


class End(Struct, frozen=True):
    """All is over.   Attributes: why: lines for whoever started it; "" for a good end."""

    code: int
    why: str = ""


Action: TypeAlias = Start | Tell | Kill | Log | End
