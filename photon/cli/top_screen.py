"""The screen of `photon top`: a pure function of what is to be shown, and of the room there is.

Columns stand in the order of their worth: where the terminal is narrow the last ones go. Colours
say again what a word or a number says, so nothing is lost without them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from photon.cli.paper import printable
from photon.cli.top_state import BLOCKED_S, RouteRow, View, WorkerRow, sorted_routes

_BARS = "▁▂▃▄▅▆▇█"
_STATES = {"ready": "green", "booting": "yellow", "draining": "yellow"}
_SLOW_MS, _VERY_SLOW_MS = 250.0, 1000.0
_LAG_MS, _GREAT_LAG_MS = 20.0, 100.0
_GAP = 2
_DIM = "bright_black"


class Column(NamedTuple):
    """One column.

    Args: title; width: of its cells; cell: the text of a row; worth: those of the least go first.
    """

    title: str
    width: int
    cell: Callable[[Any], Text]
    worth: int
    left: bool = False


def screen(
    view: View,
    width: int,
    height: int,
    *,
    sort: str = "load",
    history: Sequence[float] = (),
    keys: bool = True,
) -> RenderableType:
    """What is shown.

    Args:
        width, height: of the terminal; all lines of it are filled.
        sort: see `sorted_routes`.
        history: requests/s up to now.
        keys: whether there are any; without them nothing stands at the foot.
    """
    head = _head(view, width, history)
    notes = _notes(view)
    routes = sorted_routes(view.routes, sort)
    # Two heads of tables, a line between them, and the foot.
    room = max(2, height - len(head) - len(notes) - 4)
    worker_lines = min(len(view.workers), max(room // 2, room - max(1, len(routes))))
    route_lines = room - worker_lines
    used = worker_lines + min(max(1, len(routes)), route_lines)
    return Group(
        *head,
        *_table(_WORKER_COLUMNS, view.workers, width, worker_lines),
        Text(),
        *_table(_route_columns(width), routes, width, route_lines, nothing="no requests yet"),
        *(Text() for _ in range(room - used if keys else 0)),
        *notes,
        *([_foot(sort)] if keys else []),
    )


# The head...


def _head(view: View, width: int, history: Sequence[float]) -> list[Text]:
    name = Text(no_wrap=True, overflow="ellipsis")
    lost = view.lost is not None
    name.append("● ", "red" if lost else "green" if _is_well(view) else "yellow")
    name.append(printable(view.app) or "a server", "bold")
    for address in view.addresses:
        name.append("  ")
        name.append(printable(address), "cyan")
    about = [f"pid {view.pid}"] if view.pid is not None else []
    if view.uptime_s is not None:
        about.append(f"up {span(view.uptime_s)}")
    about.append(_count(len(view.workers), "worker"))
    if view.generation is not None:
        about.append(f"generation {view.generation}")
    if view.version:
        about.append(f"Photon {printable(view.version)}")
    rest = Text(" · ".join(about), _DIM, no_wrap=True, overflow="ellipsis")
    if name.cell_len + rest.cell_len + 3 <= width:
        lines = [_spread(name, rest, width)]
    else:
        lines = [name, rest]
    return [*lines, Text(), *_figures(view, width, history), Text()]


def _is_well(view: View) -> bool:
    return all(row.state == "ready" and not _is_blocked(row) for row in view.workers)


def _figures(view: View, width: int, history: Sequence[float]) -> list[Text]:
    line = Text(no_wrap=True, overflow="ellipsis")
    rate = "-" if view.per_second is None else rounded(view.per_second)
    line.append(rate, "bold cyan")
    line.append(" requests/s", _DIM)
    figures = [
        ("p50", _ms_text(view.p50_ms)),
        ("p99", _ms_text(view.p99_ms)),
        (
            "5xx/s",
            Text(rounded(view.errors_per_second), "bold red" if view.errors_per_second else ""),
        ),
        ("4xx/s", Text(rounded(view.client_errors_per_second))),
        ("busy", Text(f"{view.busy:,}")),
        ("connections", Text(f"{view.connections:,}")),
    ]
    for title, value in figures:
        figure = Text.assemble("   ", (f"{title} ", _DIM), value)
        if line.cell_len + figure.cell_len <= width:
            line.append_text(figure)
    room = width - line.cell_len - 3
    if len(history) > 1 and room >= 8:
        line = _spread(line, Text(spark(history[-room:]), "cyan"), width)
    return [line]


def spark(values: Sequence[float]) -> str:
    """A little picture of numbers, the greatest of them as high as a line."""
    top = max(values, default=0.0)
    if top <= 0:
        return _BARS[0] * len(values)
    return "".join(_BARS[min(7, int(value / top * 7.999))] for value in values)


def _spread(left: Text, right: Text, width: int) -> Text:
    line = left.copy()
    line.append(" " * max(1, width - left.cell_len - right.cell_len))
    line.append_text(right)
    return line


# Tables...


def _table(
    columns: Sequence[Column],
    rows: Sequence[Any],
    width: int,
    most: int,
    *,
    nothing: str = "",
) -> list[RenderableType]:
    shown = fitting(columns, width)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold reverse")
    left = width - _width_of(shown)
    for column in shown:
        # The bar of the head reaches the edge: by the first column, or the last, or one of its own.
        is_widened = column.left or (0 < left <= _GAP and column is shown[-1] and not shown[0].left)
        more = left if is_widened else 0
        table.add_column(
            column.title,
            width=column.width + more,
            justify="left" if column.left else "right",
            no_wrap=True,
            overflow="ellipsis",
        )
    if not shown[0].left and left > _GAP:
        table.add_column(width=left - _GAP)
    count = len(rows) if len(rows) <= most else max(0, most - 1)
    for row in rows[:count]:
        table.add_row(*(column.cell(row) for column in shown))
    lines: list[RenderableType] = [table]
    if count < len(rows) and most > 0:
        lines.append(Text(f"... and {len(rows) - count} more", _DIM))
    if not rows and nothing:
        lines.append(Text(nothing, _DIM))
    return lines


def _width_of(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + _GAP * (len(columns) - 1)


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Those that there is room for, in their order; the first always."""
    shown = list(columns)
    while len(shown) > 1 and _width_of(shown) > width:
        shown.remove(min(shown[1:], key=lambda column: column.worth))
    return shown


