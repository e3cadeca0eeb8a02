"""Our own turn: the message accepted, served under its lease, stored and announced."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Any

from langchain_core.messages import AIMessageChunk, AnyMessage
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from agents.runtime.checkpoints import InterruptSaver
from agents.runtime.engine import EngineSettings, Speaking, TurnEngine
from agents.supervisor.graph import build_graph
from api.bootstrap import Services, open_services
from api.desk import TurnDesk
from crm.messaging.conversations.models import ChatSession
from evals.bench.turn.script import QUESTION, next_said
from evals.bench.turn.subject import Servers
from tools.spec import ToolSpec

#: Of the answer's text; a real model's stream has more, smaller ones.
_CHUNK_CHARS = 24


class ScriptedProvider:
    """A provider that streams the script; implements `agents.runtime.turn.Provider`."""

    name = "scripted"
    model = "scripted"

    async def stream(
        self, messages: Sequence[AnyMessage], tools: Sequence[ToolSpec[Any, Any]]
    ) -> AsyncIterator[AIMessageChunk]:
        """Stream what the script says next."""
        said = next_said(messages)
        if said.call is not None:
            yield _call_chunk(*said.call)
        for start in range(0, len(said.text), _CHUNK_CHARS):
            yield AIMessageChunk(content=said.text[start : start + _CHUNK_CHARS])

    def cost_micros(self, tokens_in: int, tokens_out: int) -> int:
        """Return nothing: a script is free."""
        return 0


def _call_chunk(name: str, arguments: dict[str, Any]) -> AIMessageChunk:
    call = {"name": name, "args": json.dumps(arguments), "id": name, "index": 0}
    return AIMessageChunk(content="", tool_call_chunks=[{**call, "type": "tool_call_chunk"}])


class OurTalk:
    """A visitor's conversation."""

    messages_a_turn = 2

    def __init__(self, services: Services, engine: TurnEngine, session: ChatSession) -> None:
        self._services = services
        self._engine = engine
        self._session = session
        self._numbers = count()

    async def turn(self) -> None:
        """Ask the question and wait until the answer is stored."""
        await self._services.conversations.accept_message(
            self._session, client_message_id=str(next(self._numbers)), text=QUESTION
        )
        ended = await self._engine.serve(self._session.conversation_id)
        if ended != 1:
            raise RuntimeError(f"a turn ended in {ended} runs")

    async def last_said(self) -> str:
        """Return the last answer as it was stored."""
        page = await self._services.conversations.list_messages(
            self._session.conversation_id, since=None, limit=200
        )
        return page.items[-1].body


class OurDesk:
    """Our services with an engine that the script speaks through."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._engine = _engine(services)

    async def begin(self) -> OurTalk:
        """Start a conversation."""
        started = await self._services.conversations.start_session(locale="es")
        return OurTalk(self._services, self._engine, started.session)


class Ours:
    """Orienta."""

    name = "orienta"

    def __init__(self, servers: Servers) -> None:
        self._settings = servers.settings.model_copy(
            update={"embedder": "none", "turn_settle_ms": 0}
        )
        self.stores_in = servers.settings.require_database_url()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[OurDesk]:
        """Open the services and an engine over them."""
        async with self.services() as services:
            yield OurDesk(services)

    def services(self) -> AbstractAsyncContextManager[Services]:
        """Open the services alone."""
        return open_services(self._settings)


def _engine(services: Services) -> TurnEngine:
    saver = InterruptSaver(AsyncPostgresSaver(services.database.pool))
    provider, settings = ScriptedProvider(), services.settings
    return TurnEngine(
        desk=TurnDesk(services.turns, services.runner),
        graph=build_graph(saver),
        saver=saver,
        stream=services.stream,
        speaking=Speaking(
            agent="student_support",
            prompt_version=lambda *_: "bench",
            provider=provider,
            fallback=provider,
        ),
        clock=services.clock,
        policy=services.policy.text,
        settings=EngineSettings(
            institution=settings.institution,
            time_zone=settings.time_zone,
            max_steps=settings.turn_max_steps,
            timeout_s=settings.turn_timeout_s,
        ),
    )
