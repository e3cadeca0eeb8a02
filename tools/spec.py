"""What a tool is: its contract, its effect, and who may call it."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from pydantic import BaseModel

from crm.actor import IdentityLevel, Role
from crm.db import UnitOfWork
from tools.context import Locale, ToolContext
from tools.offer import Offer

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
        effect_key: names the effect once and for all; a repeated call has the same.
        offer: the terms that were agreed to, of a call that needed consent.
        transaction: of the effect; None for a READ, whose services borrow connections of their own
            (a call that held one while it waited for a second could starve the pool).
    """

    context: ToolContext
    args: In
    services: "ToolServices"
    effect_key: str
    transaction: UnitOfWork | None = None
    offer: Offer | None = None

    @property
    def uow(self) -> UnitOfWork:
        """Return the transaction of the effect.

        Raises: RuntimeError: a READ has none.
        """
        if self.transaction is None:
            raise RuntimeError("a READ has no transaction")
        return self.transaction


Handler = Callable[[Call[In]], Awaitable[Out]]


def description_of(handler: Callable[..., object]) -> str:
    """Return a handler's docstring: it is what the model reads of the tool.

    Raises: ValueError: it has none.
    """
    written = inspect.getdoc(handler)
    if not written:
        raise ValueError(f"{handler!r} does not say what it does")
    return written


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec(Generic[In, Out]):
    """The contract of one tool.

    Args:
        description: what the model reads: when to use it, what it returns.
        personal: its result holds personal data; its audit commits before the result is released.
        min_level: for students; staff act by role.
        approvers: who may agree, where an advisor has to.
        students: whether a student may call it at all.
        summarise: one sentence that says what acceptance will do, from the arguments alone.
        prepare: works the terms out instead, in the transaction that freezes the call; may freeze a
            price and hold a seat. One of the two is required with approval.
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
    approvers: frozenset[Role] = frozenset({Role.ADVISOR, Role.ADMIN})
    personal: bool = False
    timeout_s: float = 10.0
    summarise: Callable[[In, Locale], str] | None = None
    prepare: Callable[[Call[In]], Awaitable[Offer]] | None = None
    examples: tuple[dict[str, object], ...] = ()
