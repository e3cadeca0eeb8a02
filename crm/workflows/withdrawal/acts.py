"""How somebody leaves a course: the seat goes back at once, with what is to be refunded."""

from typing import Literal

from crm.actor import Actor
from crm.courses import cohort_store
from crm.courses.enrolments.acts import find_enrolment, withdraw_enrolment
from crm.courses.enrolments.models import Enrolment, EnrolmentId, check_running
from crm.courses.models import Cohort
from crm.db import UnitOfWork
from crm.errors import Conflict
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
from crm.workflows.withdrawal.models import (
    GivenBack,
    Leaving,
    StartWithdrawal,
    give_back_of,
    share_by_policy,
)


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
    back = await _give_back(uow, command.refund, invoice, cohort, terms)
    saga = _new_saga(uow, left, origin, back, effect_key)
    await store.insert_saga(uow.conn, saga)
    gone = SagaStep(saga.version, saga.step, "done", None, uow.clock.now())
    await store.insert_step(uow.conn, saga.id, gone)
    record_turn(uow, saga, "start", actor=actor)
    return saga


async def preview_withdrawal(
    uow: UnitOfWork, enrolment_id: EnrolmentId, *, terms: Terms, actor: Actor
) -> Leaving:
    """Return what leaving a course would give back today; nothing changes.

    Raises:
        NotFound("enrolment.unknown").
        RuleBroken("enrolment.ended").
        Denied("auth.role" | "identity.level").
    """
    found = await find_enrolment(uow, enrolment_id, actor, write=False)
    check_running(found)
    cohort = await cohort_store.select_cohort(uow.conn, found.cohort_id, at=uow.clock.now())
    assert cohort is not None, "somebody is enrolled in it"  # noqa: S101
    origin = await store.select_enrolment_saga(uow.conn, found.id)
    invoice = await _invoice_of(uow, origin)
    back = await _give_back(uow, "policy", invoice, cohort, terms)
    paid = await _paid(uow, invoice, cohort)
    return Leaving(enrolment=found, cohort=cohort, paid=paid, refund=back.refund)


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


async def _give_back(
    uow: UnitOfWork,
    wanted: Money | Literal["policy"],
    invoice: Invoice | None,
    cohort: Cohort,
    terms: Terms,
) -> GivenBack:
    paid = await _paid(uow, invoice, cohort)
    today = terms.day_of(uow.clock.now())
    share = share_by_policy(starts_on=cohort.starts_on, today=today, policy=terms.refunds)
    return give_back_of(paid, wanted, share)


async def _paid(uow: UnitOfWork, invoice: Invoice | None, cohort: Cohort) -> Money:
    if invoice is None:
        return Money(0, cohort.price.currency)
    money = await look_at_money(uow, invoice.id)
    return Money(money.refundable_minor, invoice.net.currency)


def _new_saga(
    uow: UnitOfWork, left: Enrolment, origin: Saga | None, back: GivenBack, effect_key: str
) -> Saga:
    now = uow.clock.now()
    return Saga(
        id=SagaId(new_id()),
        kind="withdrawal",
        status="running",
        step="withdraw",
        person_id=left.person_id,
        cohort_id=left.cohort_id,
        invoice_id=origin.invoice_id if origin else None,
        enrolment_id=left.id,
        context={
            "course_code": left.course_code,
            "refund_minor": back.refund.amount_minor,
            "currency": back.refund.currency,
            **_price_of(origin, back),
        },
        deadline=now,
        effect_key=effect_key,
        next_run_at=now,
        created_at=now,
        updated_at=now,
    )


def _price_of(origin: Saga | None, back: GivenBack) -> dict[str, str]:
    """Return which price was agreed to, and which share of its grant goes back."""
    if origin is None:
        return {}
    return {"quote_id": str(origin.context["quote_id"]), "share": str(back.share)}
