"""Autobahn's fuzzing client against a real Photon: what of it takes seconds and not minutes.

`python -m loadtests.autobahn` installs the tool and runs all of it.
"""

from __future__ import annotations

import os

import pytest

from loadtests.autobahn import tool
from loadtests.autobahn.__main__ import GOOD, SERVERS, run
from loadtests.machine import Cores
from loadtests.process import HOST, running

GROUPS = {
    "framing and pings": (["1.*", "2.*"], 27),
    "reserved bits and opcodes": (["3.*", "4.*"], 17),
    "fragments": (["5.*", "10.*"], 21),
    "UTF-8": (["6.*"], 145),
    "closing": (["7.*"], 37),
    "messages of 64 KiB and 1 MiB": (["9.1.1", "9.1.3", "9.2.1", "9.2.3"], 4),
    "compression": (["12.1.1", "12.2.11", "13.1.2", "13.2.2", "13.3.2", "13.5.2", "13.7.2"], 7),
}


@pytest.fixture(autouse=True)
def _needs_autobahn() -> None:
    if tool.is_made():
        return
    why = "Autobahn's test suite is not there: make autobahn"
    if os.environ.get("PHOTON_REQUIRE_AUTOBAHN") == "1":
        pytest.fail(f"{why}, and PHOTON_REQUIRE_AUTOBAHN=1 says that it is")
    pytest.skip(why)


@pytest.mark.parametrize("group", GROUPS)
def test_the_fuzzing_client_finds_nothing(group: str) -> None:
    patterns, number = GROUPS[group]
    with running(SERVERS["photon"], None) as target:
        url = f"ws://{HOST}:{target.port}/echo"
        cases, wanted = run(url, patterns, 45.0, Cores(None, None))
    assert [
        f"{case.id} {case.outcome} {case.result}" for case in cases if case.outcome not in GOOD
    ] == []
    assert len(cases) == wanted == number
