"""A process that dies at any await of a turn: one effect, one answer, nothing left open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import ToolMessage
from psycopg.pq import PipelineStatus

from api.bootstrap import Services
from tests.dying import die
from tests.integration.agents.turns import (
    TICKET,
    asked,
    checkpoints_of,
    count,
    decide,
    engine_of,
    pending_of,
    requests,
    running,
    say,
    tickets_of,
    transcript,
    unanswered,
)
from tests.scripted import RecordedEvents, ScriptedProvider

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk, AnyMessage

    from crm.messaging.conversations.models import ChatSession


class Attentive(ScriptedProvider):
    """Asks for a tool until it sees a result, and then speaks."""

    async def stream(
        self, messages: Sequence[AnyMessage], tools: Sequence[Any]
    ) -> AsyncIterator[AIMessageChunk]:
        self.calls = [()] if isinstance(messages[-1], ToolMessage) else []
        async for chunk in super().stream(messages, tools):
            yield chunk


async def connections_are_sound(services: Services) -> None:
    """A connection left in pipeline mode counts no rows: keys and leases would look taken."""
    async with services.database.read() as one, services.database.read() as two:
        for conn in (one, two):
            assert conn.pgconn.pipeline_status == PipelineStatus.OFF


async def settled(services: Services, session: ChatSession) -> None:
    await connections_are_sound(services)
    assert await running(services, session) == 0
    assert await requests(services, session) == 0
    assert await unanswered(services, session) == 0


async def free(services: Services, session: ChatSession) -> None:
    """Let the dead holder's lease run out."""
    async with services.database.transaction() as uow:
        await uow.conn.execute(
            "UPDATE conversation_leases SET expires_at = '-infinity' WHERE conversation_id = %s",
            [session.conversation_id],
        )


Scenario = Callable[[Services, int], Awaitable[bool]]


async def hand_off(services: Services, at: int) -> bool:
    session = await asked(services, "quiero hablar con una persona")
    lines = ([("hand_off", {"reason": "Pide una persona."})], "Una persona te escribirá aquí.")
    events = RecordedEvents()
    dead = engine_of(services, events, Attentive(*lines))
    died = await die(dead.serve(session.conversation_id), at)
    await free(services, session)
    survivor = engine_of(services, events, Attentive(*lines))
    await survivor.serve(session.conversation_id)
    assert await count(services, "handoffs", session) == 1
    assert [role for role, _ in await transcript(services, session)] == ["student", "agent"]
    effects = await services.journal.list_audit_events(
        {"conversation_id": session.conversation_id, "action": "hand_off", "outcome": "ok"},
        cursor=None,
        limit=20,
    )
    assert len([r for r in effects.items if r.header["effect_key"] is not None]) == 1
    await settled(services, session)
    return died


async def consent(services: Services, at: int) -> bool:
    session = await asked(services, "no puedo entrar")
    lines = ([("open_ticket", TICKET)], "Listo.")
    events = RecordedEvents()
    await engine_of(services, events, ScriptedProvider(*lines)).serve(session.conversation_id)
    (pending,) = await pending_of(services, session)
    await decide(services, session)
    after = ScriptedProvider("Listo.")
    died = await die(engine_of(services, events, after).serve(session.conversation_id), at)
    await free(services, session)
    survivor = engine_of(services, events, after)
    await survivor.serve(session.conversation_id)
    assert await tickets_of(services, session) == 1
    said = await transcript(services, session)
    assert [role for role, _ in said] == ["student", "agent", "agent"]
    assert await pending_of(services, session) == []
    await settled(services, session)
    await survivor.prune()
    assert await checkpoints_of(services, pending.call.run_id) == 0
    return died


async def typed(services: Services, at: int) -> bool:
    session = await asked(services, "no puedo entrar")
    events = RecordedEvents()
    asking = ScriptedProvider([("open_ticket", TICKET)])
    await engine_of(services, events, asking).serve(session.conversation_id)
    await say(services, session, "yes", "sí")
    after = ScriptedProvider("Listo.")
    died = await die(engine_of(services, events, after).serve(session.conversation_id), at)
    await free(services, session)
    await engine_of(services, events, after).serve(session.conversation_id)
    assert await tickets_of(services, session) == 1
    said = [role for role, _ in await transcript(services, session)]
    assert said == ["student", "agent", "student", "agent"]
    await settled(services, session)
    return died


async def question(services: Services, at: int) -> bool:
    session = await asked(services, "no puedo entrar")
    events = RecordedEvents()
    asking = ScriptedProvider([("open_ticket", TICKET)])
    dead = engine_of(services, events, asking)
    died = await die(dead.serve(session.conversation_id), at)
    await connections_are_sound(services)
    await free(services, session)
    await engine_of(services, events, asking).serve(session.conversation_id)
    assert [role for role, _ in await transcript(services, session)] == ["student", "agent"]
    assert len(await pending_of(services, session)) == 1
    await decide(services, session)
    await engine_of(services, events, ScriptedProvider("Listo.")).serve(session.conversation_id)
    assert await tickets_of(services, session) == 1
    said = await transcript(services, session)
    assert said[-1] == ("agent", "Listo.")
    assert len(said) == 3
    await settled(services, session)
    return died


SCENARIOS: list[Scenario] = [hand_off, consent, typed, question]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.slow)])
async def test_turn_that_dies_at_any_await_ends_as_if_it_had_not(
    services: Services, scenario: Scenario, stride: int
) -> None:
    at = stride
    while await scenario(services, at):
        at += stride
    assert at > 5 * stride, "the turn was too short to prove anything"
    verification = await services.journal.verify_chains()
    assert verification.broken == ()


async def test_checkpoint_is_written_to_its_end_and_spoils_no_connection(
    services: Services,
) -> None:
    session = await asked(services, "no puedo entrar")
    engine = engine_of(services, RecordedEvents(), ScriptedProvider([("open_ticket", TICKET)]))
    await engine.serve(session.conversation_id)
    (pending,) = await pending_of(services, session)
    saver, thread = engine._saver, str(pending.call.run_id)
    assert await saver.fetch(thread)
    for _ in range(5):
        await saver._lasting.adelete_thread(thread)
        assert await die(saver.keep(thread), 1)
        await connections_are_sound(services)
        assert await saver.fetch(thread)
