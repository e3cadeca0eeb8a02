"""Ages, guardians, consents, and who may see or change whom."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel, Role
from crm.errors import Conflict, Denied, RuleBroken
from crm.ids import PersonId, StaffId, SubjectId
from crm.people import authority
from crm.people.models import (
    OWN_FIELDS,
    GiveConsent,
    Person,
    age_on,
    check_consent,
    check_guardian,
    normalise_facts,
)

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def _person(**facts: object) -> Person:
    person = Person(
        id=PersonId(uuid4()),
        full_name="Ana",
        email=None,
        phone=None,
        locale="es",
        time_zone="America/Lima",
        birth_date=None,
        guardian_id=None,
        status="active",
        merged_into=None,
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(person, **facts)  # type: ignore[arg-type]


def _student(level: IdentityLevel = IdentityLevel.VERIFIED, known: bool = True) -> Actor:
    return Actor(SubjectId(uuid4()), level, person_id=PersonId(uuid4()) if known else None)


def _staff(role: Role = Role.ADVISOR) -> Actor:
    return Actor(SubjectId(uuid4()), IdentityLevel.VERIFIED, staff_id=StaffId(uuid4()), role=role)


@given(st.dates(date(1900, 1, 1), date(2020, 1, 1)), st.integers(0, 100))
def test_age_counts_one_more_on_each_birthday_and_none_before(born: date, years: int) -> None:
    leap_child = (born.month, born.day) == (2, 29)
    try:
        birthday = born.replace(year=born.year + years)
    except ValueError:
        birthday = date(born.year + years, 3, 1)

    assert age_on(born, birthday) == years
    if years and not leap_child:
        assert age_on(born, birthday - timedelta(days=1)) == years - 1


def test_child_of_the_leap_day_comes_of_age_on_the_first_of_march() -> None:
    assert age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert age_on(date(2008, 2, 29), date(2026, 3, 1)) == 18


def test_minor_comes_of_age_at_midnight_where_they_live() -> None:
    lima = _person(birth_date=date(2008, 11, 24))
    midnight_in_lima = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)

    assert lima.is_minor(midnight_in_lima - timedelta(seconds=1))
    assert not lima.is_minor(midnight_in_lima)
    assert not replace(lima, time_zone="Asia/Tokyo").is_minor(midnight_in_lima - timedelta(hours=9))


def test_person_without_a_birth_date_counts_as_adult() -> None:
    assert not _person().is_minor(NOW)


def test_guardian_is_an_active_adult_who_is_somebody_else() -> None:
    adult = _person(birth_date=date(1980, 1, 1))
    check_guardian(PersonId(uuid4()), adult, NOW)

    unfit = [None, _person(birth_date=date(2012, 1, 1)), replace(adult, status="merged")]
    for guardian in unfit:
        with pytest.raises(RuleBroken, match=r"person\.guardian"):
            check_guardian(PersonId(uuid4()), guardian, NOW)
    with pytest.raises(RuleBroken, match=r"person\.guardian"):
        check_guardian(adult.id, adult, NOW)


@pytest.mark.parametrize("minor", [True, False])
@pytest.mark.parametrize("granted", [True, False])
@pytest.mark.parametrize("speaker", ["none", "guardian", "stranger"])
def test_consent_of_a_minor(minor: bool, granted: bool, speaker: str) -> None:
    guardian_id = PersonId(uuid4())
    person = _person(
        birth_date=date(2012, 1, 1) if minor else date(1990, 1, 1), guardian_id=guardian_id
    )
    speakers = {"none": None, "guardian": guardian_id, "stranger": PersonId(uuid4())}
    consent = GiveConsent(
        person_id=person.id,
        channel="email",
        purpose="marketing",
        granted=granted,
        source="staff",
        text_version="1",
        guardian_id=speakers[speaker],
    )

    refused = speaker == "stranger" or (minor and granted and speaker == "none")
    if refused:
        with pytest.raises(RuleBroken, match=r"consent\.guardian"):
            check_consent(consent, person, NOW)
    else:
        check_consent(consent, person, NOW)


def test_facts_are_normalised_and_empty_addresses_are_none() -> None:
    facts = {"full_name": " Ana ", "email": "", "phone": None, "birth_date": None, "locale": "en"}

    assert normalise_facts(facts, region="PE", today=NOW.date()) == {
        "full_name": "Ana",
        "email": None,
        "phone": None,
        "birth_date": None,
        "locale": "en",
    }


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"birth_date": date(1899, 12, 31)}, "person.birth_date"),
        ({"birth_date": NOW.date() + timedelta(days=1)}, "person.birth_date"),
        ({"time_zone": ""}, "person.time_zone"),
        ({"time_zone": "Atlantis/Center"}, "person.time_zone"),
        ({"time_zone": "/etc/localtime"}, "person.time_zone"),
        ({"time_zone": "America"}, "person.time_zone"),
        ({"time_zone": "a\0b"}, "person.time_zone"),
        ({"full_name": ""}, "person.name"),
    ],
)
def test_implausible_facts_are_refused(facts: dict[str, object], code: str) -> None:
    with pytest.raises(RuleBroken) as caught:
        normalise_facts(facts, region="PE", today=NOW.date())
    assert caught.value.code == code


def test_only_a_verified_student_owns_anything() -> None:
    verified = _student()
    assert authority.owner_of(verified) == verified.person_id
    for actor in (
        _student(IdentityLevel.VISITOR),
        _student(IdentityLevel.CHANNEL),
        _student(known=False),
    ):
        with pytest.raises(Denied, match=r"identity\.level"):
            authority.owner_of(actor)


@pytest.mark.parametrize("actor", [_staff(), _staff(Role.ADMIN), SERVICE_ACTOR])
def test_staff_are_bound_to_no_person(actor: Actor) -> None:
    assert authority.owner_of(actor) is None
    authority.require_staff(actor)
    authority.check_fields(["email", "guardian_id"], actor)


def test_student_is_no_staff() -> None:
    with pytest.raises(Denied, match=r"auth\.staff"):
        authority.require_staff(_student())


@given(st.sets(st.sampled_from(sorted(Person.__dataclass_fields__))))
def test_student_changes_own_fields_only(fields: set[str]) -> None:
    if fields <= OWN_FIELDS:
        authority.check_fields(fields, _student())
    else:
        with pytest.raises(Denied, match=r"person\.field"):
            authority.check_fields(fields, _student())


def test_change_needs_the_current_version_of_an_active_person() -> None:
    authority.check_current(_person(version=3), 3)
    with pytest.raises(Conflict, match=r"person\.stale"):
        authority.check_current(_person(version=3), 2)
    with pytest.raises(RuleBroken, match=r"person\.inactive"):
        authority.check_current(_person(version=3, status="erased"), 3)
