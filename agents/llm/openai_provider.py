"""Any OpenAI-compatible endpoint as a provider."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime

import httpx
import openai
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agents.llm.chat_provider import guard_chat
from agents.llm.guarded import Failure, GuardedProvider
from agents.llm.retries import retry_after_of
from agents.settings import AgentSettings

#: Of one process to one endpoint; turns beyond that wait for a connection.
_CONNECTIONS = 200


def build_openai(
    settings: AgentSettings,
    model: str,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> GuardedProvider:
    """Return a provider that speaks with a model of the configured endpoint.

    Args:
        sleep: waits between tries.
    """
    client = _client(settings)
    return guard_chat(
        settings,
        _chat(settings, model, client),
        name="openai",
        model=model,
        translate=translate_error,
        sleep=sleep,
        close=client.aclose,
    )


def _client(settings: AgentSettings) -> httpx.AsyncClient:
    silence = max(settings.llm_first_token_timeout_s, settings.llm_chunk_timeout_s)
    return httpx.AsyncClient(
        timeout=httpx.Timeout(silence, connect=settings.llm_connect_timeout_s),
        limits=httpx.Limits(max_connections=_CONNECTIONS),
        follow_redirects=True,
    )


def _chat(settings: AgentSettings, model: str, client: httpx.AsyncClient) -> ChatOpenAI:
    # Other servers ignore `max_completion_tokens`, which is what the client sends; the original
    # refuses a request that holds both.
    both = {"max_tokens": settings.openai_max_tokens} if settings.openai_base_url else None
    return ChatOpenAI(
        model=model,
        base_url=settings.openai_base_url,
        # Local servers need no key, but the client insists on one.
        api_key=settings.openai_api_key or SecretStr("none"),
        temperature=settings.openai_temperature,
        max_completion_tokens=settings.openai_max_tokens,
        extra_body=both,
        stream_usage=True,
        max_retries=0,
        timeout=client.timeout,
        http_async_client=client,
    )


def translate_error(error: Exception) -> Failure:
    """Say what an error of the client means to us."""
    kind = type(error).__name__
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException | TimeoutError):
        return Failure("timeout", again=True, detail=kind)
    if isinstance(error, openai.RateLimitError):
        wait = retry_after_of(error.response.headers, datetime.now(UTC))
        return Failure("rate_limited", again=True, retry_after_s=wait, detail=kind)
    if isinstance(error, openai.APIStatusError):
        server = error.status_code >= 500
        return Failure("server_error" if server else "rejected", again=server, detail=kind)
    if any(isinstance(e, httpx.RemoteProtocolError | httpx.ReadError) for e in _causes(error)):
        return Failure("cut_stream", again=True, detail=kind)
    if isinstance(error, openai.APIConnectionError | httpx.TransportError):
        return Failure("server_error", again=True, detail=kind)
    return Failure("bad_output", again=False, detail=kind)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
