"""Flags made of Structs: each option is declared once, in the room that obeys it.

    class Timeouts(Struct):
        idle_s: Annotated[float, Meta(gt=0, description="...")] = 75.0

is `--timeout-idle SECONDS`, the environment variable PHOTON_TIMEOUT_IDLE, a line of help with the
description, the default and what is allowed, and the check of what is given. The end of a field's
name tells its unit: `_s` seconds, `_bytes` bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Protocol, TypeVar, get_args, get_origin, get_type_hints

import click
import msgspec
from click.core import ParameterSource
from msgspec.structs import FieldInfo

from photon.cli.quantities import parse_duration, parse_size, write_duration, write_size

S = TypeVar("S", bound=msgspec.Struct)
C = TypeVar("C", bound=Callable[..., Any])


class Decorator(Protocol):
    """Adds to a command, and gives it back as it was."""

    def __call__(self, command: C, /) -> C: ...


def setting(*flags: str, section: str, env: str | list[str] = "", **rest: Any) -> Decorator:
    """A click option that stands in a section of the help and has an environment variable.

    Args: env: PHOTON_ and the flag's name when empty.
    """
    name = flags[0].partition("/")[0].removeprefix("--").replace("-", "_").upper()
    return click.option(
        *flags, cls=SectionOption, section=section, envvar=env or f"PHOTON_{name}", **rest
    )


def together(*options: Decorator) -> Decorator:
    """One decorator for several options, which the help lists in this order."""

    def decorate(command: C) -> C:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def settings_of(struct: type[msgspec.Struct], prefix: str, *, section: str) -> Decorator:
    """A decorator that adds one flag for each field of `struct`, in its order.

    The command gets them as `{prefix}_{field}`; `struct_of` makes the Struct of them again.
    """

    def decorate(command: C) -> C:
        for field in reversed(msgspec.structs.fields(struct)):
            command = field_setting(struct, field.name, prefix=prefix, section=section)(command)
        return command

    return decorate


def struct_of(struct: type[S], prefix: str, values: dict[str, Any]) -> S:
    """The Struct, of what the flags of `settings_of` gave."""
    names = [field.name for field in msgspec.structs.fields(struct)]
    return struct(**{name: values[f"{prefix}_{name}"] for name in names})


def field_setting(
    struct: type[msgspec.Struct], name: str, *, prefix: str = "", flag: str = "", section: str
) -> Decorator:
    """The flag of one field of `struct`.   Args: flag: for one with another name than the field."""
    field = next(f for f in msgspec.structs.fields(struct) if f.name == name)
    kind = FieldType(field, _hints_of(struct)[name])
    parts = [*([prefix] if prefix else []), *name.removesuffix("_s").split("_")]
    return setting(
        flag or f"--{'-'.join(parts)}",
        "_".join([*([prefix] if prefix else []), name]),
        section=section,
        type=kind,
        default=field.default,
        metavar=kind.metavar,
        help=kind.help,
    )


@cache
def _hints_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(struct, include_extras=True)


class FieldType(click.ParamType[Any]):
    """Reads and checks the value of a Struct's field."""

    def __init__(self, field: FieldInfo, hint: Any) -> None:
        self._field = field
        self._hint = hint
        self._metas = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        self._read: Callable[[str], Any] = int
        self._write: Callable[[Any], str] = str
        self.name = self.metavar = "NUMBER"
        if field.name.endswith("_s"):
            self._read, self._write = parse_duration, write_duration
            self.name = self.metavar = "SECONDS"
        elif field.name.endswith("_bytes"):
            self._read, self._write = parse_size, write_size
            self.name = self.metavar = "BYTES"

    @property
    def help(self) -> str:
        """What it is, what it is if nobody says, and what is allowed."""
        described = [meta.description for meta in self._metas if meta.description]
        allowed = self._bounds({"gt": ">", "ge": ">=", "lt": "<", "le": "<="})
        facts = filter(None, (self._write(self._field.default), allowed))
        return f"{' '.join(described)}  [{', '.join(facts)}]"

    def written(self, value: Any) -> str:
        """A value as people write it."""
        return self._write(value)

    @property
    def _allowed(self) -> str:
        words = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
        return self._bounds(words)

    def _bounds(self, words: dict[str, str]) -> str:
        return ", ".join(
            f"{word} {bound:g}"
            for meta in self._metas
            for name, word in words.items()
            if (bound := getattr(meta, name)) is not None
        )

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value  # the default
        try:
            return msgspec.convert(self._read(value), self._hint)
        except msgspec.ValidationError:
            self.fail(f"{value!r}: it must be {self._allowed}", param, ctx)
        except ValueError as error:
            known = str(error) if self._read is not int else f"{value!r} is no whole number"
            self.fail(known, param, ctx)


# The help, in sections...


class SectionOption(click.Option):
    """An option that is listed under the heading `section`."""

    def __init__(self, *args: Any, section: str, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.section = section


_FILES = "Files of settings"


def _file_options() -> list[click.Parameter]:
    """The flags that say which files are read; they cannot stand in one."""
    return [
        SectionOption(
            ["--config"],
            section=_FILES,
            envvar="PHOTON_CONFIG",
            expose_value=False,
            metavar="FILE",
            help="what is read  [photon.toml, or [tool.photon] of pyproject.toml]",
        ),
        SectionOption(
            ["--env-file"],
            section=_FILES,
            envvar="PHOTON_ENV_FILE",
            expose_value=False,
            metavar="FILE",
            help="variables for the environment, where it has none of that name  [.env]",
        ),
        SectionOption(
            ["--no-env-file"],
            section=_FILES,
            envvar="PHOTON_NO_ENV_FILE",
            expose_value=False,
            is_flag=True,
            help="leave .env alone",
        ),
    ]


class SectionedCommand(click.Command):
    """A command whose help lists its options in sections, in the order of their first option.

    What no flag says is taken from the environment, `.env` and a settings file, see
    `photon.cli.configuration`.

    Args: has_settings: False for a command that reads no files.
    """

    def __init__(self, *args: Any, has_settings: bool = True, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._has_settings = has_settings
        if has_settings:
            self.params += _file_options()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not self._has_settings or ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        from photon.cli.configuration import configure, place_application
        from photon.cli.origins import located

        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        help_option = self.get_help_option(ctx)
        if help_option is None or help_option.name not in given:
            configure(ctx, given)  # help is there even when a file is broken
        try:
            rest = super().parse_args(ctx, args)
        except click.MissingParameter:
            raise
        except click.BadParameter as error:
            raise located(error) from None
        place_application(ctx)
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                section = getattr(parameter, "section", "Others")
                sections.setdefault(section, []).append(record)
        for section, records in sorted(sections.items(), key=lambda item: item[0] == "Others"):
            with formatter.section(section):
                formatter.write_dl(records)


def was_given(ctx: click.Context, name: str) -> bool:
    """Whether a flag stood on the command line; an environment variable is a default, too."""
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
