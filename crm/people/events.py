"""What happens to people."""

from dataclasses import dataclass
from uuid import UUID

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatesFound(DomainEvent):
    """Records were found that may be of one person."""

    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateDismissed(DomainEvent):
    """Two records were found to be of two people."""

    suggestion_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleMerged(DomainEvent):
    """Two records were found to be of one person."""

    merge_id: UUID
    survivor_id: PersonId
    merged_id: PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeUndone(DomainEvent):
    """Two records are of two people after all."""

    merge_id: UUID
    survivor_id: PersonId
    merged_id: PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonErased(DomainEvent):
    """What the institution knew of a person is gone."""

    person_id: PersonId
