"""`Cron`: when a cron expression is due, in a time zone.

    minute  hour  day-of-month  month  day-of-week     and seconds before them, if there are six
    */5     8-18  *             *      MON-FRI

Names of days and months, lists, ranges, steps, L for the last day of a month and 5#2 for its second
Friday; @hourly, @daily, @weekly, @monthly and @yearly. cronsim reads them, as Debian's cron does:

- When clocks go forward, what is due at a time that does not exist runs at the first one that does.
- When they go back, what is due at a time that comes twice runs once, the first time.
- What is due every so many minutes or hours (a `*` in the minute or the hour) goes on by real time.

Source: crontab(5) and cron(8) of Debian.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from photon.runtime.hints import meant
from photon.tasks.errors import ScheduleError

_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = ("second", "minute", "hour", "day-of-month", "month", "day-of-week")
_ALLOWED = ("0-59", "0-59", "0-23", "1-31 or L", "1-12 or JAN-DEC", "0-7 or SUN-SAT")
_MOST_CHARS = 256


class Cron:
    """The moments of a cron expression.

    Args: expression: see above; timezone: such as "Europe/Berlin".
    Raises: ScheduleError, which names the field that is wrong, and what it may be.
    """

    def __init__(self, expression: str, timezone: str = "UTC") -> None:
        if not isinstance(expression, str):
            raise ScheduleError(
                f'a cron expression is a text such as "*/5 * * * *", not {expression!r}'
            )
        self.expression = " ".join(expression.split())
        self.timezone = timezone
        self._fields = _unfolded(self.expression)
        self._zone = _zone(timezone)
        _check(self._fields, self.expression, self._zone)

    def next_after(self, moment: float) -> float | None:
        """The first moment after `moment` at which it is due, both in Unix seconds.

        Returns: None when it is never again (a 29th of February that is a fifth Monday takes 28
            years; cronsim looks 50 years ahead).
        """
        for due in _dues(self._fields, moment, self._zone):
            seconds = due.timestamp()
            # In the hour that comes twice the first of both is meant, which may be over.
            if seconds > moment:
                return seconds
        return None

    def claimed_as(self, due: float) -> float:
        """What all workers call the run that is due then: the same."""
        return due

    def at(self, moment: float) -> datetime:
        """A moment in its time zone."""
        return datetime.fromtimestamp(moment, self._zone)

    def __str__(self) -> str:
        return f'cron "{self.expression}" {self.timezone}'

    def __repr__(self) -> str:
        return f"<Cron {self.expression!r} {self.timezone}>"


def _dues(fields: str, moment: float, zone: tzinfo) -> Iterator[datetime]:
    from cronsim import CronSim

    return CronSim(fields, datetime.fromtimestamp(moment, zone))


def _unfolded(expression: str) -> str:
    if len(expression) > _MOST_CHARS:
        raise ScheduleError(
            f"a cron expression of {len(expression)} characters: it is at most {_MOST_CHARS}"
        )
    if expression.startswith("@"):
        if expression.lower() == "@reboot":
            raise ScheduleError(
                "@reboot: what is to run when the application starts is a lifespan, or "
                "@app.every(..., run_on_start=True)"
            )
        found = _NICKNAMES.get(expression.lower())
        if found is None:
            raise ScheduleError(f"there is no {expression!r}{meant(expression, _NICKNAMES)}")
        return found
    count = len(expression.split())
    if count not in (5, 6):
        raise ScheduleError(
            f"the cron expression {expression!r} has {count} field{'s' * (count != 1)} and needs "
            "five: minute hour day-of-month month day-of-week; or six, with seconds before them"
        )
    return expression


def _check(fields: str, expression: str, zone: tzinfo) -> None:
    """Raises: ScheduleError, naming the field."""
    from cronsim import CronSim, CronSimError

    try:
        first = next(CronSim(fields, datetime(2024, 1, 1, tzinfo=zone)), None)
    except CronSimError as error:
        if not (str(error) == "Bad day-of-month" and _is_of_no_month(fields)):
            raise ScheduleError(_wording(fields, expression, error)) from None
        first = None
    except Exception as error:  # such as a number with thousands of digits
        raise ScheduleError(f"the cron expression {expression!r} cannot be read: {error}") from None
    if first is None:
        raise ScheduleError(f"the cron expression {expression!r} is never due: no such day exists")


def _is_of_no_month(fields: str) -> bool:
    """Whether it is but the month that has no such day: then each field is right."""
    from cronsim import CronSim, CronSimError

    parts = fields.split()
    parts[-2] = "*"
    try:
        CronSim(" ".join(parts), datetime(2024, 1, 1))
    except CronSimError:
        return False
    return True


def _wording(fields: str, expression: str, error: Exception) -> str:
    name = str(error).removeprefix("Bad ")
    given = fields.split()
    if name not in _FIELDS:
        return f"the cron expression {expression!r} cannot be read: {error}"
    number = _FIELDS.index(name)
    text = given[number - (6 - len(given))] if number or len(given) == 6 else ""
    return (
        f"the cron expression {expression!r}: {text!r} is no {name}; it may be *, "
        f"{_ALLOWED[number]}, and lists, ranges and steps of these"
    )


def _zone(name: Any) -> tzinfo:
    from zoneinfo import ZoneInfo, available_timezones

    if not isinstance(name, str):
        raise ScheduleError(f"a time zone is a name such as 'Europe/Berlin', not {name!r}")
    try:
        return ZoneInfo(name)
    except Exception:  # there is no such file, or it is a folder, or no file of that kind
        known = available_timezones()
    if not known:
        raise ScheduleError(
            f"the time zone {name!r} is not known, as no other is: pip install tzdata"
        )
    close = meant(name, known)
    hint = close if "did you mean" in close else "; names are such as Europe/Berlin and UTC"
    raise ScheduleError(f"there is no time zone {name!r}{hint}")