def _state(row: WorkerRow) -> Text:
    if _is_blocked(row):
        return Text("BLOCKED", "bold red")
    return Text(printable(row.state), _STATES.get(row.state, "red"))


def _is_blocked(row: WorkerRow) -> bool:
    return row.state != "booting" and (row.silent_s > BLOCKED_S or row.error is not None)


def _number(value: float | None) -> Text:
    return Text("-", _DIM) if value is None else Text(rounded(value), _DIM if not value else "")


def _whole(value: int | None) -> Text:
    return Text("-", _DIM) if value is None else Text(f"{value:,}", _DIM if not value else "")


def _ms_text(value: float | None) -> Text:
    if value is None:
        return Text("-", _DIM)
    style = "red" if value >= _VERY_SLOW_MS else "yellow" if value >= _SLOW_MS else ""
    return Text(milliseconds(value), style)


def _lag(row: WorkerRow) -> Text:
    if row.silent_s > BLOCKED_S:
        return Text(f"{row.silent_s:.1f} s", "bold red")
    if row.lag_ms is None:
        return Text("-", _DIM)
    lag = row.lag_ms
    style = "red" if lag >= _GREAT_LAG_MS else "yellow" if lag >= _LAG_MS else ""
    return Text(milliseconds(lag), style)


_WORKER_COLUMNS = (
    Column("#", 3, lambda row: Text(str(row.index)), 100),
    Column("pid", 7, lambda row: Text(str(row.pid)), 90),
    Column("state", 8, _state, 99),
    Column("gen", 3, lambda row: _whole(row.generation), 30),
    Column("req/s", 7, lambda row: _number(row.per_second), 98),
    Column("p50", 7, lambda row: _ms_text(row.p50_ms), 50),
    Column("p99", 7, lambda row: _ms_text(row.p99_ms), 96),
    Column("busy", 5, lambda row: _whole(row.busy), 95),
    Column("conns", 5, lambda row: _whole(row.connections), 94),
    Column("lag", 7, _lag, 93),
    Column("blocked", 7, lambda row: Text(*_blocked(row)), 40),
    Column("greenlets", 9, lambda row: _whole(row.greenlets), 45),
    Column("memory", 6, lambda row: Text(size(row.rss_bytes)), 80),
    Column("cpu %", 5, lambda row: _number(row.cpu_percent), 85),
)


