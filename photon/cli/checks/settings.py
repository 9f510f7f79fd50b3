"""The settings: what was read, what each is and where from, and what nobody reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import click

from photon.cli.checks.finding import Finding, ok, warn
from photon.cli.configuration import configuration_of
from photon.cli.dotenv import shown
from photon.cli.paper import in_columns, printable
from photon.cli.resolved import settings_in
from photon.cli.variables import is_service_link


def settings(ctx: click.Context) -> Iterator[Finding]:
    """Those of a command that has its parameters."""
    configuration = configuration_of(ctx)
    files = [each.path for each in (configuration.file, configuration.env_file) if each]
    rows = [
        (each.name, printable(each.text), printable(each.origin.text))
        for each in settings_in(ctx)
        if each.origin.kind != "default"
    ]
    read = f"read from {' and '.join(shown(path) for path in files)}" if files else "no file"
    count = f"{len(rows)} of them set" if rows else "all as they are by default"
    yield ok("settings", f"{read}; {count}", details=tuple(in_columns(rows)))
    for note in configuration.notes:
        yield warn("settings", note, "`photon config` shows all that there are.")


def service_link(environ: Mapping[str, str] = os.environ) -> str:
    """A hint for a PHOTON_PORT that Kubernetes set; "" when it did not."""
    if is_service_link(environ.get("PHOTON_PORT", "")):
        return (
            "Kubernetes sets PHOTON_PORT for a service that is named photon: "
            "enableServiceLinks: false in the pod's spec, or another name."
        )
    return ""
