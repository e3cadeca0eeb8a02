"""What happens in the pipeline, by ids only."""

from dataclasses import dataclass
from uuid import UUID

from crm.ids import PersonId
from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCreated(DomainEvent):
    """Somebody became interested in something."""

    lead_id: UUID
    person_id: PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadUpdated(DomainEvent):
    """What is known of an interest was corrected."""

    lead_id: UUID
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadStageChanged(DomainEvent):
    """A lead moved on, was lost, or came back."""

    lead_id: UUID
    person_id: PersonId
    from_stage: str
    to_stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadLost(DomainEvent):
    """A lead will not enrol for now."""

    lead_id: UUID
    person_id: PersonId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadAssigned(DomainEvent):
    """Somebody looks after a lead now; `staff_id` None means nobody does."""

    lead_id: UUID
    staff_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityNoted(DomainEvent):
    """Something that happened with a person was written down."""

    activity_id: UUID
    person_id: PersonId
    lead_id: UUID | None
    kind: str
    direction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCreated(DomainEvent):
    """Somebody has something to do."""

    task_id: UUID
    person_id: PersonId
    staff_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskUpdated(DomainEvent):
    """A task has another date, owner or title."""

    task_id: UUID
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatusChanged(DomainEvent):
    """A task was done, cancelled, or opened again."""

    task_id: UUID
    to_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaBreached(DomainEvent):
    """Something has waited for longer than it may; published once a clock."""

    clock_id: UUID
    subject_kind: str
    subject_id: UUID
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadScored(DomainEvent):
    """A lead's score moved so much that somebody should know; `before` None means a first one."""

    lead_id: UUID
    person_id: PersonId
    score: int
    before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsScored(DomainEvent):
    """A batch of leads was scored, and some scores are not what they were."""

    scoring_id: UUID
    changed: int
