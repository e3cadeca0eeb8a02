"""What is counted, and which event makes which count stale: pure rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from crm.clock import day_in
from crm.journal.deliveries.models import StoredEvent
from crm.money import Money
from crm.pipeline.scoring.moves import BANDS

Model = Literal["funnel", "responses", "revenue", "receivables", "cohorts", "scores"]
ResponseKind = Literal["agent", "handoff", "lead"]
Age = Literal["not_due", "to_30", "to_60", "to_90", "older"]
Band = Literal["low", "medium", "high", "unscored"]

MODELS: tuple[Model, ...] = (
    "funnel",
    "responses",
    "revenue",
    "receivables",
    "cohorts",
    "scores",
)
#: The key of a model that is computed as a whole.
WHOLE = ""
MEDIUM_FROM, HIGH_FROM = BANDS


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A stage of the funnel of one source, programme and term.

    Args:
        programme_code: empty for an interest in a course, or in nothing yet.
        reached: leads that came this far or further.
        standing: leads that are in this stage now.
    """

    source: str
    programme_code: str
    term: str
    stage: str
    reached: int
    standing: int


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """How long people waited for an answer that came on a day.

    Args:
        kind: of an agent in chat, of a person after a hand-off, of an advisor to a new lead (in
            business hours).
        late: after their clock had run out; known for leads only.
    """

    day: date
    kind: ResponseKind
    answered: int
    late: int
    median_s: int
    p90_s: int


@dataclass(frozen=True, slots=True)
class Revenue:
    """What a month brought, by the ledger.

    Args:
        month: its first day.
        invoiced: less what was credited.
        taken: of payers; returned: to payers, by refunds and lost disputes.
    """

    month: date
    invoiced: Money
    taken: Money
    returned: Money


@dataclass(frozen=True, slots=True)
class Receivable:
    """What is owed, by how long it has been due."""

    age: Age
    invoices: int
    amount: Money


@dataclass(frozen=True, slots=True)
class CohortFill:
    """How full a cohort is.

    Args:
        seats: without those that staff keep back.
    """

    cohort_id: UUID
    cohort_code: str
    course_code: str
    starts_on: date
    seats: int
    enrolled: int
    held: int
    waiting: int


@dataclass(frozen=True, slots=True)
class BandConversion:
    """What became of the leads of a band of scores."""

    band: Band
    leads: int
    enrolled: int
    lost: int


@dataclass(frozen=True, slots=True)
class Stale:
    """A part of a read model that has to be computed anew.

    Args:
        key: a day, a month's first day, a cohort's id, or `WHOLE`.
    """

    model: Model
    key: str = WHOLE


_LEADS: tuple[Model, ...] = ("funnel", "scores")
_MONEY: tuple[Model, ...] = ("revenue", "receivables")
#: Event → the models it makes stale.
MODELS_OF: Mapping[str, tuple[Model, ...]] = {
    **dict.fromkeys(("LeadCreated", "LeadUpdated", "LeadStageChanged"), _LEADS),
    "LeadsScored": ("scores",),
    **dict.fromkeys(("AgentReplied", "HandoffTaken", "ActivityNoted"), ("responses",)),
    **dict.fromkeys(
        ("InvoiceRaised", "InvoiceCredited", "InvoiceCancelled", "InvoicePaid"), _MONEY
    ),
    **dict.fromkeys(
        ("PaymentCompleted", "RefundRequested", "PaymentRefunded", "RefundFailed"), _MONEY
    ),
    **dict.fromkeys(("PaymentDisputed", "DisputeClosed"), _MONEY),
    **dict.fromkeys(("CohortOpened", "CohortChanged", "SeatHeld", "SeatReleased"), ("cohorts",)),
    **dict.fromkeys(("HoldExpired", "SeatOffered", "OfferExpired"), ("cohorts",)),
    **dict.fromkeys(("WaitlistJoined", "WaitlistLeft"), ("cohorts",)),
    **dict.fromkeys(("EnrolmentConfirmed", "EnrolmentWithdrawn"), ("cohorts",)),
    "EnrolmentTransferred": ("cohorts",),
}


def stale_by(event: StoredEvent, zone: ZoneInfo) -> tuple[Stale, ...]:
    """Return what an event makes stale."""
    return tuple(
        Stale(model, key)
        for model in MODELS_OF.get(event.name, ())
        for key in _keys(model, event, zone)
    )


def _keys(model: Model, event: StoredEvent, zone: ZoneInfo) -> Sequence[str]:
    if model == "responses":
        return (str(day_in(zone, event.occurred_at)),)
    if model == "revenue":
        return (str(day_in(zone, event.occurred_at).replace(day=1)),)
    if model == "cohorts":
        names = ("cohort_id", "from_cohort_id")
        return [str(event.payload[name]) for name in names if event.payload.get(name)]
    return (WHOLE,)
