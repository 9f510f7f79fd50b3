"""What is to be done about the workers: a machine without I/O.

It is told what happened (a worker is ready, exited, wants to retire; an operator wants a reload)
and answers with what is to be done: `Start`, `Tell`, `Kill`, `Log`, `End`. The loop of the
supervisor does it, all of it before it tells of the next thing.

    Start ─▶ BOOTING ─ready─▶ READY ─told to stop─▶ DRAINING ─▶ exited
                │                │
                └── exited ──────┴──▶ another one, at once or a little later

There are `size` slots, and in each one worker that serves or is about to. To replace one, its
successor boots beside it, and only when that is ready the first is told to drain. One at a time.

Prior art: gunicorn's Arbiter (reload, TTIN, TTOU), nginx's master, Erlang's supervisors.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from signal import SIGKILL, SIGTERM, Signals

from photon.runtime.workers.board import BOOTING, DRAINING, READY, STATES
from photon.runtime.workers.orders import Action, End, Kill, Log, Member, Start, Tell

NOT_STARTED = 3
"""The exit code when workers cannot boot and say no other; gunicorn's WORKER_BOOT_ERROR."""

# A worker that ends sooner than that after it was ready is no good, and is not started at once.
_GOOD_S = 1.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 10.0

# Ticks come ten times a second. If one is so late all processes stood still, as after Ctrl+Z or
# `docker pause`: then no worker is to blame for it.
_LATE_S = 2.0

# So often in a row no worker can boot while none serves: then it never will.
_MOST_FAILURES = 5

# Above the time that a worker said it may need to end.
_GRACE_S = 2.0


class Slot:
    """A place for one worker.   Attributes: failures: in a row; not_before: of the next start."""

    def __init__(self) -> None:
        self.failures = 0
        self.not_before = 0.0


