"""`photon openapi`: the document of an application, printed, written, or compared with a file."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from photon.cli.exits import CommandError, ExitCode
from photon.cli.importer import full_name, users_error
from photon.cli.loading import application_options, loaded, unfit
from photon.cli.options import SectionedCommand, SectionOption

if TYPE_CHECKING:
    from photon.app.photon import Photon

_WHERE = "Where to"
_YAML = (".yaml", ".yml")


@click.command(
    cls=SectionedCommand,
    short_help="Print the OpenAPI document of an application.",
    epilog="""\b
Examples:
  photon openapi app:app                        to read it
  photon openapi app:app -o openapi.json        to keep it beside the code
  photon openapi app:app --check openapi.json   in CI: is what is kept still true?
""",
)
@application_options
@click.option(
    "--output",
    "-o",
    cls=SectionOption,
    section=_WHERE,
    metavar="FILE",
    help="write it there, in one step: whoever reads has the old one or the new",
)
@click.option(
    "--check",
    cls=SectionOption,
    section=_WHERE,
    metavar="FILE",
    help="write nothing: compare it with that file; 0 when they agree, 1 and the differences "
    "when not",
)
@click.option(
    "--yaml",
    "as_yaml",
    cls=SectionOption,
    section=_WHERE,
    is_flag=True,
    help="YAML in place of JSON; so it is for files that end with .yaml or .yml",
)
@click.pass_context
def openapi(
    ctx: click.Context,
    /,
    app: str | None,
    app_dir: str,
    factory: bool,
    output: str | None,
    check: str | None,
    as_yaml: bool,
) -> None:
    """Print the OpenAPI document of an application.

    The application is imported and not started: its lifespan does not run, and it listens nowhere.
    """
    if output and check:
        raise click.UsageError("--output writes and --check compares: there can be one only.", ctx)
    application = _photon(loaded(ctx, app, app_dir, factory), app or "")
    document = _document(application, app or "")
    if check is not None:
        _compare(document, check, app or "")
        return
    data = _written(document, as_yaml or (output or "").endswith(_YAML))
    if output is None or output == "-":
        click.echo(data, nl=False)
    else:
        _write(Path(output), data)


def _photon(application: Any, app: str) -> Photon:
    from photon.app.choosing import Hosts, Versions
    from photon.app.photon import Photon

    if isinstance(application, Photon):
        return application
    if isinstance(application, (Hosts, Versions)):
        kind = type(application).__name__
        raise unfit(
            app,
            f"is {kind}, of which each application has a document of its own",
            f"Name one of them: photon openapi {full_name(app).partition(':')[0]}:<its name>",
        )
    raise unfit(
        app,
        "is a plain function: nobody knows what it answers, so it has no document",
        "A document is made of the routes of a Photon object.",
    )


def _document(application: Photon, app: str) -> dict[str, Any]:
    from photon.openapi.errors import OpenAPIError

    try:
        return application.openapi()
    except OpenAPIError as error:
        raise CommandError(str(error), exit_code=ExitCode.FAILURE) from None
    except Exception as error:
        message = f"the document of {full_name(app)} could not be made, see above"
        raise users_error(message, error, ExitCode.FAILURE) from None


def _written(document: Mapping[str, Any], as_yaml: bool) -> bytes:
    from photon.openapi.generate import document_bytes

    return _yaml().encode_yaml(document) if as_yaml else document_bytes(document, pretty=True)


def _yaml() -> Any:
    try:
        from photon.http import yaml_text
    except ModuleNotFoundError as error:
        raise CommandError(str(error), exit_code=ExitCode.FAILURE) from None
    return yaml_text


# To a file...


def _write(path: Path, data: bytes) -> None:
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a pipe or a device: nothing can be put in its place
        else:
            _replace(path.resolve(), data)  # what a link leads to, and not the link
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "" if path.parent.is_dir() else f"There is no folder {str(path.parent)!r}."
        message = f"{str(path)!r} cannot be written: {reason}"
        raise CommandError(message, hint=hint, exit_code=ExitCode.FAILURE) from None
    click.echo(f"{path} is written, {len(data)} bytes", err=True)


def _replace(path: Path, data: bytes) -> None:
    """Put a file in the place of another in one step: whoever reads has the old one or the new."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), _mode_for(path))
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _mode_for(path: Path) -> int:
    """That of the file which is there, or what a new one has."""
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


# With a file...


def _compare(document: Mapping[str, Any], name: str, app: str) -> None:
    from photon.openapi.contract import difference

    again = f"photon openapi {full_name(app)} -o {name}"
    kept = _read(name, again)
    lines = difference(kept, document, at_most=200)
    if not lines:
        click.echo(f"{name} agrees with {full_name(app)}", err=True)
        return
    click.echo("\n".join(lines))
    sys.stdout.flush()
    count = f"{len(lines)} difference{'s'[: len(lines) > 1]}"
    raise CommandError(
        f"{name} differs from {full_name(app)}, {count}: + came, - went, ~ changed",
        hint=f"If that is what you want, write it anew: {again}",
        exit_code=ExitCode.FAILURE,
    )


def _read(name: str, again: str) -> Mapping[str, Any]:
    path = Path(name)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _unread(f"there is no file {name!r} to compare with", again) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise _unread(f"{name!r} cannot be read: {reason}", "") from None
    kept = _decoded(data, path, again)
    if not isinstance(kept, dict) or "openapi" not in kept:
        raise _unread(f"{name!r} holds no OpenAPI document", again)
    return kept


def _decoded(data: bytes, path: Path, again: str) -> Any:
    import msgspec

    from photon.http.errors import HTTPError

    if path.suffix in _YAML:
        try:
            return _yaml().decode_yaml(data)
        except HTTPError as error:
            raise _unread(f"{str(path)!r} is no YAML: {error.detail}", again) from None
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unread(f"{str(path)!r} is no JSON: {error}", again) from None


def _unread(message: str, again: str) -> CommandError:
    hint = f"Write it: {again}" if again else ""
    return CommandError(message, hint=hint, exit_code=ExitCode.FAILURE)
