"""What the flags of a server amount to."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from photon.cli.plan import Plan
from photon.cli.serving_options import plan_of, serving_options
from photon.runtime.net.address import TcpAddress


def planned(*arguments: str) -> Plan:
    """What `photon run shop:app` with these arguments would do."""
    plans = []

    @click.command()
    @serving_options
    @click.pass_context
    def command(ctx: click.Context, /, **options: Any) -> None:
        plans.append(plan_of(ctx, "shop:app", options))

    done = CliRunner().invoke(command, arguments)
    if done.exit_code:
        raise click.UsageError(done.output)
    return plans[0]


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ("8081", TcpAddress("127.0.0.1", 8081)),
        ("0.0.0.0:8081", TcpAddress("0.0.0.0", 8081)),
    ],
)
def test_health_is_for_this_machine_unless_a_host_is_named(given: str, where: TcpAddress) -> None:
    assert planned("--health-port", given).health == where


def test_health_has_a_port_of_its_own() -> None:
    with pytest.raises(click.UsageError, match="health needs a port of its own"):
        planned("--port", "8081", "--health-port", "8081")
    assert planned("--port", "0", "--health-port", "0").health == TcpAddress("127.0.0.1", 0)
    assert planned("--uds", "shop.sock", "--health-port", "8000").health is not None
