"""The arguments of a task's function as JSON, and back, by its signature and annotations.

What arrives is what was sent: a date, a UUID, a Struct are made again of their text by the
parameter's annotation. Whatever would arrive as something else (a date for a parameter that has no
annotation would be a str) is refused when it is sent, where the mistake is, and not by a worker at
night. So each argument is read back once before it goes; a few microseconds.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from types import GenericAlias
from typing import Any, get_type_hints

import msgspec

from photon.tasks.errors import TaskError
from photon.tasks.queue_errors import ArgumentError, UnfitArguments

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_STARS = (None, *_VARIADIC)

# Redis and PostgreSQL would take a thousand times that, and be slow for everybody.
LARGEST_BYTES = 1024 * 1024


class Arguments:
    """How calls of one function travel.

    Args: fn: the function. name: of the task, for messages.
    """

    def __init__(self, fn: Callable[..., Any], name: str) -> None:
        self._fn = fn
        self._name = name
        try:
            self._signature = inspect.signature(fn)
        except (TypeError, ValueError):
            raise TaskError(f"{name} has no signature, by which its arguments are sent") from None

    @property
    def names(self) -> list[str]:
        """Of the parameters, in their order."""
        return list(self._signature.parameters)

    @property
    def _shown(self) -> str:
        names = [
            f"{'*' * _STARS.index(p.kind) if p.kind in _STARS else ''}{p.name}"
            for p in self._signature.parameters.values()
        ]
        return f"{self._name}({', '.join(names)})"

    def check(self) -> None:
        """Read all annotations, now.   Raises: TaskError, for what cannot be sent to the function.

        Not when the function is registered: what annotations name may be defined below it.
        """
        _ = self._decoders

    def encode(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """A call as values by parameter; JSON has all of them. Defaults are left to the receiver.

        Raises: ArgumentError, which names the argument.
        """
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ArgumentError(f"{self._shown}: {error}") from None
        encoded = {name: self._encode(name, value) for name, value in bound.arguments.items()}
        size = len(msgspec.json.encode(encoded))
        if size > LARGEST_BYTES:
            raise ArgumentError(
                f"the arguments of {self._name} are {size} bytes as JSON, and {LARGEST_BYTES} may "
                "be sent; put them where the worker finds them, and send their id"
            )
        return encoded

    def decode(self, encoded: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Such values as args and kwargs.   Raises: UnfitArguments."""
        unknown = [name for name in encoded if name not in self._decoders]
        missing = [
            name
            for name, parameter in self._signature.parameters.items()
            if parameter.default is parameter.empty
            and parameter.kind not in _VARIADIC
            and name not in encoded
        ]
        if unknown or missing:
            said = [f"it has no parameter {name}" for name in unknown]
            said += [f"the argument {name} is missing" for name in missing]
            raise UnfitArguments(f"{self._shown} does not take what came: {', '.join(said)}")
        bound = self._signature.bind_partial()
        for name in self._signature.parameters:
            if name in encoded:
                bound.arguments[name] = self._decode(name, encoded[name])
        return bound.args, bound.kwargs

    # One argument...

    def _encode(self, name: str, value: Any) -> Any:
        where = f"the argument {name} of {self._name}"
        try:
            text = msgspec.json.encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ArgumentError(
                f"{where}, of {_kind(value)}, cannot be sent: {error}; send what it is made of, or "
                "an id to load it by"
            ) from None
        try:
            arrives = self._decoders[name].decode(text)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise ArgumentError(f"{where} does not fit: {error}") from None
        changed = _changed(value, arrives)
        if changed is not None:
            sent, received = changed
            if isinstance(sent, float) and received is None:
                raise ArgumentError(f"{where} cannot be sent: JSON has no {sent}")
            raise ArgumentError(
                f"{where}: a {_kind(sent)} would arrive as {_kind(received)}; annotate {name} with "
                f"its type, as in {name}: {type(sent).__name__}"
            )
        return msgspec.json.decode(text)

    def _decode(self, name: str, value: Any) -> Any:
        try:
            return self._decoders[name].decode(msgspec.json.encode(value))
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise UnfitArguments(
                f"the argument {name} of {self._name} does not fit: {error}"
            ) from None

    @cached_property
    def _decoders(self) -> dict[str, msgspec.json.Decoder[Any]]:
        try:
            hints = get_type_hints(self._fn, include_extras=True)
        except NameError as error:
            raise TaskError(f"an annotation of {self._name} cannot be read: {error}") from None
        except TypeError:  # a partial, or an object with a __call__, keeps none itself
            hints = {}
        decoders = {}
        for name, parameter in self._signature.parameters.items():
            kind: Any = hints.get(name, Any)
            if parameter.kind is parameter.VAR_POSITIONAL:
                kind = tuple[kind, ...]
            elif parameter.kind is parameter.VAR_KEYWORD:
                kind = GenericAlias(dict, (str, kind))
            try:
                decoders[name] = msgspec.json.Decoder(kind)
            except (TypeError, NameError) as error:
                raise TaskError(
                    f"the parameter {name} of {self._name} cannot be sent: {error}"
                ) from None
        return decoders


def _changed(sent: Any, received: Any) -> tuple[Any, Any] | None:
    """The first part that is not what it was, and what it is now; None when there is none."""
    if isinstance(sent, list | tuple) and isinstance(received, list | tuple):
        if len(sent) == len(received):
            return _first(zip(sent, received, strict=True))
    elif isinstance(sent, dict) and isinstance(received, dict):
        if sent.keys() == received.keys():
            return _first((value, received[key]) for key, value in sent.items())
    elif type(sent) is type(received) or sent == received:
        # Of one class: its annotations say what is in it. Equal: as 1 for a float is.
        return None
    return sent, received


def _first(pairs: Any) -> tuple[Any, Any] | None:
    return next((found for pair in pairs if (found := _changed(*pair)) is not None), None)


def _kind(value: object) -> str:
    # Not the value: it may be a secret, and messages are logged.
    return type(value).__qualname__
