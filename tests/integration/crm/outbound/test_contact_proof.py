"""Nothing leaves without a basis that holds at the moment of sending."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.clock import FixedClock
from crm.people.contact.models import ContactRefused
from crm.people.contact.quiet import QuietHours

PostOffice = Any
CHILD = date(2012, 5, 1)
#: 20:00 and 21:30 of that Tuesday in Lima.
EVENING = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)


async def _refusal(office: PostOffice, *args: object, **facts: object) -> str:
    with pytest.raises(ContactRefused) as caught:
        await office.prove(*args, **facts)
    return caught.value.code


async def test_marketing_needs_the_consent_for_it(office: PostOffice) -> None:
    person = await office.new_person()
    await office.consent(person, purpose="service")

    refused = await _refusal(office, person.id, "consent", purpose="marketing")
    await office.consent(person, purpose="marketing")
    proof = await office.prove(person.id, "consent", purpose="marketing")

    assert refused == "contact.consent"
    assert (proof.recipient, proof.channel) == (person.email, "email")
    assert await _refusal(office, person.id, "consent", channel="sms", purpose="marketing") == (
        "contact.address"
    )


async def test_revocation_beats_a_queued_message(office: PostOffice) -> None:
    person = await office.new_person()
    await office.consent(person)
    intent = await office.intent("consent", person=person, purpose="marketing")
    await office.queue(intent)

    await office.consent(person, granted=False)
    await office.drain()

    assert office.transport.sent == []
    assert await office.state_of(intent) == ("failed", "contact.consent", {})
    assert await office.outcomes_of(intent) == [("failed", "contact.consent")]


async def test_opt_out_beats_all_but_codes_and_contract_notices(office: PostOffice) -> None:
    person = await office.new_person()
    await office.consent(person)
    advertisement = await office.intent("consent", person=person, purpose="marketing")
    notice = await office.intent("contract_notice", person=person)
    code = await office.intent("security_code", person=person)
    await office.queue(advertisement, notice, code)

    await office.opt_out(person, "email")
    await office.drain()

    assert [m.effect_key for m in office.transport.sent] == [notice.effect_key, code.effect_key]
    assert await office.state_of(advertisement) == ("failed", "contact.opted_out", {})


async def test_message_due_in_quiet_hours_leaves_when_they_end(
    office: PostOffice, clock: FixedClock
) -> None:
    person = await office.new_person()
    await office.consent(person)
    clock.advance(EVENING - clock.now())
    intent = await office.intent("consent", person=person, purpose="marketing")
    await office.queue(intent)
    clock.advance(timedelta(minutes=90))

    await office.drain()
    assert office.transport.sent == []
    assert (await office.state_of(intent))[:2] == ("intent", "contact.quiet_hours")
    with pytest.raises(ContactRefused) as caught:
        await office.prove(person.id, "consent", purpose="marketing")
    assert (caught.value.code, caught.value.retry_at) == ("contact.quiet_hours", MORNING)

    clock.advance(MORNING - timedelta(seconds=1) - clock.now())
    await office.drain()
    assert office.transport.sent == []
    clock.advance(timedelta(seconds=1))
    await office.drain()

    assert [m.effect_key for m in office.transport.sent] == [intent.effect_key]
    assert await office.outcomes_of(intent) == [("refused", "contact.quiet_hours"), ("ok", None)]


async def test_configured_quiet_hours_hold_when_queued_and_when_sent(
    office: PostOffice, clock: FixedClock
) -> None:
    """Those of the deployment bind both moments; the usual ones bind neither."""
    clock.advance(EVENING + timedelta(hours=3) - clock.now())  # 23:00 in Lima: usually quiet
    siesta = type(office)(office.database, QuietHours(time(13), time(15), frozenset()))
    person = await siesta.new_person()
    await siesta.consent(person)
    at_night, at_noon = [
        await siesta.intent("consent", person=person, purpose="marketing") for _ in range(2)
    ]
    await siesta.queue(at_night)
    await siesta.drain()
    await siesta.queue(at_noon)
    clock.advance(timedelta(hours=15))  # 14:00

    await siesta.drain()

    assert [m.effect_key for m in siesta.transport.sent] == [at_night.effect_key]
    assert (await siesta.state_of(at_noon))[:2] == ("intent", "contact.quiet_hours")
    assert await _refusal(siesta, person.id, "consent", purpose="marketing") == (
        "contact.quiet_hours"
    )


async def test_quiet_hours_do_not_hold_back_a_contract_notice(
    office: PostOffice, clock: FixedClock
) -> None:
    clock.advance(EVENING + timedelta(hours=3) - clock.now())
    intent = await office.intent("contract_notice")
    await office.queue(intent)

    await office.drain()

    assert len(office.transport.sent) == 1


async def test_minors_message_goes_to_the_guardian_who_consented(office: PostOffice) -> None:
    guardian = await office.new_person(locale="en")
    child = await office.new_person(birth_date=CHILD, guardian_id=guardian.id)
    await office.consent(child, guardian_id=guardian.id)

    intent = await office.intent("consent", person=child, purpose="marketing")
    await office.queue(intent)
    await office.drain()

    (mail,) = office.transport.sent
    assert mail.recipient == guardian.email
    assert mail.subject == "Your verification code: 123456"


async def test_minor_without_guardian_gets_nothing_by_consent(office: PostOffice) -> None:
    child = await office.new_person(birth_date=CHILD)

    assert await _refusal(office, child.id, "consent", purpose="marketing") == "contact.guardian"


async def test_consent_of_a_former_guardian_is_none(office: PostOffice) -> None:
    former, guardian = await office.new_person(), await office.new_person()
    child = await office.new_person(birth_date=CHILD, guardian_id=former.id)
    await office.consent(child, guardian_id=former.id)
    intent = await office.intent("consent", person=child, purpose="marketing")
    await office.queue(intent)

    await office.execute("UPDATE people SET guardian_id = %s WHERE id = %s", guardian.id, child.id)
    await office.drain()

    assert office.transport.sent == []
    assert await office.state_of(intent) == ("failed", "contact.guardian", {})


async def test_reply_needs_something_to_reply_to(office: PostOffice, clock: FixedClock) -> None:
    person = await office.new_person()
    assert await _refusal(office, person.id, "reply") == "contact.no_reply"
    conversation_id = await office.new_conversation(person.id)
    await office.execute(
        "UPDATE conversations SET person_id = %s WHERE id = %s", person.id, conversation_id
    )
    await office.execute(
        "INSERT INTO messages (id, conversation_id, role, source, external_id, body, created_at) "
        "VALUES (gen_random_uuid(), %s, 'student', 'widget', gen_random_uuid(), 'Hola', %s)",
        *(conversation_id, clock.now()),
    )

    assert (await office.prove(person.id, "reply")).recipient == person.email
    clock.advance(timedelta(days=30))
    assert await _refusal(office, person.id, "reply") == "contact.no_reply"


async def test_code_goes_only_to_the_address_that_it_was_made_for(office: PostOffice) -> None:
    person = await office.new_person()
    code = await office.intent("security_code", person=person)
    notice = await office.intent("contract_notice", person=person)
    await office.queue(code, notice)

    await office.execute("UPDATE people SET email = %s WHERE id = %s", "new@x.example", person.id)
    await office.drain()

    assert [m.recipient for m in office.transport.sent] == ["new@x.example"]
    assert await office.state_of(code) == ("failed", "contact.address", {})


async def test_preferred_channel_is_taken_where_it_is_permitted(office: PostOffice) -> None:
    person = await office.new_person(phone="987654111")
    await office.consent(person)
    await office.execute(
        "INSERT INTO contact_preferences VALUES (%s, 'sms', '{}', now())", person.id
    )

    notice = await office.prove(person.id, "contract_notice", channel=None)
    advertisement = await office.prove(person.id, "consent", channel=None, purpose="marketing")

    assert (notice.channel, notice.recipient) == ("sms", "+51987654111")
    assert advertisement.channel == "email"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("consent"), st.booleans()),
        st.tuples(st.just("opt_out"), st.booleans()),
        st.tuples(st.just("queue"), st.sampled_from(["consent", "contract_notice"])),
        st.tuples(st.just("queue"), st.just("consent")),
        st.tuples(st.just("wait"), st.integers(1, 20)),
        st.tuples(st.just("deliver"), st.none()),
    ),
    max_size=12,
)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
async def test_whatever_happens_meanwhile_what_leaves_has_its_basis_at_that_moment(
    office: PostOffice, clock: FixedClock, steps: list[tuple[str, Any]]
) -> None:
    """Invariant 12: what leaves is what may leave then; what may not is put off or given up."""
    person = await office.new_person()
    granted = opted_out = False
    waiting: dict[str, str] = {}
    for name, value in [*steps, ("consent", True), ("deliver", None)]:
        if name == "consent":
            await office.consent(person, granted=value)
            granted = value
        elif name == "opt_out":
            await office.opt_out(person, *(["email"] if value else []))
            opted_out = value
        elif name == "wait":
            clock.advance(timedelta(hours=value))
        elif name == "queue":
            waiting |= await _try_queue(office, person, value)
        else:
            office.transport.sent.clear()
            await office.drain()
            hour, weekday = _lima(clock)
            quiet = not 8 <= hour < 21 or weekday == 6
            allowed = granted and not opted_out
            expected = {
                key
                for key, basis in waiting.items()
                if basis == "contract_notice" or (allowed and not quiet)
            }
            assert {m.effect_key for m in office.transport.sent} <= expected
            # What was put off may wait for the very end of the quiet hours, no longer.
            assert {k for k, b in waiting.items() if b == "contract_notice"} <= {
                m.effect_key for m in office.transport.sent
            }
            kept = {k: b for k, b in waiting.items() if b == "consent"}
            waiting = {k: b for k, b in kept.items() if await _is_waiting(office, k)}
            assert not waiting or quiet


def _lima(clock: FixedClock) -> tuple[int, int]:
    local = clock.now() - timedelta(hours=5)
    return local.hour, local.weekday()


async def _is_waiting(office: PostOffice, key: str) -> bool:
    sql = "SELECT count(*) FROM outbound_messages WHERE effect_key = %s AND status = 'intent'"
    return bool(await office.count(sql, key))


async def _try_queue(office: PostOffice, person: Any, basis: Any) -> dict[str, str]:
    try:
        intent = await office.intent(basis, person=person, purpose="marketing")
    except ContactRefused:
        return {}
    await office.queue(intent)
    return {intent.effect_key: basis}
