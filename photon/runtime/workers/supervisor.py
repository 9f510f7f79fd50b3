"""The supervisor: does what the fleet says, and tells it what happened. One loop, no hub.

It imports nothing of the user's, has neither greenlets nor threads, and calls the unpatched
originals only, so it can fork at any moment, and nothing an application does can hold it up.

    poll ── signal, message, exit, time ──▶ Fleet ── actions ──▶ fork, tell, kill, log ──▶ poll
"""

from __future__ import annotations

import _socket
import errno
import gc
import logging
import os
import select
import signal
from collections.abc import Callable
from time import monotonic

from gevent import monkey

from photon.runtime.debug.faults import TRACEBACK_SIGNAL, read_traceback, stack, told
from photon.runtime.workers.asking import Questions
from photon.runtime.workers.board import BEAT, BOOTING, READY, Board
from photon.runtime.workers.fleet import Fleet
from photon.runtime.workers.loop import TICK_S, Loop, OnSignal
from photon.runtime.workers.messages import Message, MessageError, encode
from photon.runtime.workers.orders import Action, End, Kill, Log, Member, Start, Tell
from photon.runtime.workers.process import Work, fork_worker
from photon.runtime.workers.wire import Wire

logger = logging.getLogger("photon.workers")

_waitpid: Callable[[int, int], tuple[int, int]] = monkey.get_original("os", "waitpid")

# A worker that stands still for so long is asked where.
_SILENT_S = 2.0
_READ_BYTES = 256 * 1024

_ANSWER_S = 10.0


