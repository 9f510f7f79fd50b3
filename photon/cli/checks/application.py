"""The application: whether it can be imported and started, how long that takes, what it brings."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import msgspec

from photon.cli.checks.drivers import drivers
from photon.cli.checks.finding import Finding, fail, ok, warn
from photon.cli.importer import full_name
from photon.cli.quantities import write_duration

SLOW_S = 0.5
PATIENCE_S = 60.0
_MOST_SLOW = 5

# As -X importtime writes: self in us, with what it imports in us, the name indented by depth.
_IMPORT_TIME = re.compile(r"import time:\s*(\d+) \|\s*(\d+) \| ( *)(\S+)")


class Probe(msgspec.Struct, frozen=True):
    """What was seen of an application. Attributes: times: modules and their own seconds."""

    error: dict[str, Any] | None = None
    early: list[str] = []
    import_s: float = 0.0
    start_s: float | None = None
    modules: list[str] = []
    waiting: list[str] = []
    memory_bytes: int = 0
    times: list[tuple[str, float]] = []


def probe(
    app: str, app_dir: str, factory: bool, *, start: bool, patience_s: float = PATIENCE_S
) -> Probe:
    """Import the application in a new interpreter, and look."""
    asked = msgspec.json.encode(
        {"app": app, "app_dir": app_dir, "factory": factory, "start": start}
    )
    with tempfile.NamedTemporaryFile(prefix="photon-check-") as file:
        command = [sys.executable, "-X", "importtime", "-m", "photon.cli.checks.probe"]
        try:
            done = subprocess.run(
                [*command, file.name, asked.decode()],
                check=False,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=patience_s,
            )
        except subprocess.TimeoutExpired as error:
            return _without_end(full_name(app), error, patience_s)
        times, said = _times(done.stderr.decode(errors="replace"))
        data = file.read()
    if not data:
        return Probe(error=_died(full_name(app), done.returncode, said))
    return msgspec.structs.replace(msgspec.json.decode(data, type=Probe), times=times)


def _without_end(name: str, error: subprocess.TimeoutExpired, patience_s: float) -> Probe:
    text = error.stderr.decode(errors="replace") if error.stderr else ""
    return Probe(
        error={
            "message": f"{name} was not there after {write_duration(patience_s)}",
            "hint": "What takes long, or waits for others, belongs into a lifespan.",
            "traceback": "\n".join(_times(text)[1][-10:]),
            "started": False,
        }
    )


def _died(name: str, code: int, said: list[str]) -> dict[str, Any]:
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    return {
        "message": f"the interpreter ended {how} while {name} was imported",
        "hint": "",
        "traceback": "\n".join(said[-20:]),
        "started": False,
    }


def _times(text: str) -> tuple[list[tuple[str, float]], list[str]]:
    """Modules by their own time, the slowest first; and the lines that are something else."""
    times, others = [], []
    for line in text.splitlines():
        found = _IMPORT_TIME.fullmatch(line)
        if found is not None:
            times.append((found[4], int(found[1]) / 1e6))
        elif not line.startswith("import time:"):
            others.append(line)
    return sorted(times, key=lambda each: -each[1]), others


def application(app: str, seen: Probe) -> Iterator[Finding]:
    """What is to be said of it."""
    yield from _patch(seen)
    name = full_name(app)
    error = seen.error
    if error is not None and not error["started"]:
        lines = tuple(error["traceback"].splitlines())
        yield fail("application", error["message"], error["hint"], details=lines)
        return
    took = f"{name} is imported in {seen.import_s:.2f} s"
    if seen.import_s > SLOW_S:
        slow = tuple(f"{own:6.2f} s  {module}" for module, own in seen.times[:_MOST_SLOW])
        yield warn("application", took, "Its slowest modules, each without others:", details=slow)
    else:
        yield ok("application", took)
    if error is not None:
        lines = tuple(error["traceback"].splitlines())
        yield fail("lifespan", error["message"], error["hint"], details=lines)
    elif seen.start_s is not None:
        yield ok("lifespan", f"it started in {seen.start_s:.2f} s, and stopped")
    yield from drivers(seen.waiting, seen.modules)


def _patch(seen: Probe) -> Iterator[Finding]:
    if seen.early:
        yield warn(
            "patch",
            f"{', '.join(seen.early)}: imported before Photon could patch the standard library, "
            "so blocking calls in there stop every request",
            "Something imports them when Python starts: look for .pth files, sitecustomize and "
            "PYTHONSTARTUP.",
        )
    elif seen.error is None or seen.error["started"]:
        yield ok("patch", "nothing was imported before it")
