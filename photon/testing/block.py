"""What `client.websocket(...)` and `client.stream(...)` give: something for a `with`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Block(Generic[T]):
    """Opened by a `with`, and closed at its end.

    Args: opening: does it; call: what made it, and name: what it gives, for messages.
    """

    def __init__(self, opening: AbstractContextManager[T], call: str, name: str) -> None:
        self._opening = opening
        self._call = call
        self._name = name

    def __enter__(self) -> T:
        __tracebackhide__ = True
        return self._opening.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        __tracebackhide__ = True
        return self._opening.__exit__(kind, error, traceback)

    def __repr__(self) -> str:
        return f"<{self._call}, to be opened: with {self._call} as {self._name}>"

    if not TYPE_CHECKING:  # a checker shall see that these do not exist

        def __getattr__(self, name: str) -> Any:
            hint = "" if name.startswith("_") else f", then {self._name}.{name}"
            raise AttributeError(
                f"{self._call} is opened by a with: `with {self._call} as {self._name}:`{hint}",
                name=name,
                obj=self,
            )

        def __iter__(self) -> Any:
            raise TypeError(
                f"{self._call} is opened by a with: `with {self._call} as {self._name}:`, "
                f"then `for ... in {self._name}`"
            )


def block(name: str) -> Callable[[Callable[P, Iterator[T]]], Callable[P, Block[T]]]:
    """As `contextlib.contextmanager`, of a method of a client, and says how it is used.

    Args: name: what the documentation calls what it gives.
    """

    def decorate(method: Callable[P, Iterator[T]]) -> Callable[P, Block[T]]:
        manage = contextmanager(method)
        call = f"client.{method.__name__}(...)"

        @wraps(method)
        def begin(*args: P.args, **kwargs: P.kwargs) -> Block[T]:
            return Block(manage(*args, **kwargs), call, name)

        return begin

    return decorate
