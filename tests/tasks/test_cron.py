"""When cron expressions are due, also on the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.tasks.cron import Cron
from photon.tasks.errors import ScheduleError

BERLIN = "Europe/Berlin"


def dues(cron: Cron, since: str, count: int) -> list[str]:
    """The next moments after `since`, in the cron's time zone."""
    moment: float | None = datetime.fromisoformat(since).timestamp()
    found = []
    for _ in range(count):
        assert moment is not None
        moment = cron.next_after(moment)
        assert moment is not None
        found.append(cron.at(moment).isoformat())
    return found


def test_an_expression_is_due_at_its_moments() -> None:
    assert dues(Cron("*/20 8 * * MON-FRI"), "2026-03-06T08:30:00Z", 3) == [
        "2026-03-06T08:40:00+00:00",
        "2026-03-09T08:00:00+00:00",
        "2026-03-09T08:20:00+00:00",
    ]
    assert dues(Cron("*/30 * * * * *"), "2026-03-06T08:30:00.5Z", 2) == [
        "2026-03-06T08:30:30+00:00",
        "2026-03-06T08:31:00+00:00",
    ]


NICKNAMES = [
    ("@hourly", "2026-03-06T09:00:00+00:00"),
    ("@Daily", "2026-03-07T00:00:00+00:00"),
    ("@weekly", "2026-03-08T00:00:00+00:00"),
    ("@monthly", "2026-04-01T00:00:00+00:00"),
    ("@yearly", "2027-01-01T00:00:00+00:00"),
]


@pytest.mark.parametrize(("expression", "due"), NICKNAMES)
def test_nicknames(expression: str, due: str) -> None:
    assert dues(Cron(expression), "2026-03-06T08:30:00Z", 1) == [due]


def test_a_due_moment_itself_is_not_due_again() -> None:
    cron = Cron("0 12 * * *")
    noon = datetime(2026, 3, 6, 12, tzinfo=UTC).timestamp()
    assert cron.next_after(noon - 0.001) == noon
    assert cron.next_after(noon) == noon + 86400


# In Berlin on 2026-03-29 02:00 CET is 03:00 CEST; on 2026-10-25 03:00 CEST is 02:00 CET.


def test_a_time_that_does_not_exist_is_the_first_one_that_does() -> None:
    assert dues(Cron("30 2 * * *", BERLIN), "2026-03-28T12:00:00Z", 2) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_two_times_of_one_gap_are_one_run() -> None:
    assert dues(Cron("0,30 2,3 * * *", BERLIN), "2026-03-28T23:30:00Z", 3) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-29T03:30:00+02:00",
        "2026-03-30T02:00:00+02:00",
    ]


