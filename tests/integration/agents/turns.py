"""A conversation with the turn engine: what students do in it, and what is left of it after."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from agents.runtime.checkpoints import InterruptSaver
from agents.runtime.engine import EngineSettings, Speaking, TurnEngine
from agents.supervisor.graph import build_graph
from api.bootstrap import Services
from api.desk import TurnDesk
from crm.actor import Actor
from crm.messaging.confirmations.models import Confirmation, ConfirmationStatus
from crm.messaging.turns.service import TurnService
from tests.scripted import RecordedEvents, ScriptedProvider

if TYPE_CHECKING:
    from crm.messaging.conversations.models import ChatSession

TICKET = {
    "category": "technical",
    "title": "No puedo entrar al aula virtual",
    "description": "La página me dice que mi clave no es válida.",
}


def engine_of(
    services: Services,
    events: RecordedEvents,
    provider: ScriptedProvider,
    *,
    fallback: ScriptedProvider | None = None,
    lease_life: timedelta = timedelta(seconds=30),
) -> TurnEngine:
    saver = InterruptSaver(AsyncPostgresSaver(services.database.pool))
    turns = TurnService(services.database, lease_life=lease_life)
    return TurnEngine(
        desk=TurnDesk(turns, services.runner),
        graph=build_graph(saver),
        saver=saver,
        stream=events,
        speaking=Speaking(
            agent="student_support",
            prompt_version=lambda *_: "test",
            provider=provider,
            fallback=fallback or ScriptedProvider("Lo siento.", name="fallback"),
        ),
        clock=services.clock,
        policy=services.policy.text,
        settings=EngineSettings(
            institution="Instituto Andino", time_zone="America/Lima", timeout_s=20.0
        ),
    )


class Stuck:
    """Stops a scripted model for good before one of its lines, and tells when it got there."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.reached = asyncio.Event()

    async def __call__(self, call: int) -> None:
        if call == self._at:
            self.reached.set()
            await asyncio.Event().wait()


async def die_stuck(engine: TurnEngine, session: ChatSession, stuck: Stuck) -> None:
    """Serve until the model is stuck, and end there as a shutdown would."""
    dying = asyncio.create_task(engine.serve(session.conversation_id))
    await stuck.reached.wait()
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying


async def asked(services: Services, *texts: str) -> ChatSession:
    session = (await services.conversations.start_session(locale="es")).session
    for n, text in enumerate(texts):
        await say(services, session, f"c{n}", text)
    return session


async def say(services: Services, session: ChatSession, client_id: str, text: str) -> None:
    await services.conversations.accept_message(session, client_message_id=client_id, text=text)


async def decide(services: Services, session: ChatSession, decision: str = "accept") -> None:
    """Decide on what waits first."""
    pending = [
        c for c in await pending_of(services, session) if c.status is ConfirmationStatus.PENDING
    ]
    await services.confirmations.decide(
        pending[0].id,
        conversation_id=session.conversation_id,
        decision=decision,
        actor=session.actor,
    )


async def take_over(services: Services, session: ChatSession, advisor: Actor) -> None:
    async with services.database.transaction() as uow:
        await services.conversations.take_over(uow, session.conversation_id, actor=advisor)


async def release(services: Services, session: ChatSession, advisor: Actor) -> None:
    async with services.database.transaction() as uow:
        await services.conversations.release(uow, session.conversation_id, actor=advisor)


async def pending_of(services: Services, session: ChatSession) -> list[Confirmation]:
    return await services.confirmations.list_open(session.conversation_id)


async def transcript(services: Services, session: ChatSession) -> list[tuple[str, str]]:
    page = await services.conversations.list_messages(
        session.conversation_id, since=None, limit=100
    )
    return [(m.role, m.body) for m in page.items]


async def tickets_of(services: Services, session: ChatSession) -> int:
    return await count(services, "tickets", session)


async def unanswered(services: Services, session: ChatSession) -> int:
    return await count(
        services, "messages", session, "AND role = 'student' AND answered_by IS NULL"
    )


async def running(services: Services, session: ChatSession) -> int:
    return await count(services, "runs", session, "AND status = 'running'")


async def requests(services: Services, session: ChatSession) -> int:
    return await count(services, "turn_requests", session)


async def count(services: Services, table: str, session: ChatSession, more: str = "") -> int:
    """Return how many of a conversation's rows a table holds."""
    async with services.database.read() as conn:
        rows = await conn.execute(
            f"SELECT 1 FROM {table} WHERE conversation_id = %s {more}", [session.conversation_id]
        )
        return len(await rows.fetchall())


async def checkpoints_of(services: Services, run_id: object) -> int:
    async with services.database.read() as conn:
        rows = await conn.execute("SELECT 1 FROM checkpoints WHERE thread_id = %s", [str(run_id)])
        return len(await rows.fetchall())
