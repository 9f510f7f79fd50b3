"""Which security schemes an operation asks for.

A provider with the attributes `scheme` (a Security Scheme Object) and `scheme_name` is one.
Source: OpenAPI 3.1.0 §4.8.30 (Security Requirement Object).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from photon.binding.plan import BindingPlan, Dependency
from photon.openapi.components import Components

Requirement = dict[str, list[str]]


def requirements_of(plan: BindingPlan, components: Components) -> list[Requirement]:
    """Each of them lets a request in; all that one of them names are needed together.

    Schemes that are asked for are all needed. One that is optional, whose provider gives None
    when the request has nothing, is one more way in beside them.
    """
    needed: Requirement = {}
    optional: Requirement = {}
    for provider, scopes in _schemes_of(plan):
        name = provider.scheme_name
        components.add_scheme(name, provider.scheme)
        group = optional if getattr(provider, "optional", False) else needed
        known = group.setdefault(name, [])
        known += [scope for scope in scopes if scope not in known]
    ways = [{**needed, name: scopes} for name, scopes in optional.items() if name not in needed]
    return [*ways, needed] if needed or ways else []


def _schemes_of(plan: BindingPlan) -> Iterator[tuple[Any, tuple[str, ...]]]:
    arguments = [a.of for a in plan.arguments if isinstance(a.of, Dependency)]
    seen: set[tuple[int, tuple[str, ...]]] = set()
    yield from _walk([*plan.guards, *arguments, *plan.dependencies], (), seen)


def _walk(
    dependencies: Iterable[Dependency], scopes: tuple[str, ...], seen: set[Any]
) -> Iterator[tuple[Any, tuple[str, ...]]]:
    for dependency in dependencies:
        # Scopes go down: who asks for a user with scopes asks the scheme that he comes by.
        mine = tuple(dict.fromkeys((*scopes, *dependency.scopes)))
        if (id(dependency), mine) in seen:
            continue
        seen.add((id(dependency), mine))
        if hasattr(dependency.provider, "scheme") and hasattr(dependency.provider, "scheme_name"):
            yield dependency.provider, mine
        inner = (a.of for a in dependency.arguments if isinstance(a.of, Dependency))
        yield from _walk(inner, mine, seen)
