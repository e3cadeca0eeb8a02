"""A Hugging Face model of this machine as a provider; needs the extra `models`."""

import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from langchain_core.messages import AIMessageChunk, AnyMessage

from agents.llm.breaker import Breaker, BreakerRules
from agents.llm.guarded import Failure, GuardedProvider, Patience, Tools
from agents.llm.retries import RetryRules
from agents.llm.size import Bounds
from agents.llm.tool_calls import function_of, with_valid_history
from agents.llm.transformers_model import TransformersChatModel
from agents.settings import AgentSettings


def build_transformers(settings: AgentSettings, folder: str) -> GuardedProvider:
    """Return a provider that speaks with the model in a folder."""
    chat = TransformersChatModel(folder=Path(folder), max_tokens=settings.transformers_max_tokens)

    async def open_stream(
        messages: Sequence[AnyMessage], tools: Tools
    ) -> AsyncGenerator[AIMessageChunk, None]:
        bound = chat.bind_tools([function_of(tool) for tool in tools]) if tools else chat
        async for chunk in bound.astream(with_valid_history(messages)):
            if isinstance(chunk, AIMessageChunk):
                yield chunk

    name = Path(folder).name
    return GuardedProvider(
        name="transformers",
        model=name,
        open_stream=open_stream,
        translate=translate_error,
        breaker=Breaker(
            BreakerRules(settings.llm_breaker_failures, settings.llm_breaker_open_s),
            time.monotonic,
        ),
        retries=RetryRules(settings.llm_max_retries, settings.llm_retry_after_cap_s),
        patience=Patience(settings.llm_first_token_timeout_s, settings.llm_chunk_timeout_s),
        bounds=Bounds(settings.llm_max_answer_chars),
        price=settings.llm_prices.get(name),
    )


def translate_error(error: Exception) -> Failure:
    """Say what an error of the model means to us: trying the same again will not help."""
    kind = type(error).__name__
    if isinstance(error, TimeoutError):
        return Failure("timeout", again=False, detail=kind)
    return Failure("server_error", again=False, detail=f"{kind}: {error}"[:200])
