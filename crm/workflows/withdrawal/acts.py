"""How somebody leaves a course: the seat goes back at once, with what is to be refunded."""

from typing import Literal

from crm.actor import Actor
from crm.courses import cohort_store
from crm.courses.enrolments.acts import find_enrolment, withdraw_enrolment
from crm.courses.enrolments.models import Enrolment, check_running
from crm.courses.models import Cohort
from crm.db import UnitOfWork
from crm.errors import Conflict, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import new_id
from crm.money import Money
from crm.payments.invoices import store as invoices
from crm.payments.invoices.models import Invoice
from crm.workflows import store
from crm.workflows.models import Saga, SagaId, SagaStep
from crm.workflows.money import look_at_money
from crm.workflows.records import record_turn
from crm.workflows.terms import Terms
from crm.workflows.withdrawal.models import StartWithdrawal, refund_by_policy


async def start_withdrawal(
    uow: UnitOfWork, command: StartWithdrawal, *, effect_key: str, terms: Terms, actor: Actor
) -> Saga:
    """Give a seat back and fix what goes back of the fee; the rest follows in steps of its own.

    Args:
        effect_key: starting twice with one key starts once.

    Raises:
        NotFound("enrolment.unknown").
        RuleBroken("enrolment.ended" | "enrolment.reason" | "refund.exceeds" | "money.currency").
        Conflict("saga.effect"): the key started something else.
        Denied("auth.role" | "identity.level"): only staff decide on an amount.
    """
    if command.refund != "policy":
        require(actor, Area.PAYMENTS, write=True)
    await store.lock_effect(uow.conn, effect_key)
    if before := await store.select_by_effect(uow.conn, effect_key):
        return _same(before, command)
    found = await find_enrolment(uow, command.enrolment_id, actor)
    check_running(found)
    left = await withdraw_enrolment(
        uow,
        enrolment_id=found.id,
        reason=command.reason,
        policy=terms.seats,
        actor=actor,
    )
    cohort = await cohort_store.select_cohort(uow.conn, left.cohort_id, at=uow.clock.now())
    assert cohort is not None, "somebody was enrolled in it"  # noqa: S101
    origin = await store.select_enrolment_saga(uow.conn, left.id)
    invoice = await _invoice_of(uow, origin)
    refund = await _refund(uow, command.refund, invoice, cohort, terms)
    saga = _new_saga(uow, left, invoice, refund, effect_key)
    await store.insert_saga(uow.conn, saga)
    gone = SagaStep(saga.version, saga.step, "done", None, uow.clock.now())
    await store.insert_step(uow.conn, saga.id, gone)
    record_turn(uow, saga, "start", actor=actor)
    return saga


def _same(saga: Saga, command: StartWithdrawal) -> Saga:
    if (saga.kind, saga.enrolment_id) != ("withdrawal", command.enrolment_id):
        raise Conflict("saga.effect", "This key started something else.")
    return saga


async def _invoice_of(uow: UnitOfWork, origin: Saga | None) -> Invoice | None:
    if origin is None or origin.invoice_id is None:
        return None
    # What goes back is reckoned from what was paid: nobody may pay meanwhile.
    await invoices.lock_invoice(uow.conn, origin.invoice_id)
    return await invoices.select_invoice(uow.conn, origin.invoice_id, owner=None)


async def _refund(
    uow: UnitOfWork,
    wanted: Money | Literal["policy"],
    invoice: Invoice | None,
    cohort: Cohort,
    terms: Terms,
) -> Money:
    if invoice is None:
        paid = Money(0, cohort.price.currency)
    else:
        money = await look_at_money(uow, invoice.id)
        paid = Money(money.refundable_minor, invoice.net.currency)
    if wanted == "policy":
        today = terms.day_of(uow.clock.now())
        return refund_by_policy(paid, starts_on=cohort.starts_on, today=today, policy=terms.refunds)
    if (paid - wanted).amount_minor < 0 or wanted.amount_minor < 0:
        raise RuleBroken("refund.exceeds", "No more can be refunded than was paid.")
    return wanted


def _new_saga(
    uow: UnitOfWork, left: Enrolment, invoice: Invoice | None, refund: Money, effect_key: str
) -> Saga:
    now = uow.clock.now()
    return Saga(
        id=SagaId(new_id()),
        kind="withdrawal",
        status="running",
        step="withdraw",
        person_id=left.person_id,
        cohort_id=left.cohort_id,
        invoice_id=invoice.id if invoice else None,
        enrolment_id=left.id,
        context={
            "course_code": left.course_code,
            "refund_minor": refund.amount_minor,
            "currency": refund.currency,
        },
        deadline=now,
        effect_key=effect_key,
        next_run_at=now,
        created_at=now,
        updated_at=now,
    )
