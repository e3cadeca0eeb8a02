"""What happened to invoices and payments, by ids only."""

from dataclasses import dataclass
from uuid import UUID

from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRaised(DomainEvent):
    """Somebody owes a fee."""

    invoice_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePaid(DomainEvent):
    """Nothing is owed of an invoice any more."""

    invoice_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceCredited(DomainEvent):
    """Less is owed than was invoiced."""

    invoice_id: UUID
    credit_note_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceCancelled(DomainEvent):
    """What was still owed of an invoice no longer is."""

    invoice_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfPayment(DomainEvent):
    payment_id: UUID
    invoice_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInitiated(_OfPayment):
    """Somebody shall pay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutOpened(_OfPayment):
    """There is an address where the payer can pay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAuthorized(_OfPayment):
    """The payer agreed; the money is not taken yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCompleted(_OfPayment):
    """Money was taken, perhaps after the payment had been given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(_OfPayment):
    """No money was taken; `status` is `failed` or `expired`."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoided(_OfPayment):
    """No money was taken and none is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequested(_OfPayment):
    """Money shall go back."""

    refund_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded(_OfPayment):
    """Money went back; `refund_id` is None when that was done at the gateway itself."""

    refund_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFailed(_OfPayment):
    """Money did not go back, or came back to us."""

    refund_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDisputed(_OfPayment):
    """The payer's bank wants the money back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeClosed(_OfPayment):
    """A dispute ended."""

    won: bool
