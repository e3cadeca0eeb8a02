"""What a payment is: its stream of events, and what lists show of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NewType, get_args
from uuid import UUID

from crm.ids import PersonId
from crm.money import Money

PaymentId = NewType("PaymentId", UUID)
InvoiceId = NewType("InvoiceId", UUID)
RefundId = NewType("RefundId", UUID)

PaymentStatus = Literal[
    "initiated",
    "pending",
    "authorized",
    "completed",
    "failed",
    "expired",
    "voided",
    "disputed",
    "partly_refunded",
    "refunded",
    "charged_back",
]
RefundStatus = Literal["pending", "done", "failed"]
FactKind = Literal[
    "initiated",
    "checkout_opened",
    "authorized",
    "completed",
    "failed",
    "expired",
    "voided",
    "refund_requested",
    "refund_noted",
    "refunded",
    "refund_failed",
    "refund_given_up",
    "disputed",
    "dispute_won",
    "dispute_lost",
]
ManualMethod = Literal["cash", "transfer"]

MANUAL: tuple[ManualMethod, ...] = get_args(ManualMethod)
#: Money may still come without anybody asking for it again.
LIVE: frozenset[PaymentStatus] = frozenset({"initiated", "pending", "authorized"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened to a payment.

    Args:
        source_key: names what happened; a fact is entered once a key.
        data: what the books do not count: references, addresses, reasons. No personal data.
    """

    kind: FactKind
    source_key: str
    occurred_at: datetime
    amount: Money | None = None
    refund_id: RefundId | None = None
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """An attempt to take money for an invoice.

    Args:
        gateway: who takes it; `cash` and `transfer` were taken by staff.
        refund_pending: asked for and not yet given back; it no longer pays the invoice.
        disputed: what the gateway holds back until a dispute ends.
        lost: what disputes took for good.
        version: how many events its stream has.
    """

    id: PaymentId
    invoice_id: InvoiceId
    person_id: PersonId
    gateway: str
    amount: Money
    status: PaymentStatus
    captured: Money
    refunded: Money
    refund_pending: Money
    disputed: Money
    lost: Money
    gateway_ref: str | None
    checkout_url: str | None
    checkout_expires_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def settled(self) -> Money:
        """Return what it pays of its invoice."""
        return self.captured - self.refunded - self.refund_pending - self.lost

    @property
    def refundable(self) -> Money:
        """Return what may still be given back."""
        return self.settled - self.disputed

    @property
    def is_live(self) -> bool:
        """Return whether money may still come."""
        return self.status in LIVE

    def is_under_way(self, now: datetime) -> bool:
        """Return whether somebody can pay it, or has agreed to: an expired checkout is over."""
        ends = self.checkout_expires_at
        return self.is_live and (self.status == "authorized" or ends is None or ends > now)


def begin_payment(
    payment_id: PaymentId,
    *,
    invoice_id: InvoiceId,
    person_id: PersonId,
    gateway: str,
    amount: Money,
    at: datetime,
) -> Payment:
    """Return a payment of which nothing but its beginning has happened."""
    nothing = Money(0, amount.currency)
    return Payment(
        id=payment_id,
        invoice_id=invoice_id,
        person_id=person_id,
        gateway=gateway,
        amount=amount,
        status="initiated",
        captured=nothing,
        refunded=nothing,
        refund_pending=nothing,
        disputed=nothing,
        lost=nothing,
        gateway_ref=None,
        checkout_url=None,
        checkout_expires_at=None,
        version=1,
        created_at=at,
        updated_at=at,
    )


@dataclass(frozen=True, slots=True)
class Dispute:
    """Something that happened in a dispute about a payment."""

    payment: Payment
    fact: Fact
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money to give back.

    Args:
        gateway_ref: the gateway's name for it, once it has one.
        error: a stable code when it failed.
    """

    id: RefundId
    payment_id: PaymentId
    amount: Money
    reason: str
    status: RefundStatus
    gateway_ref: str | None
    error: str | None
    created_at: datetime
    updated_at: datetime
