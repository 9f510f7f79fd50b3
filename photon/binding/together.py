"""Providers that do not depend on each other, run at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from photon.runtime.errors import Cancelled
from photon.runtime.nursery import nursery


def together(*calls: Callable[[], Any]) -> list[Any]:
    """The results of all calls, each made in a greenlet of its own, in their order.

    When one fails, or the caller is cancelled, the others are cancelled where they wait, and are
    over before this raises.

    Raises: what the first of them to fail raised: an HTTPError stays one, and in no group.
    """
    values: list[Any] = [None] * len(calls)
    failures: list[BaseException] = []

    def call(index: int) -> None:
        try:
            values[index] = calls[index]()
        except BaseException as error:
            if isinstance(error, Cancelled) and n.cancel_scope.cancel_called:
                raise
            failures.append(error)
            n.cancel("another provider of the request failed")

    with nursery() as n:
        for index in range(len(calls)):
            n.spawn(call, index)
    try:
        if failures:
            raise failures[0]
        return values
    finally:
        failures.clear()  # their tracebacks lead to this frame
