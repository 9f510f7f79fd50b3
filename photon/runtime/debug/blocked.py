"""Says who holds the hub, while he does: nobody else in the process can be served meanwhile.

After `blocked_s` a warning with the place, the request and the stack; when it goes on, a line at
1 s, 10 s, a minute; a line when it is over. Once per place and minute, with the number of those
that were left out. All of it is written by the native thread of the `pulse`.

C code that holds the GIL stops that thread as well. It runs again when the C code returns, between
two bytecodes of its caller; so the place is right even then, give or take a line.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any

from photon.runtime.debug.culprits import way_out_of
from photon.runtime.debug.frames import (
    around,
    file_of,
    place_of,
    source_line,
    spot,
    users_frame,
)
from photon.runtime.debug.pulse import STUCK_S, Pulse, Silence, pulsing
from photon.runtime.debug.who import running_in, told
from photon.runtime.hub import Hub, current_hub

logger = logging.getLogger("photon.runtime")

_QUIET_S = 60.0
_MILESTONES_S = (1.0, 10.0, 60.0, 600.0, 3600.0)
# Who waits takes next to nothing of a processor, and who computes may have to share it.
_COMPUTES = 0.2
_MOST_PLACES = 1000
_MOST_FRAMES = 30

LEAST_S = 0.05
"""A hub says that it moves every 20 ms; what is shorter cannot be told apart from chance."""


class BlockedLog:
    """Tells the log of who holds a hub.

    Args: blocked_s: how long one may.
    Attributes: reported: how often somebody was named.
    """

    def __init__(self, hub: Hub, pulse: Pulse, blocked_s: float = STUCK_S) -> None:
        if not blocked_s >= LEAST_S:
            raise ValueError(
                f"blocked_s is how long one greenlet may hold the hub, at least {LEAST_S:g} s; "
                f"not {blocked_s!r} (0 turns the log off, where it is a setting)"
            )
        logger.isEnabledFor(logging.WARNING)  # the first one takes a lock of all of `logging`
        self.reported = 0
        self._hub = hub
        self._pulse = pulse
        self._blocked_s = blocked_s
        self._places: dict[str, tuple[float, int]] = {}  # when it was told, and how often not
        self._since: float | None = None  # the silence that is told of
        self._next_milestone = 0
        self._name = ""
        self._place = ""
        self._extra: dict[str, Any] = {}
        self._is_told = False

    def on_stuck(self, silence: Silence) -> None:
        """The hub does not move. In the native thread."""
        if silence.seconds < self._blocked_s:
            return
        if silence.since != self._since:
            self._since = silence.since
            self._next_milestone = 0
            self._is_told = self._report(silence)
            if self._is_told:  # C code may have kept us away for long
                self._pass_milestones(silence)
        milestones = _MILESTONES_S[self._next_milestone :]
        if milestones and silence.seconds > milestones[0]:
            self._go_on(silence)

    def on_freed(self, seconds: float) -> None:
        """It moves again. In the native thread."""
        if self._is_told:
            self._log(
                f"{self._name} had held the hub for {seconds:.2g} s, at {self._place}",
                {**self._extra, "blocked_ms": round(seconds * 1000)},
            )
        self._is_told = False
        self._since = None

    def _report(self, silence: Silence) -> bool:
        """Name who holds the hub.   Returns: whether it was done."""
        frame = sys._current_frames().get(self._pulse.thread)
        who = running_in(self._hub, frame)
        if who is None or frame is None:
            return False
        place = spot(users_frame(frame) or frame)
        self._name, self._place = told(who), place
        self._extra = _fields(who, place)
        left_out = self._left_out(place)
        if left_out is None:
            return False
        again = f" ({left_out} more times since it was last told)" if left_out else ""
        self._log(
            f"{self._name} holds the hub for {silence.seconds:.2g} s now, and nothing else is "
            f"served: at {place_of(frame)}; {_reason(silence)}{_hint(frame)}{again}",
            {**self._extra, "blocked_ms": round(silence.seconds * 1000)},
            stack="\n".join(_stack(frame)),
        )
        self.reported += 1
        return True

    def _go_on(self, silence: Silence) -> None:
        """It takes really long: so at least a line, however often that was told of its place."""
        self._pass_milestones(silence)
        frame = sys._current_frames().get(self._pulse.thread)
        who = running_in(self._hub, frame)
        if who is None or frame is None:
            return
        self._name, self._place = told(who), spot(users_frame(frame) or frame)
        self._extra = _fields(who, self._place)
        self._is_told = True
        self._log(
            f"{self._name} has held the hub for {silence.seconds:.2g} s and goes on, at "
            f"{place_of(frame)}",
            {**self._extra, "blocked_ms": round(silence.seconds * 1000)},
        )

    def _pass_milestones(self, silence: Silence) -> None:
        self._next_milestone = sum(silence.seconds > each for each in _MILESTONES_S)

    def _left_out(self, place: str) -> int | None:
        """How often this place was not told of; None if it is not to be told of now."""
        moment = monotonic()
        last, left_out = self._places.get(place, (-_QUIET_S, 0))
        if moment - last < _QUIET_S:
            self._places[place] = last, left_out + 1
            return None
        if len(self._places) >= _MOST_PLACES:
            self._places.clear()
        self._places[place] = moment, 0
        return left_out

    def _log(self, text: str, extra: dict[str, Any], stack: str | None = None) -> None:
        if not logger.isEnabledFor(logging.WARNING):
            return
        record = logger.makeRecord(
            logger.name, logging.WARNING, __file__, 0, text, (), None, extra=extra
        )
        record.stack_info = stack
        logger.handle(record)


def _fields(who: dict[str, Any], place: str) -> dict[str, Any]:
    fields = {name: who[name] for name in ("route", "request_id") if who.get(name)}
    return {**fields, "place": place}


def _reason(silence: Silence) -> str:
    """What it does there, and the way out."""
    if silence.unseen_s > LEAST_S:
        return (
            "no other thread could run either: C code that holds the GIL, or the process was "
            "stopped; what does so belongs into another process"
        )
    if silence.computing > _COMPUTES:
        return "it computes: offload(fn) runs it beside, checkpoint() lets others in"
    return (
        "it waits in a call that does not cooperate, or for a processor: offload(fn) runs such a "
        "call beside"
    )


def _hint(frame: FrameType) -> str:
    """What is known of such lines."""
    way_out = way_out_of(frame)
    return f" ({way_out})" if way_out else ""


def _stack(frame: FrameType) -> Iterator[str]:
    """The user's frames, the innermost first, then what they have got to."""
    frames = list(around(frame))[:_MOST_FRAMES]
    users = [each for each in frames if file_of(each.f_code)[2]]
    inner = frames[: frames.index(users[0])] if users else frames
    for each in users:
        yield _line(each)
    if users and inner:
        yield "which got to"
    for each in inner:
        yield _line(each)


def _line(frame: FrameType) -> str:
    source = source_line(frame)
    return f"  {spot(frame)}{': ' if source else ''}{source}"


@contextmanager
def telling_blocked(blocked_s: float = STUCK_S) -> Iterator[BlockedLog | None]:
    """Have the log told of who holds the hub of this thread, while the block runs.

    Args: blocked_s: how long one may; 0 for nobody is told of.
    Raises: ValueError, for less than 50 ms.
    """
    if blocked_s == 0:
        yield None
        return
    with pulsing() as pulse:
        log = BlockedLog(current_hub(), pulse, blocked_s)
        pulse.stuck_s = min(pulse.stuck_s, blocked_s)
        pulse.on_stuck.append(log.on_stuck)
        pulse.on_freed.append(log.on_freed)
        try:
            yield log
        finally:
            pulse.forget(log.on_stuck)
            pulse.forget(log.on_freed)
