"""Values that an application makes once: by the providers of scope "app"."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from photon.binding.opened import Opened
from photon.binding.plan import Dependency
from photon.runtime.sync import RLock


def key_of(dependency: Dependency) -> Any:
    """What makes two uses of a provider one value: the provider, and what it stands on."""
    needs = [a.of for a in dependency.arguments if isinstance(a.of, Dependency)]
    return (dependency.provider, *map(key_of, needs))


def _stands_on(dependency: Dependency, providers: Container[Any]) -> bool:
    needs = [a.of for a in dependency.arguments if isinstance(a.of, Dependency)]
    return dependency.provider in providers or any(_stands_on(n, providers) for n in needs)


class AppScope(dict[Any, Any]):
    """The values of providers, by `key_of`. One that is missing is made when it is asked for.

    Args: around: has the values that are known there; what this one makes is closed with it.
    """

    def __init__(self, around: AppScope | None = None) -> None:
        self._around = around
        self._opened = Opened()
        self._making = RLock()
        self._known: dict[Any, Dependency] = {}
        self._at_start: dict[Any, Dependency] = {}

    def learn(self, dependencies: Iterable[Dependency], *, at_start: bool = True) -> None:
        """Know of providers, so that they can be called.

        Args: at_start: whether `open` calls them, or nobody before they are asked for: what
            stands in for others in a test is not there at the next start.
        """
        for dependency in dependencies:
            key = key_of(dependency)
            if dependency.scope == "app" and not self._is_known_around(key):
                self._known[key] = dependency
                if at_start:
                    self._at_start[key] = dependency

    def knows(self, key: Any) -> bool:
        """Whether it, or one around it, can make the value of a key."""
        return key in self._known or self._is_known_around(key)

    def _is_known_around(self, key: Any) -> bool:
        return self._around is not None and self._around.knows(key)

    def open(self, replaced: Container[Any] = ()) -> None:
        """Make all values: an application that cannot have them shall not start.

        Args: replaced: providers that others stand in for; neither they nor what stands on them
            is made: a test without a database does not try the real one.
        """
        for key, dependency in list(self._at_start.items()):
            if not _stands_on(dependency, replaced):
                self[key]

    def close(self) -> None:
        """Undo all of it, the last one first."""
        self.clear()
        opened, self._opened = self._opened, Opened()
        opened.close()

    def __missing__(self, key: Any) -> Any:
        if self._around is not None and self._around.knows(key):
            return self._around[key]
        with self._making:
            if key in self:  # somebody else made it while this greenlet waited
                return self[key]
            value = self[key] = self._make(self._known[key])
            return value

    def _make(self, dependency: Dependency) -> Any:
        provider = dependency.provider
        positional, named = [], {}
        for argument in dependency.arguments:
            assert isinstance(argument.of, Dependency)  # the signature's reader saw to it
            value = self[key_of(argument.of)]
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
