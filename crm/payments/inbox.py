"""What gateways report, entered once however often and in whatever order it comes."""

from collections.abc import Iterable

from crm.actor import SERVICE_ACTOR
from crm.db import UnitOfWork
from crm.errors import NotFound, RuleBroken
from crm.payments.book import enter, open_book
from crm.payments.gateways.protocol import GatewayEvent
from crm.payments.models import Fact, PaymentId, RefundId
from crm.payments.records import record_attempt


async def receive(uow: UnitOfWork, event: GatewayEvent) -> bool:
    """Enter what happened at a gateway.

    Returns: False when it was entered before.

    Raises:
        NotFound("payment.unknown"): not a payment of ours with this gateway.
        RuleBroken("payment.currency"): the amount is of another currency than the payment.
    """
    book = await open_book(uow, PaymentId(event.payment_id))
    if book.payment.gateway != event.gateway:
        raise NotFound("payment.unknown", "There is no such payment.")
    if event.amount is not None and event.amount.currency != book.payment.amount.currency:
        raise RuleBroken("payment.currency", "The payment has another currency.")
    return await enter(uow, book, fact_from(event), actor=SERVICE_ACTOR) is not None


async def receive_known(uow: UnitOfWork, events: Iterable[GatewayEvent]) -> None:
    """Enter what a gateway was asked for; what the books cannot use is recorded and left out."""
    for event in events:
        try:
            await receive(uow, event)
        except (NotFound, RuleBroken) as unusable:
            told = {"gateway": event.gateway, "event_id": event.event_id}
            record_attempt(
                uow, "payment.receive", actor=SERVICE_ACTOR, error=unusable.code, payload=told
            )


def fact_from(event: GatewayEvent) -> Fact:
    """Return what a gateway's event means to the books."""
    return Fact(
        kind=event.kind,
        source_key=f"{event.gateway}:{event.event_id}",
        occurred_at=event.occurred_at,
        amount=event.amount,
        refund_id=RefundId(event.refund_id) if event.refund_id else None,
        data={"gateway_ref": event.gateway_ref},
    )
