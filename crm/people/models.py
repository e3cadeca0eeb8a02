"""A person, what may be said about one, and consents: pure rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from crm.clock import day_in
from crm.errors import RuleBroken
from crm.ids import PersonId
from crm.people.addresses import normalise_email, normalise_name, normalise_phone

Locale = Literal["es", "en"]
PersonStatus = Literal["active", "merged", "erased"]
ConsentChannel = Literal["email", "sms", "whatsapp", "push", "call"]
ConsentPurpose = Literal["marketing", "service", "analytics"]

ADULT_AGE = 18
_OLDEST = date(1900, 1, 1)
_OPTIONAL = frozenset({"email", "phone", "birth_date", "guardian_id"})


@dataclass(frozen=True, slots=True)
class Person:
    """A contact of the institution; addresses are normalised."""

    id: PersonId
    full_name: str
    email: str | None
    phone: str | None
    locale: Locale
    time_zone: str
    birth_date: date | None
    guardian_id: PersonId | None
    status: PersonStatus
    merged_into: PersonId | None
    version: int
    created_at: datetime
    updated_at: datetime

    def is_minor(self, at: datetime) -> bool:
        """Return whether the person is under age where they live; unknown dates count as adult."""
        return is_minor(self.birth_date, self.time_zone, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePerson:
    """What is known of somebody new; fields as the caller typed them."""

    full_name: str
    email: str | None = None
    phone: str | None = None
    locale: Locale = "es"
    time_zone: str | None = None
    birth_date: date | None = None
    guardian_id: PersonId | None = None


class PersonChanges(TypedDict, total=False):
    """The fields to change; a key that is absent stays as it is, None empties the field."""

    full_name: str
    email: str | None
    phone: str | None
    locale: Locale
    time_zone: str
    birth_date: date | None
    guardian_id: PersonId | None


#: What students may change about themselves. An address proves who they are: staff change it.
OWN_FIELDS = frozenset({"full_name", "locale", "time_zone"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveConsent:
    """A consent given or withdrawn.

    Args:
        source: where it was said, e.g. `widget`, `staff`, `import`.
        text_version: which wording the person saw.
        guardian_id: who spoke for a minor.
    """

    person_id: PersonId
    channel: ConsentChannel
    purpose: ConsentPurpose
    granted: bool
    source: str
    text_version: str
    guardian_id: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """One line of the append-only record of consents."""

    id: UUID
    person_id: PersonId
    channel: ConsentChannel
    purpose: ConsentPurpose
    granted: bool
    source: str
    text_version: str
    guardian_id: PersonId | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class EnrolmentSummary:
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


@dataclass(frozen=True, slots=True)
class Profile:
    """What the institution holds about one person."""

    person: Person
    consents: tuple[Consent, ...]
    enrolments: tuple[EnrolmentSummary, ...]


def is_minor(birth_date: date | None, time_zone: str, at: datetime) -> bool:
    """Return whether somebody is under age where they live; unknown dates count as adult."""
    return birth_date is not None and age_on(birth_date, day_in(time_zone, at)) < ADULT_AGE


def age_on(birth_date: date, day: date) -> int:
    """Return completed years; who was born on 29 February completes one on 1 March."""
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (not had_birthday)


def normalise_facts(
    facts: Mapping[str, Any], *, region: str, today: date
) -> dict[str, str | date | UUID | None]:
    """Return facts about a person as they are stored.

    Args:
        facts: fields of `CreatePerson` or `PersonChanges`, as the caller typed them.
        region: of phone numbers without a country code.
    Raises: RuleBroken: `person.name`, `.email`, `.phone`, `.time_zone`, `.birth_date`.
    """
    rules: Mapping[str, Callable[[Any], str | date]] = {
        "full_name": normalise_name,
        "email": normalise_email,
        "phone": lambda raw: normalise_phone(raw, region),
        "time_zone": check_time_zone,
        "birth_date": lambda day: check_birth_date(day, today),
    }

    def stored(name: str, value: Any) -> Any:
        if name in _OPTIONAL and not value:
            return None
        return rules[name](value) if name in rules else value

    return {name: stored(name, value) for name, value in facts.items()}


def check_time_zone(name: str) -> str:
    """Return the name of a time zone.

    Raises: RuleBroken("person.time_zone"): not in the IANA database.
    """
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as broken:
        raise RuleBroken("person.time_zone", "This is not a known time zone.") from broken


def check_birth_date(birth_date: date, today: date) -> date:
    """Return the date.

    Raises: RuleBroken("person.birth_date"): in the future, or before 1900.
    """
    if not _OLDEST <= birth_date <= today:
        raise RuleBroken("person.birth_date", "This is not a plausible date of birth.")
    return birth_date


def check_guardian(person_id: PersonId, guardian: Person | None, at: datetime) -> None:
    """Accept somebody as a guardian.

    Raises: RuleBroken("person.guardian"): nobody, the person themself, or a minor.
    """
    fit = guardian and guardian.status == "active" and not guardian.is_minor(at)
    if not guardian or not fit or guardian.id == person_id:
        raise RuleBroken("person.guardian", "A guardian is another person who is of age.")


def check_consent(consent: GiveConsent, person: Person, at: datetime) -> None:
    """Accept a consent; anybody may withdraw, and a minor's grant needs the guardian on file.

    Raises: RuleBroken("consent.guardian"): a minor's grant without their guardian, or a guardian
        who is not this person's.
    """
    if consent.guardian_id is not None and consent.guardian_id != person.guardian_id:
        raise RuleBroken("consent.guardian", "This is not the person's guardian.")
    if consent.granted and person.is_minor(at) and consent.guardian_id is None:
        raise RuleBroken("consent.guardian", "A minor's consent is given by their guardian.")
