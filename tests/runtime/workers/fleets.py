"""A fleet in a world without processes: forks always work, and workers do what the test says."""

from __future__ import annotations

from itertools import count
from signal import SIGKILL, SIGTERM

from photon.runtime.workers.board import BOOTING, DRAINING, READY
from photon.runtime.workers.fleet import Fleet
from photon.runtime.workers.orders import Action, End, Kill, Log, Member, Start, Tell


class World:
    """Does what a fleet says.

    Attributes: told: messages to each pid; killed: (pid, signal); end: how it ended.
    """

    def __init__(self, size: int, **options: object) -> None:
        self.fleet = Fleet(size, **options)  # type: ignore[arg-type]
        self.now = 100.0
        self.pids = count(1)
        self.log: list[Log] = []
        self.told: list[tuple[int, dict[str, object]]] = []
        self.killed: list[tuple[int, int]] = []
        self.started: list[Start] = []
        self.end: End | None = None
        self.refuses_to_fork = False
        self.do(self.fleet.begin(self.now))

    def do(self, actions: list[Action]) -> None:
        for action in actions:
            assert self.end is None, "all was over"
            if isinstance(action, Start):
                self.started.append(action)
                if self.refuses_to_fork:
                    self.do(self.fleet.not_started(action, "no more processes", self.now))
                else:
                    self.fleet.started(action, next(self.pids), 0, self.now)
            elif isinstance(action, Tell):
                self.told.append((action.member.pid, action.message))
            elif isinstance(action, Kill):
                self.killed.append((action.member.pid, action.signal))
            elif isinstance(action, Log):
                self.log.append(action)
            else:
                self.end = action

    # What workers do...

    def ready(self, pid: int, budget_s: float = 30.0) -> None:
        self.do(self.fleet.ready(pid, budget_s, self.now))

    def exits(self, pid: int, status: int = 0, text: str = "", code: int = 0) -> None:
        if text:
            self.fleet.failed(pid, text, code)
        self.do(self.fleet.exited(pid, status, self.now))

    def all_ready(self) -> None:
        for member in self.of(BOOTING):
            self.ready(member.pid)

    def settle(self) -> None:
        """Everybody does as told, until nothing is left to do."""
        for _ in range(1000):
            before = (len(self.started), len(self.told), len(self.killed), len(self.fleet.members))
            for pid, signal in self.killed[:]:
                self.killed.remove((pid, signal))
                if signal in (SIGKILL, SIGTERM) and pid in self.fleet.members:
                    self.exits(pid, -signal)
            for member in self.of(DRAINING):
                self.exits(member.pid)
            self.all_ready()
            self.pass_time(0.2)
            after = (len(self.started), len(self.told), len(self.killed), len(self.fleet.members))
            is_at_rest = before == after and not self.of(BOOTING, DRAINING)
            if self.end is not None:
                return
            if is_at_rest and (self.fleet.is_stopping or self.serves_fully):
                return
        raise AssertionError(f"it never comes to rest: {self.fleet!r}")

    def pass_time(self, seconds: float, beats: dict[int, float] | None = None) -> None:
        while seconds > 1.0:
            seconds -= 1.0
            self.sleep(1.0)
        self.sleep(seconds, beats)

    def sleep(self, seconds: float, beats: dict[int, float] | None = None) -> None:
        """So much time, with one tick at its end."""
        self.now += seconds
        if self.end is None:
            fresh = dict.fromkeys(self.fleet.members, self.now)
            self.do(self.fleet.tick(self.now, fresh | (beats or {})))

    # What there is...

    def of(self, *states: int) -> list[Member]:
        return [m for m in self.fleet.members.values() if m.state in states]

    @property
    def is_over(self) -> bool:
        return self.end is not None

    @property
    def serves_fully(self) -> bool:
        slots = sorted(m.slot for m in self.of(READY))
        return slots == list(range(self.fleet.size))

    @property
    def serving(self) -> list[int]:
        return [m.pid for m in self.of(READY)]

    def log_of(self, *parts: str) -> Log:
        return next(e for e in self.log if all(p in e.text + e.details for p in parts))
