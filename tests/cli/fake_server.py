"""A server that can be asked: it answers what a test says, at a real control socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from click.testing import CliRunner, Result

from photon.runtime.hub import current_hub
from photon.runtime.offload import offload
from photon.runtime.workers.control import ControlError, ControlServer, ControlSession
from photon.runtime.workers.control_hub import driven_by_hub

Answer = Callable[[dict[str, Any]], Any]


@contextmanager
def answering(
    path: str, answers: Mapping[str, Answer], about: Mapping[str, Any] | None = None
) -> Iterator[list[dict[str, Any]]]:
    """A server with a supervisor at `path`; gives the requests that came, in their order."""
    came: list[dict[str, Any]] = []

    def on_request(session: ControlSession, message: dict[str, Any]) -> None:
        came.append({name: value for name, value in message.items() if name != "id"})
        answer = answers.get(message["do"])
        if answer is None:
            raise ControlError(f"there is no command {message['do']!r}")
        session.answer(message["id"], answer(message))

    server = ControlServer(path, on_request, about=lambda: dict(about or {}))
    try:
        with driven_by_hub(current_hub(), server):
            yield came
    finally:
        server.close()


def workers(*found: dict[str, Any], **supervisor: Any) -> dict[str, Any]:
    """An answer of a supervisor."""
    return {
        "supervisor": {"generation": 1, "reloading": False, "last_failure": "", **supervisor},
        "workers": list(found),
    }


def run(command: click.Command, *arguments: str) -> Result:
    """Run a command in a native thread, since it blocks: the server is in this one."""
    return offload(CliRunner().invoke, command, list(arguments))
