"""Identifiers: time-ordered UUIDs with a type for each kind of thing."""

from typing import NewType
from uuid import UUID

from uuid_utils.compat import uuid7

PersonId = NewType("PersonId", UUID)
StaffId = NewType("StaffId", UUID)
SubjectId = NewType("SubjectId", UUID)
ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)
RunId = NewType("RunId", UUID)
ConfirmationId = NewType("ConfirmationId", UUID)
TicketId = NewType("TicketId", UUID)

#: The key ring of what concerns the institution and no person.
INSTITUTION = SubjectId(UUID(int=0))


def new_id() -> UUID:
    """Return a UUIDv7: unique, and near its neighbours in an index."""
    return uuid7()
