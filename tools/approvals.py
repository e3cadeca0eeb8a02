"""Freezes a call until its person agrees, and then executes exactly what was shown."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from crm.actor import Actor
from crm.db import Database, UnitOfWork
from crm.errors import Conflict, Denied, NotFound, RuleBroken
from crm.ids import PersonId
from crm.messaging.confirmations.models import Confirmation, ConfirmationStatus, FrozenCall
from crm.pipeline.actions.models import Asked
from tools.arguments import parse_arguments
from tools.attempt import Attempt
from tools.effects import Effects
from tools.offer import Offer, offer_of
from tools.policy import decide
from tools.registry import Registry
from tools.results import NeedsConfirmation, Ok
from tools.services import ToolServices
from tools.spec import Call, ToolSpec

_AGREED = {ConfirmationStatus.ACCEPTED, ConfirmationStatus.EXECUTED}
_WHY_NOT = {
    ConfirmationStatus.PENDING: "Nobody has agreed to this yet.",
    ConfirmationStatus.REJECTED: "The student declined.",
    ConfirmationStatus.EXPIRED: "The time to decide is over.",
    ConfirmationStatus.FAILED: "This was agreed to and could not be carried out.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedCall:
    """A call that a member of staff accepts.

    Args:
        id: of the suggestion that it was kept with; it makes the effect's key.
        asked: whoever waits for it, and the terms; None of what we suggested ourselves.
    """

    id: UUID
    tool: str
    arguments: Mapping[str, object]
    approver: Actor
    asked: Asked | None = None


class Approvals:
    """Puts a decision between a call and its effect."""

    def __init__(
        self, database: Database, registry: Registry, services: ToolServices, effects: Effects
    ) -> None:
        self._db = database
        self._registry = registry
        self._services = services
        self._confirmations = services.confirmations
        self._effects = effects

    async def freeze(
        self, attempt: Attempt, spec: ToolSpec[Any, Any], args: BaseModel, *, tool_call_id: str
    ) -> NeedsConfirmation | Ok:
        """Keep the call for a decision; nothing else changes.

        A call that was frozen and decided before gets the same answer again: whoever resumes a
        turn finds their way to the decision, and from there to the result.

        Raises:
            RuleBroken("approval.unavailable"): nobody could be asked here.
            Conflict("confirmation.expired"): it was frozen before, and the time to decide is over.
        """
        if spec.approval == "advisor":
            return await self._hold(attempt, spec, args)
        _check_asking(attempt)
        async with self._db.transaction() as uow:
            await attempt.context.fence(uow)
            held = await self._confirmations.find(uow, attempt.effect_key)
            if held is None:
                async with asyncio.timeout(spec.timeout_s):
                    offer = await self._offer(uow, attempt, spec, args)
                call = _frozen(attempt, spec, args, offer, tool_call_id)
                held = await self._confirmations.freeze(uow, call)
            if held.status is ConfirmationStatus.EXPIRED:
                raise Conflict("confirmation.expired", "The time to decide is over.")
            if held.status is ConfirmationStatus.PENDING:
                uow.audit(attempt.frozen(held.id))
        # What is shown is what is frozen: after a crash a model may have worded its call anew.
        kept = held.call
        return NeedsConfirmation(
            held.id, kept.tool, kept.summary, held.expires_at, kept.price_minor, kept.currency
        )

    async def _hold(self, attempt: Attempt, spec: ToolSpec[Any, Any], args: BaseModel) -> Ok:
        """Put the call into the advisors' queue; whoever asked is told that it waits."""
        context, person_id = attempt.context, attempt.context.actor.person_id
        if person_id is None:
            raise RuleBroken("approval.unavailable", "Only a known student can ask for this.")
        async with self._db.transaction() as uow:
            await context.fence(uow)
            held = await self._services.actions.find(uow, attempt.effect_key)
            if held is None:
                async with asyncio.timeout(spec.timeout_s):
                    offer = await self._offer(uow, attempt, spec, args)
                held = await self._services.actions.hold(
                    uow,
                    _asked(attempt, spec, offer, person_id),
                    tool=spec.name,
                    arguments=args.model_dump(mode="json"),
                    language=context.locale,
                    effect_key=attempt.effect_key,
                )
            uow.audit(attempt.frozen(held.id))
        status = "waiting_for_advisor" if held.status == "open" else held.status
        return Ok({"status": status, "summary": held.draft})

    async def _offer(
        self, uow: UnitOfWork, attempt: Attempt, spec: ToolSpec[Any, Any], args: BaseModel
    ) -> Offer:
        if spec.prepare is not None:
            call = Call(attempt.context, args, self._services, attempt.effect_key, uow)
            return await spec.prepare(call)
        assert spec.summarise is not None, "the registry has checked it"  # noqa: S101
        return Offer(summary=spec.summarise(args, attempt.context.locale))

    async def execute(self, attempt: Attempt, confirmation_id: UUID) -> Ok:
        """Execute a frozen call that was accepted, once; later calls get the same result.

        Raises: NotFound, Conflict, Denied, RuleBroken, and what the handler raises; nothing is
            changed then.
        """
        async with self._db.transaction() as uow:
            await attempt.context.fence(uow)
            held = await self._find(uow, attempt, confirmation_id)
            spec = self._identify(attempt, held)
            args = self._check(attempt, held, spec)
            async with asyncio.timeout(spec.timeout_s):
                result = await self._effects.perform_within(
                    uow, attempt, spec, args, offer=offer_of(held.call)
                )
            await self._confirmations.mark_executed(uow, held.id)
        return result

    async def execute_approved(self, attempt: Attempt, call: ApprovedCall) -> Ok:
        """Execute a call that a member of staff accepts, once; the fence records that they do.

        Raises: NotFound, Conflict, Denied, RuleBroken, and what the handler raises; nothing is
            changed then, and nothing is accepted.
        """
        spec = self._registry.get(call.tool)
        if spec is None:
            raise NotFound("tool.unknown", "There is no such tool.")
        attempt.spec, attempt.approval_id, attempt.by_advisor = spec, call.id, True
        decision = decide(spec, attempt.context.actor, confirmed=True)
        attempt.decision = decision.code
        if decision.outcome != "allowed":
            raise Denied(decision.code, decision.message)
        if call.approver.role not in spec.approvers:
            raise Denied("approval.role", "This role cannot agree to this.")
        if spec.approval == "advisor":
            attempt.decision = "approval.advisor"
        args: BaseModel = parse_arguments(spec.input, call.arguments)
        asked = call.asked
        if asked is not None and asked.tool_version != spec.version:
            raise Conflict("action.changed", "The call is not the one that was asked for.")
        async with self._db.transaction() as uow:
            await attempt.context.fence(uow)
            async with asyncio.timeout(spec.timeout_s):
                return await self._effects.perform_within(
                    uow, attempt, spec, args, offer=offer_of(asked) if asked else None
                )

    async def give_up(self, attempt: Attempt) -> None:
        """Note that an accepted call came to nothing, if that is still this caller's to say.

        Raises: what the fence raises.
        """
        if attempt.approval_id is None or attempt.by_advisor:
            return
        async with self._db.transaction() as uow:
            await attempt.context.fence(uow)
            held = await self._confirmations.lock(uow, attempt.approval_id)
            if held.status is ConfirmationStatus.ACCEPTED:
                await self._confirmations.mark_failed(uow, held.id)

    async def _find(self, uow: UnitOfWork, attempt: Attempt, confirmation_id: UUID) -> Confirmation:
        held = await self._confirmations.lock(uow, confirmation_id)
        if held.call.conversation_id != attempt.context.conversation_id:
            raise NotFound("confirmation.unknown", "There is no such confirmation.")
        attempt.approval_id = held.id
        return held

    def _identify(self, attempt: Attempt, held: Confirmation) -> ToolSpec[Any, Any]:
        spec = self._registry.get(held.call.tool)
        if spec is None:
            raise NotFound("tool.unknown", "There is no such tool.")
        attempt.spec, attempt.arguments = spec, held.call.arguments
        if not held.unchanged or held.call.tool_version != spec.version:
            raise Conflict("confirmation.changed", "The call is not the one that was shown.")
        return spec

    def _check(self, attempt: Attempt, held: Confirmation, spec: ToolSpec[Any, Any]) -> BaseModel:
        if held.status not in _AGREED:
            raise Denied(f"confirmation.{held.status}", _WHY_NOT[held.status])
        decision = decide(spec, attempt.context.actor, confirmed=True)
        attempt.decision = decision.code
        if decision.outcome != "allowed":
            raise Denied(decision.code, decision.message)
        attempt.decision = f"approval.{spec.approval}"
        args: BaseModel = parse_arguments(spec.input, held.call.arguments)
        return args


