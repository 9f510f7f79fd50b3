"""`photon top`: a running server, live."""

from __future__ import annotations

import json
import os
import sys
import termios
import tty
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep, time
from typing import Any

import click
import msgspec

from photon.cli.exits import CommandError, ExitCode
from photon.cli.paper import printable
from photon.cli.quantities import parse_duration
from photon.cli.servers import chosen, server_argument, workers_of
from photon.cli.top_state import SORTS, Look, View, lost_view, view_of
from photon.runtime.workers.client import ControlClient
from photon.runtime.workers.control_socket import ControlError
from photon.runtime.workers.whereis import running

# A worker that is stuck must not hold up what is known of the others.
_WORKER_S = 1.0
_ANSWER_S = 5.0
_HISTORY = 240
_KEY_S = 0.1


class _Interval(click.ParamType[float]):
    name = "SECONDS"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            seconds = float(value) if not isinstance(value, str) else parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not 0.1 <= seconds <= 3600:
            self.fail(f"{value!r}: it must be from 100ms to 1h", param, ctx)
        return seconds


@click.command(
    short_help="Watch a running server, live.",
    epilog="""\b
Examples:
  photon top
  photon top 4711 --interval 5s
  photon top --json | jq '.per_second'

Keys: q quits, s sorts the routes by something else.""",
)
@server_argument
@click.option(
    "--interval", type=_Interval(), default=1.0, metavar="SECONDS", help="between two looks  [1s]"
)
@click.option("--json", "as_json", is_flag=True, help="a line for each look, for programs")
@click.option("--once", is_flag=True, help="one look, and the end")
def top(server: str | None, interval: float, as_json: bool, once: bool) -> None:
    """Watch a running server: requests, latencies, what waits, workers, memory.

    How long requests take is measured only while somebody looks.
    """
    watching = Watching(chosen(server), interval, may_move=server is None)
    try:
        if as_json:
            _in_lines(watching, interval, once)
        elif once:
            _print_once(watching, interval)
        else:
            _live(watching, interval)
    except KeyboardInterrupt:
        pass  # Ctrl+C is as good as q


class Watching:
    """Looks at a server, again and again.

    Args:
        interval: seconds between two looks, for which it asks the workers to measure.
        may_move: whether another one may be taken when this one has gone for good.
    """

    def __init__(self, client: ControlClient, interval: float, *, may_move: bool = False) -> None:
        self._client = client
        self._interval = interval
        self._may_move = may_move
        self._before: Look | None = None
        self._last: View | None = None

    def look(self) -> View:
        """How it is now; what was said last, if it does not answer."""
        try:
            now = self._ask()
        except ControlError as error:
            self._before = None
            why = printable(str(error).removeprefix(f"{self._client.path}: "))
            self._move()
            return lost_view(self._last, time(), why)
        view = view_of(now, self._before)
        self._before, self._last = now, view
        return view

    def first(self) -> None:
        """Begin, so that the next look knows what was before.   Raises: CommandError."""
        try:
            self._before = self._ask()
        except ControlError as error:
            raise CommandError(printable(str(error)), exit_code=ExitCode.FAILURE) from None

    def _ask(self) -> Look:
        who = self._client.ask("who", timeout=_ANSWER_S)
        # Longer than until the next look, so that what was measured is there then.
        seconds = min(3600.0, max(5.0, 3 * self._interval))
        self._ask_workers("watch", seconds=seconds)
        stats = self._ask_workers("stats")
        workers = workers_of(stats)
        return Look(
            at=time(),
            steady=monotonic(),
            who=who if isinstance(who, dict) else {},
            stats=stats,
            cpu_s=cpu_of(one.get("pid") for one in workers),
        )

    def _ask_workers(self, do: str, **arguments: Any) -> Any:
        arguments["timeout"] = _WORKER_S
        return self._client.ask_with(do, arguments, timeout=_ANSWER_S)

    def _move(self) -> None:
        """Another process of the same application may have come in its place."""
        if not self._may_move or os.path.exists(self._client.path):
            return
        app = self._last.app if self._last is not None else ""
        found = [one for one in running() if one.about is not None and app in ("", one.app)]
        if len(found) == 1:
            self._client = ControlClient(found[0].path)


def cpu_of(pids: Iterable[object]) -> dict[int, float]:
    """Seconds of CPU that processes have used, where there is a /proc to tell."""
    found = {}
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            ticks = int(fields[11]) + int(fields[12])  # utime and stime, proc(5)
        except (OSError, ValueError, IndexError):
            continue
        if isinstance(pid, int):
            found[pid] = ticks / os.sysconf("SC_CLK_TCK")
    return found


# For programs, and for a glance...


def _in_lines(watching: Watching, interval: float, once: bool) -> None:
    watching.first()
    while True:
        sleep(interval)
        click.echo(json.dumps(msgspec.to_builtins(watching.look()), ensure_ascii=False))
        if once:
            return


def _print_once(watching: Watching, interval: float) -> None:
    rich = _rich()
    watching.first()
    sleep(interval)
    view = watching.look()
    console = rich.Console()
    lines = 12 + len(view.workers) + len(view.routes) + len(view.notes)
    from photon.cli.top_screen import screen

    console.print(screen(view, console.width, lines, keys=False))


def _rich() -> Any:
    try:
        import rich.console
    except ImportError:
        raise CommandError(
            "photon top draws with rich, which is not installed",
            hint="pip install 'photon-web[dev]', or look with --json, which needs nothing.",
            exit_code=ExitCode.FAILURE,
        ) from None
    return rich.console


# Live...


def _live(watching: Watching, interval: float) -> None:
    rich = _rich()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError(
            "photon top draws on a terminal, and this is none",
            hint="--once prints one look, --json a line for each.",
            exit_code=ExitCode.USAGE,
        )
    from rich.live import Live

    from photon.cli.top_screen import screen

    watching.first()
    console = rich.Console()
    history: deque[float] = deque(maxlen=_HISTORY)
    sort = SORTS[0]
    with (
        single_keys() as key,
        Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live,
    ):
        view, due, shown = watching.look(), monotonic() + interval, None
        while True:
            if monotonic() >= due:
                view, due = watching.look(), monotonic() + interval
                if view.lost is None and view.per_second is not None:
                    history.append(view.per_second)
            what = (id(view), sort, console.size)
            if what != shown:
                shown = what
                width, height = console.size
                drawn = screen(view, width, height, sort=sort, history=list(history))
                live.update(drawn, refresh=True)
            pressed = key()
            if pressed in ("q", "Q", "\x1b", "\x03", "\x04"):
                return
            if pressed in ("s", "S"):
                sort = SORTS[(SORTS.index(sort) + 1) % len(SORTS)]


@contextmanager
def single_keys() -> Iterator[Callable[[], str]]:
    """Keys of the terminal, without Enter: gives a function that waits a moment for one."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        mode = termios.tcgetattr(descriptor)
        # termios(3): with MIN 0 a read waits for TIME tenths of a second, and no longer.
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 0, int(_KEY_S * 10)
        termios.tcsetattr(descriptor, termios.TCSANOW, mode)
        yield lambda: os.read(descriptor, 1).decode("ascii", "replace")
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
