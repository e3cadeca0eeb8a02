"""Students prove their addresses by codes, and nobody learns whose addresses are on file."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from crm.clock import FixedClock
from crm.errors import NotFound, RuleBroken, Throttled
from crm.ids import ConversationId, new_id

House = Any
WRONG = "wrong!"


async def _wrong(house: House, conversation_id: ConversationId) -> str:
    with pytest.raises(RuleBroken) as caught:
        await house.identity.confirm_code(conversation_id, WRONG)
    return caught.value.code


async def test_code_from_the_mail_names_the_person(house: House) -> None:
    person, conversation_id = await house.new_person(), await house.new_conversation()

    await house.identity.request_code(conversation_id, email=person.email.upper(), locale="es")
    code = await house.code_sent_to(person.email)

    assert await house.identity.confirm_code(conversation_id, f" {code} ") == person.id
    sql = "SELECT count(*) FROM outbox WHERE name = %s AND payload->>'conversation_id' = %s"
    for name in ("VerificationRequested", "PersonVerified"):
        assert await house.count(sql, name, str(conversation_id)) == 1


async def test_code_by_phone_goes_out_as_sms(house: House) -> None:
    person = await house.new_person(phone="987 654 321")
    conversation_id = await house.new_conversation()

    await house.identity.request_code(conversation_id, phone="+51 987-654-321", locale="en")
    code = await house.code_sent_to("+51987654321")

    assert await house.identity.confirm_code(conversation_id, code) == person.id


async def test_code_works_once(house: House) -> None:
    person, conversation_id = await house.new_person(), await house.new_conversation()
    await house.identity.request_code(conversation_id, email=person.email, locale="es")
    code = await house.code_sent_to(person.email)
    await house.identity.confirm_code(conversation_id, code)

    with pytest.raises(RuleBroken, match=r"verification\.expired"):
        await house.identity.confirm_code(conversation_id, code)


async def test_code_works_in_its_own_conversation_only(house: House) -> None:
    person = await house.new_person()
    mine, other = await house.new_conversation(), await house.new_conversation()
    await house.identity.request_code(mine, email=person.email, locale="es")
    code = await house.code_sent_to(person.email)
    await house.identity.request_code(other, email=person.email, locale="es")

    with pytest.raises(RuleBroken, match=r"verification\.code"):
        await house.identity.confirm_code(other, code)


async def test_code_expires_after_ten_minutes(house: House, clock: FixedClock) -> None:
    person, conversation_id = await house.new_person(), await house.new_conversation()
    await house.identity.request_code(conversation_id, email=person.email, locale="es")
    code = await house.code_sent_to(person.email)

    clock.advance(timedelta(minutes=10))

    with pytest.raises(RuleBroken, match=r"verification\.expired"):
        await house.identity.confirm_code(conversation_id, code)


async def test_fifth_wrong_try_ends_the_code(house: House) -> None:
    person, conversation_id = await house.new_person(), await house.new_conversation()
    await house.identity.request_code(conversation_id, email=person.email, locale="es")
    code = await house.code_sent_to(person.email)

    outcomes = [await _wrong(house, conversation_id) for _ in range(6)]

    assert outcomes == [
        *["verification.code"] * 4,
        "verification.exhausted",
        "verification.expired",
    ]
    with pytest.raises(RuleBroken, match=r"verification\.expired"):
        await house.identity.confirm_code(conversation_id, code)


async def test_parallel_tries_count_one_by_one(house: House) -> None:
    person, conversation_id = await house.new_person(), await house.new_conversation()
    await house.identity.request_code(conversation_id, email=person.email, locale="es")

    outcomes = Counter(await asyncio.gather(*(_wrong(house, conversation_id) for _ in range(12))))

    assert outcomes == {
        "verification.code": 4,
        "verification.exhausted": 1,
        "verification.expired": 7,
    }


async def test_new_code_closes_the_older_one_and_recalls_its_mail(house: House) -> None:
    person, conversation_id = await house.new_person(), await house.new_conversation()
    await house.identity.request_code(conversation_id, email=person.email, locale="es")
    await house.identity.request_code(conversation_id, email=person.email, locale="es")

    assert len(await house.mail_to(person.email)) == 1
    first = await house.code_sent_to(person.email)
    await house.identity.request_code(conversation_id, email=person.email, locale="es")
    second = await house.code_sent_to(person.email)

    if first != second:
        with pytest.raises(RuleBroken, match=r"verification\.code"):
            await house.identity.confirm_code(conversation_id, first)
    assert await house.identity.confirm_code(conversation_id, second) == person.id


async def test_fourth_request_in_a_quarter_of_an_hour_is_throttled(
    house: House, clock: FixedClock
) -> None:
    person, conversation_id = await house.new_person(), await house.new_conversation()
    for _ in range(3):
        await house.identity.request_code(conversation_id, email=person.email, locale="es")
        clock.advance(timedelta(minutes=2))

    with pytest.raises(Throttled, match=r"verification\.requests") as caught:
        await house.identity.request_code(conversation_id, email=person.email, locale="es")

    assert caught.value.retry_after_s == 9 * 60 + 1
    clock.advance(timedelta(minutes=9))
    await house.identity.request_code(conversation_id, email=person.email, locale="es")


async def test_parallel_requests_are_throttled_too(house: House) -> None:
    person, conversation_id = await house.new_person(), await house.new_conversation()

    outcomes = await asyncio.gather(
        *(
            house.identity.request_code(conversation_id, email=person.email, locale="es")
            for _ in range(8)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(o, Throttled) for o in outcomes) == 5


async def test_person_gets_five_codes_an_hour_however_many_conversations_ask(
    house: House, clock: FixedClock
) -> None:
    person = await house.new_person()
    conversations = [await house.new_conversation() for _ in range(8)]

    await asyncio.gather(
        *(house.identity.request_code(c, email=person.email, locale="es") for c in conversations)
    )
    assert len(await house.mail_to(person.email)) == 5

    clock.advance(timedelta(hours=1))
    conversation_id = await house.new_conversation()
    await house.identity.request_code(conversation_id, email=person.email, locale="es")
    code = await house.code_sent_to(person.email)
    assert await house.identity.confirm_code(conversation_id, code) == person.id


async def test_unknown_address_is_answered_and_refused_like_a_known_one(house: House) -> None:
    known, unknown = (await house.new_person()).email, f"{new_id()}@correo.example"
    traces = {}
    for address in (known, unknown):
        conversation_id = await house.new_conversation()
        answers = [
            await house.identity.request_code(conversation_id, email=address, locale="es"),
            *[await _wrong(house, conversation_id) for _ in range(6)],
        ]
        rows = [
            await house.count(f"SELECT count(*) FROM {table}")
            for table in ("verification_codes", "outbound_messages", "outbox", "audit_events")
        ]
        traces[address] = answers, rows
    before, after = traces[known][1], traces[unknown][1]

    assert traces[known][0] == traces[unknown][0]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1, 7]
    assert await house.mail_to(unknown) == []


async def test_code_is_not_stored_in_the_clear(house: House) -> None:
    person, conversation_id = await house.new_person(), await house.new_conversation()
    await house.identity.request_code(conversation_id, email=person.email, locale="es")

    sealed = "SELECT count(*) FROM outbound_messages WHERE person_id = %s AND sealed::text LIKE %s"
    assert await house.count(sealed, person.id, "%box%") == 1
    code = await house.code_sent_to(person.email)
    assert await house.count(sealed, person.id, "%box%") == 0
    plain = "SELECT count(*) FROM verification_codes WHERE code_hash = sha256(%s) OR code_hash = %s"
    assert await house.count(plain, code.encode(), code.encode()) == 0


async def test_requests_and_tries_are_audited_both_ways(house: House) -> None:
    person, conversation_id = await house.new_person(), await house.new_conversation()
    await house.identity.request_code(conversation_id, email=person.email, locale="es")
    await _wrong(house, conversation_id)
    code = await house.code_sent_to(person.email)
    await house.identity.confirm_code(conversation_id, code)

    records = {
        action: [
            (r.header["outcome"], r.header["error_code"])
            for r in await house.audits(action, conversation_id=conversation_id)
        ]
        for action in ("verification.request", "verification.confirm")
    }
    assert records == {
        "verification.request": [("ok", None)],
        "verification.confirm": [("ok", None), ("refused", "verification.wrong")],
    }
    assert (await house.journal.verify_chains()).broken == ()


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ({}, "verification.address"),
        ({"email": "a@b.example", "phone": "+51987654321"}, "verification.address"),
        ({"email": "not an address"}, "person.email"),
        ({"phone": "12"}, "person.phone"),
    ],
)
async def test_what_is_no_address_is_refused(
    house: House, address: dict[str, str], code: str
) -> None:
    conversation_id = await house.new_conversation()

    with pytest.raises(RuleBroken, match=code):
        await house.identity.request_code(conversation_id, locale="es", **address)


async def test_unknown_conversation_is_not_found(house: House) -> None:
    nowhere = ConversationId(new_id())

    with pytest.raises(NotFound, match=r"conversation\.unknown"):
        await house.identity.request_code(nowhere, email="a@correo.example", locale="es")
    with pytest.raises(NotFound, match=r"conversation\.unknown"):
        await house.identity.confirm_code(nowhere, "123456")
