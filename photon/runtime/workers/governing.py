"""What operators ask of a supervisor over its control socket."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import monotonic
from typing import Any

from photon.runtime.workers import board as cells
from photon.runtime.workers.board import STATES, now_us
from photon.runtime.workers.control import ControlError, ControlSession
from photon.runtime.workers.messages import Message
from photon.runtime.workers.orders import Member
from photon.runtime.workers.supervisor import Supervisor

_SHOWN = {
    "connections": cells.CONNECTIONS,
    "busy": cells.BUSY,
    "answered": cells.ANSWERED,
    "blocked": cells.BLOCKED,
    "load": cells.LOAD,
    "lag_us": cells.LAG,
    "rss_bytes": cells.RSS,
}

# What a supervisor says to its workers and nobody else does.
_ORDERS = frozenset({"hurry", "pause", "resume", "dump-to-log"})

# Answers of workers are waited for so long, if nobody says otherwise.
_ANSWER_S = 5.0


class Governor:
    """Answers what the control socket is asked: itself, or by asking the workers.

    Args: reload: begins a reload; about: what else is known of the server.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        reload: Callable[[], object],
        about: Callable[[], Message] = dict,
    ) -> None:
        self._supervisor = supervisor
        self._about = about
        self._own: dict[str, Callable[[Message], object]] = {
            "reload": lambda message: reload(),
            "scale": self._scale,
            "stop": lambda message: supervisor.stop(),
            "drain": self._drain,
            "workers": lambda message: None,
        }
        self._reload = reload

    def on_request(self, session: ControlSession, message: Message) -> None:
        """See `control.ControlServer`.   Raises: ControlError."""
        number, name = message["id"], message["do"]
        own = self._own.get(name)
        if own is not None:
            own(message)
            session.answer(number, self.answer(self.workers()))
            return
        if name in _ORDERS:
            raise ControlError(f"there is no command {name!r}")
        which = message.get("worker")
        slot = None if which is None else self._member(which).slot
        rest = {k: v for k, v in message.items() if k not in ("id", "worker", "timeout")}
        self._supervisor.ask(
            rest,
            lambda workers: session.answer(number, self.answer(workers)),
            seconds=_seconds(message.get("timeout")),
            worker=slot,
        )

    def answer(self, workers: list[Message]) -> Message:
        """The shape of all answers."""
        for worker in workers:
            worker["board"] = self._board_of(worker["pid"])
        return {"supervisor": self.about(), "workers": workers}

    def about(self) -> Message:
        """The supervisor itself."""
        fleet = self._supervisor.fleet
        return {
            "pid": os.getpid(),
            "uptime_s": round(monotonic() - self._supervisor.started_at, 3),
            "size": fleet.size,
            "generation": fleet.generation,
            "restarts": fleet.restarts,
            "reloading": fleet.is_reloading,
            "last_failure": fleet.last_failure,
            "stopping": fleet.is_stopping,
            **self._about(),
        }

    def workers(self) -> list[Message]:
        """Those that there are, without asking them."""
        members = sorted(self._supervisor.fleet.members.values(), key=lambda m: (m.slot, m.pid))
        return [
            {
                "index": m.slot,
                "pid": m.pid,
                "generation": m.generation,
                "state": STATES[m.state],
                "since_s": round(monotonic() - m.since, 3),
                "ok": None,
            }
            for m in members
        ]

    def _board_of(self, pid: int) -> Message | None:
        member = self._supervisor.fleet.members.get(pid)
        if member is None:
            return None
        row = self._supervisor.board.row(member.row)
        silent_s = round((now_us() - row[cells.BEAT]) / 1e6, 3)
        return {name: row[cell] for name, cell in _SHOWN.items()} | {"silent_s": silent_s}

    def _scale(self, message: Message) -> None:
        size = message.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 1024:
            raise ControlError(f"there can be 1 to 1024 workers, not {size!r}")
        self._supervisor.scale(size)

    def _drain(self, message: Message) -> None:
        """Replace one worker; all end with "stop"."""
        which = message.get("worker")
        if which is None:
            self._supervisor.stop()
            return
        member = self._member(which)
        if member.state != cells.READY:
            raise ControlError(f"{member} does not serve: it is {STATES[member.state]}")
        self._supervisor.retire(member.pid, "an operator wants it replaced")

    def _member(self, which: Any) -> Member:
        """By its index, of those with the same one that which serves; or by its pid."""
        members = self._supervisor.fleet.members.values()
        found = [member for member in members if which in (member.slot, member.pid)]
        if found:
            return next((member for member in found if member.state == cells.READY), found[0])
        there = ", ".join(str(slot) for slot in sorted({m.slot for m in members}))
        raise ControlError(f"there is no worker {which!r}; there are {there}")


def _seconds(given: Any) -> float:
    if isinstance(given, (int, float)) and 0 < given <= 60:
        return float(given)
    return _ANSWER_S
