"""What happens to people."""

from dataclasses import dataclass

from crm.ids import PersonId
from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCreated(DomainEvent):
    """Somebody became known to the institution."""

    person_id: PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonUpdated(DomainEvent):
    """What is known of a person changed."""

    person_id: PersonId
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecorded(DomainEvent):
    """A person gave or withdrew a consent."""

    person_id: PersonId
    channel: str
    purpose: str
    granted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPreferencesChanged(DomainEvent):
    """A person said how they wish to be reached."""

    person_id: PersonId
