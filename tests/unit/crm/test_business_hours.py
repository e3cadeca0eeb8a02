"""Time within the opening hours: nothing outside counts, and nothing inside is lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.business_hours import (
    BusinessCalendar,
    Opening,
    add_business_time,
    business_time_between,
    read_week,
    write_week,
)
from crm.errors import RuleBroken

LIMA = ZoneInfo("America/Lima")
CALENDAR = BusinessCalendar(
    "America/Lima",
    read_week("mon-fri 09:00-18:00, sat 09:00-13:00"),
    frozenset({date(2026, 12, 8)}),
)
MOMENTS = st.timedeltas(timedelta(), timedelta(days=730)).map(
    lambda since: datetime(2026, 1, 1, tzinfo=UTC) + since
)
AMOUNTS = st.timedeltas(timedelta(), timedelta(days=20))
ZONES = st.sampled_from(
    ["America/Lima", "America/Santiago", "Europe/Madrid", "Australia/Lord_Howe", "Asia/Kathmandu"]
)


@st.composite
def days(draw: st.DrawFn) -> tuple[Opening, ...]:
    """The opening hours of a day: none to three stretches."""
    marks = sorted(draw(st.sets(st.integers(0, 95), max_size=6)))
    times = [time(mark // 4, mark % 4 * 15) for mark in marks]
    return tuple(Opening(one, two) for one, two in zip(times[::2], times[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> BusinessCalendar:
    week = [draw(days()) for _ in range(7)]
    if not any(week):
        week[0] = (Opening(time(9), time(0)),)
    holidays = draw(st.frozensets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=20))
    return BusinessCalendar(draw(ZONES), tuple(week), holidays)


def lima(year: int, month: int, day: int, hour: int) -> datetime:
    return datetime(year, month, day, hour, tzinfo=LIMA)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (lima(2026, 11, 24, 10), 4, lima(2026, 11, 24, 14)),  # within a Tuesday
        (lima(2026, 11, 24, 17), 2, lima(2026, 11, 25, 10)),  # over a night
        (lima(2026, 11, 24, 17), 1, lima(2026, 11, 24, 18)),  # until closing
        (lima(2026, 11, 27, 17), 6, lima(2026, 11, 30, 10)),  # over a weekend with its Saturday
        (lima(2026, 11, 28, 22), 1, lima(2026, 11, 30, 10)),  # begun at night
        (lima(2026, 12, 7, 17), 2, lima(2026, 12, 9, 10)),  # over a holiday
        (lima(2026, 11, 29, 12), 0, lima(2026, 11, 29, 12)),  # nothing is at once
    ],
)
def test_time_is_added_within_opening_hours(start: datetime, hours: int, end: datetime) -> None:
    assert add_business_time(CALENDAR, start, timedelta(hours=hours)) == end


def test_nothing_passes_while_closed() -> None:
    saturday, monday = lima(2026, 11, 28, 13), lima(2026, 11, 30, 9)

    assert business_time_between(CALENDAR, saturday, monday) == timedelta()


def test_hour_that_the_clock_skips_is_not_worked() -> None:
    night = BusinessCalendar("Europe/Madrid", read_week("mon-sun 01:00-04:00"))
    spring, autumn = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)

    hours = [
        business_time_between(night, day - timedelta(hours=3), day + timedelta(hours=12))
        for day in (spring, autumn)
    ]

    assert hours == [timedelta(hours=2), timedelta(hours=4)]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(calendars(), MOMENTS, AMOUNTS)
def test_what_is_added_is_what_passes(
    calendar: BusinessCalendar, start: datetime, amount: timedelta
) -> None:
    end = add_business_time(calendar, start, amount)

    assert end >= start
    assert business_time_between(calendar, start, end) == amount
    if amount:
        earlier = end - timedelta(microseconds=1)
        assert business_time_between(calendar, start, earlier) < amount


@settings(derandomize=True, deadline=None, max_examples=200)
@given(calendars(), st.lists(MOMENTS, min_size=3, max_size=3).map(sorted))
def test_time_is_the_sum_of_its_parts(calendar: BusinessCalendar, moments: list[datetime]) -> None:
    first, middle, last = moments

    whole = business_time_between(calendar, first, last)

    before = business_time_between(calendar, first, middle)
    assert before + business_time_between(calendar, middle, last) == whole
    assert timedelta() <= before <= middle - first


@settings(derandomize=True, deadline=None, max_examples=100)
@given(calendars(), MOMENTS, AMOUNTS, AMOUNTS)
def test_adding_twice_is_adding_the_sum(
    calendar: BusinessCalendar, start: datetime, one: timedelta, two: timedelta
) -> None:
    once = add_business_time(calendar, start, one + two)

    assert add_business_time(calendar, add_business_time(calendar, start, one), two) == once


@settings(derandomize=True, deadline=None)
@given(calendars())
def test_week_reads_back(calendar: BusinessCalendar) -> None:
    assert read_week(write_week(calendar.week)) == calendar.week


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "calendar.week"),
        ("mon 9-18", "calendar.week"),
        ("day 09:00-18:00", "calendar.week"),
        ("mon 25:00-26:00", "calendar.week"),
        ("mon 18:00-09:00", "calendar.opening"),
        ("mon 09:00-13:00, mon 12:00-18:00", "calendar.week"),
        ("mon 09:00-00:00, mon 12:00-18:00", "calendar.week"),
        ("tue 09:00-18:00, fri-mon 09:00-18:00", "calendar.week"),
    ],
)
def test_hours_that_make_no_sense_are_refused(text: str, code: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        BusinessCalendar("America/Lima", read_week(text))
    assert refused.value.code == code


def test_unknown_time_zone_is_refused() -> None:
    with pytest.raises(RuleBroken, match=r"calendar\.time_zone"):
        BusinessCalendar("Mars/Base", CALENDAR.week)
