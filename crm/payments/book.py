"""A payment under lock: how a fact enters its stream, its invoice and the ledger."""

from dataclasses import dataclass, replace

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.errors import NotFound
from crm.money import Money
from crm.payments import fact_store, refund_store, store
from crm.payments.fold import PaymentState, fold
from crm.payments.intents import store as intents
from crm.payments.invoices import store as invoices
from crm.payments.invoices.crediting import follow_payment
from crm.payments.invoices.models import Invoice
from crm.payments.ledger import store as ledger
from crm.payments.ledger.models import LedgerTransaction, Postings, difference, payment_balances
from crm.payments.models import MANUAL, Fact, Payment, PaymentId
from crm.payments.news import news_of
from crm.payments.records import record_money


@dataclass(frozen=True, slots=True)
class Book:
    """A payment with its stream and its invoice, both locked until the transaction ends."""

    invoice: Invoice
    payment: Payment
    facts: tuple[Fact, ...]
    state: PaymentState


async def open_book(uow: UnitOfWork, payment_id: PaymentId) -> Book:
    """Lock a payment's invoice and then the payment.

    Raises: NotFound("payment.unknown").
    """
    found = await store.select_payment(uow.conn, payment_id, owner=None)
    if found is None:
        raise NotFound("payment.unknown", "There is no such payment.")
    await invoices.lock_invoice(uow.conn, found.invoice_id)
    payment = await store.select_payment(uow.conn, payment_id, owner=None, for_update=True)
    invoice = await invoices.select_invoice(uow.conn, found.invoice_id, owner=None)
    assert payment is not None, "payments are never deleted"  # noqa: S101
    assert invoice is not None, "invoices are never deleted"  # noqa: S101
    facts = await fact_store.select_facts(uow.conn, payment_id)
    return Book(invoice, payment, facts, fold(facts))


async def enter(uow: UnitOfWork, book: Book, fact: Fact, *, actor: Actor) -> Book | None:
    """Enter a fact everywhere it counts; None when it was entered before."""
    at = uow.clock.now()
    seq = len(book.facts) + 1
    if not await fact_store.insert_fact(uow.conn, book.payment.id, fact, seq=seq, at=at):
        return None
    facts = (*book.facts, fact)
    state = fold(facts)
    payment = await store.update_payment(uow.conn, book.payment.id, state, version=seq, at=at)
    if state.refunds != book.state.refunds:
        await refund_store.update_refunds(uow.conn, state.refunds, at=at)
    moved = fact_transaction(book.invoice, payment, fact, before=book.state, after=state)
    await ledger.insert_transactions(uow.conn, [moved], at=at)
    for event in news_of(payment.id, payment.invoice_id, before=book.state, after=state, fact=fact):
        uow.publish(event)
    _record(uow, payment, fact, actor)
    invoice = await _follow(uow, book, state, cause=fact.source_key, actor=actor)
    return Book(invoice, payment, facts, state)


async def _follow(
    uow: UnitOfWork, book: Book, state: PaymentState, *, cause: str, actor: Actor
) -> Invoice:
    """Bring the invoice in step; nobody shall pay once more what is paid."""
    gained = state.settled_minor - book.state.settled_minor
    if gained == 0:
        return book.invoice
    paid = book.invoice.paid + Money(gained, book.invoice.paid.currency)
    after = replace(book.invoice, paid=paid)
    invoice = await follow_payment(uow, book.invoice, after, cause=cause, actor=actor)
    if gained > 0 and invoice.is_settled:
        await void_live(uow, invoice, actor=actor)
    return invoice


async def void_live(uow: UnitOfWork, invoice: Invoice, *, actor: Actor) -> None:
    """Void the payments of a locked invoice that nobody shall make any more."""
    for payment in await store.select_payments_of(uow.conn, invoice.id):
        if payment.is_live:
            await void(uow, await open_book(uow, payment.id), actor=actor)


async def void(uow: UnitOfWork, book: Book, *, actor: Actor) -> Payment:
    """Expect no money any more, and close the checkout if there is one."""
    fact = Fact(kind="voided", source_key=f"void:{book.payment.id}", occurred_at=uow.clock.now())
    after = await enter(uow, book, fact, actor=actor)
    if book.payment.gateway_ref is not None and book.payment.gateway not in MANUAL:
        await intents.insert_intent(uow.conn, "cancel", book.payment.id, at=uow.clock.now())
    return after.payment if after else book.payment


def fact_transaction(
    invoice: Invoice, payment: Payment, fact: Fact, *, before: PaymentState, after: PaymentState
) -> LedgerTransaction:
    """Return what a fact moves in the ledger, which may be nothing."""

    def standing(state: PaymentState) -> Postings:
        return payment_balances(
            state,
            debtor_id=invoice.debtor_id,
            gateway=payment.gateway,
            currency=payment.amount.currency,
        )

    return LedgerTransaction(
        source_key=fact.source_key,
        kind=fact.kind,
        occurred_at=fact.occurred_at,
        postings=difference(standing(before), standing(after)),
        invoice_id=invoice.id,
        payment_id=payment.id,
    )


def _record(uow: UnitOfWork, payment: Payment, fact: Fact, actor: Actor) -> None:
    payload = {
        "payment_id": payment.id,
        "invoice_id": payment.invoice_id,
        "amount_minor": fact.amount and fact.amount.amount_minor,
        "currency": payment.amount.currency,
        "refund_id": fact.refund_id,
    }
    record_money(
        uow,
        f"payment.{fact.kind}",
        about=payment.person_id,
        actor=actor,
        payload=payload,
        effect_key=f"payment:{fact.source_key}",
    )
