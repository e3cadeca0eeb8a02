"""How money goes back."""

from crm.actor import SERVICE_ACTOR, Actor
from crm.db import UnitOfWork
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.money import Money
from crm.payments import refund_store
from crm.payments.book import Book, enter, open_book
from crm.payments.gateways.protocol import RefundState
from crm.payments.intents import store as intents
from crm.payments.intents.models import FIRST_POLL
from crm.payments.models import MANUAL, Fact, FactKind, Payment, PaymentId, Refund, RefundId


async def request_refund(
    uow: UnitOfWork,
    *,
    payment_id: PaymentId,
    amount: Money,
    reason: str,
    effect_key: str,
    actor: Actor,
) -> Refund:
    """Ask for money to go back; the gateway is asked after the commit.

    What staff took by hand they give back by hand: that refund is done at once.

    Args:
        reason: no personal data; the gateway reads it.
        effect_key: asking twice with one key asks once.

    Raises:
        NotFound("payment.unknown").
        RuleBroken("refund.amount"): nothing, or less.
        RuleBroken("refund.exceeds"): more than was taken and not given back or disputed yet.
        Conflict("refund.effect"): the key asked for another refund.
    """
    book = await open_book(uow, payment_id)
    if asked := await refund_store.select_refund_by_effect(uow.conn, effect_key):
        if (asked.payment_id, asked.amount) != (payment_id, amount):
            raise Conflict("refund.effect", "This key asked for another refund.")
        return asked
    _check_refund(book.payment, amount)
    refund_id = await _insert(uow, book, amount, reason=reason, effect_key=effect_key)
    fact = _fact(uow, "refund_requested", refund_id, amount=amount)
    after = await enter(uow, book, fact, actor=actor)
    assert after is not None, "the effect key is new"  # noqa: S101
    if book.payment.gateway in MANUAL:
        await enter(uow, after, _fact(uow, "refunded", refund_id, amount=amount), actor=actor)
    else:
        at = uow.clock.now()
        await intents.insert_intent(uow.conn, "refund", payment_id, refund_id=refund_id, at=at)
    return await find_refund(uow, refund_id)


def _check_refund(payment: Payment, amount: Money) -> None:
    if amount.amount_minor <= 0:
        raise RuleBroken("refund.amount", "A refund is of more than nothing.")
    if (payment.refundable - amount).amount_minor < 0:
        raise RuleBroken("refund.exceeds", "No more can be refunded than was paid.")


async def _insert(
    uow: UnitOfWork, book: Book, amount: Money, *, reason: str, effect_key: str
) -> RefundId:
    at = uow.clock.now()
    refund = Refund(
        id=RefundId(new_id()),
        payment_id=book.payment.id,
        amount=amount,
        reason=reason,
        status="pending",
        gateway_ref=None,
        error=None,
        created_at=at,
        updated_at=at,
    )
    await refund_store.insert_refund(uow.conn, refund, effect_key=effect_key)
    return refund.id


async def find_refund(uow: UnitOfWork, refund_id: RefundId) -> Refund:
    """Return a refund.

    Raises: NotFound("refund.unknown").
    """
    refund = await refund_store.select_refund(uow.conn, refund_id)
    if refund is None:
        raise NotFound("refund.unknown", "There is no such refund.")
    return refund


async def note_refund(
    uow: UnitOfWork,
    refund_id: RefundId,
    *,
    gateway_ref: str | None,
    state: RefundState,
    error: str | None = None,
) -> Refund:
    """Note what the gateway answered to a refund; its events may tell the same again.

    Raises: NotFound("refund.unknown").
    """
    return await _note(uow, refund_id, _NOTED[state], gateway_ref=gateway_ref, error=error)


async def give_up_refund(uow: UnitOfWork, refund_id: RefundId, *, error: str) -> Refund:
    """Note that nobody knows whether money went back; an event that it did still counts."""
    return await _note(uow, refund_id, "refund_given_up", gateway_ref=None, error=error)


async def _note(
    uow: UnitOfWork,
    refund_id: RefundId,
    kind: FactKind,
    *,
    gateway_ref: str | None,
    error: str | None,
) -> Refund:
    refund = await find_refund(uow, refund_id)
    book = await open_book(uow, refund.payment_id)
    await refund_store.update_refund_reference(
        uow.conn, refund_id, gateway_ref=gateway_ref, error=error
    )
    amount = refund.amount if kind == "refunded" else None
    await enter(uow, book, _fact(uow, kind, refund_id, amount=amount), actor=SERVICE_ACTOR)
    if kind in ("refund_noted", "refund_given_up"):
        due_at = uow.clock.now() + FIRST_POLL
        await intents.upsert_poll(uow.conn, refund.payment_id, due_at=due_at)
    return await find_refund(uow, refund_id)


_NOTED: dict[RefundState, FactKind] = {
    "pending": "refund_noted",
    "done": "refunded",
    "failed": "refund_failed",
}


def _fact(uow: UnitOfWork, kind: FactKind, refund_id: RefundId, *, amount: Money | None) -> Fact:
    return Fact(
        kind=kind,
        source_key=f"{kind}:{refund_id}",
        occurred_at=uow.clock.now(),
        amount=amount,
        refund_id=refund_id,
    )
