"""The peer: a LangGraph agent as its documentation builds it, with PostgreSQL checkpoints."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, trim_messages
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from api.bootstrap import open_services
from crm.db import open_pool
from crm.ids import new_id
from evals.bench.turn.reads import Reads
from evals.bench.turn.script import QUESTION, next_said
from evals.bench.turn.subject import Servers
from tools.catalogue.course_search import SEARCH_COURSES
from tools.catalogue.courses import GET_COURSE

Durability = Literal["async", "exit"]

_WINDOW = 20
_POOL = 8


class ScriptedModel(BaseChatModel):
    """A chat model that says the script."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _result(messages)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _result(messages)


def _result(messages: Sequence[Any]) -> ChatResult:
    said = next_said(messages)
    message = AIMessage(said.text)
    if said.call is not None:
        name, arguments = said.call
        # Unlike a conversation of ours, the peer's list of messages needs ids that never repeat.
        message.tool_calls = [{"name": name, "args": arguments, "id": str(new_id())}]
    return ChatResult(generations=[ChatGeneration(message=message)])


class PeerTalk:
    """A thread."""

    messages_a_turn = 6

    def __init__(self, graph: Any, durability: Durability) -> None:
        self._graph = graph
        self._durability = durability
        self._config: RunnableConfig = {"configurable": {"thread_id": str(new_id())}}

    async def turn(self) -> None:
        """Ask the question and wait until the checkpoints are stored."""
        await self._graph.ainvoke(
            {"messages": [HumanMessage(QUESTION)]}, self._config, durability=self._durability
        )

    async def last_said(self) -> str:
        """Return the last answer as it was stored."""
        state = await self._graph.aget_state(self._config)
        return str(state.values["messages"][-1].content)


class PeerDesk:
    """A compiled graph."""

    def __init__(self, graph: Any, durability: Durability) -> None:
        self._graph = graph
        self._durability = durability

    async def begin(self) -> PeerTalk:
        """Start a thread."""
        return PeerTalk(self._graph, self._durability)


class Peer:
    """LangGraph with AsyncPostgresSaver."""

    def __init__(self, servers: Servers, durability: Durability) -> None:
        self.name = f"langgraph {durability}"
        self._durability: Durability = durability
        self._settings = servers.settings.model_copy(update={"embedder": "none"})
        self.stores_in = servers.peer_url

    @asynccontextmanager
    async def open(self) -> AsyncIterator[PeerDesk]:
        """Open its own pool for checkpoints and our services for the tools to read with."""
        async with open_services(self._settings) as services:
            pool = await open_pool(self.stores_in, max_size=_POOL)
            try:
                saver = AsyncPostgresSaver(pool)
                await saver.setup()
                yield PeerDesk(_graph(saver, _tools(Reads(services))), self._durability)
            finally:
                await pool.close()


def _graph(saver: AsyncPostgresSaver, tools: list[BaseTool]) -> Any:
    model = ScriptedModel()

    async def agent(state: MessagesState) -> dict[str, object]:
        window = trim_messages(
            state["messages"],
            max_tokens=_WINDOW,
            token_counter=len,
            strategy="last",
            start_on="human",
        )
        return {"messages": [await model.ainvoke(window)]}

    graph = StateGraph(MessagesState)
    graph.add_node("agent", agent)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "agent")
    graph.add_conditional_edges("agent", tools_condition, ["tools", END])
    graph.add_edge("tools", "agent")
    return graph.compile(checkpointer=saver)


def _tools(reads: Reads) -> list[BaseTool]:
    """Return the two tools, without policy or audit."""
    return [
        StructuredTool.from_function(
            coroutine=reads.search_courses,
            name="search_courses",
            description=SEARCH_COURSES.description,
        ),
        StructuredTool.from_function(
            coroutine=reads.get_course, name="get_course", description=GET_COURSE.description
        ),
    ]
