"""Attacks on consent: decisions out of order, in a race, and after a crash."""

from __future__ import annotations

import asyncio

import pytest

from api.bootstrap import Services
from crm.actor import Actor
from crm.messaging.confirmations import store as confirmation_store
from crm.messaging.turns.models import RunStatus
from tests.integration.agents.turns import (
    TICKET,
    Stuck,
    asked,
    checkpoints_of,
    decide,
    die_stuck,
    engine_of,
    pending_of,
    requests,
    running,
    say,
    take_over,
    tickets_of,
    transcript,
    unanswered,
)
from tests.scripted import RecordedEvents, ScriptedProvider

OTHER = TICKET | {"title": "Tampoco puedo descargar mi certificado"}


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
    stuck = Stuck(1)
    provider = ScriptedProvider([("open_ticket", TICKET)], "…", before=stuck)
    engine = engine_of(services, events, provider)
    await engine.serve(session.conversation_id)
    await say(services, session, "yes", "sí")
    await die_stuck(engine, session, stuck)
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


async def test_every_chain_of_these_turns_verifies(services: Services) -> None:
    verification = await services.journal.verify_chains()
    assert verification.events > 0
    assert verification.broken == ()
