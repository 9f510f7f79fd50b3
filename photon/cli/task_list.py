"""The tasks of an application: as a table for people, and as a document for programs."""

from __future__ import annotations

import heapq
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from photon.app.photon import Photon
from photon.binding.wording import short_place
from photon.cli.paper import bold, in_columns
from photon.cli.survey import Part, described, parts_of
from photon.http.application import Application
from photon.tasks.cron import Cron
from photon.tasks.options import TaskOptions
from photon.tasks.periods import spoken
from photon.tasks.schedule import Every
from photon.tasks.scheduled import ScheduledTask
from photon.tasks.task import Task

FORMAT = 1
"""Of the document; another number is another meaning."""

Object = dict[str, Any]

_NONE_HERE = (
    "It has no tasks: @app.every(30) above a function makes one, as do @app.cron and @app.task."
)


def scheduled_of(application: Application) -> list[ScheduledTask]:
    """What runs by itself, in the order in which it was registered."""
    scheduler = getattr(application, "_scheduler", None)
    return [] if scheduler is None else list(scheduler.tasks.values())


def sent_of(application: Application) -> list[Any]:
    """What runs when it is sent."""
    tasks = getattr(application, "_tasks", None)
    return [] if tasks is None else list(tasks)


def _parts(application: Application) -> list[Part]:
    """Each application once, however often it is mounted: its tasks run once, too."""
    found = {id(part.application): part for part in reversed(parts_of(application))}
    return [part for part in reversed(found.values()) if isinstance(part.application, Photon)]


# For people...


class Row(NamedTuple):
    name: str
    when: str
    next: str
    place: str
    notes: str


_HEAD = Row("NAME", "WHEN", "NEXT", "WHERE", "")


def table(application: Application, moment: float, width: int | None) -> list[str]:
    """The lines of the table. Args: moment: now, Unix seconds; width: None for any."""
    lines: list[str] = []
    for part in _parts(application):
        rows = list(_rows(part.application, moment))
        if not rows and lines:
            continue
        where = f"{part.where}: " if part.where else ""
        lines += [""] * bool(lines) + [bold(where + described(part.application)), ""]
        lines += _laid_out(rows, width) if rows else [_NONE_HERE]
    return lines


def _rows(application: Application, moment: float) -> Iterator[Row]:
    for entry in scheduled_of(application):
        yield Row(
            entry.name,
            str(entry.schedule),
            _next(entry.schedule, moment),
            short_place(entry.task.place),
            "; ".join(_notes(entry)),
        )
    for task in sent_of(application):
        yield Row(
            task.name,
            f"when sent to {task.queue}",
            "",
            short_place(task.place),
            "; ".join([*_priority(task), *_notes_on_options(task.options)]),
        )


def _next(schedule: Every | Cron, moment: float) -> str:
    if isinstance(schedule, Every):
        return "at the start" if schedule.run_on_start else f"{spoken(schedule.period_s)} after it"
    due = schedule.next_after(moment)
    return "never" if due is None else f"{_local(schedule, due)} (in {spoken(due - moment)})"


def _local(cron: Cron, due: float) -> str:
    """With the seconds only where they say something."""
    local = cron.at(due)
    return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")


def _notes(entry: ScheduledTask) -> Iterator[str]:
    if entry.once_per != "worker":
        yield f"once per {entry.once_per}"
    if entry.overlap != "skip":
        yield {"queue": "waits for the run before", "concurrent": "runs may overlap"}[entry.overlap]
    if entry.missed != "skip":
        yield {"once": "catches up once", "all": "catches up with all"}[entry.missed]
    yield from _notes_on_options(entry.task.options)


def _notes_on_options(options: TaskOptions) -> Iterator[str]:
    if options.timeout_s is not None:
        yield f"timeout {spoken(options.timeout_s)}"
    if options.retries:
        yield f"{options.retries} retr{'y' if options.retries == 1 else 'ies'}"


def _priority(task: Any) -> Iterator[str]:
    if task.priority:
        yield f"priority {task.priority}"


def _laid_out(rows: list[Row], width: int | None) -> list[str]:
    """One line each, while that fits; else each on lines of its own."""
    head, *lines = in_columns([_HEAD, *rows])
    if width is None or max(map(len, lines)) <= width:
        return [bold(head), *lines]
    blocks = []
    for row in rows:
        blocks.append(row.name)
        for cell in filter(
            None, (row.when, row.next and f"next: {row.next}", row.place, row.notes)
        ):
            blocks += textwrap.wrap(
                cell, width, initial_indent="  ", subsequent_indent="    ", break_long_words=False
            )
    return blocks


def upcoming(application: Application, moment: float, count: int) -> list[str]:
    """The next runs of all cron tasks, the earliest first."""
    crons = [
        (entry.name, entry.schedule)
        for part in _parts(application)
        for entry in scheduled_of(part.application)
        if isinstance(entry.schedule, Cron)
    ]
    if not crons:
        return ["It has no cron tasks; periods begin when the application is started."]
    merged = heapq.merge(*(_dues(name, cron, moment) for name, cron in crons))
    rows = []
    for due, name, cron_text in merged:
        rows.append((cron_text, f"in {spoken(due - moment)}", name))
        if len(rows) == count:
            break
    return in_columns(rows)


def _dues(name: str, cron: Cron, moment: float) -> Iterator[tuple[float, str, str]]:
    due = cron.next_after(moment)
    while due is not None:
        yield due, name, f"{_local(cron, due)} {cron.timezone}"
        due = cron.next_after(due)


# For programs...


def document(application: Application, name: str, moment: float) -> Object:
    """The document, as values of JSON.   Args: name: of the application, such as "app:app"."""
    return {
        "format": FORMAT,
        "application": name,
        "parts": [
            {
                "where": part.where,
                "title": described(part.application),
                "scheduled": [_scheduled(each, moment) for each in scheduled_of(part.application)],
                "sent": [_sent(each) for each in sent_of(part.application)],
            }
            for part in _parts(application)
        ],
    }


def _scheduled(entry: ScheduledTask, moment: float) -> Object:
    schedule = entry.schedule
    if isinstance(schedule, Every):
        when: Object = {
            "every_s": schedule.period_s,
            "jitter_s": schedule.jitter_s,
            "run_on_start": schedule.run_on_start,
        }
    else:
        due = schedule.next_after(moment)
        when = {
            "cron": schedule.expression,
            "timezone": schedule.timezone,
            "next": None if due is None else datetime.fromtimestamp(due, UTC),
            "missed": entry.missed,
        }
    return {
        **_known(entry.task),
        **when,
        "overlap": entry.overlap,
        "once_per": entry.once_per,
    }


def _sent(task: Any) -> Object:
    return {**_known(task), "queue": task.queue, "priority": task.priority}


def _known(task: Task[..., Any]) -> Object:
    return {
        "name": task.name,
        "place": task.place,
        "timeout_s": task.options.timeout_s,
        "retries": task.options.retries,
    }
