"""What holds for every test: the hub must not have swallowed an error of ours."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import TracebackType

import pytest
from hypothesis import HealthCheck, settings

from photon.runtime.hub import current_hub

pytest_plugins = ["tests.services"]

# No test is about how long something takes on a machine that does other things as well.
settings.register_profile("photon", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("photon")


@pytest.fixture(autouse=True)
def _hub_without_errors() -> Iterator[None]:
    """Fail a test in which a callback of the hub raised: gevent only prints that."""
    native = current_hub().native
    errors: list[str] = []

    def note(
        context: object, kind: type[BaseException], error: BaseException, tb: TracebackType | None
    ) -> None:
        errors.append("".join(traceback.format_exception(kind, error, tb)))

    native.print_exception = note
    try:
        yield
    finally:
        del native.print_exception
    assert not errors, f"a callback of the hub raised:\n{errors[0]}"
