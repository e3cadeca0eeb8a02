"""Starts, holds and stops clocks in the caller's transaction, and tells of those that are late."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from crm.actor import SERVICE_ACTOR
from crm.business_hours import BusinessCalendar, add_business_time
from crm.db import UnitOfWork
from crm.ids import new_id
from crm.journal.audit import performed
from crm.pipeline.events import SlaBreached
from crm.pipeline.sla import models, store
from crm.pipeline.sla.models import ClockId, SlaClock, SlaTarget, SubjectKind

#: As many clocks as one round of `breach_due` marks.
BREACH_BATCH = 200

Change = Callable[[SlaClock, BusinessCalendar, datetime], SlaClock]


async def start_clock(
    uow: UnitOfWork,
    *,
    subject_kind: SubjectKind,
    subject_id: UUID,
    target: SlaTarget,
    allowance: timedelta,
    effect_key: str,
) -> bool:
    """Start a clock; False when the effect happened before, or one for this target is going.

    Args:
        allowance: business time until it is late.
    """
    now = uow.clock.now()
    calendar = await store.select_calendar(uow.conn)
    clock = SlaClock(
        id=ClockId(new_id()),
        subject_kind=subject_kind,
        subject_id=subject_id,
        target=target,
        allowance=allowance,
        spent=timedelta(),
        state="running",
        running_since=now,
        due_at=add_business_time(calendar, now, allowance),
        started_at=now,
        stopped_at=None,
        breached_at=None,
    )
    return await store.insert_clock(uow.conn, clock, effect_key)


async def stop_clocks(
    uow: UnitOfWork,
    *,
    subject_kind: SubjectKind,
    subject_id: UUID,
    target: SlaTarget | None = None,
    at: datetime | None = None,
) -> int:
    """Stop a subject's clocks of a target, or all of them; returns how many were going.

    Args:
        at: when it was answered, if that was before now.
    """
    return await _change(uow, models.stop, subject_kind, subject_id, target, at)


async def pause_clocks(
    uow: UnitOfWork,
    *,
    subject_kind: SubjectKind,
    subject_id: UUID,
    target: SlaTarget | None = None,
) -> int:
    """Hold a subject's clocks, e.g. while the person has to answer."""
    return await _change(uow, models.pause, subject_kind, subject_id, target, None)


async def resume_clocks(
    uow: UnitOfWork,
    *,
    subject_kind: SubjectKind,
    subject_id: UUID,
    target: SlaTarget | None = None,
) -> int:
    """Let a subject's clocks run on from where they were held."""
    return await _change(uow, models.resume, subject_kind, subject_id, target, None)


async def time_ticket(uow: UnitOfWork, ticket_id: UUID) -> None:
    """Let a ticket's clock do what its status says now, however often this is asked.

    It runs while the ticket is open, waits while the person has to answer, and ends with it;
    a ticket that is opened again is timed anew.
    """
    ticket = await store.select_ticket(uow.conn, ticket_id)
    if ticket is None:
        return
    if ticket["status"] == "pending":
        await pause_clocks(uow, subject_kind="ticket", subject_id=ticket_id)
    elif ticket["status"] != "open":
        await stop_clocks(uow, subject_kind="ticket", subject_id=ticket_id)
    elif not await resume_clocks(uow, subject_kind="ticket", subject_id=ticket_id):
        await start_clock(
            uow,
            subject_kind="ticket",
            subject_id=ticket_id,
            target="resolution",
            allowance=models.TICKET_RESOLUTION[ticket["priority"]],
            effect_key=f"ticket:{ticket_id}:{ticket['updated_at'].isoformat()}",
        )


async def breach_due(uow: UnitOfWork, *, limit: int = BREACH_BATCH) -> int:
    """Mark the clocks that became late and tell of each once; returns how many there were."""
    late = await store.mark_breached(uow.conn, at=uow.clock.now(), limit=limit)
    _tell(uow, late)
    return len(late)


async def _change(
    uow: UnitOfWork,
    change: Change,
    subject_kind: SubjectKind,
    subject_id: UUID,
    target: SlaTarget | None,
    at: datetime | None,
) -> int:
    clocks = await store.lock_live_clocks(uow.conn, subject_kind, subject_id, target)
    if not clocks:
        return 0
    calendar = await store.select_calendar(uow.conn)
    moment = at or uow.clock.now()
    changed = [change(clock, calendar, max(moment, clock.started_at)) for clock in clocks]
    for clock in changed:
        await store.update_clock(uow.conn, clock)
    pairs = zip(clocks, changed, strict=True)
    _tell(uow, [now for before, now in pairs if now.breached_at and not before.breached_at])
    return len(changed)


def _tell(uow: UnitOfWork, late: Iterable[SlaClock]) -> None:
    for clock in late:
        uow.publish(
            SlaBreached(
                clock_id=clock.id,
                subject_kind=clock.subject_kind,
                subject_id=clock.subject_id,
                target=clock.target,
            )
        )
        uow.audit(
            performed(
                SERVICE_ACTOR, "sla.breach", payload={"clock_id": clock.id, "target": clock.target}
            )
        )
