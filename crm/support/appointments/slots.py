"""Which times are free: pure rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.business_hours import BusinessCalendar, open_spans
from crm.ids import StaffId
from crm.support.appointments.models import AdvisorHours, Mode

#: No opening is longer, not even on the day on which clocks are put back.
_LONGEST_OPENING = timedelta(hours=26)
#: From when until when an advisor is taken.
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Slot:
    """A time at which an advisor is free.

    Args:
        modes: how the advisor meets people; empty where staff name a time that nobody offers.
    """

    starts_at: datetime
    ends_at: datetime
    staff_id: StaffId
    modes: frozenset[Mode] = frozenset()


def free_slots(
    hours: Sequence[AdvisorHours],
    calendar: BusinessCalendar,
    taken: Mapping[StaffId, Sequence[Span]],
    *,
    since: datetime,
    until: datetime,
    mode: Mode | None = None,
) -> list[Slot]:
    """Return the free times of all advisors, the earliest first.

    Args:
        hours: of the advisors who can be booked.
        calendar: the institution's time zone and holidays; its week does not matter.
        taken: what is booked already.
        since: earliest start.
        until: latest start.
        mode: only advisors who meet people in this way.
    """
    found = [
        slot
        for one in hours
        if mode is None or mode in one.modes
        for slot in _slots_of(one, calendar, since=since, until=until)
        if not _overlaps(slot, taken.get(one.staff_id, ()))
    ]
    return sorted(found, key=lambda slot: (slot.starts_at, slot.staff_id))


def _slots_of(
    hours: AdvisorHours, calendar: BusinessCalendar, *, since: datetime, until: datetime
) -> Iterator[Slot]:
    own = BusinessCalendar(calendar.time_zone, hours.week, calendar.holidays)
    # A day is cut into slots from its opening on, wherever the question falls in it.
    for opens, closes in open_spans(own, since - _LONGEST_OPENING):
        if opens > until:
            return
        start = opens
        while start + hours.slot <= closes:
            if since <= start <= until:
                yield Slot(start, start + hours.slot, hours.staff_id, hours.modes)
            start += hours.slot


def _overlaps(slot: Slot, taken: Sequence[Span]) -> bool:
    return any(begin < slot.ends_at and slot.starts_at < end for begin, end in taken)