def _asked(attempt: Attempt, spec: ToolSpec[Any, Any], offer: Offer, person_id: PersonId) -> Asked:
    actor, agent = attempt.context.actor, attempt.context.actor.agent
    return Asked(
        subject_id=actor.subject_id,
        person_id=person_id,
        level=int(actor.level),
        agent=(agent.name, agent.model, agent.prompt_version) if agent else None,
        conversation_id=attempt.context.conversation_id,
        tool_version=spec.version,
        summary=offer.summary,
        price_minor=offer.price.amount_minor if offer.price else None,
        currency=offer.price.currency if offer.price else None,
        quote_id=offer.quote_id,
        hold_id=offer.hold_id,
    )


def _check_asking(attempt: Attempt) -> None:
    if attempt.context.conversation_id is None or attempt.context.run_id is None:
        raise RuleBroken("approval.unavailable", "Approval is given in a conversation.")


def _frozen(
    attempt: Attempt, spec: ToolSpec[Any, Any], args: BaseModel, offer: Offer, tool_call_id: str
) -> FrozenCall:
    context = attempt.context
    assert context.conversation_id is not None, "checked before"  # noqa: S101
    assert context.run_id is not None, "checked before"  # noqa: S101
    return FrozenCall(
        conversation_id=context.conversation_id,
        run_id=context.run_id,
        call_key=attempt.effect_key,
        tool=spec.name,
        tool_version=spec.version,
        tool_call_id=tool_call_id,
        effect=spec.effect.value,
        arguments=args.model_dump(mode="json"),
        summary=offer.summary,
        price_minor=offer.price.amount_minor if offer.price else None,
        currency=offer.price.currency if offer.price else None,
        quote_id=offer.quote_id,
        hold_id=offer.hold_id,
    )
