"""The institution's opening hours, and time counted within them only: pure rules."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from crm.errors import RuleBroken

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ZERO = timedelta()
_DAY = timedelta(days=1)
_PART = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d\d:\d\d)-(\d\d:\d\d)")


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """A stretch of a day, in local time; closing at 00:00 is the end of the day."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        """Refuse a stretch that ends before it begins.

        Raises: RuleBroken("calendar.opening").
        """
        if self.closes != time() and self.closes <= self.opens:
            raise RuleBroken("calendar.opening", "Opening hours end after they begin.")


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """When the institution works.

    Args:
        time_zone: IANA name.
        week: seven days from Monday, each with its stretches in ascending order.
        holidays: days on which it does not work at all.
    """

    time_zone: str
    week: tuple[tuple[Opening, ...], ...]
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        """Refuse a week in which time cannot pass, or would pass twice.

        Raises: RuleBroken("calendar.week"), RuleBroken("calendar.time_zone").
        """
        if len(self.week) != len(DAYS) or not any(self.week):
            raise RuleBroken("calendar.week", "A week has seven days, one of them open.")
        if any(_overlap(one, two) for day in self.week for one, two in pairwise(day)):
            raise RuleBroken("calendar.week", "Opening hours of a day do not overlap.")
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError) as broken:
            raise RuleBroken("calendar.time_zone", "This is not a known time zone.") from broken


def _overlap(one: Opening, two: Opening) -> bool:
    return one.closes == time() or two.opens < one.closes


def read_week(text: str) -> tuple[tuple[Opening, ...], ...]:
    """Return the week that a text such as `mon-fri 09:00-18:00, sat 09:00-13:00` describes.

    Raises: RuleBroken("calendar.week" | "calendar.opening").
    """
    days: list[list[Opening]] = [[] for _ in DAYS]
    for part in text.split(","):
        first, last, opening = _read_part(part.strip())
        for day in range(first, last + 1):
            days[day].append(opening)
    return tuple(tuple(sorted(day)) for day in days)


def _read_part(part: str) -> tuple[int, int, Opening]:
    found = _PART.fullmatch(part)
    if found is None:
        raise _unreadable()
    first, last, opens, closes = found.groups()
    try:
        opening = Opening(time.fromisoformat(opens), time.fromisoformat(closes))
        since, until = DAYS.index(first), DAYS.index(last or first)
    except ValueError as broken:
        raise _unreadable() from broken
    if until < since:
        raise _unreadable()
    return since, until, opening


def _unreadable() -> RuleBroken:
    return RuleBroken("calendar.week", "Opening hours look like: mon-fri 09:00-18:00.")


def write_week(week: Sequence[Sequence[Opening]]) -> str:
    """Return the text that `read_week` reads."""
    return ", ".join(
        f"{name} {opening.opens:%H:%M}-{opening.closes:%H:%M}"
        for name, day in zip(DAYS, week, strict=True)
        for opening in day
    )


def add_business_time(calendar: BusinessCalendar, start: datetime, amount: timedelta) -> datetime:
    """Return the first moment by which this much business time has passed since the start.

    Args:
        start: aware; may lie outside the opening hours.
        amount: nothing or less is the start itself.
    """
    left = amount
    if left <= _ZERO:
        return start
    for opens, closes in open_spans(calendar, start):
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    raise AssertionError("a calendar has an open day every week that is no holiday")


def business_time_between(calendar: BusinessCalendar, start: datetime, end: datetime) -> timedelta:
    """Return the business time that passes from one moment to a later one."""
    total = _ZERO
    for opens, closes in open_spans(calendar, start):
        if opens >= end:
            break
        total += min(closes, end) - opens
    return total


def open_spans(calendar: BusinessCalendar, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the open stretches from a moment on, in UTC, ascending and apart."""
    begin = start.astimezone(UTC)
    zone = ZoneInfo(calendar.time_zone)
    day = start.astimezone(zone).date() - _DAY
    while True:
        if day not in calendar.holidays:
            for opening in calendar.week[day.weekday()]:
                opens, closes = _span_of(opening, day, zone)
                # A clock put forward can make a stretch shrink to nothing, or reach the next one.
                opens = max(opens, begin)
                if opens < closes:
                    yield opens, closes
                    begin = closes
        day += _DAY


def _span_of(opening: Opening, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    last_day = day if opening.closes != time() else day + _DAY
    return (
        datetime.combine(day, opening.opens, zone).astimezone(UTC),
        datetime.combine(last_day, opening.closes, zone).astimezone(UTC),
    )
