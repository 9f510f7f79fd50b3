"""What can go wrong between a path and a route, and whose fault it is.

RoutingError
├── TemplateError        the developer's: a path template that cannot be read (also a ValueError)
├── RouteConflict        the developer's: two routes would answer the same requests
├── BuildError           the caller's: a value that does not fit into a path (also a ValueError)
└── MatchError           the client's: `status` says what to answer
    ├── BadPath          400
    ├── RouteNotFound    404
    └── MethodNotAllowed 405, with `allow`
"""

from typing import ClassVar


class RoutingError(Exception):
    """Whatever this room raises."""


# The developer's: raised while routes are made and added, never while a request is served.


class TemplateError(RoutingError, ValueError):
    """A path template that cannot be read. The message points at the fault and says the way out.

    Attributes: template: the text; start, end: the faulty part of it.
    """

    def __init__(
        self, problem: str, template: str, start: int, end: int, *, remedy: str = ""
    ) -> None:
        super().__init__(problem, template, start, end)
        self.problem = problem
        self.template = template
        self.start = start
        self.end = end
        self.remedy = remedy

    def __str__(self) -> str:
        carets = " " * self.start + "^" * max(1, self.end - self.start)
        lines = [self.problem, f"    {self.template}", f"    {carets}", self.remedy]
        return "\n".join(filter(None, lines))


class RouteConflict(RoutingError):
    """Two routes with the same method and templates that match the same paths."""


class BuildError(RoutingError, ValueError):
    """A path cannot be built: a value is missing, is unknown, or does not fit.

    Attributes: name: the placeholder or value in question.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message

    def __str__(self) -> str:
        return self.message


# The client's: raised while a request is served.


class MatchError(RoutingError):
    """The request has no route here.

    Attributes: status: what to answer.
    """

    status: ClassVar[int]


class BadPath(MatchError):
    """The path is not a percent-encoded UTF-8 text (400)."""

    status = 400


class RouteNotFound(MatchError):
    """No template matches the path (404)."""

    status = 404

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"no route matches {self.path!r}"


class MethodNotAllowed(MatchError):
    """A template matches the path, but not with this method (405, or the answer to OPTIONS).

    Attributes: allow: the methods that would do, sorted, for the Allow header (RFC 9110 §10.2.1).
    """

    status = 405

    def __init__(self, method: str, path: str, allow: tuple[str, ...]) -> None:
        super().__init__(method, path, allow)
        self.method = method
        self.path = path
        self.allow = allow

    def __str__(self) -> str:
        return f"{self.path!r} does not take {self.method}, but {', '.join(self.allow)}"
