"""What a tool is: its contract, its effect, and who may call it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from pydantic import BaseModel

from crm.actor import IdentityLevel, Role
from crm.db import UnitOfWork
from tools.context import Locale, ToolContext

if TYPE_CHECKING:
    from tools.services import ToolServices

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)

Approval = Literal["none", "student", "advisor"]


class Effect(StrEnum):
    """What a call changes."""

    READ = "READ"
    WRITE = "WRITE"
    MONEY = "MONEY"
    OUTBOUND = "OUTBOUND"


@dataclass(frozen=True, slots=True)
class Call(Generic[In]):
    """What a handler gets.

    Args:
        uow: the transaction of the effect; for a READ it holds no rows to commit but audits.
    """

    context: ToolContext
    args: In
    services: "ToolServices"
    uow: UnitOfWork
    effect_key: str


Handler = Callable[[Call[In]], Awaitable[Out]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec(Generic[In, Out]):
    """The contract of one tool.

    Args:
        description: what the model reads: when to use it, what it returns.
        personal: its result holds personal data; its audit commits before the result is released.
        min_level: for students; staff act by role.
        students: whether a student may call it at all.
        summarise: one sentence that says what acceptance will do; required with approval.
        examples: arguments that are valid, for prompts and tests.
    """

    name: str
    version: int
    description: str
    input: type[In]
    output: type[Out]
    handler: Handler[In, Out]
    effect: Effect = Effect.READ
    min_level: IdentityLevel = IdentityLevel.VISITOR
    students: bool = True
    roles: frozenset[Role] = frozenset({Role.ADVISOR, Role.ADMIN})
    approval: Approval = "none"
    personal: bool = False
    timeout_s: float = 10.0
    summarise: Callable[[In, Locale], str] | None = None
    examples: tuple[dict[str, object], ...] = ()
