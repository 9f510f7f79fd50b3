"""What runs once per machine runs in one of its processes."""

from __future__ import annotations

from pathlib import Path

from photon.app.photon import Photon
from photon.cli.electing import elect_by_files
from photon.tasks.election import EveryWorker, FileElector
from tests.http.requests import make_request

FOLDER = str(Path(__file__).parent)


def nothing() -> None: ...


def electors(*, folder: str = FOLDER, name: str = "app:app") -> list[str]:
    app, inner = Photon(), Photon()
    app.every(30)(nothing)
    inner.every(30)(nothing)
    app.mount("/inner", inner)
    elect_by_files(app, name, folder)
    found = []
    for each in (app, inner):
        assert isinstance(each.scheduler.machine, FileElector)
        found.append(each.scheduler.machine.app)
    return found


def test_processes_of_one_application_meet_and_others_do_not() -> None:
    one, inner = electors()
    assert one != inner
    assert electors(folder=f"{FOLDER}/../cli") == [one, inner]
    assert one not in electors(name="shop:app")
    assert one not in electors(folder="/")


def test_an_elector_of_the_applications_own_stays() -> None:
    app = Photon()
    app.scheduler.machine = chosen = EveryWorker()
    elect_by_files(app, "app:app", FOLDER)
    assert app.scheduler.machine is chosen


def test_an_application_without_tasks_is_left_alone() -> None:
    app = Photon()
    elect_by_files(app, "app:app", FOLDER)
    assert app._scheduler is None
    elect_by_files(lambda request: app(make_request()), "app:app", FOLDER)
