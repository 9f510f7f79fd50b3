"""Which running server is meant by `photon top`, `dump` and `ctl`, and how it is asked."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from photon.cli.exits import CommandError, ExitCode
from photon.cli.paper import in_columns, printable
from photon.runtime.workers.client import CommandFailed, ControlClient
from photon.runtime.workers.control_socket import ControlError
from photon.runtime.workers.whereis import Running, path_of, running

_START = (
    "Start one: photon run app:app. A server that runs with --control none cannot be asked;\n"
    "one of another user, or in another container, is named by its socket: --control PATH there."
)

server_argument = click.argument("server", required=False, metavar="[PID|PATH]")
"""The argument `server`, for `chosen`."""

json_option = click.option(
    "--json", "as_json", is_flag=True, help="what the server answered, as JSON"
)


def chosen(given: str | None) -> ControlClient:
    """The server that is meant.

    Args: given: a process id or the path of a socket; None for the only one that runs. Then the
        variable PHOTON_CONTROL may say it, as it does for the server.
    Raises: CommandError, which lists what there is.
    """
    if given is None:
        given = os.environ.get("PHOTON_CONTROL") or None
        if given is None or given == "none":
            return ControlClient(_only_one().path)
    if given.isascii() and given.isdecimal():
        return ControlClient(_by_pid(int(given)))
    try:
        return ControlClient(given)
    except ControlError as error:
        raise CommandError(str(error), exit_code=ExitCode.USAGE) from None


def _only_one() -> Running:
    found = running()
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError("no server runs", hint=_START, exit_code=ExitCode.FAILURE)
    raise CommandError(
        f"{len(found)} servers run; say which one, by its process id:",
        hint=listed(found),
        exit_code=ExitCode.USAGE,
    )


def _by_pid(pid: int) -> str:
    path = path_of(pid)
    if path is not None:
        return path
    found = running()
    if not found:
        message = f"no server has the process id {pid}, and no other one runs"
        raise CommandError(message, hint=_START, exit_code=ExitCode.FAILURE)
    raise CommandError(
        f"no server has the process id {pid} (a worker's is not meant); there are:",
        hint=listed(found),
        exit_code=ExitCode.FAILURE,
    )


def listed(found: list[Running]) -> str:
    """A line for each: its process id, application and addresses."""
    return "\n".join(
        in_columns(
            [
                (
                    str(one.pid),
                    printable(one.app) if one.about else "does not answer",
                    printable(", ".join(one.addresses)),
                    one.path,
                )
                for one in found
            ]
        )
    )


def ask(client: ControlClient, do: str, *, timeout: float = 10.0, **arguments: Any) -> Any:
    """What the server answers.   Raises: CommandError, saying why it does not."""
    try:
        return client.ask(do, timeout=timeout, **arguments)
    except CommandFailed as error:
        raise CommandError(printable(str(error)), exit_code=ExitCode.FAILURE) from None
    except ControlError as error:
        raise CommandError(printable(str(error)), exit_code=ExitCode.FAILURE) from None


def workers_of(answer: Any) -> list[dict[str, Any]]:
    """The workers of an answer.   Raises: CommandError, if it has none: it is of another Photon."""
    workers = answer.get("workers") if isinstance(answer, dict) else None
    if not isinstance(workers, list) or not all(isinstance(one, dict) for one in workers):
        raise CommandError(
            "the server answers what this version of Photon does not understand; "
            "is it of another version?",
            exit_code=ExitCode.FAILURE,
        )
    return workers


def named(worker: dict[str, Any]) -> str:
    """Such as "worker 2 (pid 4711)"."""
    return f"worker {worker.get('index', '?')} (pid {worker.get('pid', '?')})"


def say_json(value: Any) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
