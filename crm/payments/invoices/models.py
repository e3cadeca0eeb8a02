"""What an invoice owes, when, and how payments cover it: pure rules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Literal
from uuid import UUID

from crm.errors import RuleBroken
from crm.ids import PersonId
from crm.money import Money
from crm.payments.models import InvoiceId

InvoiceStatus = Literal["open", "partly_paid", "paid", "overdue", "cancelled"]
InstalmentStatus = Literal["open", "partly_paid", "paid", "overdue", "cancelled"]

MAX_INSTALMENTS = 60


@dataclass(frozen=True, slots=True)
class Instalment:
    """A part of a fee and the last day to pay it."""

    number: int
    amount: Money
    due_on: date


@dataclass(frozen=True, slots=True)
class CoveredInstalment:
    """An instalment with what is left to pay of it."""

    number: int
    amount: Money
    due_on: date
    outstanding: Money
    status: InstalmentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A fee that somebody owes.

    Args:
        reference: what it is for; unique.
        debtor_id: the person's name in the ledger; stays when people are merged.
        credited: what credit notes took off.
        paid: what payments cover, without what is being refunded.
    """

    id: InvoiceId
    number: int
    reference: str
    person_id: PersonId
    debtor_id: UUID
    net: Money
    credited: Money
    paid: Money
    instalments: tuple[Instalment, ...]
    cancelled_at: datetime | None
    cancel_reason: str | None
    created_at: datetime

    @property
    def outstanding(self) -> Money:
        """Return what is still owed; negative when more was paid than is owed."""
        return self.net - self.credited - self.paid

    @property
    def is_settled(self) -> bool:
        """Return whether nothing is owed."""
        return self.outstanding.amount_minor <= 0

    @property
    def next_due_on(self) -> date | None:
        """Return when the first instalment that is not covered is due."""
        if self.cancelled_at is not None:
            return None
        return next((due.due_on for due, left in self._uncovered() if left > 0), None)

    def status(self, today: date) -> InvoiceStatus:
        """Return where it stands on a day."""
        if self.cancelled_at is not None:
            return "cancelled"
        due_on = self.next_due_on
        if due_on is None:
            return "paid"
        if due_on < today:
            return "overdue"
        return "partly_paid" if self.paid.amount_minor > 0 else "open"

    def covered(self, today: date) -> tuple[CoveredInstalment, ...]:
        """Return its instalments as payments cover them, the earliest first."""
        return tuple(self._cover(part, left, today) for part, left in self._uncovered())

    def _cover(self, part: Instalment, left: int, today: date) -> CoveredInstalment:
        outstanding = Money(left, part.amount.currency)
        status = self._status_of(part, left, today)
        return CoveredInstalment(part.number, part.amount, part.due_on, outstanding, status)

    def _status_of(self, part: Instalment, left: int, today: date) -> InstalmentStatus:
        if left == 0:
            return "paid"
        if self.cancelled_at is not None:
            return "cancelled"
        if part.due_on < today:
            return "overdue"
        return "open" if left == part.amount.amount_minor else "partly_paid"

    def _uncovered(self) -> Iterator[tuple[Instalment, int]]:
        """Yield instalments with what is left of them; credit notes take from the last ones."""
        owed = self.net.amount_minor - self.credited.amount_minor
        paid = max(0, self.paid.amount_minor)
        for part in self.instalments:
            amount = min(part.amount.amount_minor, owed)
            covered = min(paid, amount)
            owed, paid = owed - amount, paid - covered
            yield part, amount - covered


def split_fee(net: Money, due_dates: Sequence[date]) -> tuple[Instalment, ...]:
    """Split a fee into instalments that sum to it exactly.

    Args:
        net: fee after discounts, minor units.
        due_dates: ascending, at least one.

    Returns: one instalment a date; the remainder goes to the first.

    Raises:
        RuleBroken("instalments.dates"): empty, too many or not ascending.
        RuleBroken("instalments.amount"): the fee is negative.

    Source: largest-remainder method, Hamilton 1792.
    """
    if not 1 <= len(due_dates) <= MAX_INSTALMENTS:
        raise RuleBroken("instalments.dates", "Give between 1 and 60 dates.")
    if any(later <= earlier for earlier, later in pairwise(due_dates)):
        raise RuleBroken("instalments.dates", "The dates must be ascending.")
    if net.amount_minor < 0:
        raise RuleBroken("instalments.amount", "A fee cannot be negative.")
    share, remainder = divmod(net.amount_minor, len(due_dates))
    return tuple(
        Instalment(number, Money(share + (remainder if number == 1 else 0), net.currency), due_on)
        for number, due_on in enumerate(due_dates, start=1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """Takes off a part of what an invoice owes."""

    id: UUID
    invoice_id: InvoiceId
    amount: Money
    reason: str
    created_at: datetime
