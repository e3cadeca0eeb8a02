"""Payments over HTTP, for staff; and the links that payers follow."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Response, status
from fastapi.responses import RedirectResponse

from api.auth import staff_in
from api.bodies import MoneyOut
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.moments import Moment
from api.routes.payment_bodies import (
    AccountTotal,
    DisputeOut,
    DisputePage,
    ManualPayment,
    NewPayout,
    NewRefund,
    PaymentDetailOut,
    PaymentOut,
    PaymentPage,
    PayoutOut,
    ReconciliationOut,
    RefundOut,
)
from api.routing import Chapter
from crm.actor import Actor
from crm.errors import RuleBroken
from crm.identity.permissions import Area
from crm.payments.models import (
    InvoiceId,
    PaymentId,
    PaymentStatus,
)

router = Chapter(prefix="/v1/payments", tags=["payments"])
links = Chapter(tags=["payments"])

PaymentReader = Annotated[Actor, Depends(staff_in(Area.PAYMENTS))]
PaymentWriter = Annotated[Actor, Depends(staff_in(Area.PAYMENTS, write=True))]


@router.get("", summary="List payments")
async def list_payments(
    staff: PaymentReader,
    services: ServicesDep,
    page: PageDep,
    status: PaymentStatus | None = None,
    person_id: UUID | None = None,
    invoice_id: UUID | None = None,
    gateway: Annotated[str | None, Query(max_length=32)] = None,
) -> PaymentPage:
    """Return payments, the newest first; the reading is audited."""
    filters = {
        "status": status,
        "person_id": person_id,
        "invoice_id": invoice_id,
        "gateway": gateway,
    }
    found = await services.payments.list_payments(
        filters, cursor=page.cursor, limit=page.limit, actor=staff
    )
    items = [PaymentOut.model_validate(payment) for payment in found.items]
    return PaymentPage(items=items, next_cursor=found.next_cursor)


@router.post("/manual", status_code=status.HTTP_201_CREATED, summary="Enter money received")
async def take_by_hand(
    body: ManualPayment,
    staff: PaymentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> PaymentOut:
    """Enter cash or a bank transfer; open checkouts close when nothing is owed any more."""
    payment = await services.payments.take_by_hand(
        invoice_id=InvoiceId(body.invoice_id),
        amount=body.amount.money,
        method=body.method,
        received_at=body.received_at,
        actor=staff,
        idempotency=idempotency,
    )
    response.headers["Location"] = f"/v1/payments/{payment.id}"
    return PaymentOut.model_validate(payment)


@router.post("/payouts", status_code=status.HTTP_201_CREATED, summary="Enter a gateway's payout")
async def record_payout(
    body: NewPayout, staff: PaymentWriter, services: ServicesDep, idempotency: IdempotencyDep
) -> PayoutOut:
    """Move what a gateway held for us to our bank account, and its fee to the bank fees."""
    entered = await services.payments.record_payout(
        gateway=body.gateway,
        paid_out=body.paid_out.money,
        fee=body.fee.money,
        received_at=body.received_at,
        actor=staff,
        idempotency=idempotency,
    )
    return PayoutOut(entered=entered)


@router.get("/disputes", summary="List disputes")
async def list_disputes(staff: PaymentReader, services: ServicesDep, page: PageDep) -> DisputePage:
    """Return what happened in disputes, the newest first; the reading is audited."""
    found = await services.payments.list_disputes(cursor=page.cursor, limit=page.limit, actor=staff)
    items = [DisputeOut.model_validate(dispute) for dispute in found.items]
    return DisputePage(items=items, next_cursor=found.next_cursor)


@router.get("/reconciliation", summary="Compare a gateway's books with ours")
async def reconcile(
    staff: PaymentReader,
    services: ServicesDep,
    gateway: Annotated[str, Query(max_length=32)],
    since: Moment,
    until: Annotated[Moment, Query(description="Not included")],
) -> ReconciliationOut:
    """Return what matches, what is missing here or there, and what differs."""
    if until <= since:
        raise RuleBroken("reconciliation.time", "`until` must be after `since`.")
    report = await services.payments.reconcile(gateway, since=since, until=until, actor=staff)
    return ReconciliationOut.model_validate(report)


@router.get("/ledger", summary="Read the ledger's totals")
async def ledger_totals(staff: PaymentReader, services: ServicesDep) -> list[AccountTotal]:
    """Return what stands on the accounts of each kind, gateway and currency."""
    return [
        AccountTotal(
            kind=kind,
            gateway=gateway,
            balance=MoneyOut(amount_minor=balance, currency=currency),
        )
        for kind, gateway, currency, balance in await services.payments.ledger_totals(actor=staff)
    ]


@router.get("/{payment_id}", summary="Read a payment")
async def get_payment(
    payment_id: UUID, staff: PaymentReader, services: ServicesDep
) -> PaymentDetailOut:
    """Return a payment with its refunds and history; the reading is audited."""
    detail = await services.payments.get_payment(PaymentId(payment_id), actor=staff)
    return PaymentDetailOut.model_validate(detail)


@router.post(
    "/{payment_id}/refunds", status_code=status.HTTP_201_CREATED, summary="Refund a payment"
)
async def request_refund(
    payment_id: UUID,
    body: NewRefund,
    staff: PaymentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> RefundOut:
    """Give money back, all or a part; the gateway is asked right after."""
    refund = await services.payments.request_refund(
        PaymentId(payment_id),
        body.amount.money,
        reason=body.reason,
        actor=staff,
        idempotency=idempotency,
    )
    return RefundOut.model_validate(refund)


@router.post("/{payment_id}/void", summary="Void a payment")
async def void_payment(
    payment_id: UUID, staff: PaymentWriter, services: ServicesDep, idempotency: IdempotencyDep
) -> PaymentOut:
    """Close a payment's checkout; money that was taken can only be refunded."""
    payment = await services.payments.void_payment(
        PaymentId(payment_id), actor=staff, idempotency=idempotency
    )
    return PaymentOut.model_validate(payment)


@links.get(
    "/pay/{token}",
    status_code=status.HTTP_303_SEE_OTHER,
    response_class=RedirectResponse,
    summary="Follow a payment link",
)
async def follow_link(
    token: Annotated[str, Path(min_length=20, max_length=100)], services: ServicesDep
) -> RedirectResponse:
    """Lead whoever has the link to the checkout."""
    url = await services.payments.follow_link(token)
    return RedirectResponse(url, status.HTTP_303_SEE_OTHER, {"Cache-Control": "no-store"})
