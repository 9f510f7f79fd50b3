"""From a plan to files: their names and texts, and how they are written without harm."""

from __future__ import annotations

import os
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING

from photon.cli.deployment.plan import Plan
from photon.cli.exits import CommandError, ExitCode

if TYPE_CHECKING:
    from minijinja import Environment

# Kind -> (template, name of the file).
_FILES = {
    "systemd": [
        ("systemd.service.j2", "{name}.service"),
        ("systemd.socket.j2", "{name}.socket"),
        ("systemd.env.j2", "{name}.env"),
    ],
    "docker": [
        ("Dockerfile.j2", "Dockerfile"),
        # BuildKit looks for it beside the Dockerfile, so it needs not stand in the project's root.
        ("dockerignore.j2", "Dockerfile.dockerignore"),
        ("compose.yaml.j2", "compose.yaml"),
    ],
    "kubernetes": [("kubernetes.yaml.j2", "kubernetes.yaml")],
    "nginx": [("nginx.conf.j2", "{name}.nginx.conf")],
}

KINDS = tuple(_FILES)


def texts_for(kind: str, plan: Plan) -> dict[str, str]:
    """Name -> text of each file of a kind of deployment."""
    environment = _environment()
    return {
        name.format(name=plan.name): environment.render_template(template, **plan.values)
        for template, name in _FILES[kind]
        if plan.socket_activation or not name.endswith(".socket")
    }


def _environment() -> Environment:
    from minijinja import Environment

    folder = resources("photon.cli.deployment") / "templates"
    return Environment(
        loader=lambda name: (folder / name).read_text(encoding="utf-8"),
        # None of these is HTML.
        auto_escape_callback=lambda name: False,
        undefined_behavior="strict",
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write(texts: dict[str, str], folder: Path, *, force: bool) -> list[Path]:
    """Write all files, or none; the paths.

    Args: force: write over those that are there.
    Raises: CommandError (FAILURE), saying which are there, or what is in the way.
    """
    paths = {folder / name: text for name, text in texts.items()}
    there = [str(path) for path in paths if os.path.lexists(path)]
    if there and not force:
        raise CommandError(
            f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there already",
            hint="--force writes over, --to names another folder, --print writes nothing.",
            exit_code=ExitCode.FAILURE,
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in paths.items():
            _replace(path, text)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"{error.filename or str(folder)!r} cannot be written: {reason}"
        raise CommandError(message, exit_code=ExitCode.FAILURE) from None
    return list(paths)


def _replace(path: Path, text: str) -> None:
    """In one step: whoever deploys meanwhile has the old file or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
