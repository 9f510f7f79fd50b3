"""Scenes in interpreters of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from photon.runtime.cancel import fail_after
from tests.processes import ROOT, environment

PATIENCE_S = 30.0


class Played:
    """What was seen: `seen`, `log`, `code`, `why`; and what was printed beside: `errors`."""

    def __init__(self, printed: str, errors: str) -> None:
        assert printed, errors
        self.seen: dict[str, Any] = json.loads(printed.splitlines()[-1])
        self.errors = errors
        self.log: list[str] = self.seen.pop("log", [])
        self.code = self.seen.pop("code", None)
        self.why = self.seen.pop("why", None)

    def has_logged(self, *parts: str) -> bool:
        return any(all(part in line for part in parts) for line in self.log)


def play(name: str) -> Played:
    """Play a scene of `scenes` to its end, and to that of all its processes."""
    with fail_after(PATIENCE_S):
        done = subprocess.run(
            [sys.executable, "-m", "tests.runtime.workers.scenes", name],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    played = Played(done.stdout.decode(), done.stderr.decode())
    if done.returncode == 0:
        assert played.seen.pop("left") == 0
        assert not played.seen.pop("has_hub"), "the supervisor has a hub"
    return played
