"""What a saga is, what it may do next, and how patiently it tries: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NewType
from uuid import UUID

from crm.courses.enrolments.models import EnrolmentId
from crm.courses.models import Bilingual, CohortId
from crm.courses.seats.models import HoldId
from crm.ids import PersonId
from crm.payments.models import InvoiceId

SagaId = NewType("SagaId", UUID)
SagaKind = Literal["enrolment", "withdrawal"]
SagaStatus = Literal["running", "compensating", "completed", "compensated"]
StepOutcome = Literal["done", "failed", "turned", "parked", "resumed"]

#: Tries of one step before the saga is set aside; the waits double from 1 s to 5 minutes.
MAX_ATTEMPTS = 10
#: As many refunds of one saga may fail at the gateway before somebody has to look.
MAX_REFUND_FAILURES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Saga:
    """A chain of acts over several transactions, as it stands.

    Args:
        step: the last one taken.
        context: what later steps need; ids, dates and amounts, no personal data.
        failure: why it is being undone.
        deadline: what has not come by then, never will.
        next_run_at: None while there is nothing to do before somebody wakes it.
        parked_at: since when it waits for somebody to look; `last_error` says why.
    """

    id: SagaId
    kind: SagaKind
    status: SagaStatus
    step: str
    person_id: PersonId
    cohort_id: CohortId
    hold_id: HoldId | None = None
    invoice_id: InvoiceId | None = None
    enrolment_id: EnrolmentId | None = None
    context: Mapping[str, str | int]
    failure: str | None = None
    deadline: datetime
    effect_key: str
    version: int = 1
    attempts: int = 0
    next_run_at: datetime | None
    last_error: str | None = None
    parked_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def is_over(self) -> bool:
        """Return whether it ended one way or the other; late money may still wake it."""
        return self.status in ("completed", "compensated")


@dataclass(frozen=True, slots=True)
class InvoicedCourse:
    """What an enrolment's invoice is for."""

    cohort_code: str
    title: Bilingual


@dataclass(frozen=True, slots=True)
class SagaStep:
    """Something a saga did, or tried."""

    seq: int
    step: str
    outcome: StepOutcome
    code: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Do:
    """Take a step."""

    step: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing until a time, or until woken."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Become:
    """Turn back, or end."""

    status: SagaStatus
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Park:
    """Wait for somebody to look."""

    reason: str


Move = Do | Wait | Become | Park


@dataclass(frozen=True, slots=True)
class MoneyFacts:
    """How a saga's invoice and its payments stand.

    Args:
        is_covered: the first instalment is paid.
        is_paying: a payment is under way.
        was_asked: there was a payment, whatever became of it.
        refundable_minor: taken and not on its way back.
        excess_minor: refundable and more than was owed.
        is_refunding: money is on its way back.
        failed_refunds: how many did not get there.
    """

    invoice: Literal["none", "open", "cancelled"] = "none"
    is_covered: bool = False
    is_paying: bool = False
    was_asked: bool = False
    refundable_minor: int = 0
    excess_minor: int = 0
    is_refunding: bool = False
    failed_refunds: int = 0


def give_back(saga: Saga, money: MoneyFacts, step: str) -> Move:
    """Return the refund as the next move, or the end of patience with it."""
    forgiven = int(saga.context.get("forgiven", 0))
    if money.failed_refunds - forgiven >= MAX_REFUND_FAILURES:
        return Park("refund.failed")
    return Do(step)


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after so many failed tries."""
    return min(timedelta(seconds=1 << min(attempts - 1, 16)), timedelta(minutes=5))
