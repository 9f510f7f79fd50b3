"""Supervisors with real workers, each in a fresh interpreter, as a fork wants it.

    python -m tests.runtime.workers.scenes one_that_is_killed

plays a scene and prints what was seen as JSON. A scene is a generator: it yields a condition, and
goes on once that is so; at its end the supervisor is stopped.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

from photon.runtime.hub import current_hub, has_hub
from photon.runtime.sync import Event
from photon.runtime.workers.board import BEAT, CONNECTIONS, FREE, READY, STATE, STATES, now_us
from photon.runtime.workers.fleet import Fleet
from photon.runtime.workers.messages import Message
from photon.runtime.workers.process import Post
from photon.runtime.workers.supervisor import Supervisor
from photon.runtime.workers.upgrade import (
    Inheritance,
    become_new,
    inheritance,
    inherited_board,
    take_over,
)

PATIENCE_S = 20.0

Steps = Iterator[Callable[[], object]]
"""Conditions, each waited for."""


class Stage:
    """A supervisor, and what is seen of it.   Attributes: seen: is printed; log: its lines."""

    def __init__(self, size: int = 2, **options: float) -> None:
        self.fleet = Fleet(size, **options)  # type: ignore[arg-type]
        self.supervisor = Supervisor(self.fleet, obedient)
        self.seen: dict[str, Any] = {}
        self.log = _Kept()
        logging.getLogger("photon").addHandler(self.log)
        logging.getLogger("photon").setLevel(logging.INFO)

    def play(self, steps: Steps) -> None:
        """Run it along with a scene, and print what was seen."""
        began = monotonic()
        condition = next(steps)

        def on_tick(now: float) -> None:
            nonlocal condition
            if monotonic() - began > PATIENCE_S:  # an Exception would not end the loop
                raise SystemExit(f"it does not go on: {self.log.lines}")
            if not self.fleet.is_stopping and condition():
                try:
                    condition = next(steps)
                except StopIteration:
                    self.supervisor.stop()
                except Exception as error:
                    raise SystemExit(f"{error!r} in the scene") from error

        self.supervisor.on_tick(on_tick)
        end = self.supervisor.run()
        seen = {**self.seen, "code": end.code, "why": end.why, "log": self.log.lines}
        tell(seen | {"has_hub": has_hub(), "left": len(self.fleet.members)})

    def complete(self, *, without: tuple[int, ...] = ()) -> Callable[[], bool]:
        """Whether all slots have a worker that serves, others than those with these pids."""

        def is_so() -> bool:
            found = list(self.fleet.members.values())
            return (
                [m.state for m in found] == [READY] * self.fleet.size
                and not self.fleet.is_reloading
                and not {m.pid for m in found} & set(without)
            )

        return is_so

    @property
    def links(self) -> list[int]:
        return [wire.end.fileno() for wire in self.supervisor.wires.values()]

    @property
    def pids(self) -> list[int]:
        return [m.pid for m in sorted(self.fleet.members.values(), key=lambda m: m.slot)]

    def ask(self, message: Message, **options: Any) -> list[Message]:
        """The answers, once they are there."""
        answers: list[Message] = []
        self.supervisor.ask(message, answers.extend, **options)
        return answers


def tell(seen: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


# Workers...


def obedient(post: Post) -> int:
    """Is ready at once, answers what it is asked, and ends when it is told to."""
    end = Event()
    stopped: list[Message] = []

    def on_message(message: Message) -> None:
        does = message["do"]
        if does == "stop":
            stopped.append(message)
            end.set()
        elif does == "where":
            here = {"pid": os.getpid(), "generation": post.generation, "slot": post.slot}
            post.link.tell({"id": message["id"], "ok": here})
        elif does == "big":
            post.link.tell({"id": message["id"], "ok": "x" * 5_000_000})
        elif does == "dump-to-log":
            post.row[CONNECTIONS] += 1
        elif does == "retire":
            post.link.tell({"tell": "retire", "reason": "it is old"})
        elif does == "garbage":
            post.link._end.send(b"nonsense\n")

    post.link.listen(on_message, end.set)
    post.link.tell({"tell": "ready", "budget_s": 5})
    end.wait()
    return 0


def beating(post: Post) -> int:
    """As the obedient one, with a hub that shows that it moves."""
    timer = current_hub().loop.timer(0.01, 0.01)

    def beat() -> None:
        post.row[BEAT] = now_us()

    timer.start(beat)
    return obedient(post)


# Scenes...


def one_that_is_killed(stage: Stage) -> Steps:
    yield stage.complete()
    first = stage.pids
    os.kill(first[0], signal.SIGKILL)
    yield stage.complete(without=(first[0],))
    stage.seen["kept"] = first[1] in stage.pids
    stage.seen["restarts"] = stage.fleet.restarts


def questions(stage: Stage) -> Steps:
    yield stage.complete()
    answers = stage.ask({"do": "where"})
    big = stage.ask({"do": "big"})
    one = stage.ask({"do": "where"}, worker=1)
    nobody: list[Any] = []
    stage.supervisor.ask({"do": "where"}, nobody.append, worker=99)
    yield lambda: answers and big and one and nobody
    stage.seen["where"] = [
        [a["index"], a["pid"] == a["ok"]["pid"], a["ok"]["slot"]] for a in answers
    ]
    stage.seen["big"] = [len(answer["ok"]) for answer in big]
    stage.seen["one"] = [answer["index"] for answer in one]
    stage.seen["nobody"] = nobody
    silent = stage.ask({"do": "nothing"}, seconds=0.01)
    dying = stage.ask({"do": "nothing"}, worker=0)
    yield lambda: silent
    stage.seen["silent"] = [answer["error"] for answer in silent]
    os.kill(stage.pids[0], signal.SIGKILL)
    yield lambda: dying
    stage.seen["dying"] = dying[0]["error"]


def nonsense(stage: Stage) -> Steps:
    """One that says what cannot be read is cut off, ends, and is replaced."""
    yield stage.complete()
    first = stage.pids
    stage.ask({"do": "garbage"}, worker=0)
    yield stage.complete(without=(first[0],))


def signals(stage: Stage) -> Steps:
    """What each of them means, sent to the supervisor itself."""
    me = os.getpid()
    yield stage.complete()
    first = tuple(stage.pids)
    os.kill(me, signal.SIGHUP)
    yield lambda: stage.fleet.generation == 2
    yield stage.complete(without=first)
    stage.seen["hup"] = stage.fleet.generation
    os.kill(me, signal.SIGTTIN)
    yield lambda: stage.fleet.size == 3
    yield stage.complete()
    os.kill(me, signal.SIGTTOU)
    yield lambda: stage.fleet.size == 2
    yield stage.complete()
    os.kill(me, signal.SIGQUIT)
    rows = [stage.supervisor.board.row(m.row) for m in stage.fleet.members.values()]
    yield lambda: [row[CONNECTIONS] for row in rows] == [1, 1]
    os.kill(me, signal.SIGUSR1)
    os.kill(me, signal.SIGUSR2)
    yield lambda: any("SIGUSR2" in line for line in stage.log.lines)
    os.kill(me, signal.SIGTERM)
    yield lambda: False


def reloads_without_a_pause(stage: Stage) -> Steps:
    """A worker is told to end while it still has what its parent had: no signal comes back."""
    yield stage.complete()
    for _ in range(10):
        for _ in range(10):
            stage.supervisor.reload()
            stage.supervisor.scale(3)
            stage.supervisor.scale(2)
        yield lambda: True
    yield stage.complete()
    stage.seen["generation"] = stage.fleet.generation


def one_that_stands_still(stage: Stage) -> Steps:
    yield stage.complete()
    first = stage.pids
    os.kill(first[0], signal.SIGSTOP)
    yield stage.complete(without=(first[0],))
    stage.seen["kept"] = first[1] in stage.pids


def descriptors(stage: Stage) -> Steps:
    """What a worker has open: nothing of its parent's, and nothing of the others'."""
    yield stage.complete()
    stage.supervisor.scale(4)
    yield stage.complete()
    stage.seen["sockets"] = [len(sockets_of(pid)) for pid in stage.pids]
    stage.seen["own"] = len(sockets_of(os.getpid()))
    stage.seen["masks"] = [int(mask_of(pid), 16) for pid in (os.getpid(), *stage.pids)]


def sockets_of(pid: int) -> list[str]:
    found = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{number}"))
        except FileNotFoundError:
            pass  # the one with which this was listed
    return [name for name in found if name.startswith("socket:")]


def mask_of(pid: int) -> str:
    with open(f"/proc/{pid}/status") as file:
        return next(line.split()[1] for line in file if line.startswith("SigBlk"))


def one_that_cannot_boot(stage: Stage) -> Steps:
    def work(post: Post) -> int:
        if post.slot == 1:
            post.link.last_words({"tell": "failed", "text": "there is no module 'x'", "code": 4})
            return 4
        return obedient(post)

    stage.supervisor._work = work
    yield lambda: False


def one_that_exits(stage: Stage) -> Steps:
    def work(post: Post) -> int:
        raise SystemExit(7)

    stage.supervisor._work = work
    yield lambda: False


def one_that_raises(stage: Stage) -> Steps:
    def work(post: Post) -> int:
        raise KeyError("x")

    stage.supervisor._work = work
    yield lambda: False


def printed_before_the_fork(stage: Stage) -> Steps:
    """What the parent has printed, and not written yet, is written once."""
    screen = sys.stdout
    with tempfile.NamedTemporaryFile("w") as sys.stdout:
        sys.stdout.write("by the parent\n")
        yield stage.complete()
        first = tuple(stage.pids)
        stage.supervisor.reload()
        yield stage.complete(without=first)
        yield lambda: not set(first) & set(stage.fleet.members)
        with open(sys.stdout.name) as file:
            stage.seen["printed"] = file.read()
    sys.stdout = screen


def one_that_wants_to_retire(stage: Stage) -> Steps:
    def work(post: Post) -> int:
        if (post.slot, post.generation) == (0, 1):
            post.row[CONNECTIONS] = 5
        return obedient(post)

    stage.supervisor._work = work
    yield stage.complete()
    first = stage.pids
    stage.ask({"do": "retire"}, worker=0)
    yield stage.complete(without=(first[0],))
    stage.seen["kept"] = first[1] in stage.pids


def pinned(stage: Stage) -> Steps:
    cores = sorted(os.sched_getaffinity(0))
    stage.supervisor._cpus = cores
    yield stage.complete()
    stage.seen["cores"] = [sorted(os.sched_getaffinity(pid)) for pid in stage.pids]
    stage.seen["wanted"] = [[cores[slot % len(cores)]] for slot in range(2)]


def others_that_end(stage: Stage) -> Steps:
    """A child that is no worker."""
    yield stage.complete()
    codes: list[int] = []
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 5"], os.environ)
    stage.supervisor.when_child_ends(pid, codes.append)
    stranger = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 6"], os.environ)
    yield lambda: codes
    stage.seen["codes"] = codes
    yield lambda: not os.path.exists(f"/proc/{stranger}")


def a_supervisor_that_is_killed(stage: Stage) -> Steps:
    """Its workers end by themselves: then nobody has this pipe any more."""
    yield stage.complete()
    tell({"pids": stage.pids})
    os.kill(os.getpid(), signal.SIGKILL)


def many(stage: Stage) -> Steps:
    """Restarts leave nothing behind."""
    yield stage.complete()
    counts = []
    for _ in range(3):
        for _ in range(10):
            first = tuple(stage.pids)
            stage.supervisor.reload()
            yield stage.complete(without=first)
        counts.append([len(os.listdir("/proc/self/fd")), len(stage.supervisor.wires)])
    stage.seen["counts"] = counts
    stage.seen["rows"] = [m.row for m in stage.fleet.members.values()]


def replaced(stage: Stage) -> Steps:
    """Another program goes on with the same process, workers and board."""
    left = inheritance()
    if left is None:
        return _before_replaced(stage)
    stage.fleet.size = left.size
    stage.supervisor = Supervisor(stage.fleet, obedient, board=inherited_board(left))
    take_over(left, stage.supervisor, monotonic())
    return _after_replaced(stage, left)


def _before_replaced(stage: Stage) -> Steps:
    yield stage.complete()
    stage.supervisor.board.row(0)[CONNECTIONS] = 77
    stage.supervisor.scale(3)
    stubborn = stage.fleet.members[stage.pids[1]]
    stage.supervisor.do(stage.fleet._drain(stubborn, "just so", monotonic()))
    os.kill(stubborn.pid, signal.SIGSTOP)
    os.environ["BEFORE"] = " ".join(map(str, stage.pids))
    become_new(stage.supervisor, [], {"some": os.open("/dev/null", os.O_RDONLY)})


def _after_replaced(stage: Stage, left: Inheritance) -> Steps:
    before = [int(pid) for pid in os.environ["BEFORE"].split()]
    states = {pid: stage.fleet.members[pid].state for pid in before}
    stage.seen["states"] = [STATES[states[pid]] for pid in before]
    stage.seen["connections"] = stage.supervisor.board.row(0)[CONNECTIONS]
    stage.seen["some"] = os.path.samestat(os.fstat(left.others["some"]), os.stat("/dev/null"))
    stage.seen["inherited"] = any(map(os.get_inheritable, (left.board, *stage.links)))
    os.kill(before[1], signal.SIGCONT)
    yield stage.complete(without=(before[1],))
    stage.seen["kept"] = [pid in stage.pids for pid in before]
    answers = stage.ask({"do": "where"})
    yield lambda: answers
    stage.seen["where"] = sorted(a["pid"] == a["ok"]["pid"] for a in answers)
    stage.supervisor.reload()
    yield stage.complete(without=tuple(before))
    stage.seen["generation"] = stage.fleet.generation


def replaced_while_one_is_cut_off(stage: Stage) -> Steps:
    """It has no link any more, and has not ended: the next program waits for it as well."""
    left = inheritance()
    if left is None:
        return _before_one_is_cut_off(stage)
    stage.supervisor = Supervisor(stage.fleet, obedient, board=inherited_board(left))
    take_over(left, stage.supervisor, monotonic())
    return _after_one_is_cut_off(stage)


def _before_one_is_cut_off(stage: Stage) -> Steps:
    yield stage.complete()
    first = stage.pids[0]
    os.kill(first, signal.SIGSTOP)
    stage.supervisor._cut(first)
    os.environ["BEFORE"] = str(first)
    become_new(stage.supervisor, [], {})


def _after_one_is_cut_off(stage: Stage) -> Steps:
    first = int(os.environ["BEFORE"])
    stage.seen["known"] = [first in stage.fleet.members, first in stage.supervisor.wires]
    os.kill(first, signal.SIGCONT)
    yield stage.complete(without=(first,))
    board = stage.supervisor.board
    rows = sum(board.row(number)[STATE] != FREE for number in range(10))
    stage.seen["rows"] = rows


def main(name: str) -> None:
    options: dict[str, Any] = {"hang_timeout_s": 0.5} if name == "one_that_stands_still" else {}
    stage = Stage(**options)
    if options:
        stage.supervisor._work = beating
    steps = globals()[name](stage)
    stage.play(steps)


if __name__ == "__main__":
    main(sys.argv[1])
