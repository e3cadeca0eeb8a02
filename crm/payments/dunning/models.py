"""When whom to remind of what: pure rules.

Every reminder rests on the consent to service messages, never on a contract's notice: so opt-outs,
quiet hours and a minor's guardian hold for all of them, and hold again at the moment of sending.
Who gave no such consent is not reminded by machine; an advisor sees that in the invoice's history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from crm.errors import RuleBroken
from crm.payments.invoices.models import CoveredInstalment, Invoice
from crm.payments.models import InvoiceId, Payment

ReminderStatus = Literal["queued", "postponed", "refused"]
Template = Literal["payment_reminder_before", "payment_reminder_due", "payment_reminder_overdue"]

TEMPLATES: tuple[Template, ...] = (
    "payment_reminder_before",
    "payment_reminder_due",
    "payment_reminder_overdue",
)
#: Money that the payer or their bank is arguing about, or that is on its way already.
_HANDS_OFF = {
    "disputed": "dunning.disputed",
    "charged_back": "dunning.disputed",
    "authorized": "dunning.paying",
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """On which days people are reminded.

    Args:
        steps: days after the due date, ascending; negative is before it.
        grace_days: so long after its day the last step is still taken, if it was missed.
    """

    steps: tuple[int, ...] = (-3, 0, 3, 7, 14)
    grace_days: int = 5

    def __post_init__(self) -> None:
        if not self.steps or list(self.steps) != sorted(set(self.steps)):
            raise ValueError("the steps must be ascending")

    def step_on(self, due_on: date, today: date) -> int | None:
        """Return the step at which an instalment is on a day, or None."""
        return next((w.step for w in self.windows(today) if w.first <= due_on <= w.last), None)

    def windows(self, today: date) -> tuple["Window", ...]:
        """Return for each step which due dates are at it on a day; they do not overlap."""
        ends = [*(later - 1 for later in self.steps[1:]), self.steps[-1] + self.grace_days]
        return tuple(
            Window(step, today - timedelta(days=end), today - timedelta(days=step))
            for step, end in zip(self.steps, ends, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Window:
    """The due dates of instalments that are at one step."""

    step: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Candidate:
    """An instalment that may be due for a reminder."""

    invoice_id: InvoiceId
    number: int
    step: int

    @property
    def effect_key(self) -> str:
        """Return what names the reminder: there is one an instalment and step."""
        return f"dunning:{self.invoice_id}:{self.number}:{self.step}"


@dataclass(frozen=True, slots=True)
class Reminder:
    """What became of a reminder."""

    number: int
    step: int
    status: ReminderStatus
    code: str | None
    retry_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """A promise to pay, until which nobody is reminded.

    Args:
        until: the last day without a reminder.
    """

    id: UUID
    invoice_id: InvoiceId
    until: date
    reason: str
    staff_id: UUID | None
    created_at: datetime


def template_of(step: int) -> Template:
    """Return the words for a step."""
    if step < 0:
        return "payment_reminder_before"
    return "payment_reminder_due" if step == 0 else "payment_reminder_overdue"


def check_remindable(
    invoice: Invoice,
    number: int,
    *,
    payments: Sequence[Payment],
    pause: Pause | None,
    undone: bool,
    today: date,
) -> CoveredInstalment:
    """Return what is left of an instalment, if its payer may be reminded of it.

    Args:
        undone: whether the payer has left what the invoice is for.

    Raises: RuleBroken: `dunning.cancelled`, `dunning.withdrawn`, `dunning.paid`,
        `dunning.disputed`, `dunning.paying`, `dunning.paused`.
    """
    if invoice.cancelled_at is not None:
        raise RuleBroken("dunning.cancelled", "Nothing is owed any more.")
    if undone:
        raise RuleBroken("dunning.withdrawn", "The payer has left what the invoice is for.")
    part = next((p for p in invoice.covered(today) if p.number == number), None)
    if part is None or part.outstanding.amount_minor <= 0:
        raise RuleBroken("dunning.paid", "This instalment is paid.")
    code = next((_HANDS_OFF[p.status] for p in payments if p.status in _HANDS_OFF), None)
    if code is not None:
        raise RuleBroken(code, "A payment of this invoice is disputed or on its way.")
    if pause is not None and today <= pause.until:
        raise RuleBroken("dunning.paused", "The payer has promised to pay.")
    return part
