"""What a handler let through, raised in the test that asked."""

from __future__ import annotations

import os
from types import TracebackType
from typing import NoReturn

import photon

_HOUSE = os.path.dirname(os.path.abspath(photon.__file__)) + os.sep
_COMPILED = ("<endpoint of ", "<photon ")

# Raised in a test they would end pytest, or hide where they come from.
_NOT_FOR_TESTS = (KeyboardInterrupt, SystemExit, GeneratorExit)


def raise_failure(failure: BaseException, request: str) -> NoReturn:
    """Raise what a handler let through, with its own traceback.

    Args: request: its method and URL.   Raises: RuntimeError from it, for what ends programs.
    """
    __tracebackhide__ = True
    failure = failure.with_traceback(_users_part(failure.__traceback__))
    if isinstance(failure, _NOT_FOR_TESTS):
        name = type(failure).__name__
        raise RuntimeError(f"the handler of {request} raised {name}") from failure
    context = failure.__context__
    try:
        raise failure
    finally:
        failure.__context__ = context  # and not the error that it was for the client


def _users_part(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback from where the user's code begins; all of it when none is in it."""
    part = traceback
    while part is not None:
        name = part.tb_frame.f_code.co_filename
        if not name.startswith((_HOUSE, *_COMPILED)):
            return part
        part = part.tb_next
    return traceback
