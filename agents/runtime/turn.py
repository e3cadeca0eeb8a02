"""What a running turn offers to the nodes of a graph (LangGraph's `Runtime.context`)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from langchain_core.messages import AIMessageChunk, AnyMessage

from agents.runtime.brief import Guess, Locale
from agents.runtime.policy import SHIPPED_POLICY
from tools.results import ToolResult
from tools.spec import ToolSpec


class ModelFailed(Exception):
    """A provider gave no usable answer; the message is for logs only.

    Args:
        code: `timeout`, `rate_limited`, `server_error`, `cut_stream`, `bad_output`, `too_long`,
            `rejected`, `open_circuit`.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class Provider(Protocol):
    """A language model behind retries, time-outs and a circuit breaker."""

    name: str
    model: str

    def stream(
        self, messages: Sequence[AnyMessage], tools: Sequence[ToolSpec[Any, Any]]
    ) -> AsyncIterator[AIMessageChunk]:
        """Stream one answer; the last chunks carry `usage_metadata` where the provider tells it.

        Raises: ModelFailed.
        """
        ...

    def cost_micros(self, tokens_in: int, tokens_out: int) -> int:
        """Return what that many tokens cost, in millionths of a dollar, by the price table."""
        ...


@dataclass(frozen=True, slots=True)
class AskedCall:
    """One call as a model asked for it.

    Args:
        step: of the run's loop, from 0.
        index: of the call within its step, from 0.
        call_id: the model's own name for the call.
    """

    name: str
    arguments: object
    step: int
    index: int
    call_id: str


class Guesser(Protocol):
    """A classifier of what students want."""

    async def guess(self, texts: Sequence[str]) -> dict[str, Guess]:
        """Return a guess by text; none while it cannot be had."""
        ...


class TurnTools(Protocol):
    """The tool runner, bound to this turn's actor, run and lease."""

    def available(self) -> tuple[ToolSpec[Any, Any], ...]:
        """Return the tools that the actor may call."""
        ...

    async def call(self, asked: AskedCall) -> ToolResult:
        """Validate, check, run and audit one call."""
        ...

    async def refuse(self, asked: Sequence[AskedCall], *, code: str) -> None:
        """Record calls that are not carried out, before anything follows from that."""
        ...

    async def execute_confirmed(self, confirmation_id: UUID) -> ToolResult:
        """Execute exactly the frozen call that was accepted."""
        ...


@dataclass(slots=True)
class Usage:
    """What the turn has cost so far."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost_micros: int = 0
    tool_calls: int = 0
    effects: int = 0


@dataclass(slots=True, kw_only=True)
class Turn:
    """One run of the agents over a conversation's unanswered messages.

    Args:
        emit: sends an event to the conversation's stream (DESIGN: HTTP contract).
        replay: model outputs by step, recorded by a holder that crashed.
        provider: the model that speaks; replaced by `fallback` when it fails.
        by_agent: the models of agents that speak otherwise than the rest.
        agent: who serves the turn, once the supervisor has chosen; empty before.
        policy: what the institution holds its agents to.
        max_steps: calls of a model in one run.
        max_tokens: read and written by models in one run; None is without bound.
        max_cost_micros: of those tokens by the price table; None is without bound.
        guesser: None where there is no classifier; the rules serve alone.
    """

    run_id: UUID
    conversation_id: UUID
    locale: Locale
    tools: TurnTools
    provider: Provider
    fallback: Provider
    emit: Callable[[str, dict[str, object]], Awaitable[None]]
    max_steps: int
    by_agent: Mapping[str, Provider] = field(default_factory=dict)
    agent: str = ""
    policy: str = SHIPPED_POLICY
    max_tokens: int | None = None
    max_cost_micros: int | None = None
    guesser: Guesser | None = None
    replay: dict[int, dict[str, object]] = field(default_factory=dict)
    recorded: dict[int, dict[str, object]] = field(default_factory=dict)
    results: list[tuple[str, ToolResult]] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    released: bool = False
    degraded: str | None = None
