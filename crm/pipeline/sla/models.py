"""A clock that counts business hours only: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NewType
from uuid import UUID

from crm.business_hours import BusinessCalendar, add_business_time, business_time_between
from crm.pipeline.models import Stage
from crm.support.models import TicketPriority

ClockId = NewType("ClockId", UUID)
SubjectKind = Literal["lead", "ticket"]
SlaTarget = Literal["first_response", "next_step", "resolution"]
ClockState = Literal["running", "paused", "stopped"]

#: In business time, i.e. nine hours are a weekday of the default calendar.
FIRST_RESPONSE = timedelta(hours=4)
NEXT_STEP: Mapping[Stage, timedelta] = {
    "inquiry": timedelta(hours=18),
    "lead": timedelta(hours=45),
    "applicant": timedelta(hours=45),
    "admitted": timedelta(hours=27),
}
TICKET_RESOLUTION: Mapping[TicketPriority, timedelta] = {
    "high": timedelta(hours=9),
    "normal": timedelta(hours=27),
    "low": timedelta(hours=45),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaClock:
    """How long something has waited, and how long it may.

    Args:
        allowance: business time it may take.
        spent: business time that had passed when it last began to run.
        due_at: when it is late; None while it is paused, unless it was late already.
    """

    id: ClockId
    subject_kind: SubjectKind
    subject_id: UUID
    target: SlaTarget
    allowance: timedelta
    spent: timedelta
    state: ClockState
    running_since: datetime | None
    due_at: datetime | None
    started_at: datetime
    stopped_at: datetime | None
    breached_at: datetime | None

    def spent_at(self, calendar: BusinessCalendar, at: datetime) -> timedelta:
        """Return the business time that has passed by a moment, pauses left out."""
        if self.running_since is None or at <= self.running_since:
            return self.spent
        return self.spent + business_time_between(calendar, self.running_since, at)


def pause(clock: SlaClock, calendar: BusinessCalendar, at: datetime) -> SlaClock:
    """Hold a running clock; any other stays as it is."""
    if clock.state != "running":
        return clock
    judged = judge(clock, at)
    return replace(
        judged,
        state="paused",
        spent=clock.spent_at(calendar, at),
        running_since=None,
        due_at=clock.due_at if judged.breached_at else None,
    )


def resume(clock: SlaClock, calendar: BusinessCalendar, at: datetime) -> SlaClock:
    """Let a paused clock run on; any other stays as it is."""
    if clock.state != "paused":
        return clock
    due_at = clock.due_at or add_business_time(calendar, at, clock.allowance - clock.spent)
    return replace(clock, state="running", running_since=at, due_at=due_at)


def stop(clock: SlaClock, calendar: BusinessCalendar, at: datetime) -> SlaClock:
    """End a clock for good; a stopped one stays as it is."""
    if clock.state == "stopped":
        return clock
    judged = judge(clock, at)
    spent = clock.spent_at(calendar, at)
    return replace(judged, state="stopped", spent=spent, running_since=None, stopped_at=at)


def judge(clock: SlaClock, at: datetime) -> SlaClock:
    """Note that a running clock is late, if it is and was not noted before."""
    late = clock.state == "running" and clock.due_at is not None and clock.due_at < at
    return replace(clock, breached_at=at) if late and clock.breached_at is None else clock