def _blocked(row: WorkerRow) -> tuple[str, str]:
    if row.blocked is None:
        return "-", _DIM
    return f"{row.blocked:,}", "yellow" if row.blocked else _DIM


def _waiting(row: RouteRow) -> Text:
    return Text(f"{row.waiting:,}", "" if row.waiting else _DIM)


def _route_columns(width: int) -> tuple[Column, ...]:
    others = (
        Column("req/s", 7, lambda row: _number(row.per_second), 99),
        Column("p50", 7, lambda row: _ms_text(row.p50_ms), 60),
        Column("p90", 7, lambda row: _ms_text(row.p90_ms), 40),
        Column("p99", 7, lambda row: _ms_text(row.p99_ms), 98),
        Column("max", 7, lambda row: _ms_text(row.max_ms), 50),
        Column("waiting", 7, _waiting, 97),
        Column("oldest", 6, _oldest, 45),
        Column("5xx", 5, lambda row: Text(f"{row.errors_5xx:,}", _error_style(row)), 96),
        Column("4xx", 5, lambda row: _whole(row.errors_4xx), 55),
        Column("gone", 5, lambda row: _whole(row.gone), 30),
    )
    route = Column("route", max(20, min(60, width // 3)), _route, 100, left=True)
    return (route, *others)


def _route(row: RouteRow) -> Text:
    method, _, path = printable(row.route).partition(" ")
    return Text.assemble((f"{method} ", _DIM), path) if path else Text(method)


def _oldest(row: RouteRow) -> Text:
    return Text(f"{row.oldest_s:.1f} s") if row.oldest_s else Text("-", _DIM)


def _error_style(row: RouteRow) -> str:
    return "bold red" if row.errors_5xx else _DIM


# Below...


def _notes(view: View) -> list[Text]:
    notes = [(note, "yellow") for note in view.notes[:5]]
    if view.lost is not None:
        notes.insert(0, (view.lost, "bold red"))
    return [
        Text(f"! {printable(note)}", style, no_wrap=True, overflow="ellipsis")
        for note, style in notes
    ]


def _foot(sort: str) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append("q", "bold")
    line.append(" quit  ", _DIM)
    line.append("s", "bold")
    line.append(f" sort: {sort}", _DIM)
    line.append("   routes: the last 10 s", _DIM)
    return line


# Numbers as people read them...


def rounded(value: float) -> str:
    """Such as "12,480", "37.5", "0.25"."""
    if value >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def milliseconds(value: float) -> str:
    """Such as "0.31 ms", "27 ms", "1.4 s"."""
    if value >= 10_000:
        return f"{value / 1000:.0f} s"
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    if value >= 10:
        return f"{value:.0f} ms"
    return f"{value:.1f} ms" if value >= 1 else f"{value:.2f} ms"


def size(value: int | None) -> str:
    """Such as "84 MB"."""
    if value is None:
        return "-"
    if value >= 1024**3:
        return f"{value / 1024**3:.1f} GB"
    return f"{value / 1024**2:.0f} MB"


def span(seconds: float) -> str:
    """Such as "45 s", "12 min", "3 h 20 min", "5 d 3 h"."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
