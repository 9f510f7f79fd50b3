"""Who of several processes that serve one application does its runs: they lock files."""

from __future__ import annotations

import os

from photon.http.application import Application


def elect_by_files(application: Application, name: str, app_dir: str) -> None:
    """Have what runs once per machine run in one of the processes that serve the application.

    An elector that the application chose stays. Nothing is imported for one without tasks.

    Args: name: such as "app:app"; with the folder it is what the processes have in common.
    """
    from photon.cli.survey import parts_of

    for part in parts_of(application):
        scheduler = getattr(part.application, "_scheduler", None)
        if scheduler is not None and scheduler.machine is None:
            from photon.tasks.election import FileElector

            scheduler.machine = FileElector(f"{name} in {os.path.realpath(app_dir)} {part.where}")
