"""Leases, bursts, commits and take-over on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from crm.actor import Actor, IdentityLevel, Role
from crm.clock import FixedClock
from crm.db import Database, open_pool
from crm.errors import Conflict, RuleBroken, Unauthenticated
from crm.ids import StaffId, SubjectId
from crm.journal.audit import AuditEntry
from crm.journal.service import JournalService
from crm.journal.vault import Vault
from crm.messaging.conversations.service import ConversationService
from crm.messaging.turns.models import RunStatus, TurnOutcome, Wait, Work
from crm.messaging.turns.service import TurnService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from crm.messaging.conversations.models import ChatSession
    from crm.messaging.turns.models import Lease

NOTHING = timedelta(0)


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    pool = await open_pool(database_url)
    clock = FixedClock(datetime(2027, 1, 4, 15, tzinfo=UTC))
    yield Database(pool, clock, Vault(secrets.token_bytes(32)))
    await pool.close()


@pytest.fixture
def conversations(database: Database) -> ConversationService:
    return ConversationService(database, settle=NOTHING, settle_max=NOTHING)


@pytest.fixture
def turns(database: Database) -> TurnService:
    return TurnService(database, lease_life=timedelta(seconds=30))


async def started(conversations: ConversationService) -> ChatSession:
    return (await conversations.start_session(locale="es")).session


async def held_work(turns: TurnService, session: ChatSession) -> tuple[Lease, Work]:
    lease = await turns.acquire(session.conversation_id)
    assert lease is not None
    work = await turns.next_work(lease)
    assert isinstance(work, Work)
    return lease, work


def outcome(reply: str | None = "Hola") -> TurnOutcome:
    return TurnOutcome(status=RunStatus.COMPLETED, reply=reply, locale="es")


async def test_same_client_id_ten_times_at_once_is_one_message(
    conversations: ConversationService,
) -> None:
    session = await started(conversations)
    accepted = await asyncio.gather(
        *(
            conversations.accept_message(session, client_message_id="c1", text="hola")
            for _ in range(10)
        )
    )
    assert sum(a.created for a in accepted) == 1
    assert len({a.message.id for a in accepted}) == 1
    page = await conversations.list_messages(session.conversation_id, since=None, limit=50)
    assert [m.body for m in page.items] == ["hola"]


async def test_same_client_id_with_another_text_is_a_conflict(
    conversations: ConversationService,
) -> None:
    session = await started(conversations)
    await conversations.accept_message(session, client_message_id="c1", text="hola")
    with pytest.raises(Conflict, match="idempotency.mismatch"):
        await conversations.accept_message(session, client_message_id="c1", text="adiós")


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "message.empty"), (" \n\x00 ", "message.empty"), ("x" * 4_001, "message.too_long")],
)
async def test_unusable_text_is_refused_and_stores_nothing(
    conversations: ConversationService, text: str, code: str
) -> None:
    session = await started(conversations)
    with pytest.raises(RuleBroken, match=code):
        await conversations.accept_message(session, client_message_id="c1", text=text)
    page = await conversations.list_messages(session.conversation_id, since=None, limit=50)
    assert page.items == ()


async def test_one_holder_at_a_time(conversations: ConversationService, turns: TurnService) -> None:
    session = await started(conversations)
    taken = await asyncio.gather(*(turns.acquire(session.conversation_id) for _ in range(8)))
    holders = [lease for lease in taken if lease is not None]
    assert len(holders) == 1
    await turns.release(holders[0])
    assert await turns.acquire(session.conversation_id) is not None


async def test_burst_becomes_one_run(
    conversations: ConversationService, turns: TurnService
) -> None:
    session = await started(conversations)
    for n in range(5):
        await conversations.accept_message(session, client_message_id=f"c{n}", text=f"parte {n}")
    lease, work = await held_work(turns, session)
    assert [m.body for m in work.answering] == [f"parte {n}" for n in range(5)]
    await turns.commit(lease, work, outcome())
    assert await turns.next_work(lease) is None


async def test_settling_burst_asks_to_wait(database: Database, turns: TurnService) -> None:
    patient = ConversationService(
        database, settle=timedelta(hours=1), settle_max=timedelta(hours=2)
    )
    session = await started(patient)
    await patient.accept_message(session, client_message_id="c1", text="hola")
    lease = await turns.acquire(session.conversation_id)
    assert lease is not None
    wait = await turns.next_work(lease)
    assert isinstance(wait, Wait)
    assert 3_500 < wait.seconds <= 3_600


async def test_lost_lease_stores_nothing(
    conversations: ConversationService, database: Database
) -> None:
    session = await started(conversations)
    await conversations.accept_message(session, client_message_id="c1", text="hola")
    brief = TurnService(database, lease_life=timedelta(seconds=-1))
    lost, work = await held_work(brief, session)
    taker = await brief.acquire(session.conversation_id)
    assert taker is not None
    assert taker.epoch == lost.epoch + 1
    with pytest.raises(Conflict, match=r"lease\.lost"):
        await brief.commit(lost, work, outcome("de un titular que ya no lo es"))
    page = await conversations.list_messages(session.conversation_id, since=None, limit=50)
    assert [m.role for m in page.items] == ["student"]


async def test_crashed_run_is_carried_on_under_its_id(
    conversations: ConversationService, database: Database
) -> None:
    session = await started(conversations)
    await conversations.accept_message(session, client_message_id="c1", text="hola")
    brief = TurnService(database, lease_life=timedelta(seconds=-1))
    _, first = await held_work(brief, session)
    async with database.transaction() as uow:
        await brief.record_step(uow, first, 0, {"asks": "open_ticket"})
    await conversations.accept_message(session, client_message_id="c2", text="¿sigues ahí?")
    lease, second = await held_work(brief, session)
    assert second.run_id == first.run_id
    assert second.attempt == 2
    assert second.steps == {0: {"asks": "open_ticket"}}
    assert [m.external_id for m in second.answering] == ["c1"]
    await brief.commit(lease, second, outcome())
    third = await brief.next_work(lease)
    assert isinstance(third, Work)
    assert [m.external_id for m in third.answering] == ["c2"]
    assert third.run_id != first.run_id


async def test_reply_is_in_the_log_once_with_its_audit_and_event(
    conversations: ConversationService, turns: TurnService, database: Database
) -> None:
    session = await started(conversations)
    await conversations.accept_message(session, client_message_id="c1", text="hola")
    lease, work = await held_work(turns, session)
    entry = AuditEntry(
        actor=session.actor,
        action="turn",
        effect="NONE",
        outcome="ok",
        decision="completed",
        payload={"reply": "Buenas"},
        chain_id=session.conversation_id,
        run_id=work.run_id,
    )
    reply = await turns.commit(lease, work, replace(outcome("Buenas"), audits=(entry,)))
    assert reply is not None
    records = await JournalService(database).list_audit_events(
        {"run_id": work.run_id}, cursor=None, limit=10
    )
    assert [r.payload for r in records.items] == [{"reply": "Buenas"}]
    assert await events_named(database, "AgentReplied", work.run_id) == 1
    run = await turns.get_run(work.run_id)
    assert run.status is RunStatus.COMPLETED
    page = await conversations.list_messages(session.conversation_id, since=None, limit=50)
    assert [(m.role, m.body) for m in page.items] == [("student", "hola"), ("agent", "Buenas")]


async def test_commit_after_take_over_says_nothing(
    conversations: ConversationService, turns: TurnService, database: Database
) -> None:
    session = await started(conversations)
    await conversations.accept_message(session, client_message_id="c1", text="hola")
    lease, work = await held_work(turns, session)
    staff_id = await a_colleague(database)
    async with database.transaction() as uow:
        await conversations.take_over(uow, session.conversation_id, actor=staff_actor(staff_id))
    assert await turns.commit(lease, work, outcome("demasiado tarde")) is None
    await conversations.accept_message(session, client_message_id="c2", text="¿hay alguien?")
    assert await turns.next_work(lease) is None


async def test_released_conversation_leaves_the_advisors_messages_answered(
    conversations: ConversationService, turns: TurnService, database: Database
) -> None:
    session = await started(conversations)
    actor = staff_actor(await a_colleague(database))
    async with database.transaction() as uow:
        await conversations.take_over(uow, session.conversation_id, actor=actor)
    await conversations.accept_message(session, client_message_id="c1", text="hola")
    await conversations.reply_as_advisor(
        session.conversation_id, client_message_id="a1", text="Soy Lucía", actor=actor
    )
    async with database.transaction() as uow:
        await conversations.release(uow, session.conversation_id, actor=actor)
    await conversations.accept_message(session, client_message_id="c2", text="gracias")
    _, work = await held_work(turns, session)
    assert [m.external_id for m in work.answering] == ["c2"]


async def test_only_the_advisor_who_took_over_may_reply(
    conversations: ConversationService, database: Database
) -> None:
    session = await started(conversations)
    one, other = staff_actor(await a_colleague(database)), staff_actor(await a_colleague(database))
    async with database.transaction() as uow:
        await conversations.take_over(uow, session.conversation_id, actor=one)
    with pytest.raises(RuleBroken, match="conversation.not_taken"):
        await conversations.reply_as_advisor(
            session.conversation_id, client_message_id="a1", text="Hola", actor=other
        )
    with pytest.raises(Conflict, match="conversation.taken"):
        async with database.transaction() as uow:
            await conversations.take_over(uow, session.conversation_id, actor=other)


async def test_expired_session_is_refused(database: Database) -> None:
    brief = ConversationService(database, session_life=timedelta(seconds=-1))
    opened = await brief.start_session(locale="es")
    with pytest.raises(Unauthenticated, match="session.expired"):
        await brief.session_by_token(opened.token)
    with pytest.raises(Unauthenticated, match="session.unknown"):
        await brief.session_by_token(f"{opened.token}x")


async def events_named(database: Database, name: str, run_id: UUID) -> int:
    async with database.read() as conn:
        rows = await conn.execute(
            "SELECT 1 FROM outbox WHERE name = %s AND payload ->> 'run_id' = %s",
            [name, str(run_id)],
        )
        return len(await rows.fetchall())


async def a_colleague(database: Database) -> StaffId:
    staff_id = StaffId(uuid4())
    async with database.transaction() as uow:
        await uow.conn.execute(
            "INSERT INTO staff (id, email, name, role, password_hash, created_at) "
            "VALUES (%s, %s, 'Lucía Rojas', 'advisor', 'x', now())",
            [staff_id, f"{staff_id}@andino.example"],
        )
    return staff_id


def staff_actor(staff_id):

    return Actor(
        subject_id=SubjectId(staff_id),
        level=IdentityLevel.VERIFIED,
        staff_id=staff_id,
        role=Role.ADVISOR,
    )
