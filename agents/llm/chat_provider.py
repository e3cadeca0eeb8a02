"""A LangChain chat model as a provider, under the rules that settings give."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, AnyMessage

from agents.llm.breaker import Breaker, BreakerRules
from agents.llm.guarded import Failure, GuardedProvider, Patience, Tools
from agents.llm.quoted import with_quoted_results
from agents.llm.retries import RetryRules
from agents.llm.size import Bounds
from agents.llm.tool_calls import function_of, with_valid_history
from agents.settings import AgentSettings


def guard_chat(
    settings: AgentSettings,
    chat: BaseChatModel,
    *,
    name: str,
    model: str,
    translate: Callable[[Exception], Failure],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    close: Callable[[], Awaitable[None]] | None = None,
) -> GuardedProvider:
    """Return a provider that speaks with a chat model; what tools return reaches it as data.

    Args:
        translate: says what an exception of the model's client means.
        sleep: waits between tries.
        close: lets go of the model's connections.
    """

    async def open_stream(
        messages: Sequence[AnyMessage], tools: Tools
    ) -> AsyncGenerator[AIMessageChunk, None]:
        bound = chat.bind(tools=[function_of(tool) for tool in tools]) if tools else chat
        async for chunk in bound.astream(with_quoted_results(with_valid_history(messages))):
            if isinstance(chunk, AIMessageChunk):
                yield chunk

    return GuardedProvider(
        name=name,
        model=model,
        open_stream=open_stream,
        translate=translate,
        breaker=Breaker(
            BreakerRules(settings.llm_breaker_failures, settings.llm_breaker_open_s),
            time.monotonic,
        ),
        retries=RetryRules(settings.llm_max_retries, settings.llm_retry_after_cap_s),
        patience=Patience(settings.llm_first_token_timeout_s, settings.llm_chunk_timeout_s),
        bounds=Bounds(settings.llm_max_answer_chars),
        price=settings.llm_prices.get(model),
        sleep=sleep,
        close=close,
    )
