"""What support keeps: tickets, what happened to them, and hand-offs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType, get_args
from uuid import UUID

from crm.ids import ConversationId, PersonId, StaffId, SubjectId, TicketId

HandoffId = NewType("HandoffId", UUID)

TicketCategory = Literal["admission", "payments", "certificates", "technical", "academic", "other"]
TicketPriority = Literal["low", "normal", "high"]
TicketStatus = Literal["open", "pending", "resolved", "closed"]
TicketEventKind = Literal["opened", "status", "assigned", "note"]

TICKET_CATEGORIES: tuple[TicketCategory, ...] = get_args(TicketCategory)
TICKET_PRIORITIES: tuple[TicketPriority, ...] = get_args(TicketPriority)
TICKET_STATUSES: tuple[TicketStatus, ...] = get_args(TicketStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A request that somebody has to look after.

    Args:
        number: what people call it by.
        subject_id: whose key seals what is recorded about it.
        staff_id: who looks after it.
    """

    id: TicketId
    number: int
    subject_id: SubjectId
    person_id: PersonId | None
    conversation_id: ConversationId | None
    category: TicketCategory
    title: str
    description: str
    priority: TicketPriority
    status: TicketStatus
    staff_id: StaffId | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEvent:
    """One thing that happened to a ticket.

    Args:
        from_value: the state or person before.
        to_value: the state or person after, or a note's text.
        staff_id: who did it; None is the student or a service.
    """

    id: UUID
    ticket_id: TicketId
    kind: TicketEventKind
    from_value: str | None
    to_value: str | None
    staff_id: StaffId | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """A conversation's wait for a person, and their time with it.

    Args:
        staff_id: who took it.
        released_at: when the agent had it back.
    """

    id: HandoffId
    conversation_id: ConversationId
    reason: str
    requested_at: datetime
    staff_id: StaffId | None
    taken_at: datetime | None
    released_at: datetime | None
