"""The tools by which a student leaves a course or changes to another group."""

from typing import Literal

from pydantic import Field

from crm.actor import IdentityLevel, Role
from crm.courses.enrolments.acts import transfer_enrolment
from crm.courses.enrolments.models import Enrolment
from crm.courses.models import Cohort, CourseRef
from crm.errors import NotFound, RuleBroken
from crm.money import Money
from crm.workflows.enrolment.offers import find_seat
from crm.workflows.withdrawal.models import Leaving, StartWithdrawal
from tools.arguments import ToolInput
from tools.catalogue.own import own_person
from tools.catalogue.prices import PriceOut, price_out
from tools.context import Locale
from tools.offer import Offer
from tools.outputs import ToolOutput
from tools.phrases import phrase
from tools.spec import Call, Effect, ToolSpec, description_of
from tools.wording import date_text, money_text, schedule_text


class Withdraw(ToolInput):
    """Which enrolment, and why."""

    cohort_code: str = Field(max_length=40, description="As my_profile returns it.")
    reason: str = Field(min_length=3, max_length=300, description="In the student's words.")


class Withdrawn(ToolOutput):
    """What came of it.

    Args:
        refund: what goes back; it takes the payer's bank some days.
    """

    course_title: str
    cohort_code: str
    status: Literal["withdrawn"] = "withdrawn"
    refund: PriceOut


class Transfer(ToolInput):
    """From which group to which."""

    cohort_code: str = Field(max_length=40, description="The group the student is in.")
    to_cohort_code: str = Field(max_length=40, description="Another group of the same course.")


class Transferred(ToolOutput):
    """The new group."""

    course_title: str
    cohort_code: str
    starts_on_text: str
    schedule: str


async def withdraw(call: Call[Withdraw]) -> Withdrawn:
    """Take the student out of a course they are enrolled in and return what the policy returns.

    Use it when a verified student wants to leave a course or get its money back. Before anything
    happens the student sees how much goes back, by the refund policy, and confirms. It cannot be
    undone.
    """
    leaving, course = await _leaving(call)
    if call.offer is None or call.offer.price != _price(leaving.refund):
        raise RuleBroken("refund.changed", "What would go back has changed since it was shown.")
    await call.services.workflows.withdraw_within(
        call.uow,
        StartWithdrawal(enrolment_id=leaving.enrolment.id, reason=call.args.reason),
        effect_key=call.effect_key,
        actor=call.context.actor,
    )
    locale = call.context.locale
    return Withdrawn(
        course_title=course.title.of(locale),
        cohort_code=leaving.cohort.code,
        refund=price_out(leaving.refund, locale),
    )


async def offer_withdrawal(call: Call[Withdraw]) -> Offer:
    """Say what acceptance will do, and what goes back."""
    locale = call.context.locale
    leaving, course = await _leaving(call)
    summary = phrase(
        locale,
        "withdraw.summary",
        title=course.title.of(locale),
        cohort=leaving.cohort.code,
        refund=_refund(leaving.paid, leaving.refund, locale),
    )
    return Offer(summary=summary, price=_price(leaving.refund))


async def _leaving(call: Call[Withdraw]) -> tuple[Leaving, CourseRef]:
    cohort, course = await find_seat(call.uow, call.args.cohort_code)
    found = await _own_enrolment(call, cohort)
    leaving = await call.services.workflows.preview_withdrawal(
        call.uow, found.id, actor=call.context.actor
    )
    return leaving, course


def _price(refund: Money) -> Money | None:
    """Return what goes back as a price: below zero, or none at all."""
    return Money(-refund.amount_minor, refund.currency) if refund.amount_minor else None


def _refund(paid: Money, refund: Money, locale: Locale) -> str:
    texts = {"paid": money_text(paid, locale), "refund": money_text(refund, locale)}
    if paid.amount_minor == 0:
        return phrase(locale, "withdraw.unpaid")
    if refund.amount_minor == 0:
        return phrase(locale, "withdraw.nothing", **texts)
    return phrase(locale, "withdraw.full" if refund == paid else "withdraw.partial", **texts)


async def transfer(call: Call[Transfer]) -> Transferred:
    """Move the student to another group of the same course.

    Use it when a verified student who is enrolled wants other dates or hours; list_cohorts tells
    the groups. The student confirms first. Refusals say why: full, closed, or another course.
    """
    origin, target, course = await _groups(call)
    await transfer_enrolment(
        call.uow,
        enrolment_id=(await _own_enrolment(call, origin)).id,
        to_cohort_id=target.id,
        actor=call.context.actor,
        policy=call.services.seats.policy,
    )
    locale = call.context.locale
    return Transferred(
        course_title=course.title.of(locale),
        cohort_code=target.code,
        starts_on_text=date_text(target.starts_on, locale),
        schedule=schedule_text(target.schedule, locale),
    )


async def offer_transfer(call: Call[Transfer]) -> Offer:
    """Say what acceptance will do."""
    origin, target, course = await _groups(call)
    await _own_enrolment(call, origin)
    locale = call.context.locale
    summary = phrase(
        locale,
        "transfer.summary",
        title=course.title.of(locale),
        origin=origin.code,
        target=target.code,
        starts_on=date_text(target.starts_on, locale),
        schedule=schedule_text(target.schedule, locale),
    )
    return Offer(summary=summary)


async def _groups(call: Call[Transfer]) -> tuple[Cohort, Cohort, CourseRef]:
    origin, course = await find_seat(call.uow, call.args.cohort_code)
    target, _ = await find_seat(call.uow, call.args.to_cohort_code)
    if origin.course_code != target.course_code or origin.id == target.id:
        raise RuleBroken("transfer.course", "One changes to another cohort of the same course.")
    if target.seats_left == 0:
        raise RuleBroken("cohort.full", "The cohort is full.")
    return origin, target, course


async def _own_enrolment(call: Call[Withdraw] | Call[Transfer], cohort: Cohort) -> Enrolment:
    """Return the student's own enrolment in a group.

    Raises: NotFound("enrolment.unknown").
    """
    found = await call.services.enrolments.find_own(
        call.uow, cohort.id, person_id=own_person(call.context.actor)
    )
    if found is None:
        raise NotFound("enrolment.unknown", "The student is not enrolled in this group.")
    return found


WITHDRAW = ToolSpec(
    name="withdraw",
    version=1,
    description=description_of(withdraw),
    input=Withdraw,
    output=Withdrawn,
    handler=withdraw,
    effect=Effect.MONEY,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    approval="student",
    prepare=offer_withdrawal,
    examples=({"cohort_code": "DAT-101-B", "reason": "Mi horario de trabajo cambió."},),
)
TRANSFER = ToolSpec(
    name="transfer",
    version=1,
    description=description_of(transfer),
    input=Transfer,
    output=Transferred,
    handler=transfer,
    effect=Effect.WRITE,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    approval="student",
    prepare=offer_transfer,
    examples=({"cohort_code": "DAT-101-B", "to_cohort_code": "DAT-101-C"},),
)
