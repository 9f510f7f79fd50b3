"""Variables of the environment that nobody reads."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import photon
from photon.cli.configuration import every_command
from photon.cli.variables import OWN, is_service_link, unknown_variables, variables_of


def test_a_typo_is_told_with_the_nearest_name() -> None:
    environ = {"PHOTON_PROT": "1", "PATH": "/bin", "PHOTON_PORT": "2", "PHOTON_HTTP_QQQ": "3"}
    assert unknown_variables(["PHOTON_PORT"], list, environ) == [
        "the variable PHOTON_HTTP_QQQ is of no setting",
        "the variable PHOTON_PROT is of no setting; did you mean PHOTON_PORT?",
    ]


def test_variables_of_other_commands_are_known() -> None:
    assert unknown_variables([], lambda: ["PHOTON_A"], {"PHOTON_A": "1"}) == []


def test_other_commands_are_not_asked_without_need() -> None:
    assert unknown_variables(["PHOTON_A"], lambda: pytest.fail("asked"), {"PHOTON_A": "1"}) == []


@pytest.mark.parametrize(
    "name",
    [
        "PHOTON_SERVICE_HOST",
        "PHOTON_SERVICE_PORT",
        "PHOTON_SERVICE_PORT_HTTP",
        "PHOTON_PORT_80_TCP",
        "PHOTON_PORT_80_TCP_ADDR",
        "PHOTON_SHOP_SERVICE_HOST",
    ],
)
def test_what_kubernetes_tells_of_a_service_is_passed_over(name: str) -> None:
    assert unknown_variables([], list, {name: "10.0.0.1"}) == []
    assert is_service_link("tcp://10.0.0.1:80")


def test_every_variable_of_the_sources_is_known() -> None:
    known = OWN.union(*(variables_of(command.params) for _, command in every_command()))
    strangers = set()
    for path in Path(photon.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole = re.fullmatch(r"PHOTON_[A-Z][A-Z_]*", node.value)
                if whole and whole[0] not in known:
                    strangers.add(f"{path.name}: {whole[0]}")
    assert strangers == set(), "they belong into photon.cli.variables.OWN"
