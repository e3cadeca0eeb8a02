"""A clock counts business hours only, and pausing loses no time (invariant 18)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from crm.business_hours import (
    BusinessCalendar,
    add_business_time,
    business_time_between,
    read_week,
)
from crm.pipeline.sla.models import ClockId, SlaClock, judge, pause, resume, stop

CALENDAR = BusinessCalendar(
    "America/Santiago",
    read_week("mon-fri 09:00-13:00, mon-fri 14:00-18:00, sat 09:00-13:00"),
    frozenset({date(2026, 9, 18), date(2026, 12, 25)}),
)
STARTS = st.timedeltas(timedelta(), timedelta(days=200)).map(
    lambda since: datetime(2026, 8, 1, tzinfo=UTC) + since
)
ALLOWANCES = st.timedeltas(timedelta(minutes=1), timedelta(hours=60))
STEPS = st.lists(st.timedeltas(timedelta(), timedelta(days=3)), min_size=1, max_size=8)


def started(start: datetime, allowance: timedelta) -> SlaClock:
    return SlaClock(
        id=ClockId(UUID(int=1)),
        subject_kind="ticket",
        subject_id=UUID(int=2),
        target="resolution",
        allowance=allowance,
        spent=timedelta(),
        state="running",
        running_since=start,
        due_at=add_business_time(CALENDAR, start, allowance),
        started_at=start,
        stopped_at=None,
        breached_at=None,
    )


@settings(derandomize=True, max_examples=200)
@given(STARTS, ALLOWANCES, STEPS)
def test_what_is_spent_is_the_business_time_while_running(
    start: datetime, allowance: timedelta, steps: list[timedelta]
) -> None:
    """Pauses and runs take turns; only the runs count, each in full."""
    clock, at, ran = started(start, allowance), start, timedelta()

    for step in steps:
        before, at = at, at + step
        if clock.state == "running":
            ran += business_time_between(CALENDAR, before, at)
            clock = pause(clock, CALENDAR, at)
        else:
            clock = resume(clock, CALENDAR, at)
        assert clock.spent_at(CALENDAR, at) == ran

    assert stop(clock, CALENDAR, at).spent == ran


@settings(derandomize=True, max_examples=200)
@given(STARTS, ALLOWANCES, STEPS)
def test_pause_that_lasts_no_time_moves_no_deadline(
    start: datetime, allowance: timedelta, steps: list[timedelta]
) -> None:
    clock, at = started(start, allowance), start
    due_at = clock.due_at

    for step in steps:
        at += step
        clock = resume(pause(clock, CALENDAR, at), CALENDAR, at)
        assert clock.due_at == due_at


@settings(derandomize=True, max_examples=200)
@given(STARTS, ALLOWANCES, STEPS)
def test_deadline_leaves_exactly_what_was_not_spent(
    start: datetime, allowance: timedelta, steps: list[timedelta]
) -> None:
    clock, at = started(start, allowance), start

    for step in steps:
        at += step
        clock = (pause if clock.state == "running" else resume)(clock, CALENDAR, at)
        if clock.breached_at is None and clock.due_at is not None:
            left = business_time_between(CALENDAR, at, clock.due_at)
            assert left == clock.allowance - clock.spent


@settings(derandomize=True)
@given(STARTS, ALLOWANCES, st.timedeltas(timedelta(), timedelta(days=20)))
def test_late_is_whoever_answers_after_the_deadline(
    start: datetime, allowance: timedelta, wait: timedelta
) -> None:
    clock = started(start, allowance)
    assert clock.due_at is not None

    stopped = stop(clock, CALENDAR, start + wait)

    assert (stopped.breached_at is not None) == (start + wait > clock.due_at)
    if stopped.spent > allowance:
        assert stopped.breached_at is not None
    assert judge(stopped, start + wait + timedelta(days=99)) == stopped


def test_stopped_and_paused_clocks_stay_as_they_are() -> None:
    at = datetime(2026, 11, 24, 15, tzinfo=UTC)
    stopped = stop(started(at, timedelta(hours=1)), CALENDAR, at)
    paused = pause(started(at, timedelta(hours=1)), CALENDAR, at)

    assert stop(stopped, CALENDAR, at) == stopped
    assert resume(stopped, CALENDAR, at) == stopped
    assert pause(stopped, CALENDAR, at) == stopped
    assert pause(paused, CALENDAR, at) == paused
