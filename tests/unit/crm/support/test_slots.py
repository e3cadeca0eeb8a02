"""Free times: within the hours offered, on no holiday, and never two at once."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.business_hours import BusinessCalendar, read_week
from crm.errors import RuleBroken
from crm.ids import StaffId, new_id
from crm.support.appointments.models import AdvisorHours
from crm.support.appointments.slots import free_slots

LIMA = ZoneInfo("America/Lima")
CALENDAR = BusinessCalendar("America/Lima", read_week("mon-fri 09:00-18:00"))
MONDAY = datetime(2026, 11, 30, tzinfo=LIMA)


def _hours(week: str, minutes: int = 30) -> AdvisorHours:
    return AdvisorHours(
        staff_id=StaffId(new_id()),
        week=read_week(week),
        slot=timedelta(minutes=minutes),
        modes=frozenset({"call"}),
    )


def _free(*hours: AdvisorHours, since: datetime, until: datetime, **facts: object) -> list[str]:
    found = free_slots(
        hours,
        facts.get("calendar", CALENDAR),  # type: ignore[arg-type]
        facts.get("taken", {}),  # type: ignore[arg-type]
        since=since,
        until=until,
        mode=facts.get("mode"),  # type: ignore[arg-type]
    )
    return [f"{slot.starts_at.astimezone(LIMA):%a %H:%M}" for slot in found]


def test_day_is_cut_into_slots_that_end_within_it() -> None:
    day = _free(_hours("mon 09:00-10:20"), since=MONDAY, until=MONDAY + timedelta(days=1))
    assert day == ["Mon 09:00", "Mon 09:30"]


def test_slots_stay_where_they_are_however_late_one_asks() -> None:
    late = MONDAY + timedelta(hours=9, minutes=10)
    assert _free(_hours("mon 09:00-11:00"), since=late, until=late + timedelta(hours=2)) == [
        "Mon 09:30",
        "Mon 10:00",
        "Mon 10:30",
    ]


def test_single_moment_finds_the_slot_that_begins_then() -> None:
    at = MONDAY + timedelta(hours=10)
    assert _free(_hours("mon 09:00-11:00"), since=at, until=at) == ["Mon 10:00"]
    off = at + timedelta(minutes=5)
    assert _free(_hours("mon 09:00-11:00"), since=off, until=off) == []


def test_holiday_and_what_is_taken_are_not_offered() -> None:
    hours = _hours("mon-tue 09:00-10:00")
    closed = BusinessCalendar(
        "America/Lima", CALENDAR.week, holidays=frozenset({date(2026, 11, 30)})
    )
    until = MONDAY + timedelta(days=2)
    assert _free(hours, since=MONDAY, until=until, calendar=closed) == ["Tue 09:00", "Tue 09:30"]
    quarter = timedelta(minutes=15)
    nine = MONDAY + timedelta(hours=9)
    taken = {hours.staff_id: [(nine + quarter, nine + 3 * quarter)]}
    assert _free(hours, since=MONDAY, until=until, taken=taken) == ["Tue 09:00", "Tue 09:30"]


def test_only_advisors_who_meet_people_in_this_way() -> None:
    hours, until = _hours("mon 09:00-09:30"), MONDAY + timedelta(days=1)
    assert _free(hours, since=MONDAY, until=until, mode="call") == ["Mon 09:00"]
    assert _free(hours, since=MONDAY, until=until, mode="in_person") == []


@pytest.mark.parametrize(("minutes", "code"), [(5, "appointment.slot"), (300, "appointment.slot")])
def test_length_has_bounds(minutes: int, code: str) -> None:
    with pytest.raises(RuleBroken) as broken:
        _hours("mon 09:00-18:00", minutes)
    assert broken.value.code == code


@given(
    st.integers(10, 240),
    st.integers(0, 60 * 24 * 14),
    st.integers(0, 60 * 24 * 14),
    st.lists(st.tuples(st.integers(0, 60 * 24 * 14), st.integers(1, 240)), max_size=20),
)
def test_slots_lie_in_the_window_and_touch_nothing_taken(
    minutes: int, first: int, length: int, booked: list[tuple[int, int]]
) -> None:
    hours = _hours("mon-fri 09:00-13:00, mon-fri 14:00-18:00, sun 22:00-00:00", minutes)
    start = datetime(2026, 10, 20, tzinfo=UTC)
    since = start + timedelta(minutes=first)
    until = since + timedelta(minutes=length)
    spans = [
        (start + timedelta(minutes=at), start + timedelta(minutes=at + lasts))
        for at, lasts in booked
    ]
    found = free_slots([hours], CALENDAR, {hours.staff_id: spans}, since=since, until=until)
    for before, after in pairwise(found):
        assert before.ends_at <= after.starts_at
    for slot in found:
        assert since <= slot.starts_at <= until
        assert slot.ends_at - slot.starts_at == hours.slot
        assert all(slot.ends_at <= begin or end <= slot.starts_at for begin, end in spans)
