"""What is offered before somebody agrees to enrol: a price that stands and a seat that waits."""

from dataclasses import dataclass

from crm.actor import Actor
from crm.courses import cohort_store
from crm.courses import store as courses
from crm.courses.fees.acts import cancel_quote, quote_fee
from crm.courses.fees.models import Quote, QuoteId
from crm.courses.models import Cohort, CourseRef
from crm.courses.seats.acts import find_hold, hold_seat, release_hold
from crm.courses.seats.models import HoldId, SeatHold
from crm.db import UnitOfWork
from crm.errors import NotFound
from crm.ids import PersonId
from crm.payments.invoices.models import Instalment, split_fee
from crm.workflows.enrolment.models import plan_dates
from crm.workflows.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSeat:
    """What somebody would like to enrol in, and how they would pay.

    Args:
        cohort: its code.
    """

    cohort: str
    person_id: PersonId
    instalments: int = 1
    discount_code: str | None = None
    scholarship_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatOffer:
    """A seat that is held at a price that stands, and what would be paid when."""

    cohort: Cohort
    course: CourseRef
    quote: Quote
    hold: SeatHold
    instalments: tuple[Instalment, ...]


async def offer_seat(
    uow: UnitOfWork, wanted: WantedSeat, *, effect_key: str, terms: Terms, actor: Actor
) -> SeatOffer:
    """Freeze a price and hold a seat until somebody has made up their mind.

    Raises:
        NotFound("cohort.unknown"); as `quote_fee` and `hold_seat`.
        RuleBroken("instalments.dates").
    """
    cohort, course = await find_seat(uow, wanted.cohort)
    dates = plan_dates(terms.day_of(uow.clock.now()), wanted.instalments)
    quote = await quote_fee(
        uow,
        cohort_id=cohort.id,
        person_id=wanted.person_id,
        discount_code=wanted.discount_code,
        scholarship_code=wanted.scholarship_code,
        effect_key=effect_key,
        policy=terms.fees,
        actor=actor,
    )
    hold = await hold_seat(
        uow,
        cohort_id=cohort.id,
        person_id=wanted.person_id,
        life=terms.seats.hold_life,
        effect_key=None,
        policy=terms.seats,
        actor=actor,
    )
    parts = split_fee(quote.net, dates)
    return SeatOffer(cohort=cohort, course=course, quote=quote, hold=hold, instalments=parts)


async def find_seat(uow: UnitOfWork, cohort_code: str) -> tuple[Cohort, CourseRef]:
    """Return a cohort and its course.

    Raises: NotFound("cohort.unknown").
    """
    cohort = await cohort_store.select_cohort(uow.conn, cohort_code, at=uow.clock.now())
    if cohort is None:
        raise NotFound("cohort.unknown", "There is no such cohort.")
    found = await courses.select_courses(uow.conn, [cohort.course_code])
    return cohort, found[cohort.course_code].ref


async def withdraw_offer(
    uow: UnitOfWork, *, quote_id: QuoteId, hold_id: HoldId, terms: Terms, actor: Actor
) -> None:
    """Give back what was kept for somebody who does not want it. Idempotent.

    A seat that a waitlist offered stays theirs until that offer ends.
    """
    await cancel_quote(uow, quote_id, actor=actor)
    hold = await find_hold(uow, hold_id, actor)
    if hold.kind == "student" and hold.effect_key is None:
        await release_hold(uow, hold_id, reason="declined", policy=terms.seats, actor=actor)
