"""The tool that tells a student what the institution holds about them."""

from datetime import date
from typing import Literal

from pydantic import BaseModel

from crm.actor import IdentityLevel, Role
from crm.errors import Denied
from crm.people.models import (
    Consent,
    ConsentChannel,
    ConsentPurpose,
    EnrolmentSummary,
)
from tools.arguments import ToolInput
from tools.catalogue.tickets import TicketOut, ticket_out
from tools.context import Locale
from tools.outputs import ToolOutput
from tools.spec import Call, ToolSpec, description_of
from tools.wording import date_text

_TICKETS = 5


class EnrolmentOut(BaseModel):
    """A course that the student takes or took."""

    course_code: str
    title: str
    cohort_code: str
    status: Literal["confirmed", "completed", "withdrawn", "transferred"]
    starts_on: date
    starts_on_text: str
    ends_on: date
    ends_on_text: str


class ConsentOut(BaseModel):
    """The last word on one way of being contacted."""

    channel: ConsentChannel
    purpose: ConsentPurpose
    granted: bool


class MyProfile(ToolInput):
    """Nothing to choose: the session says whose."""


class ProfileOut(ToolOutput):
    """What the institution holds about the student."""

    full_name: str
    email: str | None
    phone: str | None
    preferred_language: Locale
    enrolments: list[EnrolmentOut]
    tickets: list[TicketOut]
    consents: list[ConsentOut]


async def my_profile(call: Call[MyProfile]) -> ProfileOut:
    """Return what the institution holds about this student: contact data, enrolments, tickets.

    Use it when a verified student asks about their own data, courses or contact permissions. It
    never shows anybody else.
    """
    context, services, locale = call.context, call.services, call.context.locale
    if context.actor.person_id is None:
        raise Denied("identity.person", "This session belongs to nobody we know.")
    profile = await services.people.profile(context.actor.person_id, actor=context.actor)
    tickets = await services.support.list_tickets(None, None, _TICKETS, actor=context.actor)
    return ProfileOut(
        full_name=profile.person.full_name,
        email=profile.person.email,
        phone=profile.person.phone,
        preferred_language=profile.person.locale,
        enrolments=[_enrolment(e, locale) for e in profile.enrolments],
        tickets=[ticket_out(t, services, locale) for t in tickets.items],
        consents=[_consent(c) for c in profile.consents],
    )


def _enrolment(enrolment: EnrolmentSummary, locale: Locale) -> EnrolmentOut:
    return EnrolmentOut(
        course_code=enrolment.course_code,
        title=enrolment.title_en if locale == "en" else enrolment.title_es,
        cohort_code=enrolment.cohort_code,
        status=enrolment.status,
        starts_on=enrolment.starts_on,
        starts_on_text=date_text(enrolment.starts_on, locale),
        ends_on=enrolment.ends_on,
        ends_on_text=date_text(enrolment.ends_on, locale),
    )


def _consent(consent: Consent) -> ConsentOut:
    return ConsentOut(channel=consent.channel, purpose=consent.purpose, granted=consent.granted)


MY_PROFILE = ToolSpec(
    name="my_profile",
    version=1,
    description=description_of(my_profile),
    input=MyProfile,
    output=ProfileOut,
    handler=my_profile,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    personal=True,
    examples=({},),
)
