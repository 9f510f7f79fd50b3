"""Values that an application makes once: by the providers of scope "app"."""

from __future__ import annotations

from collections.abc import Iterable
from threading import RLock
from typing import Any

from photon.binding.opened import Opened
from photon.binding.plan import Dependency


class AppScope(dict[Any, Any]):
    """The values of providers, by provider. One that is missing is made when it is asked for."""

    def __init__(self) -> None:
        self._opened = Opened()
        self._making = RLock()
        self._known: dict[Any, Dependency] = {}

    def learn(self, dependencies: Iterable[Dependency]) -> None:
        """Know of providers, so that they can be called."""
        for dependency in dependencies:
            if dependency.scope == "app":
                self._known[dependency.provider] = dependency

    def open(self) -> None:
        """Make all values: an application that cannot have them shall not start."""
        for provider in self._known:
            self[provider]

    def close(self) -> None:
        """Undo all of it, the last one first."""
        self.clear()
        opened, self._opened = self._opened, Opened()
        opened.close()

    def __missing__(self, provider: Any) -> Any:
        with self._making:
            if provider in self:  # somebody else made it while this greenlet waited
                return self[provider]
            value = self[provider] = self._make(self._known[provider])
            return value

    def _make(self, dependency: Dependency) -> Any:
        provider = dependency.provider
        positional, named = [], {}
        for argument in dependency.arguments:
            assert isinstance(argument.of, Dependency)  # the signature's reader saw to it
            value = self[argument.of.provider]
            if argument.positional:
                positional.append(value)
            else:
                named[argument.name] = value
        made = provider(*positional, **named)
        if dependency.kind == "generator":
            return self._opened.enter(provider, made)
        if dependency.kind == "context":
            return self._opened.enter_context(provider, made)
        return made