class Fleet:
    """All workers, and what is wanted of them.

    Attributes:
        restarts: workers that ended by themselves and were replaced.
        last_failure: why the last reload failed; "" if it did not.

    Args:
        size: how many are wanted.
        boot_timeout_s, hang_timeout_s: see `SupervisorSettings`.
        is_dev: a worker takes no new connections while its successor boots; what cannot boot is
            replaced by one that shows why, and the end of the first is never the end of all.
    """

    def __init__(
        self,
        size: int,
        *,
        boot_timeout_s: float = 60.0,
        hang_timeout_s: float = 30.0,
        is_dev: bool = False,
    ) -> None:
        self.size = size
        self.generation = 1
        self.members: dict[int, Member] = {}
        self.restarts = 0
        self.was_complete = False
        self.is_stopping = False
        self.last_failure = ""
        self._boot_timeout_s = boot_timeout_s
        self._hang_timeout_s = hang_timeout_s
        self._is_dev = is_dev
        self._slots: dict[int, Slot] = {}
        self._to_replace: dict[int, str] = {}  # slots in order, and why
        self._successor: Member | None = None
        self._successor_of = -1  # the slot that one was asked for; it may not be forked yet
        self._failures: dict[int, tuple[str, int]] = {}
        self._failed_in_a_row = 0
        self.hurries = 0
        self._end = End(0)
        self._is_reloading = False
        self._ticked = math.inf

    # What happens...

    def begin(self, now: float) -> list[Action]:
        """The first of all."""
        return self._go_on(now)

    def started(self, start: Start, pid: int, row: int, now: float) -> Member:
        """A worker was forked."""
        member = Member(
            pid=pid,
            slot=start.slot,
            row=row,
            generation=start.generation,
            broken=start.broken,
            since=now,
        )
        self._slot(start.slot).not_before = 0.0
        self.members[pid] = member
        if start.slot == self._successor_of and self._serving(start.slot) is not None:
            self._successor = member
        return member

    def not_started(self, start: Start, reason: str, now: float) -> list[Action]:
        """The system refused to fork."""
        slot = self._slot(start.slot)
        slot.failures += 1
        slot.not_before = now + _pause_s(slot.failures)
        text = f"worker {start.slot} cannot be started: {reason}"
        actions: list[Action] = [Log(logging.ERROR, text)]
        if start.slot == self._successor_of:
            self._no_successor()
            self._to_replace.clear()
            self._is_reloading = False
            self.last_failure = text
            old = self._serving(start.slot)
            if self._is_dev and old is not None:
                actions.append(Tell(old, {"do": "resume", "error": text}))
        return actions

    def adopted(self, member: Member) -> None:
        """One that another supervisor had, in whose place this one is."""
        self.members[member.pid] = member
        self.generation = max(self.generation, member.generation)
        self.was_complete = True

    def ready(self, pid: int, budget_s: float, now: float) -> list[Action]:
        """A worker can serve."""
        member = self.members.get(pid)
        if member is None or member.state != BOOTING or member.why:  # it was told to end
            return []
        took = now - member.since
        member.state, member.since, member.budget_s = READY, now, budget_s
        self.was_complete = self.was_complete or self.is_complete
        self._failed_in_a_row = 0
        actions: list[Action] = [Log(logging.INFO, f"{member} is ready after {took:.2f} s")]
        if member is self._successor:
            reason = self._to_replace.pop(member.slot, "")
            self._no_successor()
            for old in self._in_slot(member.slot):
                if old is not member and old.state == READY:
                    actions += self._drain(old, reason or "it is replaced", now, restarts=True)
        return actions + self._go_on(now)

    def failed(self, pid: int, text: str, code: int) -> None:
        """A worker says why it is about to exit before it was ready."""
        self._failures[pid] = (text, code)

    def retire(self, pid: int, reason: str, now: float) -> list[Action]:
        """A worker wants to be replaced."""
        member = self.members.get(pid)
        if member is None or member.state != READY or self.is_stopping:
            return []
        self._to_replace.setdefault(member.slot, reason)
        return self._go_on(now)

    def exited(self, pid: int, status: int, now: float) -> list[Action]:
        """A worker is no more.   Args: status: negative for the signal that ended it."""
        member = self.members.pop(pid, None)
        if member is None:
            return []
        failure = self._failures.pop(pid, None)
        if self.is_stopping:
            return self._one_less(member, status)
        if member.state == DRAINING:
            level = logging.INFO if status in (0, -SIGTERM) else logging.WARNING
            return [Log(level, f"{member} has left{_told(status)}"), *self._go_on(now)]
        if member.state == BOOTING:
            return self._boot_failed(member, status, failure, now)
        self.restarts += 1
        slot = self._slot(member.slot)
        if now - member.since < _GOOD_S and not member.hung:
            slot.failures += 1
            slot.not_before = now + _pause_s(slot.failures)
        else:
            slot.failures = 0
        log = Log(logging.ERROR, f"{member} ended{_told(status)}, and is replaced")
        return [log, *self._go_on(now)]

    def tick(self, now: float, beats: dict[int, float]) -> list[Action]:
        """Some time passed.   Args: beats: when each worker's hub last moved, by pid."""
        late_s, self._ticked = now - self._ticked, now
        if late_s > _LATE_S:
            self._excuse(now, late_s)
        actions: list[Action] = []
        for member in list(self.members.values()):
            actions += self._look_at(member, now, beats.get(member.pid, now))
        return actions + self._go_on(now)

    # What operators want...

    def reload(self, now: float, reason: str = "a reload") -> list[Action]:
        """Replace all workers, one at a time."""
        if self.is_stopping:
            return [Log(logging.WARNING, "the server stops, so there is no reload")]
        self.generation += 1
        self.last_failure = ""
        self._is_reloading = True
        self._to_replace = dict.fromkeys(range(self.size), reason)
        actions: list[Action] = []
        successor = self._successor
        if successor is not None:  # its code is old already
            actions.append(Kill(successor, SIGKILL if self._is_dev else SIGTERM))
            successor.why = "newer code has come"
        for slot in range(self.size):
            self._slot(slot).not_before = 0.0
            for member in self._in_slot(slot):
                if member.state == BOOTING and member is not successor:
                    member.why = "newer code has come"
                    actions.append(Kill(member, SIGKILL))
        return actions + self._go_on(now)

    def scale(self, size: int, now: float) -> list[Action]:
        """Have so many workers from here on."""
        if self.is_stopping:
            return []
        size = max(1, size)
        actions: list[Action] = [Log(logging.INFO, f"workers: {size} instead of {self.size}")]
        self.size = size
        for slot in [slot for slot in self._to_replace if slot >= size]:
            del self._to_replace[slot]
        if self._successor_of >= size:
            self._no_successor()
        for member in list(self.members.values()):
            if member.slot >= size and member.state != DRAINING:
                actions += self._drain(member, f"there are {size} workers now", now)
        return actions + self._go_on(now)

    def stop(self, now: float) -> list[Action]:
        """End in an orderly way; a second call hurries, a third waits for nothing."""
        self.hurries += 1
        self.is_stopping = True
        if not self.members:
            return [End(0)]
        if self.hurries == 1:
            return self._drain_all(now)
        if self.hurries == 2:
            return [Tell(m, {"do": "hurry"}) for m in self.members.values()]
        return [Kill(m, SIGKILL) for m in self.members.values()]

    # How it is done...

    def _go_on(self, now: float) -> list[Action]:
        return [] if self.is_stopping else [*self._fill(now), *self._replace_next(now)]

    def _fill(self, now: float) -> list[Action]:
        """Start what is missing."""
        taken = {m.slot for m in self.members.values() if m.state != DRAINING}
        return [
            self._start(slot, now)
            for slot in range(self.size)
            if slot not in taken and self._slot(slot).not_before <= now
        ]

    def _start(self, slot: int, now: float, broken: str = "") -> Start:
        if slot in self._to_replace and self._serving(slot) is None:
            del self._to_replace[slot]  # the next one is new in any case
        self._slot(slot).not_before = now + self._boot_timeout_s  # until `started`, `exited`
        return Start(slot, self.generation, broken)

    def _replace_next(self, now: float) -> list[Action]:
        while self._successor_of < 0 and self._to_replace:
            slot = next(iter(self._to_replace))
            old = self._serving(slot)
            if old is None:  # it is about to be started anew anyway
                del self._to_replace[slot]
                continue
            self._successor_of = slot
            actions: list[Action] = [self._start(slot, now)]
            if self._is_dev:
                actions.insert(0, Tell(old, {"do": "pause"}))
            return actions
        # One that was not there to be replaced is started anew: it may be that this has to boot.
        if self._is_reloading and self._successor_of < 0 and self.is_complete:
            self._is_reloading = False
            return [Log(logging.INFO, f"reloaded: generation {self.generation} serves")]
        return []

    def _no_successor(self) -> None:
        self._successor, self._successor_of = None, -1

    def _boot_failed(
        self, member: Member, status: int, failure: tuple[str, int] | None, now: float
    ) -> list[Action]:
        text, code = failure or (f"{member} ended{_told(status)} before it could serve", 0)
        code = code or (status if 0 < status < 126 else NOT_STARTED)
        slot = self._slot(member.slot)
        slot.not_before = 0.0
        is_successor = member is self._successor
        if is_successor:
            self._no_successor()
        if member.why:  # it was to end
            return self._go_on(now)
        if is_successor:
            return self._reload_failed(member, text, now)
        if self._is_reloading and not self._to_replace:  # it was all that the reload waited for
            self._is_reloading = False
            self.last_failure = text
        if self._is_dev and not member.broken:
            slot.not_before = now + self._boot_timeout_s
            log = Log(logging.ERROR, "the application cannot be served, see below", text)
            return [log, Start(member.slot, self.generation, text)]
        if not self.was_complete:
            return self._give_up(text, code)
        slot.failures += 1
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= _MOST_FAILURES and not self._any_serves():
            return self._give_up(text, code)
        pause_s = _pause_s(slot.failures)
        slot.not_before = now + pause_s
        what = f"{member} could not start, and is tried again in {pause_s:.1f} s"
        return [Log(logging.ERROR, what, text), *self._go_on(now)]

    def _give_up(self, text: str, code: int) -> list[Action]:
        self.is_stopping = True
        self._end = End(code, text)
        rest: list[Action] = [Kill(m, SIGKILL) for m in self._all()]
        return rest or [self._end]

    def _reload_failed(self, member: Member, text: str, now: float) -> list[Action]:
        kept = sum(m.state == READY and m.generation < member.generation for m in self._all())
        why = self._to_replace.get(member.slot, "")
        self._to_replace.clear()
        self._is_reloading = False
        self.last_failure = text
        old = self._serving(member.slot)
        actions: list[Action] = []
        if self._is_dev and old is not None:
            actions.append(Tell(old, {"do": "resume", "error": text}))
        is_reload = member.generation > (old.generation if old is not None else 0)
        what = (
            f"the reload has failed, the code of before serves on with {kept} workers"
            if is_reload
            else f"{old} serves on, though it was to be replaced ({why})"
        )
        return [*actions, Log(logging.ERROR, what, text), *self._go_on(now)]

    def _look_at(self, member: Member, now: float, beat: float) -> list[Action]:
        if member.kill_at is not None and now >= member.kill_at:
            member.kill_at = now + _GRACE_S
            log = Log(logging.ERROR, f"{member} does not end ({member.why}): it is killed")
            return [log, Kill(member, SIGKILL)]
        if member.state == BOOTING and now - member.since > self._boot_timeout_s:
            member.since = now
            self.failed(
                member.pid,
                f"{member} was not ready after {self._boot_timeout_s:g} s, and is killed: what "
                "the application does when it is imported, or started, takes too long "
                "(--boot-timeout)",
                NOT_STARTED,
            )
            return [Kill(member, SIGKILL)]
        if member.state == READY and now - max(beat, member.since) > self._hang_timeout_s:
            member.since, member.hung = now, True
            text = (
                f"{member} has stood still for {self._hang_timeout_s:g} s (--hang-timeout), "
                "and is killed"
            )
            return [Log(logging.ERROR, text), Kill(member, SIGKILL)]
        return []

    def _excuse(self, now: float, late_s: float) -> None:
        for member in self.members.values():
            member.since = now
            if member.kill_at is not None:
                member.kill_at += late_s

    def _drain(
        self, member: Member, why: str, now: float, *, restarts: bool = False
    ) -> list[Action]:
        was_booting = member.state == BOOTING
        member.state, member.since, member.why = DRAINING, now, why
        member.kill_at = now + member.budget_s + _GRACE_S
        if was_booting:
            return [Kill(member, SIGTERM)]
        return [Tell(member, {"do": "stop", "restarts": restarts, "why": why})]

    def _drain_all(self, now: float) -> list[Action]:
        self._to_replace.clear()
        actions: list[Action] = []
        for member in self.members.values():
            if member.state != DRAINING:
                actions += self._drain(member, "the server stops", now)
        return actions

    def _one_less(self, member: Member, status: int) -> list[Action]:
        actions: list[Action] = []
        if status not in (0, -SIGTERM) and not self._end.why:
            actions.append(Log(logging.WARNING, f"{member} ended{_told(status)}"))
        if not self.members:
            actions.append(self._end)
        return actions

    def _slot(self, number: int) -> Slot:
        return self._slots.setdefault(number, Slot())

    def _all(self) -> Iterable[Member]:
        return self.members.values()

    def _in_slot(self, slot: int) -> list[Member]:
        return [m for m in self._all() if m.slot == slot]

    def _serving(self, slot: int) -> Member | None:
        """The one in a slot that serves."""
        return next((m for m in self._in_slot(slot) if m.state == READY), None)

    def _any_serves(self) -> bool:
        return any(m.state == READY for m in self._all())

    @property
    def is_complete(self) -> bool:
        """Whether there is a worker that serves in every slot."""
        return all(self._serving(slot) is not None for slot in range(self.size))

    @property
    def is_reloading(self) -> bool:
        """Whether workers wait to be replaced by newer ones."""
        return self._is_reloading

    def __repr__(self) -> str:
        states = [STATES[m.state] for m in self._all()]
        counts = ", ".join(f"{states.count(s)} {s}" for s in STATES if s in states)
        return f"<Fleet of {self.size}: {counts or 'nobody'}, generation {self.generation}>"


def _pause_s(failures: int) -> float:
    return min(_FIRST_PAUSE_S * 2.0 ** (failures - 1), _LONGEST_PAUSE_S)


def _told(status: int) -> str:
    """Such as " with the exit code 3", " by SIGKILL"; "" for a good end."""
    if status == 0:
        return ""
    if status < 0:
        try:
            return f" by {Signals(-status).name}"
        except ValueError:
            return f" by signal {-status}"
    return f" with the exit code {status}"
