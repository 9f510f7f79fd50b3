"""Every implementation of HTTP/1 is held to the same contract."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from photon.http.protocol.base import Http1
from tests.protocol_contract.driver import IMPLEMENTATIONS


@pytest.fixture(params=IMPLEMENTATIONS)
def fresh(request: pytest.FixtureRequest) -> Callable[..., Http1]:
    """Makes a protocol for a new connection; takes limits."""
    return IMPLEMENTATIONS[request.param]
