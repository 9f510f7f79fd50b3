"""`photon ctl`: tell a running server what to do, and ask it how it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, TypeVar

import click

from photon.cli.exits import CommandError, ExitCode
from photon.cli.paper import in_columns, printable, say
from photon.cli.servers import ask, chosen, json_option, say_json, workers_of
from photon.runtime.workers.client import ControlClient, NoAnswer, ServerGone

C = TypeVar("C", bound=Callable[..., Any])

_LOOK_S = 0.1
_LEVELS = ("debug", "info", "warning", "error", "critical")


@click.group(
    short_help="Tell a running server what to do, and ask it how it is.",
    epilog="""\b
Examples:
  photon ctl workers
  photon ctl reload --wait
  photon ctl --server 4711 scale 8
  photon ctl log-level debug --logger shop""",
)
@click.option(
    "--server",
    metavar="PID|PATH",
    help="which one, by its process id or the path of its control socket  [the only one]",
)
@click.pass_context
def ctl(ctx: click.Context, server: str | None) -> None:
    """Tell a running server what to do, and ask it how it is."""
    ctx.obj = server


def _command(name: str, short_help: str) -> Callable[[C], click.Command]:
    def decorate(fn: C) -> click.Command:
        return ctl.command(name, short_help=short_help)(json_option(click.pass_obj(fn)))

    return decorate


# What it is to do...


@_command("reload", "Replace all workers by new ones, one at a time.")
@click.option("--wait", is_flag=True, help="until all workers are new; exit code 1 if they fail")
@click.option("--timeout", type=float, default=120.0, metavar="SECONDS", help="of --wait  [120]")
def reload_(server: str | None, as_json: bool, wait: bool, timeout: float) -> None:
    """Replace all workers by new ones, one at a time; no request is lost.

    If a new one cannot start, the old ones go on.
    """
    client = chosen(server)
    before = _supervisor(ask(client, "workers"))
    answer = ask(client, "reload")
    if wait and before is not None:
        answer = _wait_for_reload(client, before, timeout)
    if as_json:
        say_json(answer)
    elif wait:
        say([f"reloaded: generation {_supervisor(answer, {}).get('generation', '?')} serves"])
    else:
        say(["reloading; `photon ctl reload --wait` waits for the end of it"])


def _supervisor(answer: Any, other: Any = None) -> Any:
    found = answer.get("supervisor") if isinstance(answer, dict) else None
    return found if isinstance(found, dict) else other


def _wait_for_reload(client: ControlClient, before: dict[str, Any], timeout: float) -> Any:
    target = before.get("generation", 0) + 1
    until = monotonic() + timeout
    while True:
        answer = _look(client, until)
        if answer is not None:
            known = _supervisor(answer, {})
            if known.get("generation", 0) >= target and not known.get("reloading"):
                if known.get("last_failure"):
                    raise _reload_failed(str(known["last_failure"]))
                if _are_new(workers_of(answer), target):
                    return answer
        if monotonic() > until:
            raise CommandError(
                f"the reload was not over within {timeout:g} s; the log of the server has more",
                exit_code=ExitCode.FAILURE,
            )
        sleep(_LOOK_S)


def _reload_failed(why: str) -> CommandError:
    """Args: why: a sentence, or a traceback, whose lines stay lines."""
    said = "the reload failed, the old workers go on"
    lines = [printable(line) for line in why.strip().split("\n")]
    if len(lines) == 1:
        return CommandError(f"{said}: {lines[0]}", exit_code=ExitCode.FAILURE)
    return CommandError(f"{said}:", hint="\n".join(lines), exit_code=ExitCode.FAILURE)


def _look(client: ControlClient, until: float) -> Any:
    """How it is now; None while one supervisor takes the place of the other."""
    try:
        return client.ask("workers", timeout=2.0)
    except (ServerGone, NoAnswer) as error:
        if monotonic() > until:
            raise CommandError(str(error), exit_code=ExitCode.FAILURE) from None
        return None


def _are_new(workers: list[dict[str, Any]], target: int) -> bool:
    serving = [one for one in workers if one.get("state") != "draining"]
    return bool(serving) and all(
        one.get("generation", 0) >= target and one.get("state") == "ready" for one in serving
    )


@_command("drain", "Replace one worker, or stop when all is answered.")
@click.argument("worker", type=click.IntRange(min=0), required=False)
def drain(server: str | None, as_json: bool, worker: int | None) -> None:
    """Have one WORKER, by its number or pid, end when all is answered; a new one takes its place.

    Without WORKER all of them end so, and the server with them.
    """
    arguments = {} if worker is None else {"worker": worker}
    answer = ask(chosen(server), "drain", **arguments)
    _say(answer, as_json, "draining" if worker is None else f"worker {worker} is being replaced")


@_command("stop", "Stop; what has begun is answered first.")
@click.option("--wait", is_flag=True, help="until the server has ended")
@click.option("--timeout", type=float, default=120.0, metavar="SECONDS", help="of --wait  [120]")
def stop(server: str | None, as_json: bool, wait: bool, timeout: float) -> None:
    """Stop the server; what has begun is answered first. A second time hurries."""
    client = chosen(server)
    answer = ask(client, "stop")
    until = monotonic() + timeout
    while wait and os.path.exists(client.path):
        if monotonic() > until:
            raise CommandError(
                f"the server was not over within {timeout:g} s; stop once more to hurry it",
                exit_code=ExitCode.FAILURE,
            )
        sleep(_LOOK_S)
    _say(answer, as_json, "stopped" if wait else "stopping")


@_command("scale", "Have so many workers.")
@click.argument("size", type=click.IntRange(1, 1024), metavar="N")
def scale(server: str | None, as_json: bool, size: int) -> None:
    """Have N workers, from now on."""
    _say(ask(chosen(server), "scale", size=size), as_json, f"there will be {size} workers")


@_command("log-level", "Say what is logged, or ask.")
@click.argument("level", type=click.Choice(_LEVELS, case_sensitive=False), required=False)
@click.option("--logger", metavar="NAME", default="", help="one logger, such as shop.orders")
def log_level(server: str | None, as_json: bool, level: str | None, logger: str) -> None:
    """Have all workers log what is of LEVEL or more; without LEVEL tell what they do.

    Until they end: a new worker begins with what --log-level says.
    """
    arguments: dict[str, Any] = {"level": level} if level else {}
    if logger:
        arguments["logger"] = logger
    answer = ask(chosen(server), "log-level", **arguments)
    if as_json:
        say_json(answer)
    else:
        say(in_columns([_told(one, _level_line(one.get("ok"))) for one in workers_of(answer)]))
    _fail_if_none(answer)


def _level_line(told: Any) -> str:
    if not isinstance(told, dict):
        return str(told)
    level, before = told.get("level"), told.get("before")
    return f"{level}" if before in (None, level) else f"{level} (was {before})"


# How it is...


@_command("workers", "List the workers.")
def workers(server: str | None, as_json: bool) -> None:
    """List the workers: their states, and what the board says of them."""
    answer = ask(chosen(server), "workers")
    if as_json:
        say_json(answer)
    else:
        say(worker_lines(workers_of(answer)))


def worker_lines(found: list[dict[str, Any]]) -> list[str]:
    """A table of workers."""
    rows = [("WORKER", "PID", "STATE", "GENERATION", "CONNECTIONS", "BUSY", "HUB")]
    for one in found:
        board = one.get("board") or {}
        rows.append(
            (
                str(one.get("index", "?")),
                str(one.get("pid", "?")),
                _text(one.get("state", "?")),
                str(one.get("generation", "?")),
                str(board.get("connections", "-")),
                str(board.get("busy", "-")),
                _hub(one, board),
            )
        )
    return in_columns(rows)


def _hub(worker: dict[str, Any], board: dict[str, Any]) -> str:
    silent_s = board.get("silent_s", 0)
    if silent_s > _SILENT_S and worker.get("state") != "booting":
        return f"has stood still for {silent_s:.1f} s"
    return "moves"


_SILENT_S = 1.0


@_command("stats", "Tell everything in numbers, as JSON.")
@click.option("--worker", type=click.IntRange(min=0), metavar="N", help="of one worker alone")
def stats(server: str | None, as_json: bool, worker: int | None) -> None:
    """Tell everything in numbers, as JSON. For people there is `photon top`."""
    arguments = {} if worker is None else {"worker": worker}
    answer = ask(chosen(server), "stats", **arguments)
    workers_of(answer)
    say_json(answer)
    _fail_if_none(answer)


@_command("health", "Tell whether it takes requests; exit code 1 if not.")
def health(server: str | None, as_json: bool) -> None:
    """Tell whether the server takes requests; the exit code is 1 if it does not."""
    found = workers_of(ask(chosen(server), "workers"))
    report = health_of(found)
    if as_json:
        say_json(report)
    else:
        say([f"{report['status']}: {report['ready']} of {report['workers']} workers are ready"])
    if report["status"] != "ok":
        raise SystemExit(ExitCode.FAILURE)


def health_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    """What `--health-port` would say of these workers."""
    blocked = [one for one in found if _hub(one, one.get("board") or {}) != "moves"]
    ready = [one for one in found if one.get("state") == "ready" and one not in blocked]
    return {
        "status": "ok" if ready else "not ready",
        "workers": len(found),
        "ready": len(ready),
        "blocked": len(blocked),
    }


# What is printed...


def _say(answer: Any, as_json: bool, text: str) -> None:
    if as_json:
        say_json(answer)
    else:
        say([text])


def _told(worker: dict[str, Any], text: str) -> tuple[str, str, str]:
    error = worker.get("error")
    told = text if error is None else _text(error)
    return f"worker {worker.get('index', '?')}", f"pid {worker.get('pid', '?')}", printable(told)


def _text(value: object) -> str:
    return printable(str(value))


def _fail_if_none(answer: Any) -> None:
    """The exit code says it, if no worker could do it."""
    if not any("ok" in one for one in workers_of(answer)):
        raise SystemExit(ExitCode.FAILURE)
