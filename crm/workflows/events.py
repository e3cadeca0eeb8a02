"""What happened to sagas, by ids only."""

from dataclasses import dataclass
from uuid import UUID

from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfSaga(DomainEvent):
    saga_id: UUID
    kind: str
    person_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaStarted(_OfSaga):
    """Somebody enrols, or leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaTurnedBack(_OfSaga):
    """What was done so far is being undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaCompleted(_OfSaga):
    """All was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaCompensated(_OfSaga):
    """All was undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaParked(_OfSaga):
    """It waits for somebody to look."""