def test_a_time_that_comes_twice_is_the_first_one() -> None:
    assert dues(Cron("30 2 * * *", BERLIN), "2026-10-24T12:00:00Z", 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


@pytest.mark.parametrize("since", ["02:15:00+01:00", "02:30:00+01:00", "02:45:00+02:00"])
def test_a_time_that_came_is_not_due_again_in_the_hour_that_comes_twice(since: str) -> None:
    assert dues(Cron("30 2 * * *", BERLIN), f"2026-10-25T{since}", 1) == [
        "2026-10-26T02:30:00+01:00"
    ]


@pytest.mark.parametrize("day", ["2026-03-28T22:00:00+00:00", "2026-10-24T22:00:00+00:00"])
def test_what_comes_every_so_many_minutes_goes_by_real_time(day: str) -> None:
    cron = Cron("*/15 * * * *", BERLIN)
    moment = datetime.fromisoformat(day).timestamp()
    found = [moment]
    for _ in range(30):
        moment = cron.next_after(moment) or 0
        found.append(moment)
    assert {after - before for before, after in pairwise(found)} == {900}


def test_a_day_at_midnight_that_has_no_midnight() -> None:
    assert dues(Cron("0 0 * * *", "America/Sao_Paulo"), "2018-11-03T12:00:00Z", 2) == [
        "2018-11-04T01:00:00-02:00",
        "2018-11-05T00:00:00-02:00",
    ]


def test_clocks_that_change_by_half_an_hour() -> None:
    assert dues(Cron("15 2 * * *", "Australia/Lord_Howe"), "2026-10-03T12:00:00Z", 2) == [
        "2026-10-04T02:30:00+11:00",
        "2026-10-05T02:15:00+11:00",
    ]


numbers = st.integers


@st.composite
def fields(draw: st.DrawFn) -> tuple[str, set[int], set[int]]:
    """An expression of minutes and hours, with those it names."""
    minutes = draw(st.sets(numbers(0, 59), min_size=1, max_size=4))
    hours = draw(st.sets(numbers(0, 23), min_size=1, max_size=4))
    text = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *"
    return text, minutes, hours


@given(
    fields(),
    st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)),
)
def test_it_agrees_with_looking_at_each_minute(
    given_fields: tuple[str, set[int], set[int]], zone: str, start: datetime
) -> None:
    text, minutes, hours = given_fields
    cron = Cron(text, zone)
    moment = start.replace(tzinfo=UTC).timestamp()
    due = cron.next_after(moment)
    assert due is not None
    assert due > moment
    assert due - moment <= 2 * 86400
    tz = ZoneInfo(zone)
    local = datetime.fromtimestamp(due, tz)
    # What looks at each minute of the wall's clock sees it too; or the minute was left out.
    named = local.minute in minutes and local.hour in hours
    before = datetime.fromtimestamp(due - 60, tz)
    gap = local.utcoffset() != before.utcoffset()
    assert named or gap
    if named and not gap:
        step = datetime.fromtimestamp(moment, UTC).replace(second=0, microsecond=0)
        while (step := step + timedelta(minutes=1)).timestamp() < due:
            seen = step.astimezone(tz)
            is_second = seen.fold == 1
            assert is_second or not (seen.minute in minutes and seen.hour in hours)


# What is refused...


WRONG: list[tuple[Any, str]] = [
    ("61 * * * *", "'61' is no minute; it may be *, 0-59"),
    ("* 24 * * *", "'24' is no hour; it may be *, 0-23"),
    ("* * 32 * *", "'32' is no day-of-month"),
    ("* * * 13 *", "'13' is no month; it may be *, 1-12 or JAN-DEC"),
    ("* * * * MOON", "'MOON' is no day-of-week"),
    ("60 * * * * *", "'60' is no second"),
    ("*/0 * * * *", "'*/0' is no minute"),
    ("5-1 * * * *", "'5-1' is no minute"),
    ("* * * *", "has 4 fields and needs five"),
    ("", "has 0 fields"),
    ("*", "has 1 field and needs"),
    ("0 0 31 2 *", "is never due: no such day exists"),
    ("@dayly", "did you mean @daily?"),
    ("@reboot", "lifespan"),
    ("* " * 200, "at most 256"),
    (5, "is a text such as"),
]


@pytest.mark.parametrize(("expression", "says"), WRONG)
def test_what_is_wrong_is_told_with_its_field(expression: Any, says: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        Cron(expression)
    assert says in str(caught.value)


@given(st.text(alphabet="0123456789*/-,#LW MONFEB@", max_size=40))
def test_a_text_is_read_or_refused(text: str) -> None:
    try:
        cron = Cron(text)
    except ScheduleError:
        return
    due = cron.next_after(1_800_000_000.0)
    assert due is None or due > 1_800_000_000.0


ZONES: list[tuple[Any, str]] = [
    ("Europe/Berlim", "did you mean Europe/Berlin?"),
    ("../etc/passwd", "names are such as Europe/Berlin and UTC"),
    ("Europe", "there is no time zone 'Europe'"),
    ("", "there is no time zone ''"),
    (None, "is a name such as"),
    (UTC, "is a name such as"),
]


@pytest.mark.parametrize(("zone", "says"), ZONES)
def test_a_time_zone_that_is_none_is_told(zone: Any, says: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        Cron("* * * * *", zone)
    assert says in str(caught.value)


def test_what_it_is_called() -> None:
    cron = Cron(" 0  4 * * * ", BERLIN)
    assert str(cron) == 'cron "0 4 * * *" Europe/Berlin'
    assert repr(cron) == "<Cron '0 4 * * *' Europe/Berlin>"
