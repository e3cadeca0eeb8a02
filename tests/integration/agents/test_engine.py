"""The turn engine over the real CRM, tools and graph, with a model that a test scripts."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from agents.runtime.turn import ModelFailed
from api.bootstrap import Services
from crm.actor import Actor, IdentityLevel, Role
from crm.ids import INSTITUTION
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
    say,
    tickets_of,
    transcript,
)
from tests.scripted import RecordedEvents, ScriptedProvider


async def test_burst_gets_one_reply_and_one_run(services: Services, events: RecordedEvents) -> None:
    session = await asked(services, "hola", "quiero saber algo", "de los cursos")
    engine = engine_of(services, events, ScriptedProvider("Claro, dime qué te interesa."))
    assert await engine.serve(session.conversation_id) == 1
    said = await transcript(services, session)
    assert [role for role, _ in said] == ["student"] * 3 + ["agent"]
    assert said[-1][1] == "Claro, dime qué te interesa."
    assert events.kinds()[0] == "run_started"
    assert events.kinds()[-1] == "run_finished"
    assert "token" in events.kinds()


async def test_message_during_a_run_joins_its_reply(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "hola")

    async def interrupting(call: int) -> None:
        if call == 0:
            await say(services, session, "late", "y otra cosa")

    provider = ScriptedProvider("Uno.", "Los dos.", before=interrupting)
    assert await engine_of(services, events, provider).serve(session.conversation_id) == 1
    said = await transcript(services, session)
    assert [role for role, _ in said] == ["student", "student", "agent"]
    assert "draft_reset" in events.kinds()


async def test_untraceable_figure_never_leaves(services: Services, events: RecordedEvents) -> None:
    session = await asked(services, "¿cuánto cuesta?")
    provider = ScriptedProvider("El curso cuesta 4.321 dólares. Es un buen curso para empezar.")
    await engine_of(services, events, provider).serve(session.conversation_id)
    assert "4.321" not in (await transcript(services, session))[-1][1]
    shown = "".join(str(d.get("text")) for kind, d in events.events if kind == "token")
    assert "4.321" not in shown


async def test_ticket_opens_once_and_only_after_consent(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "no puedo entrar")
    provider = ScriptedProvider([("open_ticket", TICKET)], "Listo, tu caso quedó abierto.")
    engine = engine_of(services, events, provider)
    await engine.serve(session.conversation_id)
    assert await tickets_of(services, session) == 0
    (pending,) = await pending_of(services, session)
    run = await services.turns.get_run(pending.call.run_id)
    assert run.status is RunStatus.WAITING
    assert "confirmation_required" in events.kinds()

    await decide(services, session)
    # Another process, with nothing in memory, carries it out.
    await engine_of(services, events, provider).serve(session.conversation_id)
    assert await tickets_of(services, session) == 1
    assert (await transcript(services, session))[-1][1] == "Listo, tu caso quedó abierto."
    run = await services.turns.get_run(pending.call.run_id)
    assert run.status is RunStatus.COMPLETED
    assert await checkpoints_of(services, run.id) == 0


async def test_declined_ticket_is_not_opened(services: Services, events: RecordedEvents) -> None:
    session = await asked(services, "no puedo entrar")
    provider = ScriptedProvider([("open_ticket", TICKET)], "De acuerdo, no lo abro.")
    await engine_of(services, events, provider).serve(session.conversation_id)
    assert len(await pending_of(services, session)) == 1
    await decide(services, session, "reject")
    await engine_of(services, events, provider).serve(session.conversation_id)
    assert await tickets_of(services, session) == 0
    assert (await transcript(services, session))[-1][1] == "De acuerdo, no lo abro."
    assert await pending_of(services, session) == []


async def test_typed_yes_approves_what_was_shown_last(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "no puedo entrar")
    provider = ScriptedProvider([("open_ticket", TICKET)], "Listo.")
    engine = engine_of(services, events, provider)
    await engine.serve(session.conversation_id)
    await say(services, session, "yes", "Sí")
    await engine.serve(session.conversation_id)
    assert await tickets_of(services, session) == 1


async def test_unrelated_message_approves_nothing(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "no puedo entrar")
    provider = ScriptedProvider([("open_ticket", TICKET)], "Abrimos de lunes a viernes.")
    engine = engine_of(services, events, provider)
    await engine.serve(session.conversation_id)
    for n, text in enumerate(["¿y qué horario tienen?", "sí"]):
        await say(services, session, f"m{n}", text)
        await engine.serve(session.conversation_id)
    assert await tickets_of(services, session) == 0
    assert len(await pending_of(services, session)) == 1


async def test_failing_model_is_replaced_by_the_fallback(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "hola")
    provider = ScriptedProvider(ModelFailed("server_error"))
    fallback = ScriptedProvider("Hola, soy el asistente.", name="fallback")
    engine = engine_of(services, events, provider, fallback=fallback)
    await engine.serve(session.conversation_id)
    assert (await transcript(services, session))[-1] == ("agent", "Hola, soy el asistente.")
    page = await services.turns.list_runs(conversation_id=session.conversation_id)
    assert page.items[0].provider == "fallback"


async def test_both_models_failing_ends_in_an_apology_with_a_record(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "hola")
    broken = ScriptedProvider(ModelFailed("server_error"))
    engine = engine_of(services, events, broken, fallback=ScriptedProvider(ModelFailed("timeout")))
    await engine.serve(session.conversation_id)
    assert (await transcript(services, session))[-1][0] == "agent"
    page = await services.turns.list_runs(conversation_id=session.conversation_id)
    assert page.items[0].status is RunStatus.FAILED
    records = await services.journal.list_audit_events(
        {"run_id": page.items[0].id, "action": "turn"}, cursor=None, limit=5
    )
    assert [r.header["outcome"] for r in records.items] == ["failed"]


async def test_hand_off_happens_once_when_its_process_dies_after_it(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "quiero hablar con una persona")
    stuck = Stuck(1)
    lines = ([("hand_off", {"reason": "Pide una persona."})], "Una persona te escribirá aquí.")
    dead = engine_of(
        services,
        events,
        ScriptedProvider(*lines, before=stuck),
        lease_life=timedelta(seconds=-1),
    )
    await die_stuck(dead, session, stuck)
    survivor = ScriptedProvider("Una persona te escribirá aquí.")
    await engine_of(services, events, survivor).serve(session.conversation_id)
    # The recorded step was replayed: the model was asked only for what came after it.
    assert len(survivor.calls) == 1
    assert (await transcript(services, session))[-1][1] == "Una persona te escribirá aquí."
    records = await services.journal.list_audit_events(
        {"conversation_id": session.conversation_id, "action": "hand_off", "outcome": "ok"},
        cursor=None,
        limit=10,
    )
    assert len([r for r in records.items if r.header["effect_key"] is not None]) == 1
    page = await services.turns.list_runs(conversation_id=session.conversation_id)
    assert [(r.status, r.attempts) for r in page.items] == [(RunStatus.COMPLETED, 2)]


async def test_two_engines_never_interleave(services: Services) -> None:
    session = await asked(services, "hola")
    streams = [RecordedEvents(), RecordedEvents()]
    engines = [engine_of(services, s, ScriptedProvider("Hola.")) for s in streams]
    runs = await asyncio.gather(*(e.serve(session.conversation_id) for e in engines * 3))
    assert sum(runs) == 1
    assert [role for role, _ in await transcript(services, session)] == ["student", "agent"]


async def test_every_chain_of_these_turns_verifies(services: Services) -> None:
    verification = await services.journal.verify_chains()
    assert verification.events > 0
    assert verification.broken == ()


async def test_turn_follows_the_policy_as_it_stands_when_it_begins(
    services: Services, events: RecordedEvents
) -> None:
    session = await asked(services, "hola")
    provider = ScriptedProvider("Claro.", "De nuevo.")
    engine = engine_of(services, events, provider)
    await engine.serve(session.conversation_id)
    admin = Actor(INSTITUTION, IdentityLevel.VERIFIED, role=Role.ADMIN)
    await services.policy.write(
        "Answer in verse. / Responde en verso.", note="a proof", expected_version=0, actor=admin
    )
    await say(services, session, "again", "¿y los cursos?")
    await engine.serve(session.conversation_id)
    before, after = (str(messages[0].content) for messages in provider.calls)
    assert "Nunca se dan datos de otra persona." in before
    assert "Responde en verso." in after
    assert "Nunca se dan datos de otra persona." not in after
