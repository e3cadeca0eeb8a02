"""What payments look like over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from api.bodies import Body, MoneyIn, MoneyOut, Out
from api.moments import Moment
from crm.payments.models import FactKind, ManualMethod, PaymentStatus, RefundStatus
from crm.payments.reconciliation.models import Finding


class PaymentOut(Out):
    """An attempt to take money for an invoice."""

    id: UUID
    invoice_id: UUID
    person_id: UUID
    gateway: str
    amount: MoneyOut
    status: PaymentStatus
    captured: MoneyOut
    refunded: MoneyOut
    refund_pending: MoneyOut
    disputed: MoneyOut
    lost: MoneyOut
    gateway_ref: str | None
    checkout_url: str | None
    checkout_expires_at: datetime | None
    created_at: datetime
    updated_at: datetime


class RefundOut(Out):
    """Money that goes back."""

    id: UUID
    payment_id: UUID
    amount: MoneyOut
    reason: str
    status: RefundStatus
    gateway_ref: str | None
    error: str | None
    created_at: datetime
    updated_at: datetime


class FactOut(Out):
    """Something that happened to a payment."""

    kind: FactKind
    amount: MoneyOut | None
    refund_id: UUID | None
    occurred_at: datetime


class PaymentDetailOut(Out):
    """A payment with its refunds and its history, the oldest first."""

    payment: PaymentOut
    refunds: list[RefundOut]
    facts: list[FactOut]


class PaymentPage(BaseModel):
    """A page of payments."""

    items: list[PaymentOut]
    next_cursor: str | None


class DisputeOut(Out):
    """Something that happened in a dispute."""

    payment: PaymentOut
    fact: FactOut
    recorded_at: datetime


class DisputePage(BaseModel):
    """A page of what happened in disputes."""

    items: list[DisputeOut]
    next_cursor: str | None


class ManualPayment(Body):
    """Money that staff received."""

    invoice_id: UUID
    amount: MoneyIn
    method: ManualMethod
    received_at: Moment | None = None


class NewPayout(Body):
    """What a gateway paid out to our bank account, and the fee that it kept."""

    gateway: Annotated[str, Field(min_length=1, max_length=32)]
    paid_out: MoneyIn
    fee: MoneyIn
    received_at: Moment | None = None


class PayoutOut(BaseModel):
    """Whether the payout was entered now; otherwise it had been before."""

    entered: bool


class NewRefund(Body):
    """What to give back, and why; pending refunds count as given."""

    amount: MoneyIn
    reason: Annotated[
        str, Field(min_length=1, max_length=200, description="For the books; no personal data")
    ]


class MismatchOut(Out):
    """A payment that the two books do not agree on."""

    finding: Finding
    payment_id: UUID | None
    here: MoneyOut
    there: MoneyOut
    movements: list[str]


class TotalOut(Out):
    """What both books say of a currency."""

    here: MoneyOut
    there: MoneyOut


class ReconciliationOut(Out):
    """A gateway's books against our ledger."""

    gateway: str
    since: datetime
    until: datetime
    matched: int
    mismatches: list[MismatchOut]
    totals: list[TotalOut]


class AccountTotal(BaseModel):
    """What stands on the accounts of a kind; debits are positive, debtors are summed up."""

    kind: str
    gateway: str | None
    balance: MoneyOut
