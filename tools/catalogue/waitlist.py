"""The tools by which a student waits for a seat of a full group."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from crm.actor import IdentityLevel, Role
from crm.courses.seats.models import WaitlistEntry
from crm.courses.seats.waitlist import acts
from crm.errors import NotFound, RuleBroken
from crm.workflows.enrolment.offers import find_seat
from tools.arguments import ToolInput
from tools.catalogue.own import own_person
from tools.offer import Offer
from tools.outputs import ToolOutput
from tools.phrases import phrase
from tools.spec import Call, Effect, ToolSpec, description_of
from tools.wording import moment_text


class JoinWaitlist(ToolInput):
    """Which group."""

    cohort_code: str = Field(max_length=40, description="A full group, as get_course returns it.")


class LeaveWaitlist(ToolInput):
    """Which group."""

    cohort_code: str = Field(max_length=40, description="As my_waitlist returns it.")


class WaitlistJoined(ToolOutput):
    """Where the student stands.

    Args:
        status: `offered` when a seat was free after all; enrol takes it.
    """

    course_title: str
    cohort_code: str
    status: Literal["waiting", "offered"]


class WaitlistLeft(ToolOutput):
    """The student no longer waits."""

    course_title: str
    cohort_code: str
    status: Literal["left"] = "left"


class MyWaitlist(ToolInput):
    """Nothing to choose: the session says whose."""


class WaitingOut(BaseModel):
    """One group that the student waits for.

    Args:
        ahead: how many wait in front; 0 with an offer.
        offer_until_text: until when the offered seat is theirs.
    """

    cohort_code: str
    course_title: str
    status: Literal["waiting", "offered"]
    ahead: int
    offer_until: datetime | None
    offer_until_text: str | None


class WaitlistFound(ToolOutput):
    """What the student waits for, the latest first."""

    entries: list[WaitingOut]


async def join_waitlist(call: Call[JoinWaitlist]) -> WaitlistJoined:
    """Put the student on the waitlist of a group that is full.

    Use it when enrol was refused because the group is full and the student wants to wait. They
    confirm first. When a seat becomes free they are told and it is kept for them for a while; then
    enrol takes it.
    """
    cohort, course = await find_seat(call.uow, call.args.cohort_code)
    entry = await acts.join_waitlist(
        call.uow,
        cohort_id=cohort.id,
        person_id=own_person(call.context.actor),
        actor=call.context.actor,
        policy=call.services.seats.policy,
    )
    return WaitlistJoined(
        course_title=course.title.of(call.context.locale),
        cohort_code=cohort.code,
        status="offered" if entry.status == "offered" else "waiting",
    )


async def offer_waiting(call: Call[JoinWaitlist]) -> Offer:
    """Say what acceptance will do, if the group is full indeed."""
    cohort, course = await find_seat(call.uow, call.args.cohort_code)
    if cohort.status != "open":
        raise RuleBroken("cohort.closed", "Enrolment in this cohort is closed.")
    if cohort.seats_left > 0:
        raise RuleBroken("waitlist.needless", "There are seats left: enrol takes one.")
    title = course.title.of(call.context.locale)
    return Offer(
        summary=phrase(call.context.locale, "waitlist.join", title=title, cohort=cohort.code)
    )


async def leave_waitlist(call: Call[LeaveWaitlist]) -> WaitlistLeft:
    """Take the student off a waitlist, declining the seat if one is offered.

    Use it when a verified student no longer wants to wait. They confirm first.
    """
    entry, title = await _own_entry(call)
    await acts.leave_waitlist(
        call.uow,
        entry_id=entry.id,
        actor=call.context.actor,
        policy=call.services.seats.policy,
    )
    return WaitlistLeft(course_title=title, cohort_code=call.args.cohort_code)


async def offer_leaving(call: Call[LeaveWaitlist]) -> Offer:
    """Say what acceptance will do."""
    _, title = await _own_entry(call)
    return Offer(
        summary=phrase(
            call.context.locale, "waitlist.leave", title=title, cohort=call.args.cohort_code
        )
    )


async def _own_entry(call: Call[LeaveWaitlist]) -> tuple[WaitlistEntry, str]:
    cohort, course = await find_seat(call.uow, call.args.cohort_code)
    entry = await call.services.seats.find_own_entry(
        call.uow, cohort.id, person_id=own_person(call.context.actor)
    )
    if entry is None:
        raise NotFound("waitlist.unknown", "The student does not wait for this group.")
    return entry, course.title.of(call.context.locale)


async def my_waitlist(call: Call[MyWaitlist]) -> WaitlistFound:
    """List the groups the student waits for, with their place and any seat that is offered.

    Use it when a verified student asks about a waitlist or accepts an offered seat: enrol with that
    group's code takes the seat.
    """
    locale, services = call.context.locale, call.services
    own = await services.seats.list_own_waiting(actor=call.context.actor)
    return WaitlistFound(
        entries=[
            WaitingOut(
                cohort_code=waiting.cohort_code,
                course_title=waiting.course_title.of(locale),
                status="offered" if waiting.offer_until else "waiting",
                ahead=waiting.ahead,
                offer_until=waiting.offer_until,
                offer_until_text=(
                    moment_text(waiting.offer_until, locale, time_zone=services.time_zone)
                    if waiting.offer_until
                    else None
                ),
            )
            for waiting in own
        ]
    )


JOIN_WAITLIST = ToolSpec(
    name="join_waitlist",
    version=1,
    description=description_of(join_waitlist),
    input=JoinWaitlist,
    output=WaitlistJoined,
    handler=join_waitlist,
    effect=Effect.WRITE,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    approval="student",
    prepare=offer_waiting,
    examples=({"cohort_code": "DAT-101-B"},),
)
LEAVE_WAITLIST = ToolSpec(
    name="leave_waitlist",
    version=1,
    description=description_of(leave_waitlist),
    input=LeaveWaitlist,
    output=WaitlistLeft,
    handler=leave_waitlist,
    effect=Effect.WRITE,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    approval="student",
    prepare=offer_leaving,
    examples=({"cohort_code": "DAT-101-B"},),
)
MY_WAITLIST = ToolSpec(
    name="my_waitlist",
    version=1,
    description=description_of(my_waitlist),
    input=MyWaitlist,
    output=WaitlistFound,
    handler=my_waitlist,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    personal=True,
    examples=({},),
)
