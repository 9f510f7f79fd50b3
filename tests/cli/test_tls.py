"""The flags of TLS."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from photon.cli.options import SectionedCommand
from photon.cli.tls import tls_of, tls_options


@click.command(cls=SectionedCommand)
@tls_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    tls = tls_of(ctx, options)
    if tls is None:
        print("none")  # noqa: T201
    else:
        print(tls.certificates, tls.password, tls.ca)  # noqa: T201


def call(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(command, arguments, env=env)


def test_without_a_certificate_there_is_no_tls() -> None:
    assert call().output == "none\n"
    assert call(PHOTON_TLS_KEY_PASSWORD="secret").output == "none\n"


def test_certificates_and_keys_go_together_in_their_order() -> None:
    flags = ["--tls-cert=a", "--tls-key=1", "--tls-cert=b", "--tls-key=2", "--tls-ca=c"]
    assert call(*flags).output == "(('a', '1'), ('b', '2')) None c\n"
    assert call("--tls-cert=both").output == "(('both', ''),) None \n"


def test_all_of_it_can_come_from_the_environment() -> None:
    env = {
        "PHOTON_TLS_CERT": "a:b",
        "PHOTON_TLS_KEY": "1:2",
        "PHOTON_TLS_KEY_PASSWORD": "secret",
        "PHOTON_TLS_CA": "c",
    }
    assert call(**env).output == "(('a', '1'), ('b', '2')) secret c\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tls-key=k"], "--tls-key is for TLS: add --tls-cert FILE."),
        (["--tls-ca=c"], "--tls-ca is for TLS: add --tls-cert FILE."),
        (
            ["--tls-cert=a", "--tls-cert=b", "--tls-key=k"],
            "--tls-key is given once and --tls-cert twice: give a key for each certificate",
        ),
    ],
)
def test_what_does_not_go_together_is_told(arguments: list[str], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_the_help_names_them() -> None:
    text = call("--help").output
    assert "TLS: with --tls-cert, https:// is served" in text
    for flag in ("--tls-cert FILE", "--tls-key FILE", "--tls-key-password TEXT", "--tls-ca FILE"):
        assert flag in text
