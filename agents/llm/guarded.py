"""A provider behind time-outs, bounded retries and a circuit breaker."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessageChunk, AnyMessage

from agents.llm.breaker import Breaker
from agents.llm.retries import RetryRules, wait_before_retry
from agents.llm.size import Bounds, characters_of, estimated_usage, exceeds
from agents.llm.tool_calls import settle_calls, without_calls
from agents.runtime.turn import ModelFailed
from agents.settings import Price
from tools.spec import ToolSpec

Tools = Sequence[ToolSpec[Any, Any]]
#: Opens one stream of a model; raises whatever its client raises.
Opener = Callable[[Sequence[AnyMessage], Tools], AsyncGenerator[AIMessageChunk, None]]


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, in our terms.

    Args:
        code: of `ModelFailed`.
        again: whether the same call may work a moment later.
        retry_after_s: what the provider asked for.
        detail: for logs.
    """

    code: str
    again: bool
    retry_after_s: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long silence lasts until it is a failure."""

    first_token_s: float
    chunk_s: float


class GuardedProvider:
    """Streams from a model and ends in an answer or in `ModelFailed`, never in silence.

    Text is passed on as it comes; tool calls in one piece at the end, checked.

    Args:
        translate: says what an exception of the model's client means.
        sleep: waits between tries.
        close: lets go of the model's connections.
    """

    def __init__(
        self,
        *,
        name: str,
        model: str,
        open_stream: Opener,
        translate: Callable[[Exception], Failure],
        breaker: Breaker,
        retries: RetryRules,
        patience: Patience,
        bounds: Bounds,
        price: Price | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.name, self.model = name, model
        self._open_stream, self._translate = open_stream, translate
        self._breaker, self._retries = breaker, retries
        self._patience, self._bounds = patience, bounds
        self._price, self._sleep, self._close = price, sleep, close

    async def stream(
        self, messages: Sequence[AnyMessage], tools: Tools
    ) -> AsyncGenerator[AIMessageChunk, None]:
        """Stream one answer.

        A try that failed before anything was passed on is made again, within bounds.

        Raises: ModelFailed.
        """
        tried = 0
        while True:
            self._enter()
            tried += 1
            attempt = _Attempt(self._open_stream, self._translate, self._patience, self._bounds)
            try:
                async with aclosing(attempt.chunks(messages, tools)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            finally:
                self._settle(attempt)
            if attempt.failure is None:
                return
            await self._wait_or_raise(attempt.failure, tried, shown=attempt.shown)

    def cost_micros(self, tokens_in: int, tokens_out: int) -> int:
        """Return what tokens cost, rounded up."""
        if self._price is None:
            return 0
        spent = tokens_in * self._price.input_micros + tokens_out * self._price.output_micros
        return -(-spent // 1_000_000)

    async def aclose(self) -> None:
        """Let go of connections; the provider is not used afterwards."""
        if self._close is not None:
            await self._close()

    def _enter(self) -> None:
        if not self._breaker.enter():
            raise ModelFailed("open_circuit", self.model)

    def _settle(self, attempt: "_Attempt") -> None:
        if attempt.failure is not None:
            self._breaker.fail()
        elif attempt.finished:
            self._breaker.succeed()
        else:
            self._breaker.abandon()

    async def _wait_or_raise(self, failure: Failure, tried: int, *, shown: bool) -> None:
        wait = wait_before_retry(self._retries, tried, failure.retry_after_s)
        if shown or not failure.again or wait is None:
            raise ModelFailed(failure.code, failure.detail)
        await self._sleep(wait)


class _Attempt:
    """One try at a stream.

    Its failure is kept rather than raised, so that the caller decides whether to try again.
    """

    def __init__(
        self,
        open_stream: Opener,
        translate: Callable[[Exception], Failure],
        patience: Patience,
        bounds: Bounds,
    ) -> None:
        self._open_stream, self._translate = open_stream, translate
        self._patience, self._bounds = patience, bounds
        self.failure: Failure | None = None
        self.finished = False
        self.shown = False

    async def chunks(
        self, messages: Sequence[AnyMessage], tools: Tools
    ) -> AsyncGenerator[AIMessageChunk, None]:
        """Yield text as it comes, and at the end the settled calls and what it all took."""
        whole: AIMessageChunk | None = None
        characters = 0
        async with aclosing(self._timed(self._open_stream(messages, tools))) as stream:
            async for chunk in stream:
                whole = chunk if whole is None else whole + chunk
                characters += characters_of(chunk)
                if exceeds(whole, self._bounds, characters):
                    self.failure = Failure("too_long", again=False, detail=f"{characters} chars")
                    return
                self.shown = self.shown or bool(chunk.text)
                yield without_calls(chunk)
        if self.failure is None:
            self.failure = _flaw_of(whole)
        if self.failure is None and whole is not None:
            self.finished = True
            for chunk in _closing(whole, messages, tools):
                yield chunk

    async def _timed(
        self, stream: AsyncGenerator[AIMessageChunk, None]
    ) -> AsyncGenerator[AIMessageChunk, None]:
        patience = self._patience.first_token_s
        while True:
            try:
                async with asyncio.timeout(patience):
                    chunk = await anext(stream)
            except StopAsyncIteration:
                return
            except Exception as error:  # noqa: BLE001 every client has its own; `translate` knows
                self.failure = self._translate(error)
                return
            patience = self._patience.chunk_s
            yield chunk


def _closing(
    whole: AIMessageChunk, messages: Sequence[AnyMessage], tools: Tools
) -> Iterator[AIMessageChunk]:
    """Yield what follows the last text: what the answer took, if nobody told, and its calls."""
    if whole.usage_metadata is None:
        yield AIMessageChunk(content="", usage_metadata=estimated_usage(messages, whole))
    calls = settle_calls(whole, [tool.name for tool in tools])
    if calls is not None:
        yield calls


def _flaw_of(whole: AIMessageChunk | None) -> Failure | None:
    """Return what is wrong with a stream that ended by itself, or None."""
    if whole is None:
        return Failure("bad_output", again=True, detail="empty stream")
    if not whole.response_metadata.get("finish_reason"):
        return Failure("cut_stream", again=True, detail="no finish reason")
    if not whole.text.strip() and not whole.tool_call_chunks:
        return Failure("bad_output", again=True, detail="neither text nor calls")
    return None
