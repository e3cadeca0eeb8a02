"""Turns: leases, runs and the work that a lease's holder finds."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from crm.ids import ConversationId, RunId
from crm.journal.audit import AuditEntry
from crm.messaging.confirmations.models import Confirmation
from crm.messaging.conversations.models import Conversation, Locale, Message


class RunStatus(StrEnum):
    """Where a run stands; `waiting` for a decision."""

    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write in a conversation.

    Args:
        owner: unique to this acquisition; with the epoch it recognises a holder even if the row
            was lost with the database's last unflushed moments and the epoch was given out again.
    """

    conversation_id: ConversationId
    epoch: int
    owner: str


@dataclass(frozen=True, slots=True)
class Wait:
    """A burst may still be going on.

    Args:
        seconds: until it counts as ended.
    """

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One run to carry out.

    Args:
        ordinal: of the run, in the sequence it shares with messages.
        attempt: 1, or more when earlier holders crashed.
        window: the end of the log, oldest first, the messages to answer included.
        answering: the messages to answer, oldest first; empty when a decision is carried out.
        decided: the decision to carry out, which resumes its run.
        pending: what the student was asked last and has not decided.
        steps: model outputs by step, stored with the effects of a holder that crashed.
    """

    run_id: RunId
    ordinal: int
    attempt: int
    conversation: Conversation
    window: tuple[Message, ...]
    answering: tuple[Message, ...]
    decided: Confirmation | None
    pending: Confirmation | None
    steps: dict[int, dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnOutcome:
    """What a run ends in; stored in one transaction.

    Args:
        reply: None when nothing is to be said.
        audits: of what was read, kept back until now, and of the turn itself.
    """

    status: RunStatus
    reply: str | None
    locale: Locale
    citations: tuple[dict[str, str], ...] = ()
    actions: tuple[dict[str, object], ...] = ()
    memory: dict[str, object] = field(default_factory=dict)
    audits: tuple[AuditEntry, ...] = ()
    agent: str = ""
    provider: str = ""
    model: str = ""
    prompt_version: str = ""
    steps: int = 0
    tool_calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micros: int = 0
    latency_ms: int = 0
    error_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as admins see it."""

    id: RunId
    conversation_id: ConversationId
    status: RunStatus
    agent: str
    provider: str
    model: str
    prompt_version: str
    attempts: int
    steps: int
    tool_calls: int
    tokens_in: int
    tokens_out: int
    cost_micros: int
    latency_ms: int | None
    error_code: str | None
    started_at: datetime
    finished_at: datetime | None
