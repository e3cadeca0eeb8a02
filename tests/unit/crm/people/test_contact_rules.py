"""A message leaves only with a basis that holds now, whatever is on file (invariant 12)."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import get_args
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.ids import PersonId, new_id
from crm.people.contact.models import (
    REPLY_LIFE,
    Basis,
    Channel,
    ContactFacts,
    ContactPreferences,
    ContactRefused,
    ContactRequest,
    address_message,
    address_of,
)
from crm.people.contact.quiet import QuietHours
from crm.people.models import Consent, ConsentPurpose, Person

QUIET = QuietHours()
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
CHANNELS: tuple[Channel, ...] = get_args(Channel)
ZONES = ("America/Lima", "Europe/Madrid", "Asia/Kolkata", "Pacific/Apia", "UTC")
MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(lambda n: NOW + timedelta(minutes=n))
HOURS = st.builds(
    QuietHours,
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.frozensets(st.integers(0, 6), max_size=6),
)
PURPOSES = st.sampled_from(get_args(ConsentPurpose))


@st.composite
def _people(draw: st.DrawFn, guardian: Person | None = None) -> Person:
    return Person(
        id=PersonId(uuid4()),
        full_name="Ana",
        email=draw(st.sampled_from([None, "ana@correo.example"])),
        phone=draw(st.sampled_from([None, "+51987654321"])),
        locale=draw(st.sampled_from(("es", "en"))),
        time_zone=draw(st.sampled_from(ZONES)),
        birth_date=draw(st.sampled_from([None, date(1990, 1, 1), date(2015, 1, 1)])),
        guardian_id=guardian.id if guardian else None,
        status=draw(st.sampled_from(("active", "active", "active", "erased"))),
        merged_into=None,
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )


@st.composite
def _facts(draw: st.DrawFn) -> ContactFacts:
    guardian = draw(st.none() | _people())
    person = draw(_people(guardian))
    speakers = [None, PersonId(uuid4()), guardian and guardian.id]
    consents = [
        Consent(
            id=new_id(),
            person_id=person.id,
            channel=channel,
            purpose=purpose,
            granted=draw(st.booleans()),
            source="staff",
            text_version="1",
            guardian_id=draw(st.sampled_from(speakers)),
            recorded_at=NOW,
        )
        for channel in CHANNELS
        for purpose in get_args(ConsentPurpose)
        if draw(st.booleans())
    ]
    preferences = {
        someone.id: ContactPreferences(
            draw(st.none() | st.sampled_from(CHANNELS)),
            draw(st.frozensets(st.sampled_from(CHANNELS))),
        )
        for someone in (person, guardian)
        if someone and draw(st.booleans())
    }
    return ContactFacts(
        person=person,
        guardian=guardian,
        consents=tuple(consents),
        preferences=preferences,
        wrote_at=draw(st.none() | MOMENTS),
    )


REQUESTS = st.builds(
    ContactRequest,
    person_id=st.just(PersonId(uuid4())),
    basis=st.sampled_from(get_args(Basis)),
    channel=st.none() | st.sampled_from(CHANNELS),
    purpose=st.none() | PURPOSES,
)


@given(_facts(), REQUESTS, MOMENTS)
def test_whatever_may_leave_has_a_basis_that_holds(
    facts: ContactFacts, request: ContactRequest, at: datetime
) -> None:
    try:
        to = address_message(facts, request, quiet=QUIET, at=at)
    except ContactRefused:
        return

    minor = facts.person.is_minor(at)
    assert facts.person.status == to.person.status == "active"
    assert to.address == address_of(to.person, to.channel)
    assert to.channel == (request.channel or to.channel)
    if request.basis in ("reply", "consent"):
        for someone in (facts.person, to.person):
            assert to.channel not in facts.preferences_of(someone).opted_out
    if request.basis == "reply":
        assert facts.wrote_at is not None
        assert at < facts.wrote_at + REPLY_LIFE
    if request.basis == "consent":
        (given_,) = [
            c
            for c in facts.consents
            if (c.channel, c.purpose, c.granted) == (to.channel, request.purpose, True)
        ]
        assert given_.guardian_id == (facts.person.guardian_id if minor else None)
        assert to.person == (facts.guardian if minor else facts.person)
        assert not QUIET.includes(at, to.person.time_zone, request.purpose)
    else:
        assert to.person == facts.person or (minor and request.basis == "contract_notice")


@given(_facts(), REQUESTS, MOMENTS)
def test_refusal_that_names_an_hour_is_lifted_then(
    facts: ContactFacts, request: ContactRequest, at: datetime
) -> None:
    retry_at = None
    try:
        address_message(facts, request, quiet=QUIET, at=at)
    except ContactRefused as refused:
        retry_at = refused.retry_at

    if retry_at is not None:
        assert retry_at > at
        address_message(facts, request, quiet=QUIET, at=retry_at)


@given(_facts(), st.sampled_from(CHANNELS), MOMENTS)
def test_code_reaches_every_active_address(
    facts: ContactFacts, channel: Channel, at: datetime
) -> None:
    request = ContactRequest(person_id=facts.person.id, basis="security_code", channel=channel)
    known = facts.person.status == "active" and address_of(facts.person, channel) is not None
    try:
        to = address_message(facts, request, quiet=QUIET, at=at)
    except ContactRefused:
        assert not known
    else:
        assert known
        assert to.person == facts.person


@given(HOURS, MOMENTS, st.sampled_from(ZONES), st.none() | PURPOSES)
def test_quiet_ends_at_the_first_minute_that_is_not_quiet(
    quiet: QuietHours, at: datetime, zone: str, purpose: ConsentPurpose | None
) -> None:
    end = quiet.until(at, zone, purpose)

    assert (end is not None) == quiet.includes(at, zone, purpose)
    if end is None:
        return
    assert at < end <= at + timedelta(days=8)
    assert not quiet.includes(end, zone, purpose)
    steps = int((end - at) / timedelta(minutes=7))
    for step in range(min(steps, 300)):
        assert quiet.includes(at + step * timedelta(minutes=7), zone, purpose)


@pytest.mark.parametrize(
    ("local", "purpose", "quiet"),
    [
        ("2026-11-24T20:59", "marketing", False),
        ("2026-11-24T21:00", "marketing", True),
        ("2026-11-24T07:59", "service", True),
        ("2026-11-24T08:00", "service", False),
        ("2026-11-22T12:00", "marketing", True),
        ("2026-11-22T12:00", "service", False),
    ],
)
def test_usual_hours(local: str, purpose: ConsentPurpose, quiet: bool) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("America/Lima"))

    assert QUIET.includes(at, "America/Lima", purpose) is quiet


def test_saturday_night_before_a_day_of_rest_ends_on_monday() -> None:
    saturday = datetime(2026, 11, 21, 22, 0, tzinfo=ZoneInfo("America/Lima"))

    end = QUIET.until(saturday, "America/Lima", "marketing")

    assert end == datetime(2026, 11, 23, 8, 0, tzinfo=ZoneInfo("America/Lima"))


def test_no_hour_is_quiet_when_start_and_end_are_equal() -> None:
    never = QuietHours(time(0), time(0), frozenset())

    assert never.until(NOW, "America/Lima", "marketing") is None


def test_week_without_a_day_for_marketing_is_refused() -> None:
    with pytest.raises(ValueError, match="one day"):
        replace(QUIET, marketing_rest_days=frozenset(range(7)))
