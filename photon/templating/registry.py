"""What templates may use besides their values: filters, tests, functions and other globals.

Kept here, and not only in an environment, since each edition of the templates has one of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from minijinja import Environment

from photon.templating.functions import Kind, checked_name, guarded, name_for


class Registry:
    """The filters, tests, functions and globals of one `Templates`.

    Attributes: environment: the one in use, which sees at once what is registered; None before.
    """

    def __init__(self) -> None:
        self.functions: dict[tuple[Kind, str], Callable[..., Any]] = {}
        self.globals: dict[str, Any] = {}
        self.environment: Environment | None = None

    def register(self, kind: Kind, fn: Any, name: str | None) -> Any:
        """What a decorator does; without `fn` it gives one.   Raises: TypeError, ValueError."""
        if fn is None:
            return lambda fn: self.register(kind, fn, name)
        name = name_for(kind, fn, name)
        if (kind, name) in self.functions or (kind == "function" and name in self.globals):
            raise ValueError(f"there is a {kind} {name!r} already; give this one name='...'")
        self.put(kind, name, fn)
        return fn

    def put(self, kind: Kind, name: str, fn: Callable[..., Any]) -> None:
        """Set a function, in place of any other of its name."""
        self.functions[kind, name] = fn
        if self.environment is not None:
            _add(self.environment, kind, name, fn)

    def install(self, environment: Environment) -> None:
        """Tell a new environment everything."""
        for (kind, name), fn in self.functions.items():
            _add(environment, kind, name, fn)
        for name, value in self.globals.items():
            environment.add_global(name, value)


def _add(environment: Environment, kind: Kind, name: str, fn: Callable[..., Any]) -> None:
    add: Callable[[str, Any], None] = {
        "filter": environment.add_filter,
        "function": environment.add_global,
        "test": environment.add_test,
    }[kind]
    add(name, guarded(kind, name, fn))


class Globals(MutableMapping[str, Any]):
    """`Templates.globals`: what is set here is seen by the renderings that begin after."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __setitem__(self, name: str, value: Any) -> None:
        registry = self._registry
        if callable(value):
            name_for("function", value, name)
            self.pop(name, None)
            registry.put("function", name, value)
            return
        checked_name("global", name)
        registry.functions.pop(("function", name), None)
        registry.globals[name] = value
        if registry.environment is not None:
            registry.environment.add_global(name, value)

    def __delitem__(self, name: str) -> None:
        registry = self._registry
        if name in registry.globals:
            del registry.globals[name]
        else:
            del registry.functions["function", name]
        if registry.environment is not None:
            registry.environment.remove_global(name)

    def __getitem__(self, name: str) -> Any:
        registry = self._registry
        if name in registry.globals:
            return registry.globals[name]
        return registry.functions["function", name]

    def __iter__(self) -> Iterator[str]:
        functions = (name for kind, name in self._registry.functions if kind == "function")
        return iter([*self._registry.globals, *functions])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __repr__(self) -> str:
        return f"{dict(self)!r}"
