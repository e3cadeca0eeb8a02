"""Clocks on a real database: late ones are told of once, held ones lose no time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from crm.ids import new_id
from crm.pipeline.sla import acts, store
from crm.pipeline.sla.models import TICKET_RESOLUTION, SlaClock
from crm.pipeline.sla.service import SlaService

if TYPE_CHECKING:
    from crm.clock import FixedClock

Office = Any
HOUR = timedelta(hours=1)


async def _start(office: Office, ticket_id: UUID, key: str) -> bool:
    async with office.database.transaction() as uow:
        return await acts.start_clock(
            uow,
            subject_kind="ticket",
            subject_id=ticket_id,
            target="first_response",
            allowance=2 * HOUR,
            effect_key=key,
        )


async def _change(office: Office, verb: str, ticket_id: UUID) -> int:
    async with office.database.transaction() as uow:
        act = getattr(acts, f"{verb}_clocks")
        return int(await act(uow, subject_kind="ticket", subject_id=ticket_id))


async def _clock(office: Office, ticket_id: UUID) -> SlaClock:
    async with office.database.read() as conn:
        (clock,) = await store.select_clocks(conn, "ticket", ticket_id)
    return clock


async def test_late_lead_is_told_of_once(office: Office, clock: FixedClock) -> None:
    lead = await office.open_lead()
    sla = SlaService(office.database)
    due_at = (await office.clocks(lead.id))["first_response"].due_at

    clock.advance(due_at - clock.now())
    await sla.breach_due(limit=1_000)
    assert await office.events("SlaBreached", subject_id=lead.id) == 0
    clock.advance(timedelta(seconds=1))
    await asyncio.gather(*(sla.breach_due(limit=1_000) for _ in range(4)))

    assert await office.events("SlaBreached", subject_id=lead.id) == 1
    assert (await office.clocks(lead.id))["first_response"].breached_at == clock.now()


async def test_answer_after_the_deadline_tells_by_itself(office: Office, clock: FixedClock) -> None:
    ticket_id = new_id()
    await _start(office, ticket_id, f"ticket:{ticket_id}")
    clock.advance(3 * HOUR)

    await _change(office, "stop", ticket_id)
    await SlaService(office.database).breach_due(limit=1_000)

    assert await office.events("SlaBreached", subject_id=ticket_id) == 1


async def test_clock_starts_once(office: Office) -> None:
    ticket_id = new_id()

    assert await _start(office, ticket_id, f"ticket:{ticket_id}")
    assert not await _start(office, ticket_id, f"ticket:{ticket_id}")
    assert not await _start(office, ticket_id, "another, while the first is going")
    await _change(office, "stop", ticket_id)
    assert not await _start(office, ticket_id, f"ticket:{ticket_id}")


async def test_held_clock_is_not_late_and_goes_on_where_it_was(
    office: Office, clock: FixedClock
) -> None:
    ticket_id = new_id()
    await _start(office, ticket_id, f"ticket:{ticket_id}")
    clock.advance(HOUR)
    await _change(office, "pause", ticket_id)
    clock.advance(timedelta(days=7))
    await SlaService(office.database).breach_due(limit=1_000)

    await _change(office, "resume", ticket_id)

    resumed = await _clock(office, ticket_id)
    assert (resumed.spent, resumed.due_at, resumed.breached_at) == (HOUR, clock.now() + HOUR, None)
    assert await office.events("SlaBreached", subject_id=ticket_id) == 0


async def _ticket(office: Office, status: str, ticket_id: UUID | None = None) -> UUID:
    """Open a ticket, or move one, behind the desk's back."""
    if ticket_id is not None:
        await office.execute(
            "UPDATE tickets SET status = %s, updated_at = updated_at + interval '1 s' "
            "WHERE id = %s",
            *(status, ticket_id),
        )
        return ticket_id
    ticket_id, now = new_id(), office.database.clock.now()
    await office.execute(
        "INSERT INTO tickets (id, subject_id, category, title, description, priority, status, "
        "created_at, updated_at) VALUES (%s, %s, 'other', 'x', 'x', 'high', %s, %s, %s)",
        *(ticket_id, new_id(), status, now, now),
    )
    return ticket_id


async def test_tickets_clock_follows_its_status(office: Office, clock: FixedClock) -> None:
    sla, ticket_id = SlaService(office.database), await _ticket(office, "open")
    seen = []
    for status in ("open", "pending", "pending", "open", "resolved", "closed"):
        await _ticket(office, status, ticket_id)
        await sla.time_ticket(ticket_id)
        await sla.time_ticket(ticket_id)
        kept = await _clock(office, ticket_id)
        seen.append((kept.state, kept.spent))
        clock.advance(timedelta(minutes=10))

    assert kept.allowance == TICKET_RESOLUTION["high"]
    ten, twenty = timedelta(minutes=10), timedelta(minutes=20)
    assert seen == [
        ("running", timedelta()),
        ("paused", ten),
        ("paused", ten),
        ("running", ten),
        ("stopped", twenty),
        ("stopped", twenty),
    ]


async def test_reopened_ticket_is_timed_anew(office: Office) -> None:
    sla, ticket_id = SlaService(office.database), await _ticket(office, "open")
    for status in ("open", "resolved", "open"):
        await _ticket(office, status, ticket_id)
        await sla.time_ticket(ticket_id)

    async with office.database.read() as conn:
        clocks = await store.select_clocks(conn, "ticket", ticket_id)
    assert sorted(c.state for c in clocks) == ["running", "stopped"]
    await sla.time_ticket(new_id())
