"""How an enrolment starts: price, seat and saga in one transaction."""

from datetime import date

from crm.actor import Actor
from crm.courses import cohort_store
from crm.courses.fees.acts import accept_quote, accept_shown, quote_fee
from crm.courses.fees.models import Quote
from crm.courses.seats.acts import find_hold, hold_seat
from crm.courses.seats.authority import check_person
from crm.courses.seats.models import HoldId, SeatHold
from crm.db import UnitOfWork
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.payments.invoices.models import split_fee
from crm.workflows import store
from crm.workflows.enrolment.models import GRACE, StartEnrolment, plan_dates
from crm.workflows.models import Saga, SagaId, SagaStep
from crm.workflows.records import record_turn
from crm.workflows.terms import Terms


async def start_enrolment(
    uow: UnitOfWork, command: StartEnrolment, *, effect_key: str, terms: Terms, actor: Actor
) -> Saga:
    """Take a price and a seat for somebody; the rest follows in steps of its own.

    Args:
        effect_key: starting twice with one key starts once.

    Raises:
        as `quote_fee`, `accept_shown` and `hold_seat`.
        RuleBroken("hold.lost"): the seat that was shown is no longer held.
        RuleBroken("instalments.dates").
        Conflict("saga.effect"): the key started something else.
    """
    check_person(actor, command.person_id)
    await store.lock_effect(uow.conn, effect_key)
    if before := await store.select_by_effect(uow.conn, effect_key):
        return _same(before, command)
    saga_id = SagaId(new_id())
    quote = await _quote(uow, command, saga_id, terms, actor)
    dates = command.due_dates or plan_dates(terms.day_of(uow.clock.now()), command.instalments)
    split_fee(quote.net, dates)
    if command.hold_id is not None:
        await _require_held(uow, command.hold_id, actor)
    hold = await hold_seat(
        uow,
        cohort_id=command.cohort_id,
        person_id=command.person_id,
        life=terms.seats.hold_life,
        effect_key=f"saga:{saga_id}",
        waiver=command.waiver,
        policy=terms.seats,
        actor=actor,
    )
    saga = await _new_saga(uow, saga_id, hold, quote, dates, effect_key)
    await store.insert_saga(uow.conn, saga)
    reserved = SagaStep(saga.version, saga.step, "done", None, uow.clock.now())
    await store.insert_step(uow.conn, saga.id, reserved)
    record_turn(uow, saga, "start", actor=actor)
    return saga


def _same(saga: Saga, command: StartEnrolment) -> Saga:
    if (saga.kind, saga.person_id, saga.cohort_id) != (
        "enrolment",
        command.person_id,
        command.cohort_id,
    ):
        raise Conflict("saga.effect", "This key started something else.")
    return saga


async def _require_held(uow: UnitOfWork, hold_id: HoldId, actor: Actor) -> None:
    hold = await find_hold(uow, hold_id, actor)
    if hold.status != "live" or hold.expires_at <= uow.clock.now():
        raise RuleBroken("hold.lost", "The seat is no longer held.")


async def _quote(
    uow: UnitOfWork, command: StartEnrolment, saga_id: SagaId, terms: Terms, actor: Actor
) -> Quote:
    if command.quote_id is not None:
        return await accept_shown(
            uow,
            command.quote_id,
            cohort_id=command.cohort_id,
            person_id=command.person_id,
            actor=actor,
        )
    quote = await quote_fee(
        uow,
        cohort_id=command.cohort_id,
        person_id=command.person_id,
        discount_code=command.discount_code,
        scholarship_code=command.scholarship_code,
        effect_key=f"saga:{saga_id}",
        policy=terms.fees,
        actor=actor,
    )
    return await accept_quote(uow, quote.id, actor=actor)


async def _new_saga(
    uow: UnitOfWork,
    saga_id: SagaId,
    hold: SeatHold,
    quote: Quote,
    dates: tuple[date, ...],
    effect_key: str,
) -> Saga:
    now = uow.clock.now()
    cohort = await cohort_store.select_cohort(uow.conn, hold.cohort_id, at=now)
    assert cohort is not None, "its seat is held"  # noqa: S101
    return Saga(
        id=saga_id,
        kind="enrolment",
        status="running",
        step="reserve",
        person_id=hold.person_id,
        cohort_id=hold.cohort_id,
        hold_id=hold.id,
        context={
            "quote_id": str(quote.id),
            "course_code": cohort.course_code,
            "net_minor": quote.net.amount_minor,
            "currency": quote.net.currency,
            "due_dates": ",".join(day.isoformat() for day in dates),
        },
        deadline=hold.expires_at + GRACE,
        effect_key=effect_key,
        next_run_at=now,
        created_at=now,
        updated_at=now,
    )
