"""The routes of an application as a table for people.

Each has one line while the terminal is wide enough; in one that is not, what is special about a
route stands below its path.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from photon.app.choosing import Hosts, Versions
from photon.app.photon import Photon
from photon.binding.elsewhere import is_own_provider
from photon.binding.operation import Operation
from photon.binding.plan import Argument, Dependency
from photon.binding.wording import function_name, short_place
from photon.cli.paper import bold, dim, widths_of
from photon.cli.quantities import write_duration
from photon.cli.survey import (
    Part,
    described,
    handler_of,
    is_document,
    is_open,
    is_websocket,
    middleware_of,
    mounts_of,
    parts_of,
    precedence,
)
from photon.http.application import Application
from photon.routing.route import Route

_GAP = "  "
_LEAST_CHARS = 20
_LEAST_BESIDE = 32  # of notes at the end of a line
_MOST_NAMES = 3


class Row(NamedTuple):
    """One line of the table. A mount has but a method, a path and a note."""

    method: str
    path: str
    name: str
    place: str
    notes: str


_HEAD = Row("METHOD", "PATH", "NAME", "WHERE", "")
_NAME, _PLACE, _NOTES = 2, 3, 4


def table(application: Application, width: int | None) -> list[str]:
    """The lines of the table. Args: width: characters of a line; None for any."""
    sections = [(part, list(_rows(part))) for part in parts_of(application)]
    layout = _Layout([_HEAD, *(row for _, rows in sections for row in rows)], width)
    lines: list[str] = []
    head = layout.head()
    for part, rows in sections:
        lines += ["", *_heading(part)] if lines else _heading(part)
        if rows:
            lines += ["", *head, *(line for row in rows for line in layout.row(row))]
            head = []
        if isinstance(part.application, Photon) and not part.application.router.routes:
            lines += ["", 'It has no routes: @app.get("/") above a function makes one.']
    return lines


def _heading(part: Part) -> Iterator[str]:
    where = f"{part.where}: " if part.where else ""
    yield bold(where + described(part.application))
    if around := middleware_of(part.application):
        names = ", ".join(function_name(each) for each in around)
        yield f"inside the middleware {names}"
    if isinstance(part.application, Hosts):
        yield "chooses by the host that is asked"
    elif isinstance(part.application, Versions):
        yield f"chooses by {_said(part.application)}"


def _said(versions: Versions) -> str:
    header = f"the header {versions._header}" if versions._header else ""
    accept = f"{versions._parameter}= in Accept" if versions._parameter else ""
    default = f", {versions._default} for who says none" if versions._default else ""
    return " or ".join(filter(None, (header, accept))) + default


# The rows of one application...


def _rows(part: Part) -> Iterator[Row]:
    application = part.application
    if isinstance(application, Photon):
        for route in sorted(application.router.routes, key=_order):
            yield _route_row(part.prefix, route)
        for prefix, mounted in mounts_of(application):
            yield _mount_row(part.prefix + prefix, mounted)


def _order(route: Route) -> tuple[object, ...]:
    first = min(_RANKS.get(method, 9) for method in route.methods)
    return precedence(route.template), first, sorted(route.methods)


_RANKS = {"GET": 0, "HEAD": 1, "POST": 2, "PUT": 3, "PATCH": 4, "DELETE": 5}


def methods_of(route: Route) -> list[str]:
    """In the order of people: GET first."""
    return sorted(route.methods, key=lambda method: (_RANKS.get(method, 9), method))


def _route_row(prefix: str, route: Route) -> Row:
    return Row(
        method=",".join(methods_of(route)),
        path=prefix + route.template.text,
        name=_name_of(route),
        place=short_place(route.place),
        notes="; ".join(notes_on(route)),
    )


def _name_of(route: Route) -> str:
    """The route's name, and the function's where that is another: "shop.home (index)"."""
    handler = function_name(handler_of(route))
    name = route.name or handler
    return name if not handler or name.split(".")[-1] == handler else f"{name} ({handler})"


def _mount_row(path: str, mounted: Application) -> Row:
    what = described(mounted)
    if is_document(mounted):
        return Row("GET", path, "", "", what)
    return Row("any", f"{path}/…", "", "", f"{what}, see below" if is_open(mounted) else what)


def notes_on(route: Route) -> list[str]:
    """What is special about a route, as few words each."""
    operation = route.operation
    notes = ["a WebSocket"] if is_websocket(route) else []
    if route.middleware:
        notes.append(f"inside {_few(route.middleware)}")
    if isinstance(operation, Operation):
        notes += _notes_on_operation(operation)
    return notes


def _notes_on_operation(operation: Operation) -> Iterator[str]:
    plan = operation.plan
    needed = [
        d for d in _providers(plan.arguments) if not d.is_guard and not is_own_provider(d.provider)
    ]
    of_others = {id(d) for other in plan.dependencies for d in _providers(other.arguments)}
    guards = [d for d in plan.guards if d.is_guard and id(d) not in of_others]
    if guards:
        yield f"guarded by {_few(d.provider for d in guards)}"
    if needed:
        yield f"needs {_few(d.provider for d in needed)}"
    if operation.status is not None:
        yield f"status {operation.status}"
    if operation.timeout_s is not None:
        yield f"timeout {write_duration(operation.timeout_s)}"
    if operation.deprecated:
        yield "deprecated"
    if not operation.include_in_schema and not operation.is_websocket:
        yield "not in documents"


def _providers(arguments: Iterable[Argument]) -> list[Dependency]:
    return [argument.of for argument in arguments if isinstance(argument.of, Dependency)]


def _few(functions: Iterable[Any]) -> str:
    names = list(dict.fromkeys(map(function_name, functions)))
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


# Rows to lines...


class _Layout:
    """Writes rows so that they fit: notes at the end of the line while there is room, below the
    path when there is not, and in the narrowest terminal all but the path below it."""

    def __init__(self, rows: Sequence[Row], width: int | None) -> None:
        self._width = width
        # What is said of a mount begins where names do, and is no name.
        widths = widths_of([row[:_NOTES] if row.place else row[:_NAME] for row in rows])
        starts = [0]
        for cell in widths:
            starts.append(starts[-1] + cell + len(_GAP))
        self._widths, self._starts = widths, starts
        longest = max(len(row.notes) for row in rows)
        room = self._room(starts[-1])
        self._are_narrow = width is not None and starts[-1] - len(_GAP) > width
        self._are_beside = room is None or room >= min(longest, _LEAST_BESIDE)

    def _room(self, start: int) -> int | None:
        return None if self._width is None else self._width - start

    def head(self) -> list[str]:
        """The line above all."""
        return [bold(self._joined(_HEAD[: _NAME if self._are_narrow else _NOTES]))]

    def row(self, row: Row) -> list[str]:
        """The lines of one row."""
        below = self._starts[1] + len(_GAP)
        if self._are_narrow:
            rest = [_GAP.join((row.name, row.place))] if row.place else []
            notes = self._folded(row.notes, below)
            return [self._joined(row[:_NAME]), *(" " * below + line for line in rest), *notes]
        if not row.place:
            return self._beside(row[:_NAME], row.notes)
        if self._are_beside:
            return self._beside(row[:_NOTES], row.notes)
        return [self._joined(row[:_NOTES]), *self._folded(row.notes, self._starts[_NAME])]

    def _beside(self, cells: Sequence[str], notes: str) -> list[str]:
        first, *others = self._folded(notes, self._starts[len(cells)]) or [""]
        return [(self._joined([*cells, first.strip()])), *others]

    def _folded(self, text: str, start: int) -> list[str]:
        room = self._room(start)
        lines = [text] if text else []
        if room is not None:
            lines = textwrap.wrap(text, max(room, _LEAST_CHARS), break_long_words=False)
        return [" " * start + line for line in lines]

    def _joined(self, cells: Sequence[str]) -> str:
        """Cells in their columns, without room at the end."""
        last = max(i for i, cell in enumerate(cells) if cell)
        shown = []
        for i, cell in enumerate(cells[: last + 1]):
            padded = cell if i == last else f"{cell:<{self._widths[i]}}"
            shown.append(dim(padded) if i == _PLACE and padded != _HEAD.place else padded)
        return _GAP.join(shown)
