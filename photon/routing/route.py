"""A route: which requests (methods and a path template) go to which endpoint."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from photon.routing.build import build_path
from photon.routing.converters import BUILT_IN, Converter
from photon.routing.template import Template


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Route:
    """Requests with one of `methods` and a path that matches `template` go to `endpoint`.

    Attributes:
        template: what the path looks like.
        methods: upper-case.
        endpoint: whatever the owner of the router wants to find; opaque here.
        name: to find the route again when a link is made; "" if it has none.
        place: where it was registered, "file.py:12", for messages; "" if nobody knows.
        operation: what else is known of it; opaque here, for documents and lists.
        middleware: what its endpoint is wrapped in, outermost first; opaque here.
    """

    template: Template
    methods: frozenset[str]
    endpoint: Any
    name: str
    place: str
    operation: Any
    middleware: tuple[Any, ...]

    def __init__(
        self,
        template: str | Template,
        methods: Iterable[str],
        endpoint: Any,
        *,
        name: str = "",
        place: str = "",
        operation: Any = None,
        middleware: tuple[Any, ...] = (),
        converters: Mapping[str, Converter] = BUILT_IN,
    ) -> None:
        """Make a route; a template that is a string is read with `converters`.

        Raises: TemplateError: the template cannot be read. ValueError: no methods.
        """
        if isinstance(template, str):
            template = Template.parse(template, converters)
        if isinstance(methods, str):
            methods = (methods,)
        upper = frozenset(method.upper() for method in methods)
        if not all(upper) or not upper:
            raise ValueError(f"the route {template} needs a method, such as GET")
        fields = {
            "template": template,
            "methods": upper,
            "endpoint": endpoint,
            "name": name,
            "place": place,
            "operation": operation,
            "middleware": middleware,
        }
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    def settle(self, endpoint: Any) -> None:
        """Put the endpoint in the place of the one that made it: they answer the same."""
        object.__setattr__(self, "endpoint", endpoint)

    def build_path(self, /, **values: Any) -> str:
        """The percent-encoded path that brings these values back.

        Raises: BuildError: a value is missing, is not in the template, or does not fit.
        Source: RFC 3986 §3.3.
        """
        return build_path(self.template, values)

    def __str__(self) -> str:
        place = f" ({self.place})" if self.place else ""
        return f"{','.join(sorted(self.methods))} {self.template}{place}"

    def __repr__(self) -> str:
        return f"<Route {self}>"


# What a router answers: the route, and the values of its template's placeholders by name.
Match: TypeAlias = tuple[Route, Mapping[str, Any]]
