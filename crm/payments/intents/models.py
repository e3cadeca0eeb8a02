"""What shall be asked of a gateway, and how patiently."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from crm.money import Money
from crm.payments.gateways.protocol import Locale
from crm.payments.models import PaymentId, PaymentStatus, RefundId

IntentKind = Literal["open", "cancel", "refund"]

#: Tries of one intent before it is given up; the waits double from 10 s to 30 minutes.
MAX_ATTEMPTS = 12
#: A claim that was lost in a crash is taken up again after this.
CLAIM_LIFE = timedelta(minutes=2)
#: A checkout that is pending longer than this is asked about; then ever more seldom.
FIRST_POLL = timedelta(minutes=5)
#: How long after its expiry a checkout is asked about at the most.
LAST_POLL = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Something to ask of a gateway, as it was claimed.

    Args:
        attempts: this one included.
        amount: of the payment, or of the refund.
        invoice_number: what the payer knows the invoice by.
    """

    id: UUID
    kind: IntentKind
    payment_id: PaymentId
    refund_id: RefundId | None
    attempts: int
    gateway: str
    gateway_ref: str | None
    status: PaymentStatus
    amount: Money
    reason: str | None
    expires_at: datetime | None
    invoice_number: int
    locale: Locale
    created_at: datetime

    @property
    def is_moot(self) -> bool:
        """Return whether nothing has to be asked any more and nothing can have been asked."""
        return self.kind == "open" and self.attempts == 1 and self.status != "initiated"


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after so many tries."""
    return min(timedelta(seconds=10) * (1 << (attempts - 1)), timedelta(minutes=30))


def poll_after(polls: int) -> timedelta:
    """Return how long to wait after having asked so many times."""
    return min(FIRST_POLL * (1 << min(polls, 16)), timedelta(hours=6))
