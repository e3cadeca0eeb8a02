"""What the sandbox keeps: checkouts, refunds, what happened to them and how that is reported."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from crm.money import Money
from crm.payments.gateways.protocol import (
    Checkout,
    EventKind,
    GatewayEvent,
    Locale,
    Movement,
    MovementKind,
    RefundState,
)

NAME = "sandbox"
CheckoutStatus = Literal["open", "paid", "declined", "expired"]
Outcome = Literal["pay", "decline"]
DisputeStatus = Literal["open", "won", "lost"]

MAX_ATTEMPTS = 12
#: A deliverer that has not reported by then has died.
CLAIM = timedelta(seconds=30)
_LONGEST_WAIT_S = 600
MOVEMENT_OF: dict[EventKind, MovementKind] = {
    "completed": "capture",
    "refunded": "refund",
    "disputed": "dispute",
    "dispute_won": "dispute_reversal",
}


@dataclass(frozen=True, slots=True)
class SandboxCheckout:
    """A payer's visit to the till."""

    id: str
    payment_id: UUID
    amount: Money
    description: str
    locale: Locale
    return_url: str
    status: CheckoutStatus
    created_at: datetime
    expires_at: datetime

    def is_open(self, now: datetime) -> bool:
        """Return whether it can still be paid."""
        return self.status == "open" and now < self.expires_at

    def seen_from(self, base_url: str) -> Checkout:
        """Return it as the protocol says it."""
        return Checkout(self.id, f"{base_url}/sandbox/pay/{self.id}", self.expires_at)


@dataclass(frozen=True, slots=True)
class SandboxRefund:
    """Money given back, at once or later."""

    refund_id: UUID
    checkout_id: str
    amount_minor: int
    status: RefundState
    outcome: Literal["done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """Something that just happened to a checkout."""

    checkout: SandboxCheckout
    kind: EventKind
    amount: Money | None = None
    refund_id: UUID | None = None

    @property
    def event_id(self) -> str:
        """Return the name of what happened: a thing happens once."""
        return f"{self.refund_id or self.checkout.id}:{self.kind}"


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """Something that happened, read back with the checkout it happened to."""

    event_id: str
    checkout_id: str
    payment_id: UUID
    kind: EventKind
    amount_minor: int | None
    currency: str
    refund_id: UUID | None
    occurred_at: datetime

    def as_event(self) -> GatewayEvent:
        """Return it as the protocol says it."""
        return GatewayEvent(
            gateway=NAME,
            event_id=self.event_id,
            kind=self.kind,
            payment_id=self.payment_id,
            gateway_ref=self.checkout_id,
            amount=None if self.amount_minor is None else Money(self.amount_minor, self.currency),
            occurred_at=self.occurred_at,
            refund_id=self.refund_id,
        )

    def as_movement(self) -> Movement:
        """Return the booking that it caused; only for kinds in `MOVEMENT_OF`."""
        return Movement(
            gateway=NAME,
            movement_id=self.event_id,
            kind=MOVEMENT_OF[self.kind],
            amount=Money(self.amount_minor or 0, self.currency),
            booked_at=self.occurred_at,
            payment_id=self.payment_id,
            refund_id=self.refund_id,
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook that this process took to send it.

    Args:
        attempts: this one included.
    """

    id: UUID
    event_id: str
    attempts: int


def checkout_id_of(payment_id: UUID, secret: bytes) -> str:
    """Return a payment's checkout: the same each time, and nobody's guess."""
    digest = hmac.new(secret, payment_id.bytes, hashlib.sha256).hexdigest()
    return f"co_{digest[:32]}"


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after a delivery that failed: 1 s, doubled up to 10 minutes."""
    return timedelta(seconds=min(2 ** (attempts - 1), _LONGEST_WAIT_S))
