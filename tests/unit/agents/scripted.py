"""A model that says what a test tells it to, and turns to run it in."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    SystemMessage,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agents.llm.offline_provider import OfflineProvider
from agents.runtime.brief import Brief
from agents.runtime.turn import ModelFailed, Provider, Turn
from agents.supervisor.graph import build_graph
from tests.unit.agents.institution import FakeTools
from tools.spec import ToolSpec

SAVER = InMemorySaver()
GRAPH = build_graph(SAVER)
NOW = "2026-11-24T10:00:00-05:00"
ZONE = "America/Lima"
INSTITUTION = "Instituto Andino"


def tool_call(name: str, args: str, call_id: str = "c1", index: int = 0) -> AIMessageChunk:
    call = {"name": name, "args": args, "id": call_id, "index": index, "type": "tool_call_chunk"}
    return AIMessageChunk(content="", tool_call_chunks=[call])


class Scripted:
    """Answers with one list of chunks a call; an exception in it is raised.

    Args:
        always: given when the script has run out.
    """

    name, model = "scripted", "scripted-1"

    def __init__(
        self, *script: list[AIMessageChunk | Exception], always: AIMessageChunk | None = None
    ) -> None:
        self.script = deque(script)
        self.always = always
        self.seen: list[list[AnyMessage]] = []

    async def stream(
        self, messages: Sequence[AnyMessage], tools: Sequence[ToolSpec[Any, Any]]
    ) -> AsyncIterator[AIMessageChunk]:
        self.seen.append(list(messages))
        chunks = self.script.popleft() if self.script else [self.always]
        for chunk in chunks:
            if isinstance(chunk, Exception):
                raise chunk
            assert chunk is not None
            yield chunk

    def cost_micros(self, tokens_in: int, tokens_out: int) -> int:
        return tokens_in + tokens_out


def says(text: str) -> list[AIMessageChunk | Exception]:
    return [AIMessageChunk(content=text)]


def fails(code: str) -> list[AIMessageChunk | Exception]:
    return [ModelFailed(code)]


@dataclass
class Answer:
    """What one turn gave.

    Args:
        asked: what the graph was interrupted with.
    """

    run_id: UUID
    state: dict[str, Any]
    events: list[tuple[str, dict[str, object]]]
    turn: Turn

    @property
    def reply(self) -> str:
        return str(self.state.get("reply", ""))

    @property
    def asked(self) -> dict[str, Any] | None:
        pending = self.state.get("__interrupt__")
        return pending[0].value if pending else None

    @property
    def actions(self) -> list[str]:
        return [str(a["type"]) for a in self.state["actions"]]

    @property
    def titles(self) -> list[str]:
        return [c["title"] for c in self.state["citations"]]


@dataclass
class Talk:
    """A conversation through the whole graph; memory and window are carried over."""

    locale: Any = "es"
    tools: FakeTools = field(default_factory=FakeTools)
    provider: Provider = field(default_factory=OfflineProvider)
    fallback: Provider = field(default_factory=OfflineProvider)
    identity: Any = "visitor"
    by_agent: dict[str, Provider] = field(default_factory=dict)
    max_steps: int = 6
    max_tokens: int | None = None
    max_cost_micros: int | None = None
    memory: dict[str, object] = field(default_factory=dict)
    window: list[AnyMessage] = field(default_factory=list)
    brief: dict[str, Any] = field(default_factory=dict)

    async def say(self, *texts: str) -> Answer:
        """Send messages that one turn answers."""
        self.window += [HumanMessage(text, id=str(uuid4())) for text in texts]
        brief = Brief(
            **{
                "locale": self.locale,
                "now": NOW,
                "time_zone": ZONE,
                "institution": INSTITUTION,
                "identity_level": self.identity,
                "new_messages": len(texts),
                "memory": self.memory,
                **self.brief,
            }
        )
        system = SystemMessage("", id="brief", additional_kwargs=brief.to_kwargs())
        start = {"messages": [system, *self.window], "brief": brief, "step": 0}
        return await self._run(uuid4(), start)

    async def decide(self, answer: Answer, *, accepted: bool) -> Answer:
        """Resume an interrupted turn."""
        return await self._run(answer.run_id, Command(resume={"accepted": accepted}))

    async def _run(self, run_id: UUID, start: Any) -> Answer:
        events: list[tuple[str, dict[str, object]]] = []

        async def emit(kind: str, data: dict[str, object]) -> None:
            events.append((kind, data))

        turn = Turn(
            run_id=run_id,
            conversation_id=uuid4(),
            locale=self.locale,
            tools=self.tools,
            provider=self.provider,
            fallback=self.fallback,
            emit=emit,
            by_agent=self.by_agent,
            max_steps=self.max_steps,
            max_tokens=self.max_tokens,
            max_cost_micros=self.max_cost_micros,
        )
        config: Any = {"configurable": {"thread_id": str(run_id)}}
        state = await GRAPH.ainvoke(start, config, context=turn, durability="exit")
        answer = Answer(run_id, state, events, turn)
        if answer.asked is None:
            self.memory = state["memory"]
            self.locale = self.tools.locale = turn.locale
            self.window.append(AIMessage(answer.reply, id=str(uuid4())))
        return answer