class Supervisor(Loop):
    """Args:
        fleet: what is to be done.
        work: what a worker does.
        cpus: that workers are pinned to, in turn; empty for wherever they like.
        on_hup, on_usr2: what these signals do; a reload, and nothing, if None.
        on_stop: called before the workers are told to end.
        on_ready: called when a worker has become ready.
    Attributes: board: shared with the workers; wires: to each of them, by pid.
    """

    def __init__(
        self,
        fleet: Fleet,
        work: Work,
        *,
        board: Board | None = None,
        cpus: list[int] | None = None,
        on_hup: OnSignal | None = None,
        on_usr2: OnSignal | None = None,
        on_stop: OnSignal | None = None,
        on_ready: OnSignal | None = None,
    ) -> None:
        super().__init__()
        self.fleet = fleet
        self.board = board or Board()
        self.wires: dict[int, Wire] = {}
        self.questions = Questions()
        self.started_at = monotonic()
        self._work = work
        self._cpus = cpus or []
        self._children: dict[int, Callable[[int], object]] = {}
        self._end: End | None = None
        self._on_hup = on_hup or self.reload
        self._on_usr2 = on_usr2 or (lambda: logger.warning("SIGUSR2 does nothing here"))
        self.on_stop = on_stop or (lambda: None)
        self.on_ready = on_ready or (lambda: None)

    # For who runs it...

    def run(self, *, reload: str = "") -> End:
        """Have workers until somebody ends it.   Returns: how it did.

        Args: reload: why those that were taken over are replaced at once; "" if they are not.
        """
        with self.signals(self._meanings):
            # What is there now is never looked through again, and stays shared after the forks.
            gc.collect()
            gc.freeze()
            for pid in self.wires:
                self._watch_wire(self.fleet.members[pid])
            moment = monotonic()
            fleet = self.fleet
            self.do(fleet.reload(moment, reload) if reload else fleet.begin(moment))
            while self._end is None:
                self.turn()
        return self._end

    def when_child_ends(self, pid: int, callback: Callable[[int], object]) -> None:
        """Call `callback(status)` when a child that is no worker ends."""
        self._children[pid] = callback

    def adopt(self, member: Member, end: _socket.socket | None) -> None:
        """Take over a worker that another program forked in this process.

        Args: end: of the link to it; None for one that was cut off, and is leaving.
        """
        self.fleet.adopted(member)
        if end is not None:
            self.wires[member.pid] = Wire(end)

    # What operators want...

    def reload(self) -> None:
        """Replace all workers, one at a time."""
        self.do(self.fleet.reload(monotonic()))

    def scale(self, size: int) -> None:
        """Have so many workers."""
        self.do(self.fleet.scale(size, monotonic()))

    def retire(self, pid: int, reason: str) -> None:
        """Replace one worker."""
        self.do(self.fleet.retire(pid, reason, monotonic()))

    def stop(self) -> None:
        """End; a second call hurries, a third kills."""
        if not self.fleet.is_stopping:
            self.on_stop()
        self.do(self.fleet.stop(monotonic()))

    def ask(
        self,
        message: Message,
        then: Callable[[list[Message]], object],
        *,
        seconds: float = _ANSWER_S,
        worker: int | None = None,
    ) -> None:
        """Ask all workers, or one by its index or pid, and call `then` with what they answer."""
        asked = [
            member
            for member in sorted(self.fleet.members.values(), key=lambda m: (m.slot, m.pid))
            if worker is None or worker in (member.slot, member.pid)
        ]
        number = self.questions.ask(asked, monotonic() + seconds, then)
        for member in asked:
            self._tell(member, {**message, "id": number})
            known = self._known_to_be_silent(member)
            if known:
                self.questions.answered(member.pid, {"id": number, "error": known})

    # The loop...

    def tick(self, now: float) -> None:
        """See `Loop`."""
        self._reap()  # a signal that came before its handler was there
        beats = {m.pid: self._beat_of(m) for m in self.fleet.members.values()}
        self.do(self.fleet.tick(now, beats))
        for member in self.fleet.members.values():
            self._look_at(member, now, now - beats.get(member.pid, now))
        self.questions.tick(now, self._why_silent)

    def do(self, actions: list[Action]) -> None:
        """Do what the fleet says."""
        for action in actions:
            if isinstance(action, Start):
                self._start(action)
            elif isinstance(action, Tell):
                self._tell(action.member, action.message)
            elif isinstance(action, Kill):
                _kill(action.member.pid, action.signal)
            elif isinstance(action, Log):
                _log(action)
            else:
                assert isinstance(action, End)
                self._end = action

    def _start(self, start: Start) -> None:
        try:
            row = self.board.take()
        except LookupError as error:
            self.do(self.fleet.not_started(start, str(error), monotonic()))
            return
        cpu = self._cpus[start.slot % len(self._cpus)] if self._cpus else None
        close = [*self.wires.values(), *self.close_in_child]
        try:
            pid, end, traces = fork_worker(
                self._work,
                self.board,
                row,
                start.slot,
                start.generation,
                broken=start.broken,
                close=close,
                cpu=cpu,
            )
        except OSError as error:
            self.board.free(row)
            self.do(self.fleet.not_started(start, str(error), monotonic()))
            return
        member = self.fleet.started(start, pid, row, monotonic())
        self.wires[pid] = Wire(end, traces)
        self._watch_wire(member)

    # Workers...

    def _watch_wire(self, member: Member) -> None:
        descriptor = self.wires[member.pid].end.fileno()
        self.watch(descriptor, lambda events: self._hear(member.pid, events))

    def _tell(self, member: Member, message: Message) -> None:
        wire = self.wires.get(member.pid)
        if wire is None:
            return
        wire.pending += encode(message)
        self._flush(member.pid, wire)

    def _flush(self, pid: int, wire: Wire) -> None:
        try:
            wire.flush()
        except OSError:
            self._cut(pid)
            return
        wants = select.POLLIN | (select.POLLOUT if wire.pending else 0)
        self.set_interest(wire.end.fileno(), wants)

    def _hear(self, pid: int, events: int) -> None:
        wire = self.wires.get(pid)
        if wire is None:
            return
        if events & select.POLLOUT:
            self._flush(pid, wire)
        if not events & ~select.POLLOUT:
            return
        try:
            data = wire.end.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._cut(pid)
            return
        try:
            messages = wire.lines.feed(data)
        except MessageError as error:
            logger.error("worker %d says what cannot be read: %s", pid, error)
            self._cut(pid)
            return
        for message in messages:
            self._heard(pid, message)

    def _heard(self, pid: int, message: Message) -> None:
        tells = message.get("tell")
        if tells == "ready":
            self.do(self.fleet.ready(pid, float(message.get("budget_s", 60)), monotonic()))
            self.on_ready()
        elif tells == "failed":
            self.fleet.failed(pid, str(message.get("text")), int(message.get("code", 1)))
        elif tells == "retire":
            self.do(self.fleet.retire(pid, str(message.get("reason")), monotonic()))
        elif "id" in message:
            self.questions.answered(pid, message)

    def _cut(self, pid: int) -> None:
        wire = self.wires.pop(pid, None)
        if wire is not None:
            self.unwatch(wire.end.fileno())
            wire.close()
            self.questions.gone(pid, "it has just ended")

    def _beat_of(self, member: Member) -> float:
        return self.board.row(member.row)[BEAT] / 1e6

    def _look_at(self, member: Member, now: float, silent_s: float) -> None:
        """Say where a worker hangs whose own threads cannot, as C code holds the GIL."""
        wire = self.wires.get(member.pid)
        if wire is None or wire.traces < 0 or member.state != READY:
            return
        if silent_s < _SILENT_S:
            wire.asked_at, wire.place = 0.0, ""
        elif not wire.asked_at:
            wire.asked_at = now
            read_traceback(wire.traces)  # what it wrote too late to be read is old by now
            _kill(member.pid, TRACEBACK_SIGNAL)
        elif not wire.place and now - wire.asked_at >= TICK_S:
            lines = read_traceback(wire.traces)
            wire.place = told(lines)
            if lines:
                text = f"{member} has stood still for {silent_s:.1f} s, at {wire.place}"
                _log(Log(logging.ERROR, text, stack(lines)))

    def _known_to_be_silent(self, member: Member) -> str:
        """Why a worker will not answer soon; "" if it may."""
        if member.state == BOOTING:
            return "it boots still"
        is_silent = monotonic() - self._beat_of(member) > _SILENT_S
        return self._why_silent(member.pid) if is_silent else ""

    def _why_silent(self, pid: int) -> str:
        member = self.fleet.members.get(pid)
        still_s = 0.0 if member is None else monotonic() - self._beat_of(member)
        if still_s > 1:
            wire = self.wires.get(pid)
            place = f", at {wire.place}" if wire is not None and wire.place else ""
            return f"it does not answer: its hub has stood still for {still_s:.1f} s{place}"
        return "it does not answer"

    def _reap(self) -> None:
        """Take leave of all children that have ended."""
        while True:
            try:
                pid, status = _waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            code = os.waitstatus_to_exitcode(status)
            callback = self._children.pop(pid, None)
            if callback is not None:
                callback(code)
                continue
            member = self.fleet.members.get(pid)
            while pid in self.wires:  # its last words
                self._hear(pid, select.POLLIN)
                if pid in self.wires and not _has_more(self.wires[pid].end):
                    self._cut(pid)
            if member is not None:
                self.board.free(member.row)
            self.do(self.fleet.exited(pid, code, monotonic()))

    # Signals...

    @property
    def _meanings(self) -> dict[int, OnSignal]:
        return {
            signal.SIGCHLD: self._reap,
            signal.SIGTERM: lambda: self._stop_by("SIGTERM"),
            signal.SIGINT: lambda: self._stop_by("SIGINT"),
            signal.SIGHUP: self._on_hup,
            signal.SIGUSR2: self._on_usr2,
            signal.SIGTTIN: lambda: self.scale(self.fleet.size + 1),
            signal.SIGTTOU: lambda: self.scale(self.fleet.size - 1),
            signal.SIGQUIT: self._dump,
            signal.SIGUSR1: lambda: logger.info("SIGUSR1 does nothing here"),
        }

    def _stop_by(self, name: str) -> None:
        steps = ("stopping", "hurrying", "ending at once")
        step = steps[min(self.fleet.hurries, 2)]
        logger.log(logging.INFO if step == steps[0] else logging.WARNING, "%s: %s", name, step)
        self.stop()

    def _dump(self) -> None:
        for member in self.fleet.members.values():
            self._tell(member, {"do": "dump-to-log"})

    def __repr__(self) -> str:
        return f"<Supervisor {os.getpid()} of {self.fleet!r}>"


def _log(action: Log) -> None:
    if logger.isEnabledFor(action.level):
        record = logger.makeRecord(
            logger.name, action.level, __file__, 0, action.text, (), None, sinfo=action.details
        )
        logger.handle(record)


def _has_more(end: _socket.socket) -> bool:
    try:
        return bool(end.recv(1, _socket.MSG_PEEK))
    except OSError:
        return False


def _kill(pid: int, which: int) -> None:
    try:
        os.kill(pid, which)
    except OSError as error:
        if error.errno != errno.ESRCH:  # it was quicker
            logger.error("pid %d cannot be signalled: %s", pid, error)
