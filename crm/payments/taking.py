"""How money is asked for: payments begin, get their checkout, or are taken by hand."""

from collections.abc import Iterable
from datetime import datetime

from crm.actor import SERVICE_ACTOR, Actor
from crm.db import UnitOfWork
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.money import Money
from crm.payments import fact_store, store
from crm.payments.book import Book, enter, open_book, void
from crm.payments.events import PaymentInitiated
from crm.payments.fold import fold
from crm.payments.intents import store as intents
from crm.payments.intents.models import FIRST_POLL
from crm.payments.invoices import store as invoices
from crm.payments.invoices.models import Invoice
from crm.payments.models import (
    MANUAL,
    Fact,
    InvoiceId,
    ManualMethod,
    Payment,
    PaymentId,
    begin_payment,
)
from crm.payments.records import record_money


async def initiate_payment(
    uow: UnitOfWork,
    *,
    invoice_id: InvoiceId,
    amount: Money,
    gateway: str,
    effect_key: str,
    actor: Actor,
    expires_at: datetime | None = None,
) -> Payment:
    """Begin a payment; its checkout is opened after the commit.

    Args:
        effect_key: beginning twice with one key begins once.
        expires_at: nobody can pay after this; None leaves it to the deployment.

    Raises:
        NotFound("invoice.unknown").
        RuleBroken("invoice.cancelled" | "payment.amount"): nothing, or less, is owed.
        RuleBroken("payment.pending"): other payments are under way that would pay it.
        Conflict("payment.effect"): the key began another payment.
    """
    invoice = await locked_invoice(uow, invoice_id)
    if begun := await store.select_payment_by_effect(uow.conn, effect_key):
        return _same(begun, invoice_id, amount, gateway)
    others = await store.select_payments_of(uow.conn, invoice_id)
    check_amount(invoice, amount)
    if gateway not in MANUAL:
        _check_pending(invoice, others, amount, now=uow.clock.now())
    data = {} if expires_at is None else {"expires_at": expires_at.isoformat()}
    book = await _begin(uow, invoice, amount, gateway, effect_key=effect_key, data=data)
    if gateway not in MANUAL:
        await intents.insert_intent(uow.conn, "open", book.payment.id, at=uow.clock.now())
    uow.publish(PaymentInitiated(payment_id=book.payment.id, invoice_id=invoice_id))
    payload = {"payment_id": book.payment.id, "amount_minor": amount.amount_minor}
    record_money(
        uow,
        "payment.initiated",
        about=invoice.person_id,
        actor=actor,
        payload=payload | {"invoice_id": invoice_id, "currency": amount.currency},
        effect_key=f"payment:initiated:{effect_key}",
    )
    return book.payment


async def locked_invoice(uow: UnitOfWork, invoice_id: InvoiceId) -> Invoice:
    """Return an invoice that nobody else can change until this transaction ends.

    Raises: NotFound("invoice.unknown").
    """
    await invoices.lock_invoice(uow.conn, invoice_id)
    invoice = await invoices.select_invoice(uow.conn, invoice_id, owner=None)
    if invoice is None:
        raise NotFound("invoice.unknown", "There is no such invoice.")
    return invoice


def check_amount(invoice: Invoice, amount: Money) -> None:
    """Refuse to take what is not owed.

    Raises: RuleBroken("invoice.cancelled" | "payment.amount" | "money.currency").
    """
    if invoice.cancelled_at is not None:
        raise RuleBroken("invoice.cancelled", "The invoice was cancelled.")
    left = invoice.outstanding - amount
    if amount.amount_minor <= 0 or left.amount_minor < 0:
        raise RuleBroken("payment.amount", "The amount is not what is owed.")


def _check_pending(
    invoice: Invoice, others: Iterable[Payment], amount: Money, *, now: datetime
) -> None:
    under_way = sum(p.amount.amount_minor for p in others if p.is_under_way(now))
    if under_way + amount.amount_minor > invoice.outstanding.amount_minor:
        raise RuleBroken("payment.pending", "Another payment of this invoice is under way.")


def _same(begun: Payment, invoice_id: InvoiceId, amount: Money, gateway: str) -> Payment:
    if (begun.invoice_id, begun.amount, begun.gateway) != (invoice_id, amount, gateway):
        raise Conflict("payment.effect", "This key began another payment.")
    return begun


async def _begin(
    uow: UnitOfWork,
    invoice: Invoice,
    amount: Money,
    gateway: str,
    *,
    effect_key: str,
    data: dict[str, str],
) -> Book:
    at = uow.clock.now()
    payment = begin_payment(
        PaymentId(new_id()),
        invoice_id=invoice.id,
        person_id=invoice.person_id,
        gateway=gateway,
        amount=amount,
        at=at,
    )
    told = {"invoice_id": str(invoice.id), "gateway": gateway, **data}
    key = f"initiated:{effect_key}"
    fact = Fact(kind="initiated", source_key=key, occurred_at=at, amount=amount, data=told)
    await store.insert_payment(uow.conn, payment, effect_key=effect_key)
    await fact_store.insert_fact(uow.conn, payment.id, fact, seq=1, at=at)
    return Book(invoice, payment, (fact,), fold([fact]))


async def note_checkout(
    uow: UnitOfWork, payment_id: PaymentId, *, gateway_ref: str, url: str, expires_at: datetime
) -> Payment:
    """Note where the payer pays; a payment that was voided meanwhile has it closed again."""
    book = await open_book(uow, payment_id)
    at = uow.clock.now()
    fact = Fact(
        kind="checkout_opened",
        source_key=f"checkout:{payment_id}",
        occurred_at=at,
        data={"gateway_ref": gateway_ref, "url": url, "expires_at": expires_at.isoformat()},
    )
    after = await enter(uow, book, fact, actor=SERVICE_ACTOR)
    payment = after.payment if after else book.payment
    if payment.captured.amount_minor == 0:
        await intents.upsert_poll(uow.conn, payment_id, due_at=at + FIRST_POLL)
        if not payment.is_live:
            await intents.insert_intent(uow.conn, "cancel", payment_id, at=at)
    return payment


async def void_payment(uow: UnitOfWork, payment_id: PaymentId, *, actor: Actor) -> Payment:
    """Expect no money any more; idempotent. A capture that comes after all still counts.

    Raises:
        NotFound("payment.unknown").
        RuleBroken("payment.taken"): money was taken; refund it.
    """
    book = await open_book(uow, payment_id)
    if book.state.captured_minor:
        raise RuleBroken("payment.taken", "The money was taken; it can be refunded.")
    return await void(uow, book, actor=actor)


async def take_by_hand(
    uow: UnitOfWork,
    *,
    invoice_id: InvoiceId,
    amount: Money,
    method: ManualMethod,
    received_at: datetime,
    effect_key: str,
    actor: Actor,
) -> Payment:
    """Enter money that staff received in cash or on the bank account.

    Raises: as `initiate_payment`, but for "payment.pending": the money is there.
    """
    payment = await initiate_payment(
        uow,
        invoice_id=invoice_id,
        amount=amount,
        gateway=method,
        effect_key=effect_key,
        actor=actor,
    )
    fact = Fact(
        kind="completed",
        source_key=f"{method}:{effect_key}",
        occurred_at=received_at,
        amount=amount,
    )
    book = await open_book(uow, payment.id)
    after = await enter(uow, book, fact, actor=actor)
    return after.payment if after else book.payment
