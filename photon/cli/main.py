"""The command `photon`."""

from __future__ import annotations

import platform

import click

import photon
from photon.cli.run import run


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start here:  photon run app:app   serves the object `app` of app.py.",
)
@click.version_option(
    photon.__version__,
    message=f"Photon {photon.__version__} on {platform.python_implementation()} "
    f"{platform.python_version()}",
)
def cli() -> None:
    """Photon serves plain Python functions over HTTP."""


cli.add_command(run)
