"""All of support's SQL: tickets, their history, hand-offs."""

from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import DictRow

from crm.actor import Actor, IdentityLevel
from crm.db import Connection
from crm.errors import NotFound
from crm.facts import facts_of
from crm.ids import ConversationId, StaffId, TicketId, new_id
from crm.paging import equal, newest_first
from crm.support.commands import OpenTicket, TicketFilters
from crm.support.models import (
    Handoff,
    HandoffId,
    Ticket,
    TicketEvent,
    TicketEventKind,
    TicketStatus,
)

# --- tickets ------------------------------------------------------------------------------------

_TICKET = (
    "id, number, subject_id, person_id, conversation_id, category, title, description, priority, "
    "status, staff_id, created_at, updated_at"
)


async def insert_ticket(conn: Connection, command: OpenTicket, *, at: datetime) -> Ticket | None:
    """Add a ticket; None when its effect key was used before.

    Raises: NotFound("person.unknown" | "conversation.unknown").
    """
    try:
        rows = await conn.execute(_INSERT_TICKET, {**facts_of(command), "id": new_id(), "at": at})
    except psycopg.errors.ForeignKeyViolation as broken:
        what = "person" if "person" in (broken.diag.constraint_name or "") else "conversation"
        raise NotFound(f"{what}.unknown", f"There is no such {what}.") from broken
    row = await rows.fetchone()
    return Ticket(**row) if row else None


_INSERT_TICKET = f"""
        INSERT INTO tickets (id, effect_key, subject_id, person_id, conversation_id, category,
            title, description, priority, status, created_at, updated_at)
        VALUES (%(id)s, %(effect_key)s, %(subject_id)s, %(person_id)s, %(conversation_id)s,
            %(category)s, %(title)s, %(description)s, %(priority)s, 'open', %(at)s, %(at)s)
        ON CONFLICT (effect_key) DO NOTHING RETURNING {_TICKET}
        """  # noqa: S608 (column names are constants)


async def select_ticket_by_effect(
    conn: Connection, effect_key: str, subject_id: UUID
) -> Ticket | None:
    """Return the ticket that an effect of this subject opened."""
    rows = await conn.execute(
        f"SELECT {_TICKET} FROM tickets WHERE effect_key = %s AND subject_id = %s",  # noqa: S608
        [effect_key, subject_id],
    )
    row = await rows.fetchone()
    return Ticket(**row) if row else None


async def select_ticket(
    conn: Connection, ticket_id: TicketId, *, actor: Actor, lock: bool = False
) -> Ticket | None:
    """Return a ticket the actor may see: staff any, a student their own."""
    mine, values = _ownership(actor)
    rows = await conn.execute(
        f"SELECT {_TICKET} FROM tickets WHERE id = %(id)s AND {mine}"  # noqa: S608
        f"{' FOR UPDATE' if lock else ''}",
        {**values, "id": ticket_id},
    )
    row = await rows.fetchone()
    return Ticket(**row) if row else None


async def select_tickets(
    conn: Connection,
    filters: TicketFilters,
    *,
    actor: Actor,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Ticket]:
    """Return tickets the actor may see, newest first.

    Args:
        after: (created_at, id) of the last one seen.
    """
    mine, own = _ownership(actor)
    page, values = newest_first(
        {**facts_of(filters), "unassigned": filters.unassigned or None, "mine": True},
        {**_FILTERS, "mine": mine},
        keys=("created_at", "id"),
        after=after,
        limit=limit,
    )
    rows = await conn.execute(f"SELECT {_TICKET} FROM tickets {page}", {**own, **values})  # noqa: S608
    return [Ticket(**r) for r in await rows.fetchall()]


_FILTERS = equal("status", "category", "priority", "person_id", "staff_id") | {
    "unassigned": "staff_id IS NULL"
}


def _ownership(actor: Actor) -> tuple[str, dict[str, object]]:
    """Return the condition that leaves a student only what is theirs.

    What was opened in their own conversation is theirs; what belongs to the person behind it only
    once they have shown to be that person.
    """
    if actor.is_staff:
        return "true", {}
    verified = actor.level >= IdentityLevel.VERIFIED and actor.person_id is not None
    if not verified:
        return "subject_id = %(own_subject)s", {"own_subject": actor.subject_id}
    return (
        "(subject_id = %(own_subject)s OR person_id = %(own_person)s)",
        {"own_subject": actor.subject_id, "own_person": actor.person_id},
    )


async def update_status(
    conn: Connection, ticket_id: TicketId, status: TicketStatus, *, at: datetime
) -> None:
    """Write a ticket's state."""
    await conn.execute(
        "UPDATE tickets SET status = %s, updated_at = %s WHERE id = %s", [status, at, ticket_id]
    )


async def update_assignee(
    conn: Connection, ticket_id: TicketId, staff_id: StaffId | None, *, at: datetime
) -> None:
    """Write who looks after a ticket."""
    await conn.execute(
        "UPDATE tickets SET staff_id = %s, updated_at = %s WHERE id = %s", [staff_id, at, ticket_id]
    )


