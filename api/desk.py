"""Puts the CRM's turns and the tool runner behind the turn engine's Protocols."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from agents.runtime.brief import Locale, PendingConfirmation
from agents.runtime.ports import (
    Decided,
    LeaseLost,
    LoggedMessage,
    Outcome,
    Situation,
    Speaker,
    StoredReply,
)
from agents.runtime.turn import AskedCall
from api.wire import message_wire
from crm.actor import Actor, AgentIdentity
from crm.db import UnitOfWork
from crm.errors import Conflict, Unavailable
from crm.journal.audit import AuditEntry
from crm.messaging.confirmations.models import Confirmation
from crm.messaging.conversations.models import Message
from crm.messaging.turns.models import Lease, RunStatus, TurnOutcome, Wait, Work
from crm.messaging.turns.service import TurnService
from tools.arguments import printable, recordable
from tools.context import ToolContext, ToolRequest
from tools.results import ToolResult
from tools.runner import ToolRunner
from tools.spec import ToolSpec

_log = logging.getLogger(__name__)


class TurnDesk:
    """Where conversations wait; implements `agents.runtime.ports.Desk`."""

    def __init__(self, turns: TurnService, runner: ToolRunner) -> None:
        self._turns = turns
        self._runner = runner

    async def acquire(self, conversation_id: UUID) -> "HeldConversation | None":
        """Take a conversation; None when somebody else holds it."""
        lease = await self._turns.acquire(conversation_id)
        return HeldConversation(self._turns, self._runner, lease) if lease else None

    async def due(self) -> Sequence[UUID]:
        """Return conversations that wait and that nobody holds."""
        return await self._turns.due()

    async def ended(self) -> Sequence[UUID]:
        """Return runs that ended and whose checkpoints are still kept."""
        return await self._turns.ended_threads()


class HeldConversation:
    """A conversation under a lease; implements `agents.runtime.ports.Held`."""

    def __init__(self, turns: TurnService, runner: ToolRunner, lease: Lease) -> None:
        self._turns = turns
        self._runner = runner
        self._lease = lease
        self.lease_life_s = turns.lease_life_s
        self.epoch = lease.epoch

    async def renew(self) -> bool:
        """Keep holding; False when the lease was lost."""
        try:
            return await self._turns.renew(self._lease)
        except Unavailable:
            # Not lost yet, as far as anybody knows: the fence decides at the next write.
            return True

    async def release(self) -> None:
        """Let others have it."""
        try:
            await self._turns.release(self._lease)
        except Unavailable:
            _log.warning("lease of %s left to expire", self._lease.conversation_id)

    async def next(self) -> "OpenRun | float | None":
        """Return the next run, or the seconds until a burst ends, or None.

        Raises: LeaseLost.
        """
        try:
            work = await self._turns.next_work(self._lease)
        except Conflict as lost:
            raise LeaseLost from lost
        if isinstance(work, Wait):
            return work.seconds
        return OpenRun(self._turns, self._runner, self._lease, work) if work else None


class OpenRun:
    """One run, open under a lease; implements `agents.runtime.ports.Assignment`."""

    def __init__(self, turns: TurnService, runner: ToolRunner, lease: Lease, work: Work) -> None:
        self._turns = turns
        self._runner = runner
        self._lease = lease
        self._work = work
        self._kept_back: list[AuditEntry] = []
        self.situation = _situation(work)

    def tools(
        self,
        speaker: Callable[[], Speaker],
        locale: Callable[[], Locale],
        recorded: Callable[[], dict[int, dict[str, object]]],
    ) -> "RunTools":
        """Bind the tool runner to this run."""

        async def fence(uow: UnitOfWork) -> None:
            await self._turns.fence(uow, self._lease)
            for step, output in recorded().items():
                await self._turns.record_step(uow, self._work, step, output)

        def context() -> ToolContext:
            return ToolContext(
                actor=self._actor(speaker()),
                locale=locale(),
                conversation_id=self._work.conversation.id,
                run_id=self._work.run_id,
                fence=fence,
            )

        return RunTools(self._runner, self._turns, context, self._kept_back)

    def _actor(self, speaker: Speaker) -> Actor:
        agent = AgentIdentity(speaker.agent, speaker.model, speaker.prompt_version)
        return replace(self._work.conversation.student, agent=agent)

    async def newer_messages(self) -> bool:
        """Return whether the student has written since the run began."""
        return await self._turns.newer_messages(self._work)

    async def commit(self, outcome: Outcome) -> StoredReply | None:
        """Store the outcome in one transaction; None when nothing was said.

        Raises: LeaseLost.
        """
        audits = (*self._kept_back, self._record_of(outcome))
        try:
            message = await self._turns.commit(self._lease, self._work, _stored(outcome, audits))
        except Conflict as lost:
            raise LeaseLost from lost
        return StoredReply(message.id, message_wire(message)) if message else None

    def _record_of(self, outcome: Outcome) -> AuditEntry:
        """Return the audit record of the turn itself."""
        return AuditEntry(
            actor=self._actor(outcome.speaker),
            action="turn",
            effect="NONE",
            outcome="failed" if outcome.status == "failed" else "ok",
            decision=outcome.degraded or outcome.status,
            error_code=outcome.error_code,
            payload={
                "reply": outcome.reply,
                "citations": list(outcome.citations),
                "flags": list(outcome.flags),
                "answers": [str(m.id) for m in self._work.answering],
            },
            chain_id=self._work.conversation.id,
            conversation_id=self._work.conversation.id,
            run_id=self._work.run_id,
            tokens_in=outcome.tokens_in,
            tokens_out=outcome.tokens_out,
            cost_micros=outcome.cost_micros,
            latency_ms=outcome.latency_ms,
        )


class RunTools:
    """The tool runner for one run; implements `agents.runtime.turn.TurnTools`."""

    def __init__(
        self,
        runner: ToolRunner,
        turns: TurnService,
        context: Callable[[], ToolContext],
        kept_back: list[AuditEntry],
    ) -> None:
        self._runner = runner
        self._turns = turns
        self._context = context
        self._kept_back = kept_back

    def available(self) -> tuple[ToolSpec[Any, Any], ...]:
        """Return the tools that the actor may call."""
        return self._runner.available(self._context().actor)

    async def call(self, asked: AskedCall) -> ToolResult:
        """Validate, check, run and audit one call."""
        request = ToolRequest(
            tool=asked.name,
            arguments=asked.arguments,
            step=asked.step,
            index=asked.index,
            tool_call_id=asked.call_id,
        )
        return await self._runner.call(self._context(), request, audit_sink=self._kept_back.append)

    async def refuse(self, asked: Sequence[AskedCall], *, code: str) -> None:
        """Record calls that are not carried out, before anything follows from that."""
        known = {spec.name for spec in self.available()}
        await self._turns.record([self._refusal(a, code, a.name in known) for a in asked])

    def _refusal(self, asked: AskedCall, code: str, known: bool) -> AuditEntry:
        context = self._context()
        return AuditEntry(
            actor=context.actor,
            action=asked.name if known else "tool.unknown",
            effect="NONE",
            outcome="refused",
            decision=code,
            error_code=code,
            arguments={
                "tool": printable(asked.name, 100),
                "arguments": recordable(asked.arguments),
            },
            chain_id=context.conversation_id,
            conversation_id=context.conversation_id,
            run_id=context.run_id,
            step=asked.step,
            call_index=asked.index,
        )

    async def execute_confirmed(self, confirmation_id: UUID) -> ToolResult:
        """Execute exactly the frozen call that was accepted."""
        context = self._context()
        return await self._runner.execute_confirmed(context, confirmation_id)


def _situation(work: Work) -> Situation:
    conversation = work.conversation
    return Situation(
        run_id=work.run_id,
        ordinal=work.ordinal,
        attempt=work.attempt,
        conversation_id=conversation.id,
        locale=conversation.locale,
        identity_level=conversation.level.word,
        status=str(conversation.status),
        summary=conversation.summary,
        memory=conversation.memory,
        window=tuple(_logged(m) for m in work.window),
        answering=tuple(_logged(m) for m in work.answering),
        decided=_decided(work.decided),
        pending=_pending(work.pending),
        steps=work.steps,
    )


def _logged(message: Message) -> LoggedMessage:
    return LoggedMessage(message.id, message.role, message.body)


def _decided(confirmation: Confirmation | None) -> Decided | None:
    if confirmation is None:
        return None
    return Decided(confirmation.id, confirmation.agreed)


def _pending(confirmation: Confirmation | None) -> PendingConfirmation | None:
    if confirmation is None:
        return None
    return PendingConfirmation(
        id=str(confirmation.id),
        tool=confirmation.call.tool,
        summary=confirmation.call.summary,
        expires_at=confirmation.expires_at.isoformat(),
    )


def _stored(outcome: Outcome, audits: tuple[AuditEntry, ...]) -> TurnOutcome:
    speaker = outcome.speaker
    return TurnOutcome(
        status=RunStatus(outcome.status),
        reply=outcome.reply,
        locale=outcome.locale,
        citations=tuple(outcome.citations),
        actions=tuple(outcome.actions),
        memory=outcome.memory,
        audits=audits,
        agent=speaker.agent,
        provider=speaker.provider,
        model=speaker.model,
        prompt_version=speaker.prompt_version,
        steps=outcome.steps,
        tool_calls=outcome.tool_calls,
        tokens_in=outcome.tokens_in,
        tokens_out=outcome.tokens_out,
        cost_micros=outcome.cost_micros,
        latency_ms=outcome.latency_ms,
        error_code=outcome.error_code,
    )
