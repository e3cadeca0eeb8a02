"""Use cases of support: open tickets, look after them, hand conversations to people."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from crm.actor import Actor
from crm.db import Connection, Database, UnitOfWork
from crm.errors import Conflict, NotFound
from crm.facts import facts_of
from crm.identity.permissions import Area, require
from crm.ids import StaffId, TicketId
from crm.journal import idempotency as keys
from crm.journal.audit import AuditEntry, performed
from crm.journal.idempotency import IdempotencyKey
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.authority import audits_reads
from crm.people.standing import require_active
from crm.support import rules, store
from crm.support.commands import OpenTicket, TicketFilters
from crm.support.events import TicketAssigned, TicketOpened, TicketStatusChanged
from crm.support.handoffs import Handoffs
from crm.support.models import Ticket, TicketEvent, TicketEventKind, TicketStatus
from crm.support.replay import find_ticket, recall, remember

Work = Callable[[UnitOfWork], Awaitable[Ticket]]


class SupportService(Handoffs):
    """Looks after tickets and hand-offs."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def open_ticket(self, uow: UnitOfWork, command: OpenTicket) -> Ticket:
        """Open a ticket in the caller's transaction; the caller audits it.

        Returns: the ticket, or the one that the same effect key opened before.

        Raises:
            RuleBroken("ticket.text"): a title or description is missing or too long.
            RuleBroken("person.inactive"); NotFound("person.unknown").
            Conflict("ticket.effect"): the effect key is another subject's.
        """
        rules.check_ticket(command)
        at = uow.clock.now()
        if command.person_id is not None:
            await require_active(uow, command.person_id)
        ticket = await store.insert_ticket(uow.conn, command, at=at)
        if ticket is None:
            return await _opened_before(uow.conn, command)
        await store.insert_event(
            uow.conn, ticket.id, "opened", change=(None, ticket.status), staff_id=None, at=at
        )
        uow.publish(
            TicketOpened(ticket_id=ticket.id, category=ticket.category, priority=ticket.priority)
        )
        return ticket

    async def open_ticket_for_staff(
        self, command: OpenTicket, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Ticket:
        """Open a ticket as staff, for a person or for nobody in particular.

        Raises:
            Denied("auth.role").
            RuleBroken("ticket.text" | "person.inactive").
        """
        require(actor, Area.TICKETS, write=True)

        async def work(uow: UnitOfWork) -> Ticket:
            ticket = await self.open_ticket(uow, command)
            said = facts_of(command)
            uow.audit(performed(actor, "ticket.open", about=ticket.subject_id, arguments=said))
            return ticket

        return await self._once(idempotency, facts_of(command), work, actor=actor)

    async def get_ticket(self, ticket_id: TicketId, *, actor: Actor) -> Ticket:
        """Return a ticket: staff any, a student their own.

        Raises: NotFound("ticket.unknown"): no such ticket, or it is somebody else's.
        """
        async with self._db.audited_read() as uow:
            ticket = await find_ticket(uow, ticket_id, actor)
            if audits_reads(actor):
                uow.audit(_seen(actor, "ticket.read", [ticket], about=ticket.subject_id))
        return ticket

    async def get_history(self, ticket_id: TicketId, *, actor: Actor) -> tuple[TicketEvent, ...]:
        """Return what happened to a ticket, oldest first; only staff see notes.

        Raises: NotFound("ticket.unknown"): no such ticket, or it is somebody else's.
        """
        async with self._db.transaction() as uow:
            await find_ticket(uow, ticket_id, actor)
            events = await store.select_events(uow.conn, ticket_id, with_notes=actor.is_staff)
        return tuple(events)

    async def list_tickets(
        self,
        filters: TicketFilters | None = None,
        cursor: str | None = None,
        limit: int = 50,
        *,
        actor: Actor,
    ) -> Page[Ticket]:
        """Return tickets, newest first: staff any, a student their own."""
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            rows = await store.select_tickets(
                uow.conn, filters or TicketFilters(), actor=actor, after=after, limit=limit + 1
            )
            page = page_of(rows, limit, lambda t: encode_cursor(t.created_at, t.id))
            if audits_reads(actor):
                shown = {"tickets": [t.id for t in page.items]}
                uow.audit(_seen(actor, "ticket.list", page.items, payload=shown))
        return page

    async def change_status(
        self,
        ticket_id: TicketId,
        status: TicketStatus,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Ticket:
        """Move a ticket on, or reopen it; staff only.

        Raises:
            Denied("auth.role").
            NotFound("ticket.unknown").
            RuleBroken("ticket.transition").
        """
        require(actor, Area.TICKETS, write=True)
        arguments = {"ticket_id": ticket_id, "status": status}

        async def work(uow: UnitOfWork) -> Ticket:
            before = await find_ticket(uow, ticket_id, actor, lock=True)
            rules.check_transition(before.status, status)
            await store.update_status(uow.conn, ticket_id, status, at=uow.clock.now())
            await _note_change(uow, before, "status", (before.status, status), actor=actor)
            uow.publish(
                TicketStatusChanged(
                    ticket_id=ticket_id, from_status=before.status, to_status=status
                )
            )
            uow.audit(
                performed(
                    actor, "ticket.change_status", about=before.subject_id, arguments=arguments
                )
            )
            return await find_ticket(uow, ticket_id, actor)

        return await self._once(idempotency, arguments, work, actor=actor)

    async def assign(
        self,
        ticket_id: TicketId,
        staff_id: StaffId | None,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Ticket:
        """Give a ticket to a member of staff, or to nobody; staff only.

        Raises:
            Denied("auth.role").
            NotFound("ticket.unknown").
            NotFound("staff.unknown"): no such member of staff, or no longer active.
        """
        require(actor, Area.TICKETS, write=True)
        arguments = {"ticket_id": ticket_id, "staff_id": staff_id}

        async def work(uow: UnitOfWork) -> Ticket:
            before = await find_ticket(uow, ticket_id, actor, lock=True)
            await _require_active(uow.conn, staff_id)
            await store.update_assignee(uow.conn, ticket_id, staff_id, at=uow.clock.now())
            change = (_text(before.staff_id), _text(staff_id))
            await _note_change(uow, before, "assigned", change, actor=actor)
            uow.publish(TicketAssigned(ticket_id=ticket_id, staff_id=staff_id))
            uow.audit(
                performed(actor, "ticket.assign", about=before.subject_id, arguments=arguments)
            )
            return await find_ticket(uow, ticket_id, actor)

        return await self._once(idempotency, arguments, work, actor=actor)

    async def add_note(
        self,
        ticket_id: TicketId,
        text: str,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> TicketEvent:
        """Write something down for colleagues; students do not see it; staff only.

        Raises:
            Denied("auth.role").
            NotFound("ticket.unknown").
            RuleBroken("ticket.text"): empty, or too long.
            RuleBroken("person.inactive").
        """
        require(actor, Area.TICKETS, write=True)
        rules.check_text(text)
        arguments = {"ticket_id": ticket_id, "text": text}
        async with self._db.transaction() as uow:
            if idempotency and (replay := await keys.claim(uow, idempotency, arguments)):
                return await store.select_event(uow.conn, UUID(str(replay.result)))
            ticket = await find_ticket(uow, ticket_id, actor, lock=True)
            if ticket.person_id is not None:
                await require_active(uow, ticket.person_id)
            note = await _note_change(uow, ticket, "note", (None, text), actor=actor)
            await store.touch_ticket(uow.conn, ticket_id, at=uow.clock.now())
            uow.audit(performed(actor, "ticket.note", about=ticket.subject_id, arguments=arguments))
            if idempotency:
                await keys.complete(uow, idempotency, note.id)
        return note

    async def _once(
        self,
        key: IdempotencyKey | None,
        arguments: Mapping[str, object],
        work: Work,
        *,
        actor: Actor,
    ) -> Ticket:
        """Do the work in a transaction, or return what the first call with this key got."""
        async with self._db.transaction() as uow:
            if key and (replay := await keys.claim(uow, key, arguments)):
                return await recall(uow, replay, actor)
            ticket = await work(uow)
            await remember(uow, key, ticket)
        return ticket


def _seen(
    actor: Actor,
    action: str,
    tickets: Sequence[Ticket],
    *,
    about: UUID | None = None,
    payload: Mapping[str, object] | None = None,
) -> AuditEntry:
    people = [ticket.person_id for ticket in tickets if ticket.person_id]
    return performed(actor, action, "READ", about=about, people=people, payload=payload)


async def _opened_before(conn: Connection, command: OpenTicket) -> Ticket:
    assert command.effect_key is not None, "only an effect key can be taken"  # noqa: S101
    ticket = await store.select_ticket_by_effect(conn, command.effect_key, command.subject_id)
    if ticket is None:
        raise Conflict("ticket.effect", "This effect opened somebody else's ticket.")
    return ticket


async def _require_active(conn: Connection, staff_id: StaffId | None) -> None:
    if staff_id is not None and not await store.is_active_staff(conn, staff_id):
        raise NotFound("staff.unknown", "There is no such member of staff.")


async def _note_change(
    uow: UnitOfWork,
    ticket: Ticket,
    kind: TicketEventKind,
    change: tuple[str | None, str | None],
    *,
    actor: Actor,
) -> TicketEvent:
    return await store.insert_event(
        uow.conn, ticket.id, kind, change=change, staff_id=actor.staff_id, at=uow.clock.now()
    )


def _text(staff_id: StaffId | None) -> str | None:
    return str(staff_id) if staff_id else None
