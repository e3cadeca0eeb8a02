"""What happens to suggestions, by ids only."""

from dataclasses import dataclass
from uuid import UUID

from crm.ids import PersonId
from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionProposed(DomainEvent):
    """Something was suggested to advisors, or withheld to see what suggesting is worth."""

    action_id: UUID
    person_id: PersonId
    kind: str
    withheld: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDecided(DomainEvent):
    """An advisor accepted or dismissed a suggestion."""

    action_id: UUID
    person_id: PersonId
    decision: str
