"""A message leaves once, only with a basis, and never from inside a transaction."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from crm.clock import FixedClock
from crm.errors import RuleBroken, Unavailable
from crm.messaging.outbound.models import (
    CLAIM,
    CODE_LIFE,
    MAX_ATTEMPTS,
    RefusedIntent,
    RenderedMessage,
)

PostOffice = Any


async def test_message_is_rendered_sent_recorded_and_its_secrets_destroyed(
    office: PostOffice,
) -> None:
    person = await office.new_person(locale="en")
    intent = await office.intent(person=person)
    await office.queue(intent)
    assert "123456" not in str(await office.state_of(intent))

    assert await office.outbound.deliver_due() == 1

    (mail,) = office.transport.sent
    assert (mail.effect_key, mail.channel) == (intent.effect_key, "email")
    assert mail.recipient == person.email
    assert mail.subject == "Your verification code: 123456"
    assert "Your Instituto Andino code is 123456. It expires in 10 minutes" in mail.body
    assert await office.state_of(intent) == ("sent", None, {})
    assert await office.outcomes_of(intent) == [("ok", None)]
    assert await office.outbound.deliver_due() == 0


async def test_four_senders_at_once_send_each_message_once(office: PostOffice) -> None:
    intents = [await office.intent() for _ in range(40)]
    await office.queue(*intents)
    first_round = asyncio.Barrier(4)
    waited = 0

    async def overlap(mail: RenderedMessage) -> None:
        nonlocal waited
        waited += 1
        if waited <= 4:
            # All four hold a message before any goes on.
            await first_round.wait()

    office.transport.behave = overlap
    await asyncio.gather(*(office.drain() for _ in range(4)))

    counts = Counter(mail.effect_key for mail in office.transport.sent)
    assert counts == {intent.effect_key: 1 for intent in intents}
    for intent in intents:
        assert await office.outcomes_of(intent) == [("ok", None)]


async def test_same_effect_key_is_one_message(office: PostOffice) -> None:
    intent = await office.intent()

    await office.queue(intent, intent)
    await office.queue(intent)
    await office.drain()
    await office.queue(intent)
    await office.drain()

    assert len(office.transport.sent) == 1


async def test_intent_of_a_rolled_back_transaction_is_never_sent(office: PostOffice) -> None:
    from crm.messaging.outbound.service import queue_outbound

    intent = await office.intent()

    async def fails() -> None:
        async with office.database.transaction() as uow:
            await queue_outbound(uow, intent)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()

    assert await office.outbound.deliver_due() == 0


async def test_no_transaction_is_open_while_the_transport_works(office: PostOffice) -> None:
    await office.queue(await office.intent())
    open_transactions: list[int] = []

    async def look(mail: RenderedMessage) -> None:
        sql = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND state LIKE 'idle in transaction%%' AND %s = 1"
        )
        open_transactions.append(await office.count(sql, 1))

    office.transport.behave = look
    await office.drain()

    assert open_transactions == [0]


async def test_sender_that_dies_after_sending_leads_to_no_second_mail(
    office: PostOffice, clock: FixedClock
) -> None:
    intent = await office.intent("contract_notice")
    await office.queue(intent)
    delivered = asyncio.Event()

    async def deliver_and_hang(mail: RenderedMessage) -> None:
        await office.mailbox.send(mail)
        delivered.set()
        await asyncio.Event().wait()

    office.transport.behave = deliver_and_hang
    dying = asyncio.create_task(office.outbound.deliver_due())
    await delivered.wait()
    dying.cancel()
    await asyncio.wait([dying])
    office.transport.behave = office.mailbox.send

    assert await office.outbound.deliver_due() == 0
    clock.advance(CLAIM)
    assert await office.outbound.deliver_due() == 1

    page = await office.mailbox.list_mailbox(cursor=None, limit=10)
    assert len(page.items) == 1
    assert await office.state_of(intent) == ("sent", None, {})
    assert await office.outcomes_of(intent) == [("ok", None)]


async def test_transport_that_is_down_is_tried_again_with_growing_pauses(
    office: PostOffice, clock: FixedClock
) -> None:
    intent = await office.intent("contract_notice")
    await office.queue(intent)
    start, tried_at = clock.now(), []

    async def down(mail: RenderedMessage) -> None:
        tried_at.append((clock.now() - start).total_seconds())
        raise Unavailable("smtp.down", "Down.")

    office.transport.behave = down
    for _ in range(300):
        await office.outbound.deliver_due()
        clock.advance(timedelta(seconds=5))

    assert tried_at == [0, 15, 45, 105, 225, 465]
    assert len(tried_at) == MAX_ATTEMPTS
    assert await office.state_of(intent) == ("failed", "attempts", {})
    outcomes = [("failed", "smtp.down")] * MAX_ATTEMPTS + [("failed", "attempts")]
    assert await office.outcomes_of(intent) == outcomes


async def test_address_that_the_transport_refuses_is_not_tried_again(
    office: PostOffice,
) -> None:
    intent = await office.intent()
    await office.queue(intent)

    async def refuse(mail: RenderedMessage) -> None:
        raise RuleBroken("smtp.recipient", "No such mailbox.")

    office.transport.behave = refuse
    await office.drain()

    assert await office.state_of(intent) == ("failed", "smtp.recipient", {})
    assert await office.outcomes_of(intent) == [("failed", "smtp.recipient")]


async def test_code_is_not_sent_once_it_has_expired(office: PostOffice, clock: FixedClock) -> None:
    code, notice = await office.intent(), await office.intent("contract_notice")
    await office.queue(code, notice)
    clock.advance(CODE_LIFE)

    await office.drain()

    assert [mail.effect_key for mail in office.transport.sent] == [notice.effect_key]
    assert await office.state_of(code) == ("failed", "basis.expired", {})


async def test_refused_intent_is_kept_without_its_contents_and_not_sent(
    office: PostOffice,
) -> None:
    from crm.messaging.outbound.service import refuse_outbound

    refused = RefusedIntent(
        effect_key="verification:nobody",
        channel="email",
        basis="security_code",
        person_id=None,
        template="verification_code",
        locale="es",
        reason="recipient.unknown",
    )
    async with office.database.transaction() as uow:
        await refuse_outbound(uow, refused)

    assert await office.outbound.deliver_due() == 0
    assert await office.state_of(refused) == ("failed", "recipient.unknown", {})


async def test_message_to_somebody_erased_meanwhile_is_not_sent(office: PostOffice) -> None:
    intent = await office.intent()
    await office.queue(intent)
    async with office.database.transaction() as uow:
        await uow.conn.execute(
            "UPDATE subject_keys SET wrapped_key = NULL, destroyed_at = now() "
            "WHERE subject_id = %s",
            [intent.proof.person_id],
        )

    await office.drain()

    assert office.transport.sent == []
    assert await office.state_of(intent) == ("failed", "subject.erased", {})


async def test_one_call_sends_no_more_than_its_limit(office: PostOffice) -> None:
    await office.queue(*[await office.intent() for _ in range(5)])

    assert [await office.outbound.deliver_due(2) for _ in range(4)] == [2, 2, 1, 0]


async def test_mailbox_is_read_in_pages_newest_first(office: PostOffice, clock: FixedClock) -> None:
    for n in range(5):
        mail = RenderedMessage(f"key-{n}", "email", "ana@correo.example", f"Nr. {n}", "Hola")
        await office.mailbox.send(mail)
        await office.mailbox.send(mail)
        clock.advance(timedelta(seconds=n % 2))

    subjects, cursor = [], None
    while True:
        page = await office.mailbox.list_mailbox(cursor=cursor, limit=2)
        subjects += [mail.subject for mail in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert subjects == ["Nr. 4", "Nr. 3", "Nr. 2", "Nr. 1", "Nr. 0"]
    with pytest.raises(RuleBroken, match=r"page\.cursor"):
        await office.mailbox.list_mailbox(cursor="WzEsMl0", limit=2)
