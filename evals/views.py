"""Turns what the services return into what scorers look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from crm.journal.service import AuditRecord
from crm.messaging.conversations.models import Message
from crm.messaging.turns.models import Run
from evals.evidence import Reply, ToolCall
from tools.registry import default_registry

#: What the runner files a call under whose tool does not exist.
_UNKNOWN = "tool.unknown"


@dataclass(frozen=True, slots=True)
class RunSeen:
    """What one run took."""

    status: str
    provider: str
    model: str
    latency_ms: int
    tool_calls: int
    tokens_in: int
    tokens_out: int
    cost_micros: int


def run_seen(run: Run) -> RunSeen:
    """Return what a run took."""
    return RunSeen(
        status=str(run.status),
        provider=run.provider,
        model=run.model,
        latency_ms=run.latency_ms or 0,
        tool_calls=run.tool_calls,
        tokens_in=run.tokens_in,
        tokens_out=run.tokens_out,
        cost_micros=run.cost_micros,
    )


def replies_of(messages: Sequence[Message]) -> tuple[Reply, ...]:
    """Return what the agent said, oldest first."""
    return tuple(
        Reply(
            text=message.body,
            cites=tuple(citation["url"] for citation in message.citations),
            hints=tuple(str(action.get("type")) for action in message.actions),
        )
        for message in messages
        if message.role == "agent"
    )


def confirmation_ids_of(messages: Sequence[Message]) -> list[UUID]:
    """Return the confirmations that the student was shown, oldest first."""
    shown = [a for m in messages for a in m.actions if a.get("type") == "confirmation"]
    return list(dict.fromkeys(UUID(str(a["confirmation_id"])) for a in shown))


def calls_of(records: Sequence[AuditRecord]) -> tuple[ToolCall, ...]:
    """Return the tool calls among audit records, oldest first.

    Args:
        records: of one conversation, newest first.
    """
    names = {spec.name for spec in default_registry()} | {_UNKNOWN}
    headers = [record.header for record in records if record.header["action"] in names]
    return tuple(
        ToolCall(str(h["action"]), str(h["outcome"]), _text(h["error_code"]))
        for h in sorted(headers, key=lambda h: int(str(h["seq"])))
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
