"""What is asked of support."""

from dataclasses import dataclass

from crm.ids import ConversationId, PersonId, StaffId, SubjectId
from crm.support.models import TicketCategory, TicketPriority, TicketStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket:
    """Open a ticket for whoever the session says it is.

    Args:
        subject_id: whose key seals what is recorded about it; from the session.
        person_id: from the session, never from a model.
        effect_key: opening twice with one key opens once.
    """

    subject_id: SubjectId
    category: TicketCategory
    title: str
    description: str
    priority: TicketPriority = "normal"
    person_id: PersonId | None = None
    conversation_id: ConversationId | None = None
    effect_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilters:
    """Which tickets to list; None is no filter.

    Args:
        unassigned: only those nobody looks after.
    """

    status: TicketStatus | None = None
    category: TicketCategory | None = None
    priority: TicketPriority | None = None
    person_id: PersonId | None = None
    staff_id: StaffId | None = None
    unassigned: bool = False
