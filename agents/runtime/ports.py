"""What the turn engine needs from outside; `api` wires the implementations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from agents.runtime.brief import Locale, PendingConfirmation
from agents.runtime.turn import TurnTools

RunEnd = Literal["waiting", "completed", "failed"]


class LeaseLost(Exception):
    """Another process holds the conversation; whatever this one has not committed is void."""


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """A message of the log as agents see it."""

    id: UUID
    role: Literal["student", "agent", "advisor", "system"]
    text: str


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision to carry out."""

    confirmation_id: UUID
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a run starts from.

    Args:
        attempt: 1, or more when earlier holders crashed.
        window: the end of the log, oldest first.
        answering: how many student messages at its end are to be answered.
        steps: model outputs by step, stored with the effects of a holder that crashed.
    """

    run_id: UUID
    ordinal: int
    attempt: int
    conversation_id: UUID
    locale: Locale
    identity_level: Literal["visitor", "channel", "verified"]
    status: str
    summary: str
    memory: dict[str, object]
    window: tuple[LoggedMessage, ...]
    answering: tuple[LoggedMessage, ...]
    decided: Decided | None
    pending: PendingConfirmation | None
    steps: dict[int, dict[str, object]]

    @property
    def silent(self) -> bool:
        """Return whether a person answers, or nobody: then agents say nothing."""
        return self.status in {"advisor", "closed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who speaks for the institution in this run."""

    agent: str
    provider: str
    model: str
    prompt_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run ends in.

    Args:
        degraded: why the fallback spoke, if it did.
        flags: what the guards noted of the messages and of the reply.
    """

    status: RunEnd
    reply: str | None
    locale: Locale
    speaker: Speaker
    steps: int
    latency_ms: int
    citations: Sequence[dict[str, str]] = ()
    actions: Sequence[dict[str, object]] = ()
    memory: dict[str, object] = field(default_factory=dict)
    tool_calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micros: int = 0
    error_code: str | None = None
    degraded: str | None = None
    flags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class StoredReply:
    """The reply as it stands in the log, in the wire's form."""

    id: UUID
    wire: dict[str, object]


class Assignment(Protocol):
    """One run, open under a lease."""

    situation: Situation

    def tools(
        self,
        speaker: Callable[[], Speaker],
        locale: Callable[[], Locale],
        recorded: Callable[[], dict[int, dict[str, object]]],
    ) -> TurnTools:
        """Bind the tool runner to this run.

        Args:
            speaker: who speaks at the time of a call.
            recorded: the model's outputs so far; stored in the transaction of every effect.
        """
        ...

    async def newer_messages(self) -> bool:
        """Return whether the student has written since the run began."""
        ...

    async def commit(self, outcome: Outcome) -> StoredReply | None:
        """Store the outcome in one transaction; None when nothing was said.

        Raises: LeaseLost.
        """
        ...


class Held(Protocol):
    """A conversation under this process's lease."""

    lease_life_s: float
    epoch: int

    async def renew(self) -> bool:
        """Keep holding; False when the lease was lost."""
        ...

    async def release(self) -> None:
        """Let others have it."""
        ...

    async def next(self) -> Assignment | float | None:
        """Return the next run, or the seconds until a burst ends, or None.

        Raises: LeaseLost.
        """
        ...


class Desk(Protocol):
    """Where conversations wait to be served."""

    async def acquire(self, conversation_id: UUID) -> Held | None:
        """Take a conversation; None when somebody else holds it."""
        ...

    async def due(self) -> Sequence[UUID]:
        """Return conversations that wait and that nobody holds."""
        ...

    async def ended(self) -> Sequence[UUID]:
        """Return runs that ended and whose checkpoints are still kept."""
        ...


class EventStream(Protocol):
    """The conversation's live events; losing one costs a reload, never data."""

    async def append(
        self, conversation_id: UUID, kind: str, data: dict[str, object], *, ordinal: int, epoch: int
    ) -> None:
        """Send an event of a run; dropped when a later lease's holder has begun to write."""
        ...

    async def append_message(
        self, conversation_id: UUID, message_id: UUID, data: dict[str, object], *, ordinal: int
    ) -> object:
        """Send a stored message, once per message id."""
        ...


class Clock(Protocol):
    """A source of the present, always aware and in UTC."""

    def now(self) -> datetime:
        """Return the present in UTC."""
        ...
