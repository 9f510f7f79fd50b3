"""Compiles routes into one Python function that finds the route of a path.

The trie is not walked: it is written out as source, each node as the lines that test for its
segment, and compiled. Where a node has many literal children, a dict chooses a function for each.
`/api/users/{id:int}` and `/api/users/{id:int}/orders/{order}` become

    def find(path):
        hit = static(path)
        ...
        parts = path.split('/', 6)
        ...
        n = len(parts)
        if n >= 4 and parts[1] == 'api' and parts[2] == 'users':
            if (v3 := read3(parts[3])) is not None:
                if n == 4: return route4, {'id': v3}
                if n >= 6 and parts[4] == 'orders':
                    if parts[5]:
                        if n == 6: return route5, {'id': v3, 'order': parts[5]}
        return None

Prior art: falcon's CompiledRouter, attrs' `__init__`.

PERF: two placeholders in six segments take 0.75 us so, 1.1 us with a closure for each node, and
1.5 us with a loop over nodes. The price is 0.1 ms a route when the function is made.

The source holds no text of a request, and nothing of a template but its literals and names, each
of them through repr().
"""

from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, cast

from photon.routing.mixed import Mixed
from photon.routing.percent import decode_segments, encode_segment
from photon.routing.route import Match, Route
from photon.routing.template import Segment
from photon.routing.trie import Node, grow

Finder: TypeAlias = Callable[[str], Match | None]

# From this many literal children on a dict is faster than a test for each.
_DISPATCH_FROM = 3
# CPython's parser takes 100 levels of indentation; long before that, a new function is begun.
_MAX_NESTING = 12


def compile_finder(routes: Iterable[Route]) -> Finder:
    """A function from a raw path to its match among some routes, or None.

    Args: routes: no two of them match the same paths; their methods are not looked at.
    The function raises: BadPath.
    """
    source, namespace = write_source(routes)
    exec(compile(source, "<photon routes>", "exec"), namespace)
    return cast("Finder", namespace["find"])


def write_source(routes: Iterable[Route]) -> tuple[str, dict[str, Any]]:
    """The source of the module that defines `find`, and the names it refers to."""
    static: dict[str, Match] = {}
    decoded: dict[tuple[str, ...], Match] = {}
    dynamic: list[Route] = []
    most_segments = 0
    for route in routes:
        most_segments = max(most_segments, len(route.template.segments))
        if (texts := route.template.literals) is None:
            dynamic.append(route)
        else:
            # Every request for it shares this match, so no one may write into it.
            match: Match = (route, MappingProxyType({}))
            static["/" + "/".join(map(encode_segment, texts))] = match
            decoded["", *texts] = match
    writer = _Writer()
    writer.namespace |= {
        "static": static.get,
        "static_decoded": decoded.get,
        "decode": decode_segments,
    }
    # One part more than the longest template has, so that longer paths are seen to be longer;
    # what is split does not grow with the path.
    writer.functions.append(["def find(path):", *_indented(_preamble(most_segments + 1))])
    if dynamic:
        writer.functions[0] += _indented(writer.node(grow(dynamic), _Scope()))
    writer.functions[0].append("    return None")
    lines = [line for function in writer.functions for line in function]
    return "\n".join(lines + writer.tables), writer.namespace


def _preamble(max_splits: int) -> list[str]:
    """A static path is one look-up; one that is not escaped as usual is looked up by its decoded
    segments (RFC 3986 §6.2.2), among which no %2F has become a slash."""
    return [
        "hit = static(path)",
        "if hit is not None:",
        "    return hit",
        f"parts = path.split('/', {max_splits})",
        "if '%' in path:",
        "    parts = decode(parts)",
        "    hit = static_decoded(tuple(parts))",
        "    if hit is not None:",
        "        return hit",
        "if parts[0]:",
        "    return None",
        "n = len(parts)",
    ]


class _Scope(NamedTuple):
    """What is known where a line is written.

    values: expressions for the values found so far; variables: the local names among them;
    least: `n` is known to be at least that; nesting: levels of indentation.
    """

    values: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    least: int = 0
    nesting: int = 0


