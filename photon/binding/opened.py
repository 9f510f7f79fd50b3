"""Providers that are generators: entered in order, and left in reverse when their scope is over."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from photon.binding.errors import fault
from photon.http.request import Request


class Opened:
    """What a request has opened through its providers.

    Args: request: what ended its response, if anything did, counts as what ended the handler.
    Attributes: error: what ended the handler; it is raised in the generators where they yielded.
    """

    __slots__ = ("_open", "_request", "error")

    def __init__(self, request: Request | None = None) -> None:
        self._request = request
        self._open: list[tuple[Callable[..., Any], Any]] = []
        self.error: BaseException | None = None

    def enter(self, provider: Callable[..., Any], generator: Any) -> Any:
        """The value that a provider's generator yields.   Raises: HandlerError, if it does not."""
        try:
            value = next(generator)
        except StopIteration:
            raise fault("provider", provider, "did not yield; it yields once") from None
        self._open.append((provider, generator))
        return value

    def enter_context(self, provider: Callable[..., Any], context: Any) -> Any:
        """The value of a provider's context manager; a decorator may have made it another thing."""
        if inspect.isgenerator(context):
            return self.enter(provider, context)
        if not isinstance(context, AbstractContextManager):
            return context
        value = context.__enter__()
        self._open.append((provider, context))
        return value

    def close(self) -> None:
        """Leave all of them, the last one first, whatever each of them raises.

        Raises: the last thing that one of them raised, if it is not `error` itself.
        """
        error = self.error
        if error is None and self._request is not None:
            error = self._request.ended_by
        told = error
        # Its traceback leads to this object: a cycle, and with it the whole request would wait for
        # the garbage collector.
        self.error = None
        while self._open:
            error = _closed(*self._open.pop(), error)
        if error is not None and error is not told:
            try:
                raise error
            finally:
                told = error = None


def _closed(
    provider: Callable[..., Any], opened: Any, error: BaseException | None
) -> BaseException | None:
    """Leave one of them.   Returns: what the next one is told: `error`, or what this one raised."""
    traceback = None if error is None else error.__traceback__
    try:
        if not inspect.isgenerator(opened):
            _leave(opened, error)
        else:
            _end(provider, opened, error)
    except BaseException as raised:
        if raised is not error and raised.__context__ is None:
            raised.__context__ = error
        return raised
    finally:
        # Throwing added the frames that hold it: another cycle.
        if error is not None:
            error.__traceback__ = traceback
    return error


def _end(provider: Callable[..., Any], generator: Any, error: BaseException | None) -> None:
    try:
        if error is None:
            next(generator)
        else:
            generator.throw(error)
    except StopIteration:
        return
    except RuntimeError as raised:
        # PEP 479: what a generator is told as StopIteration it passes on as this.
        if isinstance(error, StopIteration) and raised.__cause__ is error:
            return
        raise
    generator.close()
    raise fault("provider", provider, "yielded twice; it yields once")


def _leave(context: AbstractContextManager[Any], error: BaseException | None) -> None:
    if error is None:
        context.__exit__(None, None, None)
    else:
        context.__exit__(type(error), error, error.__traceback__)
