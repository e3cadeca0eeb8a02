"""What the rest of the house hears when a payment's state changes: pure."""

from collections.abc import Iterator

from crm.journal.events import DomainEvent
from crm.payments import events
from crm.payments.fold import PaymentState
from crm.payments.models import Fact, InvoiceId, PaymentId


def news_of(
    payment_id: PaymentId,
    invoice_id: InvoiceId,
    *,
    before: PaymentState,
    after: PaymentState,
    fact: Fact,
) -> Iterator[DomainEvent]:
    """Yield what became true with a fact, once however often and in what order it is told."""
    if after.captured_minor > before.captured_minor:
        yield events.PaymentCompleted(payment_id=payment_id, invoice_id=invoice_id)
    yield from _status_news(payment_id, invoice_id, before, after)
    yield from _refund_news(payment_id, invoice_id, before, after)
    if fact.kind == "disputed":
        yield events.PaymentDisputed(payment_id=payment_id, invoice_id=invoice_id)
    if fact.kind in ("dispute_won", "dispute_lost"):
        won = fact.kind == "dispute_won"
        yield events.DisputeClosed(payment_id=payment_id, invoice_id=invoice_id, won=won)


def _status_news(
    payment_id: PaymentId, invoice_id: InvoiceId, before: PaymentState, after: PaymentState
) -> Iterator[DomainEvent]:
    if after.status == before.status:
        return
    if after.status == "pending":
        yield events.CheckoutOpened(payment_id=payment_id, invoice_id=invoice_id)
    elif after.status == "authorized":
        yield events.PaymentAuthorized(payment_id=payment_id, invoice_id=invoice_id)
    elif after.status in ("failed", "expired"):
        yield events.PaymentFailed(
            payment_id=payment_id, invoice_id=invoice_id, status=after.status
        )
    elif after.status == "voided":
        yield events.PaymentVoided(payment_id=payment_id, invoice_id=invoice_id)


def _refund_news(
    payment_id: PaymentId, invoice_id: InvoiceId, before: PaymentState, after: PaymentState
) -> Iterator[DomainEvent]:
    for refund_id, refund in after.refunds.items():
        known = before.refunds.get(refund_id)
        if known is not None and known.status == refund.status:
            continue
        kind = _REFUND_NEWS[refund.status]
        yield kind(payment_id=payment_id, invoice_id=invoice_id, refund_id=refund_id)
    outside = after.refunded_outside_minor - before.refunded_outside_minor
    if outside > 0:
        yield events.PaymentRefunded(payment_id=payment_id, invoice_id=invoice_id, refund_id=None)
    elif outside < 0:
        yield events.RefundFailed(payment_id=payment_id, invoice_id=invoice_id, refund_id=None)


_REFUND_NEWS = {
    "pending": events.RefundRequested,
    "done": events.PaymentRefunded,
    "failed": events.RefundFailed,
}
