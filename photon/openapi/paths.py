"""Where operations stand in a document: templates of routes as paths of OpenAPI."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from photon.routing.template import Template

# RFC 3986 §3.3: what a path may hold as it is.
_SAFE = "/:@!$&'()*+,;=~"

# OpenAPI 3.1.0 §4.8.9. It has no place for other methods.
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Paths:
    """The Paths Object in the making."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self._names: dict[tuple[str, ...], list[tuple[str, tuple[str, ...]]]] = {}

    def place(self, template: Template, method: str) -> tuple[str, tuple[str, ...]]:
        """The path for an operation, and what its placeholders are called there.

        OpenAPI 3.1.0 §4.8.8.1: "Templated paths with the same hierarchy but different templated
        names MUST NOT exist as they are identical." So routes that differ in names only share the
        path of the first. Where that has the method already, because converters tell the routes
        apart, which OpenAPI cannot say, the names have to.
        """
        known = self._names.setdefault(_literals(template), [])
        for path, names in known:
            if method not in self.items[path]:
                return path, names
        names = template.names
        path = _written(template, names)
        while path in self.items:
            names = tuple(
                f"{name}_{converter}"
                for name, converter in zip(names, _kinds(template), strict=True)
            )
            path = _written(template, names)
        known.append((path, names))
        self.items[path] = {}
        return path, names

    def as_object(self) -> dict[str, Any]:
        """The paths in the order they came, the methods of each in OpenAPI's."""
        return {
            path: {method: item[method] for method in METHODS if method in item}
            for path, item in self.items.items()
            if item
        }


def _literals(template: Template) -> tuple[str, ...]:
    """Equal for templates that differ in their placeholders only."""
    return tuple(
        "".join(part if isinstance(part, str) else "{}" for part in segment.parts)
        for segment in template.segments
    )


def _kinds(template: Template) -> list[str]:
    return [p.converter.name for segment in template.segments for p in segment.placeholders]


def _written(template: Template, names: tuple[str, ...]) -> str:
    left = iter(names)
    segments = (
        "".join(
            quote(part, safe=_SAFE) if isinstance(part, str) else f"{{{next(left)}}}"
            for part in segment.parts
        )
        for segment in template.segments
    )
    return "/" + "/".join(segments)
