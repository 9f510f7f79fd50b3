"""Providers, each read once with all that it needs itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Literal

from msgspec.structs import force_setattr

from photon.binding.errors import Unfit, check_kind, fault, name_of
from photon.binding.markers import Depends, Security
from photon.binding.plan import Argument, Dependency

ReadArguments = Callable[[Callable[..., Any]], tuple[Argument, ...]]
"""Reads a provider's parameters; its own providers come back here."""

_RANKS = {"handler": 0, "request": 1, "app": 2}


class Providers:
    """All providers of one handler, each after those it needs.

    Args: overrides: providers to take in the place of others.
    """

    def __init__(
        self, read_arguments: ReadArguments, overrides: Mapping[Any, Callable[..., Any]]
    ) -> None:
        self._read_arguments = read_arguments
        self._overrides = overrides
        self._all: dict[Any, Dependency] = {}
        self._scoped: dict[Any, bool] = {}
        self._trail: list[Any] = []
        self._scopes: list[str] = []

    @property
    def all(self) -> tuple[Dependency, ...]:
        """In the order in which they are called: the guards first, with what they need."""
        guards = self.guards
        return (*guards, *(d for d in self._all.values() if d not in guards))

    @property
    def guards(self) -> tuple[Dependency, ...]:
        """Those that are called before all else."""
        needed = _needs_of(d for d in self._all.values() if d.is_guard)
        return tuple(d for d in self._all.values() if d.is_guard or d.key in needed)

    def take(self, marker: Depends, provider: Any, *, is_guard: bool = False) -> Dependency:
        """The provider that a marker names, or the annotation that it stands in.

        Raises: HandlerError, Unfit.
        """
        if provider is inspect.Parameter.empty or provider is Any:
            raise Unfit("has a `Depends()` that names no provider: Depends(function)")
        check_kind("provider", provider)
        _check_hash(provider)
        if marker.scope not in _RANKS:
            scopes = " or ".join(map(repr, sorted(_RANKS)))
            raise Unfit(
                f"depends on {name_of(provider)} with the scope {marker.scope!r}; it is {scopes}"
            )
        provider = self._overrides.get(provider, provider)
        outer = list(self._scopes)
        if isinstance(marker, Security):
            self._scopes += [scope for scope in marker.scopes if scope not in outer]
        try:
            dependency = self._known(marker, provider) or self._new(marker, provider)
        finally:
            self._scopes = outer
        if is_guard or isinstance(marker, Security):
            # Others may hold it already, so it stays the same object.
            force_setattr(dependency, "is_guard", True)
        return dependency

    def _known(self, marker: Depends, provider: Any) -> Dependency | None:
        if provider in self._trail:
            names = [name_of(other) for other in self._trail[self._trail.index(provider) :]]
            cycle = " -> ".join([*names, name_of(provider)])
            raise Unfit(f"depends on itself: {cycle}; break the cycle")
        if not marker.cached:
            return None
        # One that does not ask for scopes is the same whatever they are.
        is_scoped = self._scoped.get(provider, False)
        known = self._all.get(self._key(provider, is_scoped))
        if known is not None and known.scope != marker.scope:
            raise fault(
                "provider",
                provider,
                f"is asked for with the scope {known.scope!r} and with {marker.scope!r}, which "
                "would make two of it; give both the same",
            )
        return known

    def _key(self, provider: Any, is_scoped: bool) -> Any:
        return (provider, tuple(self._scopes)) if is_scoped else provider

    def _new(self, marker: Depends, provider: Any) -> Dependency:
        self._trail.append(provider)
        arguments = self._read_arguments(provider)
        self._trail.pop()
        needs = [argument.of for argument in arguments if isinstance(argument.of, Dependency)]
        _check_scope(marker, provider, arguments, needs)
        is_scoped = any(
            argument.of == "scopes" or (isinstance(argument.of, Dependency) and argument.of.scopes)
            for argument in arguments
        )
        self._scoped[provider] = is_scoped
        key = self._key(provider, is_scoped) if marker.cached else object()
        dependency = self._all[key] = Dependency(
            provider=provider,
            key=key,
            kind=_kind_of(provider),
            scope=marker.scope,
            concurrent=marker.concurrent,
            scopes=tuple(self._scopes),
            is_guard=hasattr(provider, "scheme") or any(need.is_guard for need in needs),
            arguments=arguments,
        )
        return dependency


def _check_hash(provider: Any) -> None:
    try:
        hash(provider)
    except TypeError as error:
        raise Unfit(
            f"depends on {name_of(provider)}, which has no hash, so that nobody can tell whether "
            "it was called already; a dataclass has one with `frozen=True`"
        ) from error


def _check_scope(
    marker: Depends, provider: Any, arguments: tuple[Argument, ...], needs: list[Dependency]
) -> None:
    for need in needs:
        if _RANKS[need.scope] < _RANKS[marker.scope]:
            raise fault(
                "provider",
                provider,
                f"has the scope {marker.scope!r} and depends on {need.name}, which has the scope "
                f"{need.scope!r} and is over before it: give both the same",
            )
    if marker.scope == "app" and len(needs) != len(arguments):
        raise fault(
            "provider",
            provider,
            "has the scope 'app' and asks for a part of a request; there is none when the "
            "application starts",
        )


def _needs_of(dependencies: Iterable[Dependency]) -> set[Any]:
    """The keys of all that these stand on."""
    keys: set[Any] = set()
    for dependency in dependencies:
        needs = [a.of for a in dependency.arguments if isinstance(a.of, Dependency)]
        keys |= {need.key for need in needs} | _needs_of(needs)
    return keys


def _kind_of(provider: Any) -> Literal["value", "generator", "context"]:
    fn = provider
    while isinstance(fn, partial):
        fn = fn.func
    if inspect.isgeneratorfunction(fn) or inspect.isgeneratorfunction(type(fn).__call__):
        return "generator"
    if isinstance(fn, type):
        return "value"
    called = fn if inspect.isroutine(fn) else type(fn).__call__
    # A function under contextlib.contextmanager, or under another decorator: see `Opened`.
    return "context" if inspect.isgeneratorfunction(inspect.unwrap(called)) else "value"
