"""What happened in support, by ids only."""

from dataclasses import dataclass
from uuid import UUID

from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOpened(DomainEvent):
    """Somebody asked for something."""

    ticket_id: UUID
    category: str
    priority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStatusChanged(DomainEvent):
    """A ticket moved on, or was reopened."""

    ticket_id: UUID
    from_status: str
    to_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketAssigned(DomainEvent):
    """Somebody looks after a ticket now; `staff_id` None means nobody does."""

    ticket_id: UUID
    staff_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRequested(DomainEvent):
    """A conversation waits for a person."""

    handoff_id: UUID
    conversation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffTaken(DomainEvent):
    """A member of staff answers a conversation now."""

    handoff_id: UUID
    conversation_id: UUID
    staff_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffReleased(DomainEvent):
    """The agent has a conversation back."""

    handoff_id: UUID
    conversation_id: UUID
