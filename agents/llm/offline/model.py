"""The offline model as a LangChain chat model: understand, plan, compose."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import ConfigDict

from agents.llm.offline.composer import compose
from agents.llm.offline.need import Call
from agents.llm.offline.planner import plan
from agents.llm.offline.quoting import Embed
from agents.llm.offline.reading import read_conversation
from agents.llm.offline.understanding import understand
from agents.runtime.guards.sentences import sentences_of

MODEL = "offline-1"


class OfflineChatModel(BaseChatModel):
    """Answers from rules, templates and quotations; the same input gives the same output.

    The situation comes as `brief` in the system message's `additional_kwargs`.

    Args:
        embed: unit vectors of texts, for choosing what to quote; words in common without it.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    embed: Embed | None = None

    @property
    def _llm_type(self) -> str:
        return MODEL

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        """Return the model with the names of the tools that it may call."""
        return self.bind(tools=[getattr(tool, "name", tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for message in self._speak(messages, kwargs.get("tools", ())):
            yield ChatGenerationChunk(message=message)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        speak = self._speak
        available = kwargs.get("tools", ())
        # Only embedding is heavy enough to leave the event loop for.
        chunks = (
            speak(messages, available)
            if self.embed is None
            else await asyncio.to_thread(speak, messages, available)
        )
        for message in chunks:
            yield ChatGenerationChunk(message=message)

    def _speak(
        self, messages: Sequence[BaseMessage], available: Sequence[str]
    ) -> list[AIMessageChunk]:
        turn = read_conversation(messages)
        intents = understand(turn.new, turn.locale, turn.remembered, turn.guesses)
        calls = plan(intents, turn, frozenset(available))
        if calls:
            return [_asking(calls)]
        return [AIMessageChunk(content=s) for s in sentences_of(compose(intents, turn, self.embed))]


def _asking(calls: Sequence[Call]) -> AIMessageChunk:
    return AIMessageChunk(
        content="",
        tool_call_chunks=[
            ToolCallChunk(
                name=call.tool,
                args=json.dumps(dict(call.arguments), ensure_ascii=False),
                id=call.id,
                index=index,
                type="tool_call_chunk",
            )
            for index, call in enumerate(calls)
        ],
    )
