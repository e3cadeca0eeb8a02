"""Attacks on turns: floods, races, crashes at every step, questions for consent out of order."""

from __future__ import annotations

import asyncio
import base64
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from api.bootstrap import Services, open_services
from api.settings import Settings
from crm.actor import Actor, IdentityLevel, Role
from crm.ids import StaffId, SubjectId, new_id
from crm.messaging.confirmations import store as confirmation_store
from crm.messaging.confirmations.models import ConfirmationStatus
from crm.messaging.turns import store as turn_store
from crm.messaging.turns.models import RunStatus
from tests.integration.agents.test_engine import (
    TICKET,
    asked,
    checkpoints_of,
    engine_of,
    pending_of,
    tickets_of,
    transcript,
)
from tests.scripted import RecordedEvents, ScriptedProvider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from crm.messaging.conversations.models import ChatSession

OTHER = TICKET | {"title": "Tampoco puedo descargar mi certificado"}


@pytest.fixture(scope="module")
async def services(database_url: str, redis_url: str) -> AsyncIterator[Services]:
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        master_key=SecretStr(base64.b64encode(secrets.token_bytes(32)).decode()),
        embedder="none",
        turn_settle_ms=0,
        turn_settle_max_ms=0,
        _env_file=None,
    )
    async with open_services(settings) as opened:
        yield opened


@pytest.fixture
def events() -> RecordedEvents:
    return RecordedEvents()


async def unanswered(services: Services, session: ChatSession) -> int:
    return await count(
        services,
        "messages WHERE conversation_id = %s AND role = 'student' AND answered_by IS NULL",
        session,
    )


async def running(services: Services, session: ChatSession) -> int:
    return await count(services, "runs WHERE conversation_id = %s AND status = 'running'", session)


async def requests(services: Services, session: ChatSession) -> int:
    return await count(services, "turn_requests WHERE conversation_id = %s", session)


async def count(services: Services, what: str, session: ChatSession) -> int:
    async with services.database.read() as conn:
        rows = await conn.execute(f"SELECT 1 FROM {what}", [session.conversation_id])
        return len(await rows.fetchall())


async def decide(services: Services, session: ChatSession, decision: str = "accept") -> None:
    pending = [
        c for c in await pending_of(services, session) if c.status is ConfirmationStatus.PENDING
    ]
    await services.confirmations.decide(
        pending[0].id,
        conversation_id=session.conversation_id,
        decision=decision,
        actor=session.actor,
    )


async def say(services: Services, session: ChatSession, client_id: str, text: str) -> None:
    await services.conversations.accept_message(session, client_message_id=client_id, text=text)


@pytest.fixture
async def advisor(services: Services) -> Actor:
    async with services.database.transaction() as uow:
        staff_id = StaffId(new_id())
        await uow.conn.execute(
            "INSERT INTO staff (id, email, name, role, password_hash, created_at) "
            "VALUES (%s, %s, 'Lucía', 'advisor', 'x', now())",
            [staff_id, f"{staff_id}@andino.example"],
        )
    return Actor(
        subject_id=SubjectId(staff_id),
        level=IdentityLevel.VERIFIED,
        staff_id=staff_id,
        role=Role.ADVISOR,
    )


async def take_over(services: Services, session: ChatSession, advisor: Actor) -> None:
    async with services.database.transaction() as uow:
        await services.conversations.take_over(uow, session.conversation_id, actor=advisor)


async def release(services: Services, session: ChatSession, advisor: Actor) -> None:
    async with services.database.transaction() as uow:
        await services.conversations.release(uow, session.conversation_id, actor=advisor)


# --- floods -------------------------------------------------------------------------------------