class _Writer:
    """Writes functions. Lines either return a match or fall through to the next lines."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {}
        self.functions: list[list[str]] = []
        self.tables: list[str] = []

    def node(self, node: Node, scope: _Scope) -> Iterator[str]:
        """The lines for a path that has come as far as `node`, the most specific way on first."""
        if scope.nesting > _MAX_NESTING:
            yield from self._call(self._function(node, scope), scope)
            return
        if node.route is not None:
            match = self._match(node.route, scope)
            yield f"return {match}" if node.takes_rest else f"if n == {node.depth}: return {match}"
        yield from self._literals(node, scope)
        for segment, child in node.edges:
            yield from self._edge(segment, child, scope)

    def _match(self, route: Route, scope: _Scope) -> str:
        names = route.template.names
        items = [f"{name!r}: {value}" for name, value in zip(names, scope.values, strict=True)]
        return f"{self._constant('route', route)}, {{{', '.join(items)}}}"

    # Literal segments...

    def _literals(self, node: Node, scope: _Scope) -> Iterator[str]:
        if len(node.literals) >= _DISPATCH_FROM:
            yield from self._dispatch(node, scope)
            return
        for text, child in sorted(node.literals.items()):
            tests = [f"parts[{node.depth}] == {text!r}"]
            while (only := child.only_literal) is not None:
                tests.append(f"parts[{child.depth}] == {only!r}")
                child = child.literals[only]
            yield from self._if(tests, child, scope)

    def _dispatch(self, node: Node, scope: _Scope) -> Iterator[str]:
        least = max(scope.least, min(child.least for child in node.literals.values()))
        inside = scope._replace(least=least)
        functions = [
            f"{text!r}: {self._function(child, inside)}"
            for text, child in sorted(node.literals.items())
        ]
        table = f"t{len(self.tables)}"
        self.tables.append(f"{table} = {{{', '.join(functions)}}}.get")
        yield f"if n >= {least}:"
        yield f"    branch = {table}(parts[{node.depth}])"
        yield "    if branch is not None:"
        yield from _indented(self._call("branch", scope), levels=2)

    # Segments with placeholders...

    def _edge(self, segment: Segment, child: Node, scope: _Scope) -> Iterator[str]:
        depth = child.depth - 1
        converter = segment.placeholders[0].converter
        text = f"'/'.join(parts[{depth}:])" if segment.spans else f"parts[{depth}]"
        if len(segment.parts) > 1:
            values = [f"v{depth}[{i}]" for i in range(len(segment.placeholders))]
            yield from self._read(Mixed(segment).match, text, values, child, scope)
        elif converter.parse is not None:
            yield from self._read(converter.read, text, [f"v{depth}"], child, scope)
        else:
            # PERF: a plain value stays where it is, in the list.
            scope = scope._replace(values=(*scope.values, text))
            yield from self._if([] if segment.spans else [text], child, scope)

    def _read(
        self,
        reader: Callable[[str], Any],
        text: str,
        values: list[str],
        child: Node,
        scope: _Scope,
    ) -> Iterator[str]:
        """The lines that read a text into a variable; `values` are the expressions made of it."""
        variable = f"v{child.depth - 1}"
        test = f"({variable} := {self._constant('read', reader)}({text})) is not None"
        scope = scope._replace(
            values=(*scope.values, *values), variables=(*scope.variables, variable)
        )
        yield from self._if([test], child, scope)

    # What they are made of...

    def _if(self, tests: list[str], child: Node, scope: _Scope) -> Iterator[str]:
        """The lines for a child, reached when the tests succeed and the path is long enough."""
        if child.least > scope.least:
            tests = [f"n >= {child.least}", *tests]
            scope = scope._replace(least=child.least)
        if tests:
            yield f"if {' and '.join(tests)}:"
            yield from _indented(self.node(child, scope._replace(nesting=scope.nesting + 1)))
        else:
            yield from self.node(child, scope)

    def _function(self, node: Node, scope: _Scope) -> str:
        """The name of a new function that goes on at a node."""
        name = f"f{len(self.functions)}"
        function = [f"def {name}({', '.join(('parts', 'n', *scope.variables))}):"]
        self.functions.append(function)
        function += _indented(self.node(node, scope._replace(nesting=0)))
        function.append("    return None")
        return name

    def _call(self, function: str, scope: _Scope) -> list[str]:
        call = f"{function}({', '.join(('parts', 'n', *scope.variables))})"
        return [f"hit = {call}", "if hit is not None:", "    return hit"]

    def _constant(self, kind: str, value: object) -> str:
        name = f"{kind}{len(self.namespace)}"
        self.namespace[name] = value
        return name


def _indented(lines: Iterable[str], levels: int = 1) -> Iterator[str]:
    return (f"{'    ' * levels}{line}" for line in lines)
