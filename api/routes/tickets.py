"""Tickets over HTTP, for staff."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status
from pydantic import BaseModel, Field

from api.auth import staff_in
from api.bodies import Body, Out
from api.bootstrap import Services
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.routing import Chapter
from crm.actor import Actor
from crm.errors import RuleBroken
from crm.identity.permissions import Area
from crm.ids import INSTITUTION, ConversationId, PersonId, StaffId, SubjectId, TicketId
from crm.support.commands import OpenTicket, TicketFilters
from crm.support.models import TicketCategory, TicketEventKind, TicketPriority, TicketStatus
from crm.support.rules import MAX_TEXT, MAX_TITLE

router = Chapter(prefix="/v1/tickets", tags=["tickets"])

TicketReader = Annotated[Actor, Depends(staff_in(Area.TICKETS))]
TicketWriter = Annotated[Actor, Depends(staff_in(Area.TICKETS, write=True))]
_Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class TicketOut(Out):
    """A ticket."""

    id: UUID
    number: int
    person_id: UUID | None
    conversation_id: UUID | None
    category: TicketCategory
    title: str
    description: str
    priority: TicketPriority
    status: TicketStatus
    staff_id: UUID | None
    created_at: datetime
    updated_at: datetime


class TicketEventOut(Out):
    """One thing that happened to a ticket; a note's text is `to_value`."""

    id: UUID
    kind: TicketEventKind
    from_value: str | None
    to_value: str | None
    staff_id: UUID | None
    created_at: datetime


class TicketDetailOut(BaseModel):
    """A ticket with its history, oldest first."""

    ticket: TicketOut
    history: list[TicketEventOut]


class TicketPage(BaseModel):
    """A page of tickets."""

    items: list[TicketOut]
    next_cursor: str | None


class NewTicket(Body):
    """A ticket for a person, for whoever is in a conversation, or for nobody in particular."""

    category: TicketCategory
    title: Annotated[str, Field(min_length=1, max_length=MAX_TITLE)]
    description: _Text
    priority: TicketPriority = "normal"
    person_id: UUID | None = None
    conversation_id: UUID | None = None


class NewStatus(Body):
    """The state to move to; `open` reopens."""

    status: TicketStatus


class Assignment(Body):
    """Who looks after the ticket now; null is nobody."""

    staff_id: UUID | None


class NewNote(Body):
    """A note for colleagues; students do not see it."""

    text: _Text


@router.get("", summary="List tickets")
async def list_tickets(
    staff: TicketReader,
    services: ServicesDep,
    page: PageDep,
    status: TicketStatus | None = None,
    category: TicketCategory | None = None,
    priority: TicketPriority | None = None,
    person_id: UUID | None = None,
    staff_id: Annotated[UUID | None, Query(description="Who looks after them")] = None,
    unassigned: Annotated[bool, Query(description="Those nobody looks after")] = False,
) -> TicketPage:
    """Return tickets, newest first; the reading is audited."""
    filters = TicketFilters(
        status=status,
        category=category,
        priority=priority,
        person_id=PersonId(person_id) if person_id else None,
        staff_id=StaffId(staff_id) if staff_id else None,
        unassigned=unassigned,
    )
    found = await services.support.list_tickets(filters, page.cursor, page.limit, actor=staff)
    items = [TicketOut.model_validate(ticket) for ticket in found.items]
    return TicketPage(items=items, next_cursor=found.next_cursor)


@router.post("", status_code=status.HTTP_201_CREATED, summary="Open a ticket")
async def open_ticket(
    body: NewTicket,
    staff: TicketWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> TicketOut:
    """Open a ticket."""
    command = await _command(body, services)
    ticket = await services.support.open_ticket_for_staff(
        command, actor=staff, idempotency=idempotency
    )
    response.headers["Location"] = f"/v1/tickets/{ticket.id}"
    return TicketOut.model_validate(ticket)


async def _command(body: NewTicket, services: Services) -> OpenTicket:
    """Return what the domain is asked; whose ticket it is follows from the conversation."""
    person_id, subject_id = body.person_id, body.person_id or INSTITUTION
    if body.conversation_id is not None:
        conversation = await services.conversations.get_conversation(body.conversation_id)
        if body.person_id not in (None, conversation.person_id):
            raise RuleBroken("ticket.person", "The conversation is not this person's.")
        person_id, subject_id = conversation.person_id, conversation.subject_id
    return OpenTicket(
        subject_id=SubjectId(subject_id),
        person_id=PersonId(person_id) if person_id else None,
        conversation_id=ConversationId(body.conversation_id) if body.conversation_id else None,
        category=body.category,
        title=body.title,
        description=body.description,
        priority=body.priority,
    )


@router.get("/{ticket_id}", summary="Read a ticket")
async def get_ticket(
    ticket_id: UUID, staff: TicketReader, services: ServicesDep
) -> TicketDetailOut:
    """Return a ticket with its history; the reading is audited."""
    ticket = await services.support.get_ticket(TicketId(ticket_id), actor=staff)
    history = await services.support.get_history(ticket.id, actor=staff)
    return TicketDetailOut(
        ticket=TicketOut.model_validate(ticket),
        history=[TicketEventOut.model_validate(event) for event in history],
    )


@router.post("/{ticket_id}/status", summary="Move a ticket on")
async def change_status(
    ticket_id: UUID,
    body: NewStatus,
    staff: TicketWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> TicketOut:
    """Move a ticket on, or reopen it."""
    ticket = await services.support.change_status(
        TicketId(ticket_id), body.status, actor=staff, idempotency=idempotency
    )
    return TicketOut.model_validate(ticket)


@router.post("/{ticket_id}/assign", summary="Assign a ticket")
async def assign(
    ticket_id: UUID,
    body: Assignment,
    staff: TicketWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> TicketOut:
    """Give a ticket to a member of staff, or to nobody."""
    assignee = StaffId(body.staff_id) if body.staff_id else None
    ticket = await services.support.assign(
        TicketId(ticket_id), assignee, actor=staff, idempotency=idempotency
    )
    return TicketOut.model_validate(ticket)


@router.post("/{ticket_id}/notes", status_code=status.HTTP_201_CREATED, summary="Write a note")
async def add_note(
    ticket_id: UUID,
    body: NewNote,
    staff: TicketWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> TicketEventOut:
    """Write something down for colleagues."""
    note = await services.support.add_note(
        TicketId(ticket_id), body.text, actor=staff, idempotency=idempotency
    )
    return TicketEventOut.model_validate(note)
