"""What can go wrong on the ground floor, and what it tells."""

from __future__ import annotations

import pytest

from photon.runtime.cancel import CancelScope
from photon.runtime.errors import (
    AddressError,
    Cancelled,
    DeadlineExceeded,
    ListenError,
    PatchedTooLate,
    RuntimeFault,
    StreamBroken,
    StreamBusy,
    StreamClosed,
    StreamError,
)


def test_a_cancel_is_no_exception_that_a_handler_would_swallow() -> None:
    assert not issubclass(Cancelled, Exception)


def test_a_cancel_tells_who_asked_why_and_for_which_scope() -> None:
    scope = CancelScope()
    error = Cancelled("deadline", "no response within 30 s", scope=scope)
    assert (error.source, error.reason, error.scope) == (
        "deadline",
        "no response within 30 s",
        scope,
    )
    assert str(error) == "cancelled by deadline: no response within 30 s"
    assert str(Cancelled("shutdown")) == "cancelled by shutdown"
    assert Cancelled("shutdown").scope is None


def test_a_deadline_that_passed_is_a_timeout_error() -> None:
    assert isinstance(DeadlineExceeded(2.5), TimeoutError)
    assert str(DeadlineExceeded(2.5)) == "the block did not finish within 2.5 s"


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (StreamClosed, (StreamError, RuntimeFault)),
        (StreamBroken, (StreamError, RuntimeFault)),
        (StreamBusy, (StreamError, RuntimeFault)),
        (AddressError, (RuntimeFault, ValueError)),
        (ListenError, (RuntimeFault, OSError)),
        (PatchedTooLate, (RuntimeWarning,)),
    ],
)
def test_the_tree_is_as_it_is_drawn(error: type, parents: tuple[type, ...]) -> None:
    assert all(issubclass(error, parent) for parent in parents)
