"""The only path to a tool's handler: validate, policy, idempotency, handler, audit."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from crm.actor import Actor
from crm.db import Database
from crm.errors import Denied, NotFound
from crm.ids import new_id
from crm.journal.audit import AuditEntry
from tools.approvals import Approvals, ApprovedCall
from tools.arguments import ToolInput, parse_arguments, printable, recordable
from tools.attempt import Attempt
from tools.context import ToolContext, ToolRequest
from tools.effects import Effects
from tools.failures import result_of
from tools.outputs import ToolOutput, ok_of
from tools.policy import decide
from tools.registry import AnySpec, Registry
from tools.results import Failed, Ok, ToolResult
from tools.services import ToolServices
from tools.spec import Call, Effect

_log = logging.getLogger(__name__)

#: Takes the record of a read that names nobody, to be committed with the caller's own rows.
AuditSink = Callable[[AuditEntry], None]


class ToolRunner:
    """Runs tool calls for whoever the session proved, and leaves a record of each.

    Nothing but cancellation is ever raised: every call ends in a result.
    """

    def __init__(self, database: Database, registry: Registry, services: ToolServices) -> None:
        self._db = database
        self._registry = registry
        self._services = services
        self._effects = Effects(database, services)
        self._approvals = Approvals(database, registry, services, self._effects)

    def available(self, actor: Actor) -> tuple[AnySpec, ...]:
        """Return the tools that the actor may call."""
        return self._registry.tools_for(actor)

    async def call(
        self, context: ToolContext, request: ToolRequest, *, audit_sink: AuditSink | None = None
    ) -> ToolResult:
        """Carry out one call as a model asked for it.

        The records of effects are committed with them; those of refusals, failures and reads of
        personal data before this returns.

        Args:
            audit_sink: takes the record of a read without personal data; without it, it is
                committed at once, too.
        """
        attempt = _attempt(context, request, self._registry.get(request.tool))
        return await self._guarded(attempt, self._call(attempt, request, audit_sink))

    async def execute_confirmed(self, context: ToolContext, confirmation_id: UUID) -> ToolResult:
        """Execute the frozen call that was accepted in this conversation, without any model.

        A second call returns the first one's result.
        """
        attempt = Attempt(
            context=context,
            action="confirmation.execute",
            effect_key=f"confirm:{confirmation_id}",
            arguments={"confirmation_id": str(confirmation_id)},
        )
        return await self._guarded(attempt, self._approvals.execute(attempt, confirmation_id))

    async def execute_approved(self, context: ToolContext, call: ApprovedCall) -> ToolResult:
        """Execute a call that a member of staff accepts, without any model.

        A second call returns the first one's result.

        Args:
            context: of whom it is done for; its fence records the acceptance.
        """
        attempt = Attempt(
            context=context,
            action="action.execute",
            effect_key=f"action:{call.id}",
            arguments=dict(call.arguments),
        )
        return await self._guarded(attempt, self._approvals.execute_approved(attempt, call))

    async def _call(
        self, attempt: Attempt, request: ToolRequest, audit_sink: AuditSink | None
    ) -> ToolResult:
        spec = attempt.spec
        if spec is None:
            raise NotFound("tool.unknown", "There is no such tool.")
        args: ToolInput = parse_arguments(spec.input, request.arguments)
        attempt.arguments = args.recorded()
        decision = decide(spec, attempt.context.actor, confirmed=False)
        attempt.decision = decision.code
        if decision.outcome == "refused":
            raise Denied(decision.code, decision.message)
        if decision.outcome == "needs_approval":
            return await self._approvals.freeze(
                attempt, spec, args, tool_call_id=request.tool_call_id
            )
        if spec.effect is Effect.READ:
            return await self._read(attempt, spec, args, audit_sink)
        return await self._effects.perform(attempt, spec, args)

    async def _read(
        self, attempt: Attempt, spec: AnySpec, args: ToolInput, audit_sink: AuditSink | None
    ) -> Ok:
        call = Call(attempt.context, args, self._services, attempt.effect_key)
        async with asyncio.timeout(spec.timeout_s):
            output: ToolOutput = await spec.handler(call)
        result = ok_of(output)
        record = attempt.done(result, output)
        if audit_sink is not None and not spec.personal:
            audit_sink(record)
        else:
            await self._file(record)
        return result

    async def _guarded(self, attempt: Attempt, work: Coroutine[Any, Any, ToolResult]) -> ToolResult:
        try:
            return await work
        except asyncio.CancelledError:
            await self._try_to_file(attempt.aborted())
            raise
        except Exception as error:  # noqa: BLE001 whatever breaks, the turn is told and goes on
            result = result_of(error, tool=attempt.name)
        await self._give_up(attempt)
        filed = await self._try_to_file(attempt.ended(result))
        return result if filed else _UNRECORDED

    async def _give_up(self, attempt: Attempt) -> None:
        try:
            await self._approvals.give_up(attempt)
        except Exception as error:  # noqa: BLE001 the turn's end closes the confirmation, too
            _log.warning("a confirmation stays open: %s", type(error).__name__)

    async def _try_to_file(self, record: AuditEntry) -> bool:
        try:
            await self._file(record)
        except Exception:  # noqa: BLE001 what cannot be recorded must not be released
            _log.exception("a call to %s could not be recorded", record.action)
            return False
        return True

    async def _file(self, record: AuditEntry) -> None:
        async with self._db.transaction() as uow:
            uow.audit(record)


_UNRECORDED = Failed("audit.unavailable", "The call could not be recorded.", retryable=True)


def _attempt(context: ToolContext, request: ToolRequest, spec: AnySpec | None) -> Attempt:
    asked = recordable(request.arguments)
    if spec is None:
        # A name that is no tool's was made up by a model and may hold anything: it is sealed.
        asked = {"tool": printable(request.tool, 100), "arguments": asked}
    place = f"{context.run_id}:{request.step}:{request.index}"
    return Attempt(
        context=context,
        action="tool.unknown",
        effect_key=place if context.run_id else f"call:{new_id()}",
        arguments=asked,
        spec=spec,
        step=request.step,
        index=request.index,
    )
