"""`photon worker`: what it says when there is nothing to work with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.processes import ROOT, photon_ends

ENGINE_APP = ROOT / "tests" / "tasks"

BARE = """
class App:
    def __call__(self, request): ...
app = App()
"""

FAILS = """
from contextlib import contextmanager
from tests.tasks.engine_app import App

class Failing(App):
    @contextmanager
    def running(self):
        raise RuntimeError("no database")
        yield

app = Failing()
"""

UNREADABLE = """
from photon.tasks.registry import Tasks

class App:
    tasks = Tasks()
    def __call__(self, request): ...

app = App()

@app.tasks.task
def work(a: "Nowhere"): ...
"""


@pytest.mark.parametrize(
    ("source", "queue", "code", "said"),
    [
        (BARE, "", 4, "app:app has no tasks"),
        (UNREADABLE, "", 3, "an annotation of app.work cannot be read: name 'Nowhere'"),
        (FAILS, "redis://127.0.0.1:1", 3, "app:app failed to start"),
    ],
)
def test_an_application_it_cannot_work_for(
    tmp_path: Path, source: str, queue: str, code: int, said: str
) -> None:
    (tmp_path / "app.py").write_text(source)
    env = {"PHOTON_QUEUE": queue}
    ended = photon_ends("worker", "app:app", folder=tmp_path, env=env)
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert said in ended.err


@pytest.mark.parametrize(
    ("queue", "code", "said"),
    [
        ("", 3, "there is nothing for a worker to do"),
        ("redis://127.0.0.1:1", 3, "Redis (redis://127.0.0.1:1) could not be reached: "),
        ("postgresql://127.0.0.1:1/shop", 3, "127.0.0.1:1/shop) could not be reached: "),
        ("http://localhost", 4, "PHOTON_QUEUE begins with 'http'"),
    ],
)
def test_a_queue_it_cannot_work_with(queue: str, code: int, said: str) -> None:
    env = {"PHOTON_QUEUE": queue}
    ended = photon_ends("worker", "engine_app:app", folder=ENGINE_APP, env=env)
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert said in " ".join(ended.err.split())


def test_the_help_names_its_flags() -> None:
    ended = photon_ends("worker", "--help", folder=ENGINE_APP)
    for flag in ("--queue", "--concurrency", "--drain", "--apply-schema", "--log-level"):
        assert flag in ended.out
