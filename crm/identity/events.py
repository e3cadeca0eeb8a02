"""What happens to identities."""

from dataclasses import dataclass
from uuid import UUID

from crm.ids import ConversationId, PersonId, StaffId
from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffCreated(DomainEvent):
    """A member of staff got an account."""

    staff_id: StaffId
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffLoggedIn(DomainEvent):
    """A member of staff opened a session."""

    staff_id: StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffLoggedOut(DomainEvent):
    """A member of staff ended a session."""

    staff_id: StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRequested(DomainEvent):
    """Somebody in a conversation asked for a code; whether it went to anybody is not said."""

    conversation_id: ConversationId
    verification_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonVerified(DomainEvent):
    """Somebody in a conversation proved to be a person on file."""

    conversation_id: ConversationId
    person_id: PersonId
