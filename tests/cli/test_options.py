"""Flags made of Structs."""

from __future__ import annotations

from typing import Annotated, Any

import click
import msgspec
import pytest
from click.testing import CliRunner, Result
from msgspec import Meta, Struct

from photon.cli.options import (
    SectionedCommand,
    field_setting,
    setting,
    settings_of,
    struct_of,
    together,
)
from photon.cli.run import run
from photon.http.server.settings import Limits, Timeouts


class Kitchen(Struct, frozen=True):
    oven_s: Annotated[float, Meta(gt=0, description="the oven may heat")] = 90.0
    pot_bytes: Annotated[int, Meta(gt=0, le=4096, description="what a pot holds")] = 2048
    cooks: Annotated[int, Meta(ge=0, description="cooks at a time")] = 3
    spoons: int = 7


@click.command(cls=SectionedCommand)
@setting("--door", section="House", default="open", help="the door")
@settings_of(Kitchen, "cook", section="Kitchen")
@field_setting(Kitchen, "spoons", section="House")
def command(door: str, spoons: int, **values: Any) -> None:
    print(door, spoons, struct_of(Kitchen, "cook", values))  # noqa: T201


def call(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(command, arguments, env=env)


def test_options_that_belong_together_are_listed_in_their_order() -> None:
    doors = together(
        setting("--front", section="House", help="first"),
        together(setting("--back", section="House"), setting("--side", section="House")),
    )
    house = click.command(cls=SectionedCommand)(doors(lambda **options: None))
    assert [each.name for each in house.params[:3]] == ["front", "back", "side"]


def test_each_field_is_a_flag_with_its_default() -> None:
    assert call().output == f"open 7 {Kitchen()!r}\n"


def test_the_name_tells_the_unit() -> None:
    output = call("--cook-oven", "2m", "--cook-pot-bytes", "1KiB", "--cook-cooks", "0").output
    assert output == f"open 7 {Kitchen(oven_s=120.0, pot_bytes=1024, cooks=0)!r}\n"


def test_each_flag_is_an_environment_variable() -> None:
    env = {"PHOTON_DOOR": "shut", "PHOTON_COOK_OVEN": "500ms", "PHOTON_SPOONS": "1"}
    assert call(**env).output == f"shut 1 {Kitchen(oven_s=0.5)!r}\n"


def test_a_flag_wins_over_the_environment() -> None:
    assert call("--door", "ajar", PHOTON_DOOR="shut").output.startswith("ajar ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--cook-oven", "0"], "'0': it must be more than 0"),
        (["--cook-oven", "hot"], "'hot' is no duration"),
        (["--cook-pot-bytes", "8KiB"], "it must be more than 0, at most 4096"),
        (["--cook-pot-bytes", "big"], "'big' is no size"),
        (["--cook-cooks", "-1"], "it must be at least 0"),
        (["--cook-cooks", "1.5"], "'1.5' is no whole number"),
    ],
)
def test_a_bad_value_names_the_flag_and_the_rule(arguments: list[str], told: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert f"Invalid value for '{arguments[0]}'" in result.stderr
    assert told in result.stderr


def test_a_bad_value_in_the_environment_names_the_rule_too() -> None:
    result = call(PHOTON_COOK_OVEN="never")
    assert (result.exit_code, "'never' is no duration" in result.stderr) == (2, True)


def test_the_help_says_what_the_field_says_in_sections() -> None:
    told = call("--help").output.partition("House:")[2]
    assert told.partition("Files of settings:")[0].splitlines() == [
        "",
        "  --door TEXT      the door",
        "  --spoons NUMBER  [7]",
        "",
        "Kitchen:",
        "  --cook-oven SECONDS     the oven may heat  [90s, > 0]",
        "  --cook-pot-bytes BYTES  what a pot holds  [2KiB, > 0, <= 4096]",
        "  --cook-cooks NUMBER     cooks at a time  [3, >= 0]",
        "  --cook-spoons NUMBER    [7]",
        "",
    ]
    assert told.splitlines()[-2:] == ["Others:", "  --help  Show this message and exit."]


@pytest.mark.parametrize(("struct", "prefix"), [(Timeouts, "timeout"), (Limits, "limit")])
def test_run_has_a_documented_flag_for_every_setting(struct: type[Struct], prefix: str) -> None:
    flags = {option.name: option for option in run.params}
    for field in msgspec.structs.fields(struct):
        option = flags[f"{prefix}_{field.name}"]
        assert isinstance(option, click.Option)
        assert option.help
        assert not option.help.startswith(" "), f"{field.name} has no description"
