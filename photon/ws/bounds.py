"""How much may wait for one connection, and what happens beyond."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

from photon.runtime.hints import meant

Policy = Literal["close", "drop_oldest", "drop_newest", "block"]
POLICIES: tuple[Policy, ...] = get_args(Policy)

_OTHER_NAMES = {"drop": "drop_oldest or drop_newest", "disconnect": "close", "wait": "block"}


class Bounds(Struct, frozen=True):
    """How much may wait for one connection, and what happens beyond.

    Attributes: patience_s: how long whoever broadcasts waits under "block".
    """

    messages: int
    bytes: int
    policy: Policy
    patience_s: float


def checked_bounds(queue: int, queue_bytes: int, policy: Policy, patience_s: float) -> Bounds:
    """Bounds that can be.   Raises: ValueError."""
    if policy not in POLICIES:
        raise ValueError(
            f"there is no policy {policy!r}{meant(str(policy), POLICIES, _OTHER_NAMES)}"
        )
    if queue < 1 or queue_bytes < 1:
        raise ValueError(
            f"queue={queue!r} and queue_bytes={queue_bytes!r}: both are 1 or more, as what"
            " does not fit into the socket must wait somewhere"
        )
    if not patience_s > 0:
        raise ValueError(f"patience_s= is a number of seconds above 0, not {patience_s!r}")
    return Bounds(queue, queue_bytes, policy, patience_s)