async def touch_ticket(conn: Connection, ticket_id: TicketId, *, at: datetime) -> None:
    """Note that something happened to a ticket."""
    await conn.execute("UPDATE tickets SET updated_at = %s WHERE id = %s", [at, ticket_id])


async def is_active_staff(conn: Connection, staff_id: StaffId) -> bool:
    """Say whether a ticket or conversation can be given to this member of staff."""
    rows = await conn.execute("SELECT 1 FROM staff WHERE id = %s AND active", [staff_id])
    return await rows.fetchone() is not None


# --- history ------------------------------------------------------------------------------------


async def insert_event(
    conn: Connection,
    ticket_id: TicketId,
    kind: TicketEventKind,
    *,
    change: tuple[str | None, str | None] = (None, None),
    staff_id: StaffId | None,
    at: datetime,
) -> TicketEvent:
    """Add to a ticket's history.

    Args:
        change: the value before and the one after.
    """
    rows = await conn.execute(
        """
        INSERT INTO ticket_events (id, ticket_id, kind, from_value, to_value, staff_id, created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING *
        """,
        [new_id(), ticket_id, kind, *change, staff_id, at],
    )
    return TicketEvent(**(await rows.fetchall())[0])


async def select_event(conn: Connection, event_id: UUID) -> TicketEvent:
    """Return one entry of a ticket's history."""
    rows = await conn.execute("SELECT * FROM ticket_events WHERE id = %s", [event_id])
    return TicketEvent(**(await rows.fetchall())[0])


async def select_events(
    conn: Connection, ticket_id: TicketId, *, with_notes: bool
) -> list[TicketEvent]:
    """Return a ticket's history, oldest first.

    Args:
        with_notes: staff write notes for each other; students do not see them.
    """
    rows = await conn.execute(
        "SELECT * FROM ticket_events WHERE ticket_id = %s AND (%s OR kind <> 'note') "
        "ORDER BY created_at, id",
        [ticket_id, with_notes],
    )
    return [TicketEvent(**r) for r in await rows.fetchall()]


# --- hand-offs ----------------------------------------------------------------------------------

_HANDOFF = "id, conversation_id, reason, requested_at, staff_id, taken_at, released_at"


async def insert_handoff(
    conn: Connection,
    conversation_id: ConversationId,
    *,
    reason: str,
    effect_key: str | None,
    at: datetime,
) -> Handoff | None:
    """Add a hand-off; None when the conversation has an open one or the effect happened before."""
    rows = await conn.execute(
        f"""
        INSERT INTO handoffs (id, conversation_id, effect_key, reason, requested_at)
        VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING {_HANDOFF}
        """,  # noqa: S608 (column names are constants)
        [new_id(), conversation_id, effect_key, reason, at],
    )
    return _handoff_of(await rows.fetchone())


async def select_handoff(
    conn: Connection, conversation_id: ConversationId, *, effect_key: str | None = None
) -> Handoff | None:
    """Return the hand-off of this effect, or else the conversation's open one."""
    rows = await conn.execute(
        f"""
        SELECT {_HANDOFF} FROM handoffs WHERE conversation_id = %(conversation)s
            AND (released_at IS NULL OR effect_key = %(effect)s)
        ORDER BY effect_key IS NOT DISTINCT FROM %(effect)s DESC LIMIT 1
        """,  # noqa: S608 (column names are constants)
        {"conversation": conversation_id, "effect": effect_key},
    )
    return _handoff_of(await rows.fetchone())


async def take_handoff(
    conn: Connection, conversation_id: ConversationId, staff_id: StaffId, *, at: datetime
) -> Handoff | None:
    """Give the open hand-off to somebody; None when there is none or another has it."""
    rows = await conn.execute(
        f"""
        UPDATE handoffs SET staff_id = %(staff)s, taken_at = coalesce(taken_at, %(at)s)
        WHERE conversation_id = %(conversation)s AND released_at IS NULL
            AND (staff_id IS NULL OR staff_id = %(staff)s)
        RETURNING {_HANDOFF}
        """,  # noqa: S608 (column names are constants)
        {"staff": staff_id, "at": at, "conversation": conversation_id},
    )
    return _handoff_of(await rows.fetchone())


async def release_handoff(
    conn: Connection, conversation_id: ConversationId, *, at: datetime
) -> Handoff | None:
    """Close the open hand-off; None when there is none."""
    rows = await conn.execute(
        f"UPDATE handoffs SET released_at = %s WHERE conversation_id = %s "  # noqa: S608
        f"AND released_at IS NULL RETURNING {_HANDOFF}",
        [at, conversation_id],
    )
    return _handoff_of(await rows.fetchone())


def _handoff_of(row: DictRow | None) -> Handoff | None:
    return Handoff(**{**row, "id": HandoffId(row["id"])}) if row else None
