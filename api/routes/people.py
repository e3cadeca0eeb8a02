"""People over HTTP, for staff."""

from datetime import date, datetime
from typing import Annotated, Literal, cast
from uuid import UUID

from fastapi import Query, Response, status
from pydantic import BaseModel, Field

from api.bodies import Body, Out
from api.dependencies import IdempotencyDep, PageDep, PeopleReader, PeopleWriter, ServicesDep
from api.moments import Day
from api.routing import Chapter
from crm.ids import PersonId
from crm.people.models import (
    ConsentChannel,
    ConsentPurpose,
    CreatePerson,
    GiveConsent,
    Locale,
    PersonChanges,
    PersonStatus,
)

router = Chapter(prefix="/v1/people", tags=["people"])

_Name = Annotated[str, Field(max_length=200)]
_Email = Annotated[str, Field(max_length=254)]
_Phone = Annotated[str, Field(max_length=32)]
_Zone = Annotated[str, Field(max_length=64, description="IANA name, e.g. `America/Lima`")]


class PersonOut(Out):
    """A person, with addresses as they are stored."""

    id: UUID
    full_name: str
    email: str | None
    phone: str | None
    locale: Locale
    time_zone: str
    birth_date: date | None
    guardian_id: UUID | None
    status: PersonStatus
    merged_into: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime


class PersonPage(BaseModel):
    """A page of people."""

    items: list[PersonOut]
    next_cursor: str | None


class NewPerson(Body):
    """What is known of somebody new."""

    full_name: _Name
    email: _Email | None = None
    phone: _Phone | None = None
    locale: Locale = "es"
    time_zone: _Zone | None = None
    birth_date: Day | None = None
    guardian_id: UUID | None = None


class PersonPatch(Body):
    """The fields to change; absent ones stay, null empties one."""

    expected_version: int = Field(ge=1, description="`version` of what was read before")
    full_name: _Name = Field(default_factory=str)
    email: _Email | None = None
    phone: _Phone | None = None
    locale: Locale = Field(default_factory=lambda: "es")
    time_zone: _Zone = Field(default_factory=str)
    birth_date: Day | None = None
    guardian_id: UUID | None = None


class NewConsent(Body):
    """A consent given or withdrawn."""

    channel: ConsentChannel
    purpose: ConsentPurpose
    granted: bool
    text_version: Annotated[str, Field(min_length=1, max_length=64)]
    guardian_id: UUID | None = None


class ConsentOut(Out):
    """One line of the record of consents."""

    id: UUID
    channel: ConsentChannel
    purpose: ConsentPurpose
    granted: bool
    source: str
    text_version: str
    guardian_id: UUID | None
    recorded_at: datetime


class EnrolmentOut(Out):
    """An enrolment as a profile shows it."""

    id: UUID
    cohort_id: UUID
    cohort_code: str
    course_code: str
    title_es: str
    title_en: str
    status: Literal["confirmed", "completed", "withdrawn", "transferred"]
    starts_on: date
    ends_on: date
    confirmed_at: datetime


class ProfileOut(Out):
    """What the institution holds about one person."""

    person: PersonOut
    consents: list[ConsentOut]
    enrolments: list[EnrolmentOut]


@router.get("", summary="List or search people")
async def list_people(
    staff: PeopleReader,
    services: ServicesDep,
    page: PageDep,
    query: Annotated[
        str | None,
        Query(max_length=200, description="Words of a name, or a whole e-mail address or phone"),
    ] = None,
) -> PersonPage:
    """Return active people, the newest first, or those who match best; the reading is audited."""
    found = await services.people.list_people(
        query, cursor=page.cursor, limit=page.limit, actor=staff
    )
    items = [PersonOut.model_validate(person) for person in found.items]
    return PersonPage(items=items, next_cursor=found.next_cursor)


@router.post("", status_code=status.HTTP_201_CREATED, summary="Create a person")
async def create_person(
    body: NewPerson,
    staff: PeopleWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> PersonOut:
    """Add somebody new."""
    command = CreatePerson(**body.model_dump())
    person = await services.people.create_person(command, actor=staff, idempotency=idempotency)
    response.headers["Location"] = f"/v1/people/{person.id}"
    return PersonOut.model_validate(person)


@router.get("/{person_id}", summary="Read a person")
async def get_person(person_id: UUID, staff: PeopleReader, services: ServicesDep) -> PersonOut:
    """Return a person; the reading is audited."""
    person = await services.people.get_person(PersonId(person_id), actor=staff)
    return PersonOut.model_validate(person)


@router.patch("/{person_id}", summary="Change a person")
async def update_person(
    person_id: UUID,
    body: PersonPatch,
    staff: PeopleWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> PersonOut:
    """Change some fields, if nobody else has changed the person since."""
    changes = body.model_dump(exclude_unset=True, exclude={"expected_version"})
    person = await services.people.update_person(
        PersonId(person_id),
        cast(PersonChanges, changes),
        actor=staff,
        expected_version=body.expected_version,
        idempotency=idempotency,
    )
    return PersonOut.model_validate(person)


@router.get("/{person_id}/profile", summary="Read a profile")
async def get_profile(person_id: UUID, staff: PeopleReader, services: ServicesDep) -> ProfileOut:
    """Return a person with consents and enrolments; the reading is audited."""
    profile = await services.people.profile(PersonId(person_id), actor=staff)
    return ProfileOut.model_validate(profile)


@router.get("/{person_id}/consents", summary="Read consents")
async def list_consents(
    person_id: UUID, staff: PeopleReader, services: ServicesDep
) -> list[ConsentOut]:
    """Return the last word on every channel and purpose; the reading is audited."""
    consents = await services.people.current_consents(PersonId(person_id), actor=staff)
    return [ConsentOut.model_validate(consent) for consent in consents]


@router.post(
    "/{person_id}/consents", status_code=status.HTTP_201_CREATED, summary="Record a consent"
)
async def record_consent(
    person_id: UUID,
    body: NewConsent,
    staff: PeopleWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> ConsentOut:
    """Append a consent, given or withdrawn, that a person declared to staff."""
    command = GiveConsent(person_id=PersonId(person_id), source="staff", **body.model_dump())
    consent = await services.people.record_consent(command, actor=staff, idempotency=idempotency)
    return ConsentOut.model_validate(consent)
