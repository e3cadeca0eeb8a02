"""What happens to reminders, by ids only."""

from dataclasses import dataclass
from uuid import UUID

from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReminderQueued(DomainEvent):
    """A reminder shall leave."""

    invoice_id: UUID
    number: int
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningPaused(DomainEvent):
    """Nobody is reminded of an invoice for a while."""

    invoice_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningResumed(DomainEvent):
    """Reminders of an invoice go on."""

    invoice_id: UUID
