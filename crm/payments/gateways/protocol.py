"""What every gateway can do and say: the one protocol behind which money is taken."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from crm.errors import RuleBroken
from crm.money import Money

Locale = Literal["es", "en"]
EventKind = Literal[
    "authorized",
    "completed",
    "failed",
    "expired",
    "refunded",
    "refund_failed",
    "disputed",
    "dispute_won",
    "dispute_lost",
]
RefundState = Literal["pending", "done", "failed"]
MovementKind = Literal["capture", "refund", "refund_failure", "dispute", "dispute_reversal"]


class GatewayRefused(RuleBroken):
    """The gateway will not do this, however often it is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutOrder:
    """What a payer shall be asked for.

    Args:
        payment_id: names the checkout; a second order with it gets the first one's checkout.
        description: what the payer reads that they pay for; no personal data.
        return_url: where the payer lands afterwards, whatever became of it.
        expires_at: nobody can pay after this; a gateway may round it to what it offers.
    """

    payment_id: UUID
    amount: Money
    description: str
    locale: Locale
    return_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where a payer pays.

    Args:
        gateway_ref: the gateway's name for it, what every later call about the payment gives.
        expires_at: as the gateway rounded it.
    """

    gateway_ref: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """Money to give back.

    Args:
        refund_id: names the refund; a second order with it gives nothing more back.
        gateway_ref: of the checkout that was paid.
        reason: for the books; no personal data.
    """

    refund_id: UUID
    payment_id: UUID
    gateway_ref: str
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True)
class RefundResult:
    """What became of a refund so far; events tell the rest.

    Args:
        gateway_ref: the gateway's name for the refund, not for the payment.
        error: a stable code when it failed.
    """

    gateway_ref: str
    state: RefundState
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayEvent:
    """Something that happened at a gateway, as it reports it: late, twice or out of order.

    Args:
        event_id: names what happened, not the report: a webhook and `fetch` say the same.
        payment_id: as the order gave it; the gateway may speak of one that nobody knows.
        gateway_ref: of the checkout, where the gateway says it, else of the charge.
        amount: captured, refunded by this one refund, or disputed; None for what moves no money.
        refund_id: of an order; None for a refund that was made at the gateway itself.
    """

    gateway: str
    event_id: str
    kind: EventKind
    payment_id: UUID
    gateway_ref: str
    amount: Money | None
    occurred_at: datetime
    refund_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that the gateway booked.

    Args:
        movement_id: the gateway's name for the booking.
        amount: positive; `kind` says which way. Captures, failures of refunds and reversals of
            disputes come to us; refunds and disputes go.
        payment_id: None when the gateway booked something that no order of ours asked for.
        refund_id: of an order, as in `GatewayEvent`.
    """

    gateway: str
    movement_id: str
    kind: MovementKind
    amount: Money
    booked_at: datetime
    payment_id: UUID | None
    refund_id: UUID | None = None


class Gateway(Protocol):
    """Takes money from payers and gives it back.

    Every call is safe to repeat, and none may be made inside a transaction. All raise
    `Unavailable` when trying again may help, and `GatewayRefused` when it will not.
    """

    @property
    def name(self) -> str:
        """Return what events, routes and settings call it."""
        ...

    async def create_checkout(self, order: CheckoutOrder) -> Checkout:
        """Open a checkout, once a payment id."""
        ...

    async def cancel_checkout(
        self, payment_id: UUID, gateway_ref: str
    ) -> Literal["cancelled", "paid"]:
        """Close a checkout so that nobody can pay any more, or say that somebody has."""
        ...

    async def refund(self, order: RefundOrder) -> RefundResult:
        """Give money back, once a refund id."""
        ...

    async def fetch(self, gateway_ref: str) -> tuple[GatewayEvent, ...]:
        """Return everything the gateway knows of a payment, for webhooks that were lost.

        Raises: NotFound("gateway.unknown"): the gateway has no such checkout.
        """
        ...

    async def read_webhook(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> tuple[GatewayEvent, ...]:
        """Return what a webhook reports; nothing for what does not concern the books.

        It may ask the gateway which payment is meant.

        Args:
            headers: lower-case names.

        Raises:
            Unauthenticated("webhook.signature" | "webhook.stale"): not theirs, or a replay.
            RuleBroken("webhook.malformed"): theirs, but unreadable.
            NotFound("payment.unknown"): theirs, about a payment that we never ordered.
        """
        ...

    def list_movements(self, *, since: datetime, until: datetime) -> AsyncIterator[Movement]:
        """Yield what the gateway booked from `since` up to, not including, `until`."""
        ...
