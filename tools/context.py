"""On whose behalf a tool acts, and within which run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from crm.actor import Actor
from crm.db import UnitOfWork

Locale = Literal["es", "en"]

#: Runs first inside the transaction of every effect; raises when the run lost its lease.
Fence = Callable[[UnitOfWork], Awaitable[None]]


async def no_fence(uow: UnitOfWork) -> None:
    """Let every effect pass: for callers without a lease, such as staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """What the session proved; none of it can come from a model's arguments.

    Args:
        actor: the student or member of staff, with the agent that acts for them.
        run_id: with step and index it makes an effect's key; stable across crashes.
        fence: see `Fence`.
    """

    actor: Actor
    locale: Locale
    conversation_id: UUID | None = None
    run_id: UUID | None = None
    fence: Fence = no_fence


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRequest:
    """One call as the model asked for it.

    Args:
        arguments: not yet validated.
        step: of the run's loop, from 0.
        index: of the call within its step, from 0.
        tool_call_id: the model's own name for the call.
    """

    tool: str
    arguments: object
    step: int
    index: int
    tool_call_id: str = ""
