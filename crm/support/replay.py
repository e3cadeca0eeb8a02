"""Keeps what a call about a ticket returned, without its text, for repeated calls."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.errors import NotFound
from crm.ids import StaffId, TicketId
from crm.journal import idempotency
from crm.journal.idempotency import IdempotencyKey, Replay
from crm.support import store
from crm.support.models import Ticket


async def remember(uow: UnitOfWork, key: IdempotencyKey | None, ticket: Ticket) -> None:
    """Keep a ticket's id and what can change about it; its text stays where erasure finds it."""
    if key is None:
        return
    mark = {
        "ticket_id": ticket.id,
        "status": ticket.status,
        "staff_id": ticket.staff_id,
        "updated_at": ticket.updated_at.isoformat(),
    }
    await idempotency.complete(uow, key, mark)


async def recall(uow: UnitOfWork, replay: Replay, actor: Actor) -> Ticket:
    """Return the ticket as the first call returned it.

    Raises: NotFound("ticket.unknown"): it is gone since.
    """
    assert isinstance(replay.result, dict), "written by remember"  # noqa: S101
    mark = replay.result
    ticket = await find_ticket(uow, TicketId(UUID(mark["ticket_id"])), actor)
    return replace(
        ticket,
        status=mark["status"],
        staff_id=StaffId(UUID(mark["staff_id"])) if mark["staff_id"] else None,
        updated_at=datetime.fromisoformat(mark["updated_at"]),
    )


async def find_ticket(
    uow: UnitOfWork, ticket_id: TicketId, actor: Actor, *, lock: bool = False
) -> Ticket:
    """Return a ticket the actor may see.

    Raises: NotFound("ticket.unknown"): no such ticket, or it is somebody else's.
    """
    ticket = await store.select_ticket(uow.conn, ticket_id, actor=actor, lock=lock)
    if ticket is None:
        raise NotFound("ticket.unknown", "There is no such ticket.")
    return ticket