@pytest.mark.parametrize("flood", [25, 60])
async def test_flood_is_answered_in_full_and_comes_to_an_end(
    services: Services, events: RecordedEvents, flood: int
) -> None:
    session = await asked(services, *(f"pregunta {n}" for n in range(flood)))
    provider = ScriptedProvider("Te respondo a todo.")
    async with asyncio.timeout(60):
        runs = await engine_of(services, events, provider).serve(session.conversation_id)
    assert await unanswered(services, session) == 0
    assert runs == -(-flood // 50)
    seen = {str(m.content) for call in provider.calls for m in call}
    assert {f"pregunta {n}" for n in range(flood)} <= seen


async def test_message_written_while_an_answer_was_on_its_way_is_what_the_model_sees_last(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "quiero hablar con una persona")

    async def interrupting(call: int) -> None:
        if call == 1:
            await say(services, session, "late", "¿y cuánto tardan?")

    provider = ScriptedProvider(
        [("hand_off", {"reason": "Pide una persona."})],
        "Una persona te escribirá aquí.",
        "Suele ser el mismo día.",
        before=interrupting,
    )
    assert await engine_of(services, events, provider).serve(session.conversation_id) == 2
    assert provider.calls[-1][-1].content == "¿y cuánto tardan?"
    assert await unanswered(services, session) == 0


async def test_crashed_run_with_an_effect_does_not_see_what_the_next_turn_answers(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "quiero hablar con una persona")
    reached = asyncio.Event()

    async def stuck(call: int) -> None:
        if call == 1:
            reached.set()
            await asyncio.Event().wait()

    hand_off = [("hand_off", {"reason": "Pide una persona."})]
    dead = engine_of(services, events, ScriptedProvider(hand_off, "…", before=stuck))
    dying = asyncio.create_task(dead.serve(session.conversation_id))
    await reached.wait()
    dying.cancel()
    await asyncio.wait({dying})
    await say(services, session, "next", "¿abren los sábados?")
    survivor = ScriptedProvider("Una persona te escribirá aquí.", "Sí, por la mañana.")
    assert await engine_of(services, events, survivor).serve(session.conversation_id) == 2
    first, second = ([str(m.content) for m in call] for call in survivor.calls)
    assert "¿abren los sábados?" not in first
    assert second[-1] == "¿abren los sábados?"


# --- races --------------------------------------------------------------------------------------


async def test_message_that_comes_as_the_request_is_withdrawn_is_answered(
    services: Services, events: RecordedEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await asked(services, "hola")
    engine = engine_of(services, events, ScriptedProvider("Hola."))
    await engine.serve(session.conversation_id)
    async with services.database.transaction() as uow:
        await turn_store.request_turn(
            uow.conn, session.conversation_id, settle=timedelta(0), settle_max=timedelta(0)
        )
    looked = turn_store.select_unanswered
    late = iter(["¿sigues ahí?"])

    async def look_then_receive(*args: object) -> object:
        found = await looked(*args)
        for text in late:
            await say(services, session, "late", text)
        return found

    monkeypatch.setattr(turn_store, "select_unanswered", look_then_receive)
    await engine.serve(session.conversation_id)
    await engine.sweep()
    assert await unanswered(services, session) == 0


async def test_decision_taken_as_the_turn_that_asked_ends_is_carried_out(
    services: Services, events: RecordedEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await asked(services, "no puedo entrar")
    engine = engine_of(
        services, events, ScriptedProvider([("open_ticket", TICKET)], "Listo, quedó abierto.")
    )
    looked = confirmation_store.select_open
    deciding: list[asyncio.Task[None]] = []

    async def look_then_decide(*args: object) -> object:
        found = await looked(*args)
        if found and not deciding:
            deciding.append(asyncio.create_task(decide(services, session)))
            # It either gets through now or waits for the lock that the turn's end holds.
            await asyncio.wait(deciding, timeout=0.5)
        return found

    monkeypatch.setattr(confirmation_store, "select_open", look_then_decide)
    await engine.serve(session.conversation_id)
    await asyncio.gather(*deciding)
    await engine.sweep()
    assert await tickets_of(services, session) == 1
    assert (await transcript(services, session))[-1][1] == "Listo, quedó abierto."


async def test_button_pressed_a_moment_before_a_typed_yes_is_read_wins(
    services: Services, events: RecordedEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await asked(services, "no puedo entrar")
    engine = engine_of(
        services, events, ScriptedProvider([("open_ticket", TICKET)], "De acuerdo.", "Dime.")
    )
    await engine.serve(session.conversation_id)
    await say(services, session, "yes", "sí")
    looked = confirmation_store.select_open
    rejected = False

    async def look_then_reject(*args: object) -> object:
        nonlocal rejected
        found = await looked(*args)
        if not rejected:
            rejected = True
            await decide(services, session, "reject")
        return found

    monkeypatch.setattr(confirmation_store, "select_open", look_then_reject)
    await engine.serve(session.conversation_id)
    await engine.sweep()
    assert await tickets_of(services, session) == 0
    records = await services.journal.list_audit_events(
        {"conversation_id": session.conversation_id, "action": "confirmation.decide"},
        cursor=None,
        limit=10,
    )
    assert [r.header["decision"] for r in records.items] == ["reject"]
    assert await unanswered(services, session) == 0


# --- consent ------------------------------------------------------------------------------------


async def test_two_questions_of_one_model_output_are_asked_and_carried_out_one_by_one(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "no puedo entrar ni descargar")
    provider = ScriptedProvider([("open_ticket", TICKET), ("open_ticket", OTHER)], "Listos.")
    for n in range(2):
        # Another process each time, with nothing in memory.
        await engine_of(services, events, provider).serve(session.conversation_id)
        said = await transcript(services, session)
        assert [role for role, _ in said] == ["student", *["agent"] * (n + 1)]
        assert await tickets_of(services, session) == n
        await decide(services, session)
    await engine_of(services, events, provider).serve(session.conversation_id)
    assert await tickets_of(services, session) == 2
    assert (await transcript(services, session))[-1][1] == "Listos."
    assert await running(services, session) == 0


async def test_typed_yes_of_a_crashed_process_is_answered_once(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "no puedo entrar")
    reached = asyncio.Event()

    async def stuck(call: int) -> None:
        if call == 1:
            reached.set()
            await asyncio.Event().wait()

    provider = ScriptedProvider([("open_ticket", TICKET)], "…", before=stuck)
    engine = engine_of(services, events, provider)
    await engine.serve(session.conversation_id)
    await say(services, session, "yes", "sí")
    dying = asyncio.create_task(engine.serve(session.conversation_id))
    await reached.wait()
    dying.cancel()
    await asyncio.wait({dying})
    survivor = engine_of(services, events, ScriptedProvider("Listo.", "¿Sí qué?"))
    await survivor.serve(session.conversation_id)
    said = await transcript(services, session)
    assert [role for role, _ in said] == ["student", "agent", "student", "agent"]
    assert said[-1][1] == "Listo."
    assert await unanswered(services, session) == 0


async def test_decision_whose_checkpoint_is_lost_is_carried_out_and_told_once(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "no puedo entrar")
    provider = ScriptedProvider([("open_ticket", TICKET)], "No debería hablar.")
    await engine_of(services, events, provider).serve(session.conversation_id)
    async with services.database.transaction() as uow:
        for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes"):
            await uow.conn.execute(f"DELETE FROM {table}")
    await decide(services, session)
    await engine_of(services, events, provider).serve(session.conversation_id)
    assert await tickets_of(services, session) == 1
    assert [role for role, _ in await transcript(services, session)] == [
        "student",
        "agent",
        "agent",
    ]
    assert len(provider.calls) == 1


async def test_decision_while_an_advisor_answers_is_carried_out_in_silence(
    services: Services, events: RecordedEvents, advisor: Actor
) -> None:
    session = await asked(services, "no puedo entrar")
    provider = ScriptedProvider([("open_ticket", TICKET)], "Listo.")
    engine = engine_of(services, events, provider)
    await engine.serve(session.conversation_id)
    await take_over(services, session, advisor)
    before = len(events.events)
    await decide(services, session)
    await engine.serve(session.conversation_id)
    assert await tickets_of(services, session) == 1
    assert [role for role, _ in await transcript(services, session)] == ["student", "agent"]
    assert "token" not in [kind for kind, _ in events.events[before:]]
    assert await running(services, session) == 0
    assert await requests(services, session) == 0


async def test_run_that_an_advisor_made_pointless_does_not_stay_open(
    services: Services, events: RecordedEvents, advisor: Actor
) -> None:
    session = await asked(services, "hola")
    reached = asyncio.Event()

    async def stuck(call: int) -> None:
        reached.set()
        await asyncio.Event().wait()

    dying = asyncio.create_task(
        engine_of(services, events, ScriptedProvider("…", before=stuck)).serve(
            session.conversation_id
        )
    )
    await reached.wait()
    dying.cancel()
    await asyncio.wait({dying})
    await take_over(services, session, advisor)
    await release(services, session, advisor)
    await say(services, session, "again", "¿y ahora?")
    engine = engine_of(services, events, ScriptedProvider("Ahora sí."))
    await engine.serve(session.conversation_id)
    assert await running(services, session) == 0
    assert await unanswered(services, session) == 0


async def test_silence_ends_the_run_and_leaves_no_checkpoint(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "no puedo entrar")
    provider = ScriptedProvider([("open_ticket", TICKET)], "Listo.")
    engine = engine_of(services, events, provider)
    await engine.serve(session.conversation_id)
    (pending,) = await pending_of(services, session)
    async with services.database.transaction() as uow:
        await uow.conn.execute(
            "UPDATE confirmations SET expires_at = now() - interval '1 s' WHERE id = %s",
            [pending.id],
        )
    await services.confirmations.expire_due()
    await engine.sweep()
    run = await services.turns.get_run(pending.call.run_id)
    assert run.status is RunStatus.COMPLETED
    assert await checkpoints_of(services, run.id) == 0


# --- what models put into their words -----------------------------------------------------------


@pytest.mark.parametrize("poison", ["\x00", "\ud800", "\udfff\x00"])
async def test_characters_that_cannot_be_stored_do_not_stop_a_turn(
    services: Services, events: RecordedEvents, poison: str
) -> None:
    session = await asked(services, "busco un curso")
    search = [("search_courses", {"query": f"Python{poison}"}), (f"nada{poison}", {"a": poison})]
    hand_off = [("hand_off", {"reason": f"Pide una{poison} persona."})]
    provider = ScriptedProvider(search, hand_off, f"Dime{poison} qué buscas.")
    engine = engine_of(services, events, provider)
    assert await engine.serve(session.conversation_id) == 1
    page = await services.turns.list_runs(conversation_id=session.conversation_id)
    assert [(r.status, r.attempts) for r in page.items] == [(RunStatus.COMPLETED, 1)]
    assert "Dime" in (await transcript(services, session))[-1][1]


async def test_calls_beyond_the_budget_are_refused_on_record(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "hola")
    provider = ScriptedProvider([("hand_off", {"reason": "Pide una persona."})] * 20, "Ya.")
    await engine_of(services, events, provider).serve(session.conversation_id)
    records = await services.journal.list_audit_events(
        {"conversation_id": session.conversation_id}, cursor=None, limit=100
    )
    refused = [r for r in records.items if r.header["error_code"] == "budget.calls"]
    assert len(refused) == 12
    assert {r.header["action"] for r in refused} == {"hand_off"}


async def test_invented_tool_name_is_not_shown_to_the_student(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "hola")
    provider = ScriptedProvider([("Ana Pérez vive en Jirón Cusco 123", {})], "Hola.")
    await engine_of(services, events, provider).serve(session.conversation_id)
    assert "Cusco" not in str(events.events)


async def test_huge_arguments_do_not_stay_in_the_conversation(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "hola")
    provider = ScriptedProvider([("search_courses", {"query": "x" * 1_000_000})], "Hola.")
    await engine_of(services, events, provider).serve(session.conversation_id)
    conversation = await services.conversations.get_conversation(session.conversation_id)
    assert len(str(conversation.memory)) < 10_000


async def test_every_chain_of_these_turns_verifies(services: Services) -> None:
    verification = await services.journal.verify_chains()
    assert verification.events > 0
    assert verification.broken == ()
